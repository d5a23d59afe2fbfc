"""Events are stored once, with their inbox rows, whatever else is in the batch."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.db import Database
from engine.events.record import NewEvent, record

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def event(message_id: str, **values: Any) -> NewEvent:
    return NewEvent(**{"contact_id": 1, "name": "Seen", "occurred_at": NOW, "message_id": message_id} | values)


def stored(session: Session) -> list[str]:
    return list(session.execute(text("select message_id from events order by message_id")).scalars())


def test_an_event_is_recorded_once_within_and_across_batches(session: Session) -> None:
    first = record(session, [event("a"), event("a", name="Other"), event("b")], NOW)
    assert first.statuses == ("recorded", "duplicate", "recorded") and first.recorded == 2
    assert record(session, [event("b"), event("c")], NOW).statuses == ("duplicate", "recorded")
    assert stored(session) == ["a", "b", "c"]
    assert session.execute(text("select count(*) from event_inbox where triggers")).scalar() == 3


def test_times_ahead_are_clamped_and_late_ones_trigger_nothing(session: Session) -> None:
    day = dt.timedelta(days=1)
    record(
        session,
        [
            event("ahead", occurred_at=NOW + day),
            event("soon", occurred_at=NOW + dt.timedelta(minutes=4)),
            event("late", occurred_at=NOW - day - dt.timedelta(seconds=1)),
            event("just", occurred_at=NOW - day),
        ],
        NOW,
    )
    rows = session.execute(text("select message_id, occurred_at, triggers from event_inbox")).all()
    assert {tuple(row) for row in rows} == {
        ("ahead", NOW + dt.timedelta(minutes=5), True),
        ("soon", NOW + dt.timedelta(minutes=4), True),
        ("late", NOW - day - dt.timedelta(seconds=1), False),
        ("just", NOW - day, True),
    }


def test_an_event_ahead_is_looked_at_once_it_has_occurred(session: Session) -> None:
    soon = NOW + dt.timedelta(minutes=2)
    record(session, [event("soon", occurred_at=soon), event("past", occurred_at=NOW - dt.timedelta(hours=1))], NOW)
    rows = session.execute(text("select message_id, available_at from event_inbox")).all()
    assert {tuple(row) for row in rows} == {("soon", soon), ("past", NOW)}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    "values",
    [
        {"properties": {"a": "x\0"}},
        {"properties": {"a\0": 1}},
        {"properties": {"a": ["\ud800"]}},
        {"properties": {"a": float("inf")}},
        {"properties": {"a": float("nan")}},
        {"properties": {"a": object()}},
        {"properties": {"a": "x" * 200_000}},
        {"properties": nested(300)},
        {"properties": nested(20_000)},
        {"context": {"a": "\0"}},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "x\0"},
        {"message_id": " "},
        {"message_id": "x" * 600},
        {"occurred_at": dt.datetime(1, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_an_event_that_cannot_be_stored_is_refused_alone(session: Session, values: dict[str, Any]) -> None:
    result = record(session, [event("a"), event(**{"message_id": "bad"} | values), event("b")], NOW)
    assert result.statuses == ("recorded", "refused", "recorded")
    assert result.reasons[1]
    assert stored(session) == ["a", "b"]


def test_a_backslash_u_in_text_is_no_nul(session: Session) -> None:
    record(session, [event("a", properties={"path": "c:\\u0000", "n": nested(50)})], NOW)
    assert session.execute(text("select properties->>'path' from events")).scalar() == "c:\\u0000"


def test_events_and_their_properties_become_known(session: Session) -> None:
    record(session, [event("a", properties={"total": 5}), event("b", properties={"items": [], "at": {"x": 1}})], NOW)
    record(session, [event("c", properties={"total": "text", "new": True})], NOW)
    found = session.execute(text("select name, properties from event_definitions")).all()
    types = {"total": "number", "items": "list", "at": "object", "at.x": "number", "new": "boolean"}
    assert [tuple(row) for row in found] == [("Seen", types)]


def test_writers_at_the_same_time_store_each_event_once(database: Database) -> None:
    with database.transaction() as session:
        [contact] = identify(session, [Profile("c")], NOW)
    counts: list[int] = []

    def write(order: int) -> None:
        for start in range(0, 200, 20):
            ids = [f"m{i}" for i in range(start, start + 30)]
            batch = [event(i, contact_id=contact) for i in (ids if order else ids[::-1])]
            with database.transaction() as opened:
                counts.append(record(opened, batch, NOW).recorded)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 210
    with database.transaction() as session:
        assert len(stored(session)) == 210 == session.execute(text("select count(*) from event_inbox")).scalar()
