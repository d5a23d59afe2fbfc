"""The clock of the machine is a day wrong for a while, and zones change their clocks: nobody is lost, nobody twice."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.invariants import accepted_once, counters_equal_a_recount, one_wake_up, quiet
from tests.journeys.runtime.world import DAY, HOUR, World, journey

STEPS = """\
- email: first
  id: first
- wait: 2 days
  id: pause
- wait_for: did "Paid" since entry
  id: paid
  up_to: 3 days
  timeout: [{email: nudge, id: nudge}]
- email: last
  id: last
"""


@pytest.fixture(autouse=True)
def new_record(world: World) -> None:
    """The receiver serves all tests of the run."""
    world.receiver.accepted.clear()


def set_clock(world: World, change: dt.timedelta) -> None:
    """As an administrator, or a broken time server, does: also back."""
    world.execute("update clock set virtual_now = virtual_now + cast(:change as interval)", change=change)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_is_a_day_wrong_for_an_hour_loses_and_doubles_nobody(world: World, jump: dt.timedelta) -> None:
    world.publish(journey(STEPS))
    people = [world.contact() for _ in range(6)]
    for person in people[:4]:
        world.event(person, "Signed Up")
    world.settle()
    world.live(dt.timedelta(days=1, hours=12))
    set_clock(world, jump)
    for person in people[4:]:
        world.event(person, "Signed Up")
    world.event(people[0], "Paid")
    world.settle()
    world.live(HOUR)
    set_clock(world, -jump)
    world.settle()
    world.event(people[1], "Paid")
    world.live(8 * DAY)

    assert {world.receiver.accepted[f"u{n}@x.example"] for n in (1, 2)} == {2}
    assert {world.receiver.accepted[f"u{n}@x.example"] for n in (3, 4, 5, 6)} == {3}
    now = world.now
    with world.database.transaction() as session:
        wrong = [*one_wake_up(session), *counters_equal_a_recount(session), *quiet(session, now)]
        wrong += [line for line in accepted_once(session, {}) if "was never received" not in line]
    assert wrong == []


@pytest.mark.parametrize(
    ("night", "at"),
    [("2026-03-28T12:00+00:00", "2026-03-29T01:30+00:00"), ("2026-10-24T12:00+00:00", "2026-10-25T00:30+00:00")],
)
def test_in_the_night_of_a_change_of_clocks_half_past_two_comes_once(world: World, night: str, at: str) -> None:
    """In March it is skipped and half past three is meant, in October it comes twice and the first is meant."""
    steps = "- wait: until 02:30 contact\n  id: night\n- email: owl\n  id: owl\n"
    world.publish(journey(steps))
    world.jump(dt.datetime.fromisoformat(night) - world.now)
    world.contact("berlin", timezone="Europe/Berlin")
    world.event(1, "Signed Up")
    world.live(3 * DAY)
    rows = world.execute("select accepted_at from messages")
    assert [row[0] for row in rows] == [dt.datetime.fromisoformat(at)]
    assert world.receiver.accepted == {"berlin@x.example": 1}
