"""Who enters: triggers, re-entry, the holdout, segments, versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine import segments
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from tests.journeys.runtime.world import DAY, HOUR, World, journey

PAUSE = "- wait: 2 days\n  id: pause"


def entered(world: World, contact_id: int) -> int:
    return len(world.statuses(contact_id))


def sign_up(world: World, contact_id: int, after: dt.timedelta = DAY * 0, **properties: Any) -> None:
    world.live(after)
    world.event(contact_id, "Signed Up", **properties)
    world.settle()


def test_a_contact_enters_once_by_default(world: World) -> None:
    world.publish(journey(PAUSE))
    anna = world.contact()
    sign_up(world, anna)
    sign_up(world, anna, 10 * DAY)
    assert world.path(anna) == ["entered", "pause:waiting", "pause:passed", "completed"]


def test_always_enters_again_when_the_entry_before_is_over(world: World) -> None:
    world.publish(journey(PAUSE, enter="on: Signed Up, again: always"))
    anna = world.contact()
    sign_up(world, anna)
    sign_up(world, anna, DAY)
    assert world.statuses(anna) == ["active"]
    sign_up(world, anna, 3 * DAY)
    assert world.statuses(anna) == ["completed", "active"]


def test_after_counts_from_the_last_entry(world: World) -> None:
    world.publish(journey(PAUSE, enter="on: Signed Up, again: after 10 days"))
    anna = world.contact()
    sign_up(world, anna)
    sign_up(world, anna, 10 * DAY - HOUR)
    assert entered(world, anna) == 1
    sign_up(world, anna, HOUR)
    assert entered(world, anna) == 2
    sign_up(world, anna, 9 * DAY)
    assert entered(world, anna) == 2


def test_per_enters_once_a_value_and_side_by_side(world: World) -> None:
    world.publish(journey(PAUSE, enter="on: Signed Up, again: per event.shop.id"))
    anna = world.contact()
    for shop in ("a", "b", "a"):
        sign_up(world, anna, shop={"id": shop})
    assert world.statuses(anna) == ["active", "active"]
    sign_up(world, anna, 5 * DAY, shop={"id": "a"})
    sign_up(world, anna, shop={"id": 7})
    assert world.statuses(anna) == ["completed", "completed", "active"]


def test_two_triggers_of_one_batch_make_one_entry(world: World) -> None:
    world.publish(journey(PAUSE, enter="on: Signed Up, again: always"))
    anna = world.contact()
    for _ in range(3):
        world.event(anna, "Signed Up")
    world.settle()
    assert world.statuses(anna) == ["active"]


def test_an_entry_that_ends_at_once_leaves_room_for_the_next_trigger_of_the_batch(world: World) -> None:
    world.publish(journey("- set: {plan: pro}\n  id: mark", enter="on: Signed Up, again: always"))
    anna = world.contact()
    for _ in range(3):
        world.event(anna, "Signed Up")
    world.settle()
    assert world.statuses(anna) == ["completed"] * 3


def test_where_sees_the_contact_and_the_event(world: World) -> None:
    world.publish(journey(PAUSE, enter='on: Signed Up, where: event.plan is "trial" and country is "DE"'))
    anna, ben, carl = world.contact(country="DE"), world.contact(country="US"), world.contact(country="DE")
    for contact, plan in ((anna, "trial"), (ben, "trial"), (carl, "free")):
        world.event(contact, "Signed Up", plan=plan)
    world.settle()
    assert [entered(world, contact) for contact in (anna, ben, carl)] == [1, 0, 0]


def test_an_exit_that_holds_already_ends_the_entry_before_its_first_step(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", 'exit: plan is "gone"\n'))
    anna = world.contact(plan="gone")
    sign_up(world, anna)
    assert world.path(anna) == ["entered", "exited"]
    assert world.messages(anna) == []


# The holdout ----------------------------------------------------------------------------------------------------------

HELD = 'holdout: 100%\ngoal: {when: did "Paid", within: 5 days, value: 10}\nexit: plan is "gone"\n'
AGAIN = "on: Signed Up, again: always"


def test_a_held_out_entry_takes_no_step_and_its_goal_counts(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", HELD))
    anna = world.contact()
    sign_up(world, anna)
    world.live(DAY)
    world.event(anna, "Paid")
    world.settle()
    assert world.path(anna) == ["held_out", "converted"]
    assert world.goals() == [(anna, 10.0)]
    assert world.messages(anna) == []


def test_exit_applies_to_the_held_out(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", HELD))
    anna = world.contact()
    sign_up(world, anna)
    world.change(anna, plan="gone")
    world.settle()
    assert world.path(anna) == ["held_out", "exited"]


def test_a_goal_outside_its_time_does_not_count_for_the_held_out(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", HELD))
    anna = world.contact()
    sign_up(world, anna)
    world.live(5 * DAY + HOUR)
    world.event(anna, "Paid")
    world.settle()
    assert world.goals() == []


def test_the_holdout_is_kept_over_entries_versions_and_percentages(world: World) -> None:
    people = [world.contact() for _ in range(40)]
    arms = []
    for share in ("50%", "1%", "99%"):
        world.publish(journey("- set: {seen: true}\n  id: mark", f"holdout: {share}\n", enter=AGAIN))
        for contact in people:
            world.event(contact, "Signed Up")
        world.live(DAY)
        rows = world.execute("select contact_id, held_out from enrolments order by id desc limit 40")
        arms.append(dict(tuple(row) for row in rows))
    assert arms[0] == arms[1] == arms[2]
    assert 5 < sum(arms[0].values()) < 35


def test_a_held_out_entry_does_not_block_the_next(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", HELD, enter=AGAIN))
    anna = world.contact()
    sign_up(world, anna)
    sign_up(world, anna, DAY)
    assert world.statuses(anna) == ["held_out", "held_out"]


# Late and imported events ---------------------------------------------------------------------------------------------

LISTENS = """\
- wait_for: did "Paid"
  id: answer
  up_to: 10 days
