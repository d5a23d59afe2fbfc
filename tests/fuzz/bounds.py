"""How much is tried, and how long one input may take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, settings

EFFORT = float(os.environ.get("CAIRN_FUZZ", "1"))
"""1: the short profile, the same inputs every time. More: so many times the inputs, new ones in every run."""

PATIENCE = 10
"""A bound is what an input may cost on a quiet core; a test fails at so many times that."""


def fuzz(inputs: int) -> settings:
    """Settings of a fuzz test that tries `inputs` inputs in the short profile."""
    return settings(
        max_examples=max(1, int(inputs * EFFORT)),
        derandomize=EFFORT <= 1,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def within(seconds: float, of: object = "") -> Iterator[None]:
    """Fail when the block takes this process more than PATIENCE times the CPU `seconds`; `of` is shown then."""
    start = time.process_time()
    yield
    spent = time.process_time() - start
    assert spent < seconds * PATIENCE, f"{spent:.2f} s of CPU where {seconds} s are the bound: {str(of)[:500]!r}"
