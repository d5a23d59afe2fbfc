"""Conversions are stored once and credited once, and again when a touch becomes known."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.attribution import convert
from engine.workspace import Workspace
from tests.engine.tracking.seeds import Seed, message

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WORKSPACE = Workspace()
numbers = itertools.count(1)


def touch(session: Session, seed: Seed, clicked: dt.datetime | None = None, opened: dt.datetime | None = None) -> None:
    """The message was clicked and opened for the first time."""
    session.execute(
        text("update messages set first_click_at = :clicked, first_open_at = :opened where id = :id"),
        {"clicked": clicked, "opened": opened, "id": seed.id},
    )


def revenue(contact_id: int, value: int, event: str = "", at: dt.datetime = NOW) -> convert.NewConversion:
    """A purchase."""
    event = event or f"order-{next(numbers)}"
    return convert.NewConversion("revenue", contact_id, None, None, "Order Completed", event, at, Decimal(value))


def goal(seed: Seed, value: int, event: str, name: str = "Order Completed", entry: int = 1) -> convert.NewConversion:
    """A goal met by an event."""
    return convert.NewConversion("goal", seed.contact_id, entry, seed.journey_id, name, event, NOW, Decimal(value))


def credits(session: Session) -> list[tuple[int, Decimal, Decimal]]:
    """(message, share, value), by conversion."""
    rows = session.execute(text("select message_id, share, value from credits order by conversion_id, message_id"))
    return [tuple(row) for row in rows]


def counted(session: Session) -> dict[int, tuple[Decimal, Decimal]]:
    """Journey -> (conversions, revenue) of the rollups, without rows that came to nothing."""
    rows = session.execute(text("select journey_id, sum(conversions), sum(revenue) from message_rollups group by 1"))
    return {row[0]: (row[1], row[2]) for row in rows if row[1]}


def test_an_event_converts_once_however_often_it_is_seen(session: Session) -> None:
    seed = message(session, NOW - DAY)
    touch(session, seed, clicked=NOW - HOUR)
    for _ in range(2):
        convert.record(session, WORKSPACE, [revenue(seed.contact_id, 30, "o1")])
    assert session.execute(text("select count(*) from conversions")).scalar() == 1
    assert credits(session) == [(seed.id, 1, 30)]
    assert counted(session) == {seed.journey_id: (1, 30)}


def test_a_goal_and_the_revenue_of_one_event_count_the_money_once(session: Session) -> None:
    seed = message(session, NOW - DAY)
    touch(session, seed, clicked=NOW - HOUR)
    convert.record(session, WORKSPACE, [revenue(seed.contact_id, 30, "o1")])
    convert.record(session, WORKSPACE, [goal(seed, 30, "o1")])
    assert session.execute(text("select count(*) from conversions")).scalar() == 2
    assert counted(session) == {seed.journey_id: (1, 30)}
    convert.recredit(session, WORKSPACE, [seed.contact_id], NOW - DAY)
    assert counted(session) == {seed.journey_id: (1, 30)}


def test_a_goal_by_an_event_without_revenue_has_credit_of_its_own(session: Session) -> None:
    """Also when the event is of a kind that usually earns something: this one carried no amount."""
    for name in ("Trial Started", "Order Completed"):
        seed = message(session, NOW - DAY)
        touch(session, seed, opened=NOW - HOUR)
        convert.record(session, WORKSPACE, [goal(seed, 12, f"e-{name}", name, entry=next(numbers))])
        assert counted(session)[seed.journey_id] == (1, 12)


def test_a_goal_credits_only_messages_of_its_journey(session: Session) -> None:
    own, other = message(session, NOW - DAY), message(session, NOW - DAY)
    session.execute(text("update messages set contact_id = :id"), {"id": own.contact_id})
    touch(session, own, clicked=NOW - 2 * HOUR)
    touch(session, other, clicked=NOW - HOUR)
    convert.record(session, WORKSPACE, [goal(own, 5, "g1", "Trial Started"), revenue(own.contact_id, 30)])
    assert credits(session) == [(own.id, 1, 5), (other.id, 1, 30)]


@pytest.mark.parametrize(("age", "credited"), [(89 * DAY, True), (91 * DAY, False), (-HOUR, False)])
def test_a_message_gets_credit_for_ninety_days_and_not_for_what_came_before_it(
    session: Session, age: dt.timedelta, credited: bool
) -> None:
    seed = message(session, NOW - age)
    touch(session, seed, clicked=NOW - HOUR)
    convert.record(session, WORKSPACE, [revenue(seed.contact_id, 30)])
    assert bool(credits(session)) is credited


def test_credit_moves_when_a_later_touch_becomes_known(session: Session) -> None:
    first, second = message(session, NOW - 2 * DAY), message(session, NOW - DAY)
    session.execute(text("update messages set contact_id = :id"), {"id": first.contact_id})
    touch(session, first, opened=NOW - DAY)
    convert.record(session, WORKSPACE, [revenue(first.contact_id, 30)])
    assert counted(session) == {first.journey_id: (1, 30)}
    touch(session, second, clicked=NOW - HOUR)
    convert.recredit(session, WORKSPACE, [first.contact_id], NOW - HOUR)
    assert credits(session) == [(second.id, 1, 30)]
    assert counted(session) == {second.journey_id: (1, 30)}


def test_only_conversions_after_the_touch_are_credited_again(session: Session) -> None:
    seed = message(session, NOW - 2 * DAY)
    convert.record(session, WORKSPACE, [revenue(seed.contact_id, 30, at=NOW - DAY), revenue(seed.contact_id, 40)])
    touch(session, seed, clicked=NOW - HOUR)
    convert.recredit(session, WORKSPACE, [seed.contact_id], NOW - HOUR)
    assert counted(session) == {seed.journey_id: (1, 40)}


@pytest.mark.parametrize(
    ("properties", "amount"),
    [
        ({"revenue": 12.5, "total": 99}, "12.5"),
        ({"total": 99}, "99"),
        ({"revenue": "12"}, None),
        ({"revenue": None, "value": 3}, "3"),
        ({"revenue": True}, None),
        ({"revenue": float("nan")}, None),
        ({"revenue": float("inf"), "total": 1}, "1"),
        ({"revenue": 0}, "0"),
        ({"revenue": -5}, "-5"),
        ({"revenue": 10**400}, None),
        ({}, None),
    ],
)
def test_revenue_is_the_first_property_that_is_a_number(properties: dict[str, Any], amount: str | None) -> None:
    found = convert.revenue(WORKSPACE, "Order Completed", properties)
    assert found == (None if amount is None else Decimal(amount))
    assert convert.revenue(WORKSPACE, "Signed Up", properties) is None
