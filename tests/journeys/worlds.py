"""Worlds that send over real SMTP for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from engine.db import Database
from engine.settings import settings
from tests.journeys.runtime.world import World
from tests.ledger import assert_counters_equal_ledger
from tests.smtp import Receiver
from workers import sending

Kind = TypeVar("Kind", bound=World)


@contextmanager
def opened(kind: type[Kind], database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    """A world on an empty workspace, whose mail goes to `receiver`. At the end its counters must equal its ledger."""
    monkeypatch.setenv("CAIRN_SMTP_URL", receiver.url)
    settings.cache_clear()
    made = kind(database, receiver)
    yield made
    sending.close()
    settings.cache_clear()
    with database.transaction() as session:
        assert_counters_equal_ledger(session)
