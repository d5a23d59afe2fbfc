"""A world a test, over a real PostgreSQL and a real SMTP receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.db import Database
from engine.settings import settings
from tests.journeys.runtime.world import World
from tests.ledger import assert_counters_equal_ledger
from tests.smtp import Receiver, recording_server
from workers import sending


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A mail server for all tests of this folder."""
    with recording_server() as server:
        yield server


@pytest.fixture
def world(database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty workspace at START. At the end its counters must equal its ledger."""
    monkeypatch.setenv("CAIRN_SMTP_URL", receiver.url)
    settings.cache_clear()
    made = World(database, receiver)
    yield made
    sending.close()
    settings.cache_clear()
    with database.transaction() as session:
        assert_counters_equal_ledger(session)
