"""A world a test, over a real PostgreSQL and a real SMTP receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.db import Database
from tests.journeys.runtime.world import World
from tests.journeys.worlds import opened
from tests.smtp import Receiver


@pytest.fixture
def world(database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty workspace at START. At the end its counters must equal its ledger."""
    with opened(World, database, receiver, monkeypatch) as made:
        yield made
