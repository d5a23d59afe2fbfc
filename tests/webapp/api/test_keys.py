"""Keys in memory while the database is away, and the calls that failed with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import users
from engine.db import Database
from tests.webapp.calling import serving
from webapp.api import failures
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


def test_calls_that_fail_are_kept_without_what_is_a_persons(database: Database) -> None:
    with serving(database) as site:
        assert site.post("/v1/track", {"event": "A"}).status_code == 400
        assert site.post("/v1/journeys/nothing/enter", {"userId": "u"}).status_code == 404
        assert site.client.get("/v1/contacts/ann@x.example/explain?journey=a", auth=(site.key, "")).status_code == 403
        assert site.post("/v1/track", {"event": "A"}, auth=("unknown", "")).status_code == 401
        assert site.post("/v1/track", {"userId": "u", "event": "A"}).status_code == 200
        with database.transaction() as session:
            kept = [(row.name, row.method, row.path, row.status) for row in failures.latest(session, 10)]
            said = " ".join(row.message for row in failures.latest(session, 10))
    assert kept == [
        ("tests", "GET", "/v1/contacts/…/explain", 403),
        ("tests", "POST", "/v1/journeys/nothing/enter", 404),
        ("tests", "POST", "/v1/track", 400),
    ]
    assert "There is no published journey “…”" in said and "userId" in said and "ann@x" not in said


def test_a_program_that_always_fails_is_written_down_a_few_times_a_second(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "KEPT", 3)
    with serving(database) as site:
        site.hot.failures.clock = lambda: 7.0
        for _ in range(failures.A_SECOND + 3):
            site.post("/v1/track", {})
        assert site.rows("select max(id), count(*) from api_failures") == [(failures.A_SECOND, 3)]
