"""How Python looks for garbage in processes that handle batches."""

from __future__ import annotations

import gc


def expect_batches() -> None:
    """Look for circles rarely: rows hold none, and looking through them costs a third of a batch's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
