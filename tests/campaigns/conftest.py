"""Campaigns in the world of the journeys' tests: real PostgreSQL, real SMTP, a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.db import Database
from engine.settings import settings
from tests.campaigns.town import Town
from tests.ledger import assert_counters_equal_ledger
from tests.smtp import Receiver, recording_server
from workers import sending


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A mail server for all tests of this folder."""
    with recording_server() as server:
        yield server


@pytest.fixture
def town(database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """An empty workspace at START. At the end its counters must equal its ledger."""
    monkeypatch.setenv("CAIRN_SMTP_URL", receiver.url)
    settings.cache_clear()
    made = Town(database, receiver)
    yield made
    sending.close()
    settings.cache_clear()
    with database.transaction() as session:
        assert_counters_equal_ledger(session)