"""


def test_an_event_received_more_than_a_day_late_starts_and_meets_nothing(world: World) -> None:
    world.publish(journey(LISTENS, 'goal: {when: did "Paid"}\nexit: did "Left"\n'))
    anna, ben = world.contact(), world.contact()
    sign_up(world, ben)
    world.live(2 * DAY)
    late = world.now - DAY - HOUR
    world.event(anna, "Signed Up", at=late)
    world.event(ben, "Paid", at=late, revenue=5)
    world.event(ben, "Left", at=late)
    world.settle()
    assert world.path(anna) == []
    assert world.path(ben) == ["entered", "answer:waiting"]
    assert world.goals() == []


def test_an_event_received_within_a_day_counts(world: World) -> None:
    world.publish(journey(LISTENS))
    anna = world.contact()
    sign_up(world, anna)
    world.live(2 * DAY)
    world.event(anna, "Paid", at=world.now - DAY + HOUR)
    world.settle()
    assert world.path(anna) == ["entered", "answer:waiting", "answer:met", "completed"]


@pytest.mark.parametrize("trigger", [True, False])
def test_imported_events_trigger_only_when_asked_to(world: World, tmp_path: Any, trigger: bool) -> None:
    world.publish(journey(LISTENS))
    (tmp_path / "contacts.csv").write_text("external_id,email\nu1,u1@x.example\n")
    (tmp_path / "events.csv").write_text(
        "external_id,name,occurred_at\nu1,Signed Up,2026-03-02T13:00:00Z\nu1,Paid,2026-03-03T13:00:00Z\n"
    )
    import_contacts(world.database, tmp_path / "contacts.csv", now=world.now, folder=tmp_path)
    events = tmp_path / "events.csv"
    import_events(world.database, events, now=world.now, folder=tmp_path, virtual=True, trigger=trigger)
    world.live(3 * DAY)
    [(anna,)] = world.execute("select id from contacts")
    met = ["entered", "answer:waiting", "answer:met", "completed"]
    assert world.path(anna) == (met if trigger else [])


# Segments -------------------------------------------------------------------------------------------------------------

GOLD = "segment: gold"


def test_a_segment_lets_in_who_joins_after_publish(world: World) -> None:
    anna, ben = world.contact(tier="gold"), world.contact()
    world.segment("gold", 'tier is "gold"')
    world.settle()
    world.publish(journey(PAUSE, enter=GOLD))
    world.live(HOUR)
    world.change(ben, tier="gold")
    world.settle()
    assert (entered(world, anna), entered(world, ben)) == (0, 1)


def test_existing_lets_in_the_present_members_too(world: World) -> None:
    people = [world.contact(tier="gold") for _ in range(3)]
    world.contact()
    world.segment("gold", 'tier is "gold"')
    world.settle()
    done = world.publish(journey(PAUSE, enter=f"{GOLD}, existing: true"))
    world.settle()
    assert done.letting_in == 3
    assert [entered(world, contact) for contact in people] == [1, 1, 1]


@pytest.mark.parametrize(("existing", "expected"), [(False, 0), (True, 1)])
def test_members_whose_joining_is_not_worked_off_at_publish_are_present_ones(
    world: World, existing: bool, expected: int
) -> None:
    anna = world.contact(tier="gold")
    world.segment("gold", 'tier is "gold"')
    done = world.publish(journey(PAUSE, enter=f"{GOLD}, existing: {str(existing).lower()}"))
    world.settle()
    assert (done.letting_in, entered(world, anna)) == (expected, expected)


@pytest.mark.parametrize(("existing", "expected"), [(False, 0), (True, 1)])
def test_members_of_a_segment_that_was_never_refreshed_are_present_ones(
    world: World, existing: bool, expected: int
) -> None:
    anna = world.contact(tier="gold")
    with world.database.transaction() as session:
        segments.save(session, "gold", 'tier is "gold"')
    done = world.publish(journey(PAUSE, enter=f"{GOLD}, existing: {str(existing).lower()}"))
    world.live(2 * HOUR)
    assert (done.letting_in, entered(world, anna)) == (expected, expected)


def test_who_leaves_a_segment_and_joins_again_enters_again_when_allowed(world: World) -> None:
    world.segment("gold", 'tier is "gold"')
    world.publish(journey("- set: {seen: true}\n  id: mark", enter=f"{GOLD}, again: always"))
    anna = world.contact()
    for tier in ("gold", "silver", "gold"):
        world.live(HOUR)
        world.change(anna, tier=tier)
        world.settle()
    assert world.statuses(anna) == ["completed", "completed"]


# Versions -------------------------------------------------------------------------------------------------------------


def test_people_in_flight_stay_on_their_version(world: World) -> None:
    world.publish(journey("- wait: 2 days\n  id: old"))
    anna, ben = world.contact(), world.contact()
    sign_up(world, anna)
    world.publish(journey("- wait: 5 days\n  id: new"))
    sign_up(world, ben, DAY)
    world.live(9 * DAY)
    assert world.path(anna) == ["entered", "old:waiting", "old:passed", "completed"]
    assert world.path(ben) == ["entered", "new:waiting", "new:passed", "completed"]


def test_once_holds_across_versions(world: World) -> None:
    world.publish(journey("- set: {seen: 1}\n  id: mark"))
    anna = world.contact()
    sign_up(world, anna)
    world.publish(journey("- set: {seen: 2}\n  id: mark"))
    sign_up(world, anna, DAY)
    assert entered(world, anna) == 1


def test_a_key_that_no_index_holds_still_enters_once(world: World) -> None:
    world.publish(journey("- wait: 1 day\n  id: rest", enter="on: Signed Up, again: per event.cart_id"))
    anna = world.contact()
    cart = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(4_000))
    for _ in range(2):
        world.event(anna, "Signed Up", cart_id=cart)
        world.settle()
    assert len(world.statuses(anna)) == 1


def test_who_has_nothing_happen_enters_when_time_brings_them_into_the_segment(world: World) -> None:
    world.segment("quiet", 'did "Bought" and not did "Bought" in the last 30 days')
    world.publish(journey("- wait: 100 days\n  id: rest", enter="segment: quiet"))
    anna = world.contact()
    world.event(anna, "Bought")
    world.live(dt.timedelta(days=29))
    assert world.statuses(anna) == []
    world.live(dt.timedelta(days=2))
    assert world.statuses(anna) == ["active"]
