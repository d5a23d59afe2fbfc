"""Keys in memory while the database is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import users
from engine.db import Database
from webapp.api.keys import LIFETIME, Keys
from webapp.groupcommit import Unavailable


class Flaky(Database):
    """A database that can be taken away, and counts how often it was asked."""

    away = False
    asked = 0

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.asked += 1
        if self.away:
            raise OperationalError("select 1", {}, Exception("connection refused"))
        with super().transaction() as session:
            yield session


def test_one_answer_serves_for_three_seconds_and_one_failure_for_half_a_second(database: Database) -> None:
    flaky, time = Flaky(database.url, workspace=database.workspace), [100.0]
    keys = Keys(flaky, clock=lambda: time[0])
    with database.transaction() as session:
        key = users.create_api_key(session, "tests")
    assert keys.scopes(key) == {"ingest"}
    flaky.away = True
    time[0] += LIFETIME - 0.1
    assert keys.scopes(key) == {"ingest"}
    assert flaky.asked == 1
    time[0] += 0.2
    for _ in range(5):
        with pytest.raises(Unavailable):
            keys.scopes(key)
    assert flaky.asked == 2
    flaky.away = False
    time[0] += 0.6
    assert keys.scopes(key) == {"ingest"}
    flaky.close()
