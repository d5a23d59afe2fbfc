"""Campaigns in the world of the journeys' tests: real PostgreSQL, real SMTP, a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.db import Database
from tests.campaigns.town import Town
from tests.journeys.worlds import opened
from tests.smtp import Receiver


@pytest.fixture
def town(database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """An empty workspace at START. At the end its counters must equal its ledger."""
    with opened(Town, database, receiver, monkeypatch) as made:
        yield made
