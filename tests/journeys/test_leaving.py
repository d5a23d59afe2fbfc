"""A contact is taken out of a journey by hand."""

from __future__ import annotations

import pytest

from engine.errors import NotFound
from journeys.entering import enter
from journeys.leaving import leave
from tests.journeys.runtime.world import World, journey
from tests.ledger import assert_counters_equal_ledger

STORY = journey(
    """
    - email: hello
      id: hello
    - wait: 2 days
      id: rest
    """,
    slug="story",
)


def out(world: World, contact: int, slug: str = "story") -> bool:
    with world.database.transaction() as session:
        return leave(session, slug, contact, world.now)


def test_the_entry_ends_and_what_waits_is_cancelled_with_it(world: World) -> None:
    world.publish(STORY)
    ann, bob = world.contact("ann"), world.contact("bob")
    for contact in (ann, bob):
        world.event(contact, "Signed Up")
    world.settle()
    world.execute("update messages set state = 'queued', accepted_at = null, claimed_at = null, cost = null")
    world.execute("delete from message_rollups")
    assert out(world, ann)
    assert world.execute("select reason from enrolments where contact_id = :id", id=ann) == [("removed",)]
    assert (world.statuses(ann), world.statuses(bob)) == (["exited"], ["active"])
    assert [state for _, state in world.messages(ann)] == ["cancelled"]
    assert [state for _, state in world.messages(bob)] == ["queued"]
    assert not out(world, ann)
    with world.database.transaction() as session:
        assert_counters_equal_ledger(session)


def test_who_is_held_out_and_who_only_asked_to_enter_leave_too(world: World) -> None:
    world.publish(journey("- wait: 1 day\n  id: rest", "holdout: 99%\n", slug="story", enter="api: true"))
    ann, bob = world.contact("ann"), world.contact("bob")
    with world.database.transaction() as session:
        enter(session, "story", ann, "k", {}, world.now)
    world.settle()
    with world.database.transaction() as session:
        enter(session, "story", bob, "k2", {}, world.now)
    assert out(world, ann) and out(world, bob)
    world.settle()
    assert (world.statuses(ann), world.statuses(bob)) == (["exited"], [])


def test_a_journey_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="nothing"):
        out(world, world.contact("ann"), "nothing")
