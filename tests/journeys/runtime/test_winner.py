"""Splits that choose a winner: once, by what was so when its time had come."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text

from engine import clock
from journeys.language.steps import Split
from journeys.runtime import catalogue as catalogues
from journeys.runtime.winner import winner
from tests.journeys.runtime.world import DAY, HOUR, World, journey

STEPS = """
- split: Story
  id: story
  winner: {measure} after 2 days
  paths:
    - share: 50%
      do: [{{email: one, id: one}}]
    - share: 50%
      do: [{{email: two, id: two}}]
- wait: 9 days
  id: rest
"""
GOAL = 'goal: {when: did "Paid", within: 9 days, stay: true}\n'


def enter(world: World, count: int) -> list[int]:
    people = [world.contact() for _ in range(count)]
    for contact in people:
        world.event(contact, "Signed Up")
    world.settle()
    return people


def arms(world: World, people: list[int]) -> dict[int, str]:
    rows = world.execute("select contact_id, arms->>'story' from enrolments where contact_id = any(:ids)", ids=people)
    return dict([tuple(row) for row in rows])


def succeed(world: World, measure: str, contact: int) -> None:
    if measure == "clicks":
        world.execute(
            """
            insert into hits (at, kind, message_id, origin_at, method, position, user_agent)
            select (select virtual_now from clock), 'click', id, origin_at, 'GET', 0, 'Firefox/140.0'
            from messages where contact_id = :id
            """,
            id=contact,
        )
    elif measure == "goal":
        world.event(contact, "Paid")
    else:
        world.event(contact, "Order Completed", total=20)


@pytest.mark.parametrize("measure", ["clicks", "goal", "revenue"])
def test_who_comes_after_its_time_takes_the_winner(world: World, measure: str) -> None:
    world.publish(journey(STEPS.format(measure=measure), GOAL))
    first = enter(world, 14)
    drawn = arms(world, first)
    assert set(drawn.values()) == {"a", "b"}
    world.live(HOUR)
    for contact in [contact for contact, arm in drawn.items() if arm == "b"][:3]:
        succeed(world, measure, contact)
    world.live(DAY)
    assert set(arms(world, enter(world, 14)).values()) == {"a", "b"}
    world.live(DAY + HOUR)
    for contact in first:
        if drawn[contact] == "a":
            succeed(world, measure, contact)  # too late: the time was over an hour ago
    world.settle()
    assert set(arms(world, enter(world, 14)).values()) == {"b"}
    assert set(arms(world, enter(world, 3)).values()) == {"b"}
    rows = world.execute(
        "select action, object, detail->>'winner', detail->'arms'->'b'->>'gain' from audit_log "
        "where action = 'choose winner'"
    )
    assert rows == [("choose winner", "journey j", "b", "60" if measure == "revenue" else "3")]


def test_without_a_leader_the_shares_stay_for_good(world: World) -> None:
    world.publish(journey(STEPS.format(measure="goal"), GOAL))
    enter(world, 4)
    world.live(3 * DAY)
    second = enter(world, 14)
    assert set(arms(world, second).values()) == {"a", "b"}
    world.event(second[0], "Paid")
    world.settle()
    assert set(arms(world, enter(world, 14)).values()) == {"a", "b"}
    assert world.execute("select arm, decided_at is not null from split_winners") == [(None, True)]


def test_who_is_overtaken_in_choosing_takes_what_the_other_chose(world: World) -> None:
    world.publish(journey(STEPS.format(measure="goal"), GOAL))
    enter(world, 4)
    world.live(3 * DAY)
    took: list[str | None] = []

    def choose() -> None:
        with world.database.transaction() as session:
            [version] = catalogues.load(session).versions.values()
            split = next(step for step in version.program.journey.steps if isinstance(step, Split))
            took.append(winner(session, version, split, clock.now(session)))

    late = threading.Thread(target=choose)
    with world.database.transaction() as session:
        session.execute(text("update split_winners set arm = 'b', decided_at = first_at"))
        late.start()
        until = time.monotonic() + 10
        while not _somebody_waits(world) and time.monotonic() < until:
            time.sleep(0.02)
    late.join()
    assert took == ["b"]


def _somebody_waits(world: World) -> bool:
    waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return bool(world.execute(waits)[0][0])
