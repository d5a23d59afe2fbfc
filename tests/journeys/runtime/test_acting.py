"""Steps that do something to contacts, a batch at a time, in the commit that moves them."""

from __future__ import annotations

import pytest

from engine.model import List
from journeys.publish import Refused
from tests.journeys.runtime.world import World, journey


def make_lists(world: World, *slugs: str) -> None:
    with world.database.transaction() as session:
        session.add_all(List(slug=slug, name=slug) for slug in slugs)


def enter(world: World, *contact_ids: int) -> None:
    for contact_id in contact_ids:
        world.event(contact_id, "Signed Up")
    world.settle()


def test_points_are_added_to_what_is_there_and_later_steps_see_them(world: World) -> None:
    world.publish(
        journey("""
        - score: 10
          id: first
        - score: -3
          id: second
          name: company.fit
        - branch: Enough
          id: enough
          paths:
            - when: score >= 15
              do: [{set: {hot: true}, id: hot}]
        """)
    )
    fresh, known, odd = world.contact(), world.contact(score=5.5), world.contact(score="many", company={"fit": 4})
    enter(world, fresh, known, odd)
    found = dict(world.execute("select id, attributes from contacts"))
    assert found[fresh] == {"score": 10, "company": {"fit": -3}}
    assert found[known] == {"score": 15.5, "company": {"fit": -3}, "hot": True}
    assert found[odd] == {"score": 10, "company": {"fit": 1}}


def test_two_entries_of_a_contact_add_their_points_each(world: World) -> None:
    world.publish(journey("- score: 2\n  id: two", enter="on: Bought, again: per event.order"))
    contact = world.contact()
    for order in range(3):
        world.event(contact, "Bought", order=str(order))
    world.settle()
    assert world.execute("select attributes->'score' from contacts") == [(6,)]


def test_a_score_wakes_who_waits_for_it(world: World) -> None:
    world.publish(journey("- wait_for: score > 5\n  id: hot\n  up_to: 9 days", slug="waits"))
    world.publish(journey("- score: 6\n  id: up", slug="scores", enter="on: Clicked"))
    contact = world.contact()
    enter(world, contact)
    world.event(contact, "Clicked")
    world.settle()
    assert "hot:met" in world.path(contact)


def test_lists_are_joined_and_left_once_and_later_steps_and_journeys_see_it(world: World) -> None:
    make_lists(world, "vip", "trial", "gone")
    world.publish(journey('- wait_for: in list "vip"\n  id: vip\n  up_to: 9 days', slug="waits", enter="on: Early"))
    world.publish(
        journey("""
        - list: {add: [vip, trial]}
          id: on
        - list: {add: vip, remove: trial}
          id: again
        - branch: On it
          id: look
          paths:
            - when: in list "vip" and not in list "trial"
              do: [{set: {seen: true}, id: seen}]
        """)
    )
    anna, ben = world.contact(), world.contact()
    world.event(anna, "Early")
    world.settle()
    enter(world, anna, ben)
    stays = """
    select m.contact_id, l.slug, m.removed_at is null from list_memberships m join lists l on l.id = m.list_id
    order by m.contact_id, l.slug
    """
    each = [("trial", False), ("vip", True)]
    assert world.execute(stays) == [(id_, *stay) for id_ in (anna, ben) for stay in each]
    assert world.execute("select count(*) from contacts where attributes->'seen' = 'true'") == [(2,)]
    assert "vip:met" in world.path(anna)


def test_a_list_that_does_not_exist_is_refused_with_the_nearest_name(world: World) -> None:
    make_lists(world, "customers")
    with pytest.raises(Refused, match="There is no list `custmers`") as refused:
        world.publish(journey("- list: {add: custmers}\n  id: on"))
    assert "customers" in refused.value.hint
