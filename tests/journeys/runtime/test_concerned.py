"""Who is concerned by what happens, and when it is noticed."""

from __future__ import annotations

import threading

import pytest

from engine import clock, segments
from journeys.runtime import catalogue as catalogues
from journeys.runtime import match as matching
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline

REST = "- wait: 10 days\n  id: rest"


def inbox(world: World) -> list[tuple[str, list[str]]]:
    return [tuple(row) for row in world.execute("select kind, names from change_inbox where kind = 'message'")]


# Messages that are received -------------------------------------------------------------------------------------------


def test_a_wait_for_what_is_received_is_met_when_it_is_accepted(world: World) -> None:
    world.publish(journey("- wait: 1 hour\n  id: first\n- email: hello\n  id: mail\n" + REST, slug="sender"))
    world.publish(journey('- wait_for: received "hello"\n  id: got\n  up_to: 5 days\n' + REST, slug="listener"))
    anna, ben = world.contact(), world.contact()
    world.event(anna, "Signed Up")
    world.live(2 * HOUR)
    assert "got:met" in world.path(anna)
    [(at,)] = world.execute("select at from step_log where outcome = 'met'")
    assert at == START + HOUR
    assert world.path(ben) == []


def test_a_goal_and_an_exit_may_listen_for_what_is_received(world: World) -> None:
    world.publish(journey("- wait: 1 hour\n  id: first\n- email: hello\n  id: mail\n" + REST, slug="sender"))
    world.publish(journey(REST, 'goal: {when: received "hello", value: 3}\n', slug="hopes"))
    world.publish(journey(REST, 'exit: received "hello"\n', slug="leaves"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.live(2 * HOUR)
    assert world.goals() == [(anna, 3.0)]
    assert sorted(world.statuses(anna)) == ["active", "converted", "exited"]


def test_nothing_is_said_of_accepted_messages_while_no_journey_listens(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n" + REST))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]
    assert inbox(world) == []
    assert world.execute("select value from workspace_settings where name = 'messages_are_heard'") == [(False,)]


def test_after_an_upgrade_messages_are_heard_until_a_publish_says_otherwise(world: World) -> None:
    world.publish(journey("- wait: 1 hour\n  id: first\n- email: hello\n  id: mail\n" + REST, slug="sender"))
    world.publish(journey('- wait_for: received "hello"\n  id: got\n  up_to: 5 days\n' + REST, slug="listener"))
    world.execute("delete from workspace_settings where name = 'messages_are_heard'")
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.live(2 * HOUR)
    assert "got:met" in world.path(anna)


# Versions that are no longer live -------------------------------------------------------------------------------------


@pytest.mark.parametrize("holdout", ["", "holdout: 100%\n"], ids=["completed", "held out"])
def test_the_goal_of_a_superseded_version_still_counts(world: World, holdout: str) -> None:
    """Everybody who entered it is through; only their goals are open."""
    world.publish(journey("- set: {seen: true}\n  id: mark", holdout + 'goal: {when: did "Paid", value: 4}\n'))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    world.publish(journey("- set: {seen: false}\n  id: mark"))
    world.live(DAY)
    world.event(anna, "Paid")
    world.settle()
    assert world.goals() == [(anna, 4.0)]


@pytest.mark.parametrize(
    ("kind", "then"), [("a", ["answer:waiting", "answer:met", "completed"]), ("b", ["answer:waiting"])]
)
def test_inside_a_where_event_is_the_trigger_and_not_the_event_at_hand(
    world: World, kind: str, then: list[str]
) -> None:
    world.publish(journey('- wait_for: did "Paid" where (event.kind is "a")\n  id: answer\n  up_to: 3 days'))
    anna = world.contact()
    world.event(anna, "Signed Up", kind=kind)
    world.live(HOUR)
    world.event(anna, "Paid", kind="other")
    world.settle()
    assert world.path(anna) == ["entered", *then]


def test_the_exits_of_a_superseded_version_still_end_who_is_held_out(world: World) -> None:
    world.publish(journey(REST, 'holdout: 100%\nexit: did "Left"\n'))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    world.publish(journey(REST))
    world.event(anna, "Left")
    world.settle()
    assert world.statuses(anna) == ["exited"]


# Segments and settings that are edited while events wait --------------------------------------------------------------


def test_a_segment_saved_after_the_catalogue_was_read_sees_the_event(world: World) -> None:
    world.segment("other", 'did "Else"')
    with world.database.transaction() as session:
        old = catalogues.load(session)
    world.segment("payers", 'did "Paid"')
    anna = world.contact()
    world.event(anna, "Paid")
    with world.database.transaction() as session:
        assert matching.match_events(session, old, clock.now) == 1
    assert world.execute("select contact_id from segment_memberships") == [(anna,)]


def test_a_revenue_event_named_after_the_catalogue_was_read_earns(world: World) -> None:
    with world.database.transaction() as session:
        old = catalogues.load(session)
    world.execute("insert into workspace_settings (name, value) values ('revenue_events', '{\"Paid\": [\"amount\"]}')")
    anna = world.contact()
    world.event(anna, "Paid", amount=7)
    with world.database.transaction() as session:
        matching.match_events(session, old, clock.now)
    assert world.execute("select contact_id, value from conversions") == [(anna, 7)]


# Time passes while a contact's lock is waited for ---------------------------------------------------------------------


def test_a_match_that_waited_for_a_contact_judges_it_as_of_after_the_wait(world: World) -> None:
    """Who held the lock judged the contact an hour after the match began; it must not go back behind that."""
    world.segment("fresh", 'did "Seen" in the last 30 minutes')
    anna = world.contact()
    world.settle()
    world.event(anna, "Seen")
    started = threading.Event()
    instants = []

    def told(session: object) -> object:
        instants.append(clock.now(session))  # type: ignore[arg-type]
        started.set()
        return instants[-1]

    def match() -> None:
        with world.database.transaction() as session:
            matching.match_events(session, catalogues.load(session), told)  # type: ignore[arg-type]

    with world.database.transaction() as session:
        session.connection().exec_driver_sql(f"select from contacts where id = {anna} for update")
        thread = threading.Thread(target=match)
        thread.start()
        assert started.wait(30)
        world.jump(HOUR)
        segments.refresh_contacts(session, [anna], "event", ["Seen"], START + HOUR)
    thread.join(30)
    assert instants[0] == START and instants[-1] == START + HOUR
    assert world.execute("select 1 from segment_memberships where left_at is null") == []
