"""Entries by the clock: schedules and dates."""

from __future__ import annotations

import datetime as dt
import threading

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
