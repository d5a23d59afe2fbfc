"""Senders that are closed after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.messages.sending import Sender
from tests.engine.messages.ledger import Make, sender


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes senders over one relay or several that are closed after the test."""
    made: list[Sender] = []

    def maker(*urls: str, **options: Any) -> Sender:
        made.append(sender(tmp_path, " ".join(urls), **options))
        return made[-1]

    yield maker
    for each in made:
        each.close()
