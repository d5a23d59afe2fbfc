"""Journeys hear of segments that people enter and leave by time alone, at the instant at which they do."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers.simulate import simulate

TICK = dt.timedelta(microseconds=1)
RECENT = 'did "Seen" in the last 2 days'
AWAIT = """
- wait_for: not in segment "recent"
  id: gone
  up_to: 9 days
- wait_for: in segment "recent"
  id: back
  up_to: 9 days
"""


def times(world: World, contact_id: int) -> dict[str, dt.datetime]:
    """When the contact did what, by `step:outcome`."""
    rows = world.execute("select step_id, outcome, at from step_log where contact_id = :id", id=contact_id)
    return {f"{step}:{outcome}" if step else outcome: at for step, outcome, at in rows}


def test_a_wait_is_met_when_time_ends_a_stay(world: World) -> None:
    world.segment("recent", RECENT)
    world.publish(journey(AWAIT))
    anna = world.contact()
    world.event(anna, "Seen")
    world.event(anna, "Signed Up")
    world.live(3 * DAY)
    assert times(world, anna)["gone:met"] == START + 2 * DAY + TICK
    world.event(anna, "Seen")
    world.live(HOUR)
    assert times(world, anna)["back:met"] == START + 3 * DAY


def test_an_exit_and_an_entry_follow_from_time_alone(world: World) -> None:
    world.segment("abandoned", 'did "Cart" without "Bought" within 1 hour in the last 1 day')
    frame = 'exit: [not in segment "abandoned"]\n'
    world.publish(journey("- wait: 10 days\n  id: rest", enter="segment: abandoned", frame=frame))
    anna, bert = world.contact(), world.contact()
    for one in (anna, bert):
        world.event(one, "Cart")
    world.settle()
    world.event(bert, "Bought", at=START + 2 * dt.timedelta(minutes=1))
    world.live(2 * DAY)
    assert world.statuses(bert) == [] and world.statuses(anna) == ["exited"]
    assert [times(world, anna)[name] for name in ("entered", "exited")] == [START + HOUR, START + DAY + TICK]


def test_segments_that_nobody_hears_make_no_stops_of_the_clock_and_are_right_at_its_end(world: World) -> None:
    world.segment("recent", RECENT)
    people = [world.contact() for _ in range(4)]
    for number, one in enumerate(people):
        world.event(one, "Seen", at=START - number * HOUR)
    world.settle()
    world.live(2 * DAY - HOUR)
    kept = "select contact_id from segment_memberships where left_at is null order by 1"
    assert [id_ for (id_,) in world.execute(kept)] == people[:2]
    assert world.execute("select distinct left_at from segment_memberships where left_at is not null") == [
        (START + 2 * DAY - HOUR,)
    ]


def test_a_simulation_takes_who_was_in_a_segment_from_its_history(world: World) -> None:
    world.segment("recent", RECENT)
    source = journey(AWAIT, enter="segment: recent, again: always")
    world.publish(source)
    for number in range(5):
        one = world.contact()
        for _ in range(3):
            world.event(one, "Seen")
            world.live((number + 1) * 13 * HOUR)
    world.live(12 * DAY)
    _, tally = simulate(world.database, source, START, world.now, processes=1)
    really = Counter({key: n for key, n in world.log().items() if ":" in key})
    assert Counter({f"{step}:{name}": n for step, some in tally.steps.items() for name, n in some.items()}) == really
    assert tally.entries == world.execute("select count(*) from enrolments")[0][0] >= 5
