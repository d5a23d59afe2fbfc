"""Leadership by lease, on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.db import Database
from workers import lease

SHORT = dt.timedelta(milliseconds=300)
LONG = dt.timedelta(seconds=30)


def win(database: Database, holder: str, duration: dt.timedelta = LONG) -> lease.Lease | None:
    with database.transaction() as session:
        return lease.acquire(session, "test", holder, duration)


def sure(won: lease.Lease | None) -> lease.Lease:
    assert won is not None
    return won


def test_one_holds_and_prolongs_and_the_other_waits_for_the_end(database: Database) -> None:
    first = sure(win(database, "a", SHORT))
    assert win(database, "b") is None
    assert win(database, "a", SHORT) == first
    time.sleep(0.35)
    second = sure(win(database, "b"))
    assert second.fence == first.fence + 1
    assert win(database, "a") is None


def test_a_leadership_given_up_is_free_at_once(database: Database) -> None:
    first = sure(win(database, "a"))
    with database.transaction() as session:
        lease.release(session, first)
    assert sure(win(database, "b")).fence == first.fence + 1


def test_a_lease_that_is_over_fails_every_check_even_when_nobody_took_it(database: Database) -> None:
    first = sure(win(database, "a", SHORT))
    with database.transaction() as session:
        lease.check(session, first)
        lease.guard(session, first, LONG)
    time.sleep(0.35)
    with database.transaction() as session:
        with pytest.raises(lease.LeaseLost):
            lease.check(session, first)
        with pytest.raises(lease.LeaseLost):
            lease.guard(session, first, LONG)


def test_a_former_leader_fails_the_check_after_a_takeover(database: Database) -> None:
    first = sure(win(database, "a", dt.timedelta(0)))
    second = sure(win(database, "b"))
    with database.transaction() as session:
        with pytest.raises(lease.LeaseLost):
            lease.guard(session, first, LONG)
        lease.guard(session, second, LONG)


def test_a_leader_that_stands_still_in_its_transaction_loses_it_and_blocks_nobody(database: Database) -> None:
    first = sure(win(database, "a", SHORT))
    started = time.monotonic()
    with pytest.raises(DBAPIError), database.transaction() as session:
        lease.guard(session, first, SHORT)
        assert lease.take_slot(session, "daily", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), first)
        second = sure(win(database, "b"))  # waits for the lock until the server ends the session above
        assert time.monotonic() - started < 5
        session.execute(text("select 1"))
    with database.transaction() as session:
        assert lease.take_slot(session, "daily", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), second)


def test_a_slot_is_taken_once(database: Database) -> None:
    held = sure(win(database, "a"))
    slot = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with database.transaction() as session:
        taken = [lease.take_slot(session, name, slot, held) for name in ("daily", "daily", "hourly")]
    assert taken == [True, False, True]
