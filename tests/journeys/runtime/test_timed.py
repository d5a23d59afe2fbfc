"""Entries by the clock: schedules and dates."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import event

from engine import clock
from journeys.runtime import catalogue as catalogues
from journeys.runtime import timed
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey

MARK = "- set: {seen: true}\n  id: mark"
WEEKLY = 'schedule: every thursday 08:00, where: plan is "pro", again: always'
THURSDAY = START + 2 * DAY + 20 * HOUR


def entries(world: World) -> list[tuple[int, dt.datetime]]:
    rows = world.execute("select contact_id, entered_at from enrolments order by entered_at, contact_id")
    return [tuple(row) for row in rows]


def at(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{written}+00:00")


def test_a_schedule_lets_in_at_each_slot_whoever_its_rule_holds_for(world: World) -> None:
    pro, late, free = world.contact(plan="pro"), world.contact(), world.contact(plan="free")
    world.publish(journey(MARK, enter=WEEKLY))
    world.live(4 * DAY)
    world.change(late, plan="pro")
    world.live(6 * DAY)
    assert entries(world) == [(pro, THURSDAY), (pro, THURSDAY + 7 * DAY), (late, THURSDAY + 7 * DAY)]
    assert world.statuses(free) == []
    assert world.execute("select count(*) from entry_inbox") == [(0,)]


def test_of_several_slots_that_were_missed_the_last_is_caught_up_once(world: World) -> None:
    contact = world.contact(plan="pro")
    world.publish(journey(MARK, enter=WEEKLY))
    world.jump(30 * DAY)
    for _ in range(3):
        world.settle()
    last = THURSDAY + 21 * DAY
    assert entries(world) == [(contact, START + 30 * DAY)]
    assert world.execute("select trigger_message_id from enrolments") == [(f"schedule:{last.isoformat()}",)]
    assert world.execute("select next_entry_at from journeys") == [(last + 7 * DAY,)]


def test_two_who_find_the_same_slot_due_let_everybody_in_once(world: World) -> None:
    people = [world.contact(plan="pro") for _ in range(4)]
    world.publish(journey(MARK, enter=WEEKLY))
    world.jump(4 * DAY)
    [(id_,)] = world.execute("select id from journeys")
    together = threading.Barrier(4)

    def take() -> None:
        with world.database.transaction() as session:
            catalogue, now = catalogues.load(session), clock.now(session)
            together.wait()
            timed.let_in(session, catalogue, id_, now)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.execute("select contact_id from entry_inbox order by 1") == [(contact,) for contact in people]
    world.settle()
    world.execute("update journeys set next_entry_at = :at", at=THURSDAY)  # as a clock that was put back finds it
    world.settle()
    assert len(entries(world)) == 4


def test_a_pause_holds_a_slot_and_a_publish_keeps_it(world: World) -> None:
    contact = world.contact(plan="pro")
    world.publish(journey(MARK, enter=WEEKLY))
    world.state("j", "paused")
    world.live(4 * DAY)
    assert entries(world) == []
    world.publish(journey(MARK.replace("seen", "known"), enter=WEEKLY))
    world.settle()
    assert entries(world) == [(contact, START + 4 * DAY)]
    world.publish(journey(MARK, enter="on: Signed Up"))
    assert world.execute("select next_entry_at from journeys") == [(None,)]


def test_a_date_lets_its_contact_in_where_they_live_and_moves_with_the_attribute(world: World) -> None:
    here = world.contact(company={"renews": "2026-03-10"}, timezone="America/New_York")
    past = world.contact(company={"renews": "2026-03-01"})
    moves = world.contact(company={"renews": "2026-03-05"}, timezone="Europe/Berlin")
    world.publish(journey(MARK, enter="date: 2 days before company.renews, again: always"))
    later = world.contact(company={"renews": "2026-03-06T10:00:00Z"})
    nothing = world.contact(company={"renews": "soon"})
    world.change(moves, company={"renews": "2026-03-09"})
    world.live(2 * DAY)
    world.change(later, company={"renews": "2026-03-06T10:00:00Z", "seats": 3})
    world.live(10 * DAY)
    assert entries(world) == [
        (later, at("2026-03-04 10:00")),
        (moves, at("2026-03-06 23:00")),
        (here, at("2026-03-08 04:00")),  # two days are 48 hours, though a clock goes forward between
    ]
    assert (world.statuses(past), world.statuses(nothing)) == ([], [])
    world.change(moves, company={"renews": "2026-03-20"})
    world.live(10 * DAY)
    assert entries(world)[3:] == [(moves, at("2026-03-17 23:00"))]


def test_a_contact_enters_once_for_a_date_by_its_rule_and_a_step_may_set_the_next_one(world: World) -> None:
    steps = "- set: {renews: '2026-04-10T00:00:00Z'}\n  id: following"
    world.publish(journey(steps, enter='date: renews, where: plan is "pro", again: always'))
    pro, free = world.contact(plan="pro", renews="2026-03-10"), world.contact(renews="2026-03-10")
    world.live(60 * DAY)
    assert entries(world) == [(pro, at("2026-03-10 00:00")), (pro, at("2026-04-10 00:00"))]
    assert world.statuses(free) == []
    world.change(free, renews="2026-12-10")
    world.settle()
    world.publish(journey(steps, enter="on: Signed Up"))
    assert world.execute("select count(*) from entry_inbox") == [(0,)]


AGAIN = "- wait: 1 day\n  id: rest"
BIRTHDAY = "date: birthday"


@pytest.mark.parametrize("change", ["nothing", "text", "offset", "zone"])
def test_a_date_that_came_in_a_pause_lets_in_when_it_ends_whatever_changed_meanwhile(world: World, change: str) -> None:
    contact = world.contact(birthday="2026-03-05")
    world.publish(journey(MARK, enter=BIRTHDAY))
    world.state("j", "paused")
    world.live(5 * DAY)
    if change == "text":
        world.publish(journey(f"{MARK}\n{AGAIN}", enter=BIRTHDAY))
    if change == "offset":
        world.publish(journey(MARK, enter="date: 1 day after birthday"))
    if change == "zone":
        world.change(contact, timezone="Europe/Berlin")
        world.live(HOUR)
    if change in ("nothing", "zone"):
        world.state("j", "live")
    world.settle()
    assert len(world.statuses(contact)) == 1


def test_a_date_set_aside_or_held_moves_with_the_offset(world: World) -> None:
    failed, held = world.contact(birthday="2026-03-05"), world.contact(birthday="2026-03-04")
    world.publish(journey(MARK, enter=BIRTHDAY))
    world.execute("update entry_inbox set error = 'x' where contact_id = :id", id=failed)
    world.state("j", "paused")
    world.live(5 * DAY)
    world.publish(journey(MARK, enter="date: 7 days after birthday"))
    assert world.execute("select contact_id, available_at, error from entry_inbox order by available_at") == [
        (held, at("2026-03-11 00:00"), None),
        (failed, at("2026-03-12 00:00"), None),
    ]


@pytest.mark.parametrize("enter", [WEEKLY, BIRTHDAY])
@pytest.mark.parametrize("state", ["stopped", "draining"])
def test_publishing_a_journey_that_let_nobody_in_begins_with_the_next_slot_or_date(
    world: World, state: str, enter: str
) -> None:
    contact = world.contact(plan="pro", birthday="2026-03-05")
    world.publish(journey(MARK, enter=enter))
    world.state("j", state)
    world.change(contact, timezone="Europe/Berlin")
    world.live(10 * DAY)
    world.publish(journey(AGAIN, enter=enter))
    world.settle()
    assert entries(world) == []
    world.change(contact, birthday="2026-03-19")
    world.live(7 * DAY)
    assert len(entries(world)) == 1


@pytest.mark.parametrize("enter", [WEEKLY, BIRTHDAY])
@pytest.mark.parametrize("paused", [False, True])
def test_slots_and_dates_that_came_while_a_journey_drained_let_nobody_in(
    world: World, enter: str, paused: bool
) -> None:
    contact = world.contact(plan="pro", birthday="2026-03-05")
    world.publish(journey(MARK, enter=enter))
    world.state("j", "draining")
    world.live(10 * DAY)
    if paused:
        world.state("j", "paused")
    world.state("j", "live")
    world.settle()
    assert entries(world) == []
    world.change(contact, birthday="2026-03-19")
    world.live(7 * DAY)
    assert len(entries(world)) == 1


def test_a_slot_goes_by_the_rule_that_was_published_since_the_catalogue_was_read(world: World) -> None:
    pro, free = world.contact(plan="pro"), world.contact(plan="free")
    world.publish(journey(MARK, enter=WEEKLY))
    world.jump(4 * DAY)
    with world.database.transaction() as session:
        before = catalogues.load(session)
    world.publish(journey(MARK, enter=WEEKLY.replace("pro", "free")))
    [(id_,)] = world.execute("select id from journeys")
    with world.database.transaction() as session:
        timed.let_in(session, before, id_, clock.now(session))
    assert world.execute("select contact_id from entry_inbox") == [(free,)], f"not {pro}"


def test_a_slot_counts_events_once_for_all_contacts(world: World) -> None:
    world.publish(
        "journey: j\nenter:\n  schedule: every thursday 08:00\n"
        '  where: did "X" at least 2 times in the last 30 days and sum of total over "Y" in the last 90 days > 5\n'
        f"steps:\n  - {AGAIN[2:].replace(chr(10), chr(10) + '  ')}\n"
    )
    contact = world.contact()
    for name in ("X", "X", "Y"):
        world.event(contact, name, total=6)
    world.contact()
    world.jump(4 * DAY)
    plans: list[str] = []

    def explain(connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if "INSERT INTO entry_inbox" in statement and not statement.startswith("explain"):
            plans.append(str(connection.exec_driver_sql(f"explain {statement}", parameters).all()))

    [(id_,)] = world.execute("select id from journeys")
    with world.database.transaction() as session:
        event.listen(session.connection(), "before_cursor_execute", explain)
        timed.let_in(session, catalogues.load(session), id_, clock.now(session))
    assert world.execute("select contact_id from entry_inbox") == [(contact,)]
    [plan] = plans
    assert "SubPlan" not in plan and "Nested Loop" not in plan


def test_who_moves_west_on_the_day_does_not_enter_for_the_same_date_again(world: World) -> None:
    contact = world.contact(renews="2026-03-10", timezone="Europe/Berlin")
    world.publish(journey(MARK, enter="date: renews, again: always"))
    world.live(at("2026-03-09 23:30") - START)
    assert entries(world) == [(contact, at("2026-03-09 23:00"))]
    world.change(contact, timezone="America/Los_Angeles")
    world.live(3 * DAY)
    assert len(entries(world)) == 1
    world.change(contact, renews="2026-03-20")
    world.live(20 * DAY)
    assert entries(world)[1:] == [(contact, at("2026-03-20 07:00"))]
