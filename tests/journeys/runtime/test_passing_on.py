"""Steps that record events and start journeys: once each, through the rules of every entry, and never without end."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.decide import chain
from journeys.runtime import advance
from tests.journeys.runtime.world import DAY, World, journey
from workers import pipeline

REST = "- wait: 10 days\n  id: rest"


def enter(world: World, *contact_ids: int) -> None:
    for contact_id in contact_ids:
        world.event(contact_id, "Signed Up")
    world.settle()


def test_an_event_of_a_step_meets_waits_starts_journeys_and_is_seen_by_later_steps(world: World) -> None:
    world.publish(
        journey(
            '- wait_for: did "Nudged" where kind is "first"\n  id: nudged\n  up_to: 9 days',
            slug="waits",
            enter="on: Early",
        )
    )
    world.publish(journey("- set: {seen: true}\n  id: mark", slug="starts", enter="on: Nudged"))
    world.publish(
        journey("""
        - event: Nudged
          id: nudge
          properties: {kind: first, count: 2}
        - branch: Seen
          id: seen
          paths:
            - when: did "Nudged"
              do: [{set: {itself: true}, id: itself}]
        """)
    )
    anna, ben = world.contact(), world.contact()
    world.event(anna, "Early")
    world.settle()
    enter(world, anna, ben)
    rows = world.execute(
        "select contact_id, properties, source, message_id from events where name = 'Nudged' order by 1"
    )
    ids = dict(
        world.execute(
            "select contact_id, min(id) from enrolments where trigger_event = '{}' and journey_id = "
            "(select id from journeys where slug = 'j') group by 1"
        )
    )
    assert rows == [
        (id_, {"kind": "first", "count": 2}, "journey", chain.message_id(ids[id_], "nudge", 1)) for id_ in (anna, ben)
    ]
    assert world.execute("select attributes from contacts") == [({"itself": True, "seen": True},)] * 2
    assert "nudged:met" in world.path(anna)


def test_a_batch_that_dies_before_its_commit_records_its_events_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(journey(f"- event: Nudged\n  id: nudge\n{REST}"))
    people = [world.contact() for _ in range(3)]
    for contact in people:
        world.event(contact, "Signed Up")
    pipeline.match(world.database)
    written = advance.write

    def dies(*arguments: Any) -> None:
        written(*arguments)
        monkeypatch.setattr(advance, "write", written)
        raise OSError("the power is gone")

    monkeypatch.setattr(advance, "write", dies)
    with pytest.raises(OSError, match="power"):
        pipeline.advance(world.database)
    assert world.execute("select count(*) from events where name = 'Nudged'") == [(0,)]
    world.settle()
    assert world.execute("select contact_id from events where name = 'Nudged' order by 1") == [(id_,) for id_ in people]


def test_a_journey_that_a_step_starts_asks_its_own_rules(world: World) -> None:
    world.publish(
        journey(REST, "holdout: 0%\n", slug="other", enter='on: Never, where: plan is "pro", again: after 2 days')
    )
    world.publish(
        journey("- journey: other\n  id: on\n- journey: other\n  id: twice", enter="on: Signed Up, again: always")
    )
    pro, free = world.contact(plan="pro"), world.contact(plan="free")
    enter(world, pro, free)
    entered = """
    select e.contact_id, e.status, e.trigger_message_id from enrolments e join journeys j on j.id = e.journey_id
    where j.slug = 'other'
    """
    [(contact, status, message_id)] = world.execute(entered)
    assert (contact, status) == (pro, "active")
    assert chain.cause(message_id) is not None
    assert world.execute("select count(*) from entry_inbox") == [(0,)]
    assert world.statuses(free) == ["completed"]


def test_a_journey_that_is_not_live_is_not_started_and_publishing_says_so(world: World) -> None:
    world.publish(journey(REST, slug="other", enter="on: Never"))
    world.state("other", "paused")
    done = world.publish(journey(f"- journey: other\n  id: on\n{REST}"))
    assert [problem.message for problem in done.warnings] == ["The journey `other` is not live: nobody would enter it."]
    contact = world.contact()
    enter(world, contact)
    world.state("other", "live")
    world.settle()
    assert world.statuses(contact) == ["active"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("- event: Pong\n  id: pong", "- event: Ping\n  id: ping"),
        ("- journey: b\n  id: b", "- journey: a\n  id: a"),
    ],
    ids=["events", "journeys"],
)
def test_two_journeys_do_not_start_each_other_without_end(world: World, one: str, two: str) -> None:
    world.publish(journey(REST, slug="a", enter="on: Ping, again: always"))
    world.publish(journey(two, slug="b", enter="on: Pong, again: always"))
    world.publish(journey(one, slug="a", enter="on: Ping, again: always"))
    contact = world.contact()
    world.event(contact, "Ping")
    world.settle()
    assert world.statuses(contact) == ["completed"] * chain.MOST
    refused = world.execute("select enrolment_id, detail from step_log where outcome = 'refused'")
    [(last,)] = world.execute("select max(id) from enrolments")
    assert refused == [(last, {"reason": chain.REASON})]


def test_a_journey_may_start_itself_every_other_day_for_ever(world: World) -> None:
    steps = "- wait: 2 days\n  id: pause\n- journey: j\n  id: again"
    world.publish(journey("- wait: 1 day\n  id: pause", enter="on: Signed Up"))
    world.publish(journey(steps, enter="on: Signed Up, again: always"))
    contact = world.contact()
    enter(world, contact)
    world.live((chain.MOST + 5) * 2 * DAY)
    assert world.execute("select count(*) from enrolments") == [(chain.MOST + 6,)]


def test_what_a_step_causes_comes_behind_what_caused_its_entry() -> None:
    """At one instant the order is that of message ids, and events since entry come behind the trigger."""
    first = chain.message_id(7, "a", 1)
    assert "zz" < first < chain.message_id(12, "a", 1)
    assert (chain.cause(first), chain.cause("~step:7:a:1"), chain.cause("m1")) == (7, None, None)
