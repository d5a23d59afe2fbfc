"""Batches that fail, and workers that stop in the middle of one."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock, partitions
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.db import Database
from engine.events.record import NewEvent, record
from journeys.publish import publish
from journeys.runtime import apply as applying
from journeys.runtime import match as matching
from journeys.runtime import turn
from workers import pipeline

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
JOURNEY = "journey: j\nenter: {on: Signed Up, again: always}\nsteps:\n  - wait: 10 days\n    id: rest\n"


@pytest.fixture
def people(database: Database) -> list[int]:
    """Two hundred contacts, each with an event that starts the journey."""
    with database.transaction() as session:
        clock.set_virtual(session, NOW)
        partitions.ensure_ahead(session, NOW, months=1)
        publish(session, JOURNEY, NOW, "test")
        ids = identify(session, [Profile(f"u{n}") for n in range(200)], NOW)
        record(session, [NewEvent(id_, "Signed Up", NOW, f"m{id_}") for id_ in ids], NOW)
    return ids


def entered(database: Database) -> list[int]:
    with database.transaction() as session:
        return list(session.execute(text("select contact_id from enrolments order by 1")).scalars())


def waiting(database: Database) -> list[tuple[int, str | None]]:
    with database.transaction() as session:
        rows = session.execute(text("select contact_id, error from event_inbox order by 1")).all()
    return [tuple(row) for row in rows]


def test_an_event_that_cannot_even_be_read_is_set_aside(database: Database, people: list[int]) -> None:
    """A number of five thousand digits is JSON to PostgreSQL and an error to Python."""
    with database.transaction() as session:
        session.execute(
            text("update event_inbox set properties = cast(:huge as jsonb) where contact_id = :id"),
            {"huge": '{"n": ' + "1" * 5000 + "}", "id": people[17]},
        )
    pipeline.match(database)
    assert entered(database) == [id_ for id_ in people if id_ != people[17]]
    [(contact_id, error)] = waiting(database)
    assert contact_id == people[17] and error and "ValueError" in error


def test_several_poison_events_are_found_in_few_transactions(
    database: Database, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = {people[3], people[4], people[30]}
    batches = []
    original = matching.match_events

    def counted(*arguments: object) -> int:
        batches.append(arguments)
        return original(*arguments)  # type: ignore[arg-type]

    with database.transaction() as session:
        condition = " or ".join(f"new.contact_id = {id_}" for id_ in poison)
        session.execute(
            text(
                "create function refuse() returns trigger language plpgsql as $$ begin "
                f"if {condition} then raise exception 'poison'; end if; return new; end $$; "
                "create trigger refuse before insert on enrolments for each row execute function refuse()"
            )
        )
    monkeypatch.setattr(matching, "BATCH", 256)
    monkeypatch.setattr(matching, "match_events", counted)
    pipeline.match(database)
    assert entered(database) == [id_ for id_ in people if id_ not in poison]
    assert {contact_id for contact_id, _ in waiting(database)} == poison
    assert len(batches) < 60


@pytest.mark.parametrize("place", ["open", "enrol"])
def test_a_worker_that_dies_before_its_commit_loses_nothing(
    database: Database, people: list[int], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    class Killed(BaseException):
        """No `except Exception` sees it, as none sees a SIGKILL."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(*(applying._Batch, "open", die) if place == "open" else (applying, "enrol", die))
        with pytest.raises(Killed):
            pipeline.match(database)
    assert entered(database) == [] and len(waiting(database)) == 200
    pipeline.match(database)
    assert entered(database) == people and waiting(database) == []


def test_an_outage_sets_nothing_aside(database: Database, people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends the connection in the middle of a batch."""

    def cut(session: Session, *_: object) -> None:
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patched:
        patched.setattr(applying, "enrol", cut)
        with pytest.raises(Exception, match=r"terminat|closed"):
            pipeline.match(database)
    assert {error for _, error in waiting(database)} == {None}
    pipeline.match(database)
    assert entered(database) == people


def test_a_stopped_worker_gives_its_locks_back(
    database: Database, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it were SIGSTOPped in a batch: the server ends its transaction, and another worker does the batch."""
    monkeypatch.setattr(turn, "GIVE_WAY", "set local idle_in_transaction_session_timeout = '100ms'")

    def sleep(session: Session, *_: object) -> None:
        import time

        time.sleep(1)
        session.execute(text("select 1"))

    with monkeypatch.context() as patched:
        patched.setattr(applying, "enrol", sleep)
        with pytest.raises(Exception, match=r"terminat|closed|idle|lost"):
            pipeline.match(database)
    assert {error for _, error in waiting(database)} == {None}
    pipeline.match(database)
    assert entered(database) == people
