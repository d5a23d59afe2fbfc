"""The writer: shared commits, guilty requests, a database that goes away."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.db import Database
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import Busy, GroupCommit, Limits, Moment, Unavailable
from workers.embedded import start_postgres

INSERT = text("insert into workspace_settings (name, value) values (:name, 'true')")


def insert(session: Session, names: Sequence[str], moment: Moment) -> list[str]:
    """Each name once: a second one breaks the transaction, as a guilty request would."""
    session.execute(INSERT, [{"name": name} for name in names])
    return [name.upper() for name in names]


@contextmanager
def writing(database: Database, handler: Any = insert, **more: Any) -> Iterator[GroupCommit]:
    writer = GroupCommit(database, {"name": handler}, **more)
    try:
        yield writer
    finally:
        writer.close()


def stored(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.execute(text("select name from workspace_settings where name <> 'quiet_hours'")).scalars())


def test_everybody_gets_their_own_answer_after_a_shared_commit(database: Database) -> None:
    with writing(database) as writer, ThreadPoolExecutor(64) as pool:
        names = [f"n{n}" for n in range(640)]
        assert list(pool.map(lambda name: writer.submit("name", name), names)) == [name.upper() for name in names]
        assert writer.stats.commits < 400
    assert stored(database) == set(names)


def test_only_the_guilty_request_errs(database: Database) -> None:
    with database.transaction() as session:
        session.execute(INSERT, [{"name": "taken"}])
    with writing(database) as writer, ThreadPoolExecutor(32) as pool:
        waiting = [pool.submit(writer.submit, "name", name) for name in [*(f"n{n}" for n in range(31)), "taken"]]
        errors = [future.exception() for future in waiting]
    assert errors[:31] == [None] * 31
    assert "workspace_settings_pkey" in str(errors[31])
    assert stored(database) == {f"n{n}" for n in range(31)} | {"taken"}


def test_a_lost_race_is_run_again(database: Database) -> None:
    seen = []

    def racing(session: Session, names: Sequence[str], moment: Moment) -> list[str]:
        seen.append(names)
        if len(seen) < 3:
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        return list(insert(session, names, moment))

    with writing(database, racing) as writer:
        assert writer.submit("name", "n") == "N"
    assert len(seen) == 3


def test_too_much_pending_is_refused_and_one_large_request_is_not(database: Database) -> None:
    block = threading.Event()

    def slow(session: Session, names: Sequence[str], moment: Moment) -> list[str]:
        block.wait(10)
        return insert(session, names, moment)

    with writing(database, slow, limits=Limits(pending=10)) as writer, ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.submit, "name", "a", 100)
        until(lambda: not writer._queues.urgent)
        second = pool.submit(writer.submit, "name", "b", 100)
        until(lambda: bool(writer._queues.urgent))
        with pytest.raises(Busy):
            writer.submit("name", "c", 1)
        block.set()
        assert (first.result(10), second.result(10)) == ("A", "B")


def test_a_crowd_is_committed_beside_what_is_under_way_and_a_few_wait_for_it(database: Database) -> None:
    under_way, goes_on, seen = threading.Event(), threading.Event(), []

    def slow(session: Session, names: Sequence[str], moment: Moment) -> list[str]:
        seen.append(list(names))
        if "first" in names:
            under_way.set()
            goes_on.wait(10)
        return insert(session, names, moment)

    with writing(database, slow, limits=Limits(crowd=100)) as writer, ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.submit, "name", "first")
        assert under_way.wait(10)
        few = pool.submit(writer.submit, "name", "few", 99)
        until(lambda: bool(writer._queues.urgent))
        assert seen == [["first"]]
        one_more = pool.submit(writer.submit, "name", "one more")
        assert (few.result(10), one_more.result(10)) == ("FEW", "ONE MORE")
        assert not first.done()
        goes_on.set()
        assert first.result(10) == "FIRST"
    assert stored(database) == {"first", "few", "one more"}


def test_who_offers_does_not_wait_and_is_written_soon(database: Database) -> None:
    with writing(database) as writer:
        started = time.monotonic()
        assert all(writer.offer("name", f"n{n}") for n in range(100))
        assert time.monotonic() - started < 0.5
        until(lambda: len(stored(database)) == 100)


def test_a_guilty_offer_is_dropped_and_the_others_are_written(database: Database) -> None:
    with writing(database) as writer:
        for name in ("a", "b", "a", "c"):
            writer.offer("name", name)
    assert stored(database) == {"a", "b", "c"}


def test_closing_writes_what_is_pending_and_refuses_more(database: Database) -> None:
    with writing(database, limits=Limits(deferred_delay=60)) as writer:
        for n in range(50):
            writer.offer("name", f"n{n}")
    assert len(stored(database)) == 50
    with pytest.raises(Unavailable):
        writer.submit("name", "late")


def test_the_listener_hears_of_commits_and_may_fail(database: Database) -> None:
    heard: list[set[str]] = []

    def listen(kinds: set[str]) -> None:
        heard.append(kinds)
        raise RuntimeError("the listener's own trouble")

    with writing(database, committed=listen) as writer:
        assert writer.submit("name", "a") == "A"
        assert writer.submit("name", "b") == "B"
    assert heard == [{"name"}, {"name"}]


def test_the_writer_outlives_a_restart_of_postgres() -> None:
    """Waiting requests are told so, offered work is kept, and afterwards all goes on without a restart of ours."""
    with TemporaryDirectory(prefix="cairn-pg-") as home:
        server = start_postgres(Path(home))
        database = Database(server.url, workspace="test_restart")
        database.migrate()
        with writing(database, limits=Limits(retry_delay=0.05)) as writer:
            assert writer.submit("name", "before") == "BEFORE"
            server.stop()
            with pytest.raises(Unavailable):
                writer.submit("name", "during")
            assert writer.offer("name", "kept")
            time.sleep(0.2)
            assert writer.stats.away
            server = start_postgres(Path(home))
            assert writer.submit("name", "after") == "AFTER"
            until(lambda: stored(database) == {"before", "kept", "after"})
            assert not writer.stats.away
        database.close()
        server.stop()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.AdminShutdown(), Trouble.AWAY),
        (psycopg.errors.DiskFull(), Trouble.AWAY),
        (psycopg.errors.ReadOnlySqlTransaction(), Trouble.AWAY),
        (psycopg.OperationalError("the connection is closed"), Trouble.AWAY),
        (psycopg.errors.DeadlockDetected(), Trouble.RACE),
        (psycopg.errors.SerializationFailure(), Trouble.RACE),
        (psycopg.errors.UniqueViolation(), Trouble.GUILTY),
        (psycopg.DataError("NUL"), Trouble.GUILTY),
        (ValueError("ours"), Trouble.GUILTY),
        (OperationalError("select 1", {}, psycopg.errors.DeadlockDetected()), Trouble.RACE),
        (OperationalError("select 1", {}, psycopg.errors.CannotConnectNow()), Trouble.AWAY),
    ],
)
def test_what_an_error_means(error: Exception, expected: Trouble) -> None:
    assert diagnose(error) is expected


def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    while not happened():
        assert dt.datetime.now(dt.UTC) < end, "it did not happen in time"
        time.sleep(0.01)
