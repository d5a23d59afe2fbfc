"""Pause, resume, drain and stop: who enters, who moves, what is sent, and what happened meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import clock
from engine.errors import InvalidInput, NotFound
from engine.model import Journey
from journeys.runtime import states
from tests.journeys.runtime.world import DAY, HOUR, World, journey
from workers import pipeline
from workers.due import due

STEPS = "- wait: 1 day\n  id: pause\n- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"


def enters(world: World) -> int:
    contact_id = world.contact()
    world.event(contact_id, "Signed Up")
    world.settle()
    return contact_id


def queued(world: World) -> int:
    """Somebody whose message is in the queue."""
    contact_id = world.contact()
    world.event(contact_id, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    return contact_id


def rings(world: World) -> list[str]:
    with world.database.transaction() as session:
        return due(session, clock.now(session))


def test_timers_that_fell_due_in_a_pause_fire_when_it_ends(world: World) -> None:
    world.publish(journey(STEPS))
    anna = enters(world)
    world.state("j", "paused")
    world.live(3 * DAY)
    assert world.path(anna) == ["entered", "pause:waiting"]
    world.state("j", "live")
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]
    assert world.wakes(anna) == world.now + DAY


def test_an_event_of_the_pause_meets_its_wait_when_the_pause_ends(world: World) -> None:
    world.publish(journey('- wait_for: did "Paid"\n  id: paid\n  up_to: 9 days\n- wait: 1 day\n  id: rest'))
    anna, ben = enters(world), enters(world)
    world.state("j", "paused")
    world.event(anna, "Paid")
    world.live(DAY)
    assert world.path(anna) == ["entered", "paid:waiting"]
    world.state("j", "live")
    world.settle()
    assert world.path(anna)[2:] == ["paid:met", "rest:waiting"]
    assert world.path(ben) == ["entered", "paid:waiting"]


def test_who_is_triggered_in_a_pause_does_not_enter_later(world: World) -> None:
    world.publish(journey(STEPS))
    world.state("j", "paused")
    anna = enters(world)
    world.state("j", "live")
    world.live(DAY)
    assert world.path(anna) == []


def test_exits_count_in_a_pause(world: World) -> None:
    world.publish(journey(STEPS, "exit: ['plan is \"left\"']\n"))
    anna = enters(world)
    world.state("j", "paused")
    world.change(anna, plan="left")
    world.settle()
    assert world.statuses(anna) == ["exited"]


def test_messages_of_a_paused_journey_leave_the_queue_and_ring_for_nobody(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail"))
    anna = queued(world)
    world.state("j", "paused")
    assert "send" in rings(world)
    world.settle()
    assert rings(world) == []
    assert world.messages(anna) == [("mail", "queued")]
    assert world.execute("select send_after = 'infinity' from messages") == [(True,)]
    world.state("j", "draining")
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]


def test_a_message_deferred_before_the_pause_is_put_aside_when_it_comes_due(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail"))
    anna = queued(world)
    world.execute("update messages set send_after = :at", at=world.now + HOUR)
    world.state("j", "paused")
    world.live(2 * HOUR)
    assert rings(world) == []
    world.state("j", "live")
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]


def test_a_draining_journey_takes_nobody_in_and_lets_everybody_finish(world: World) -> None:
    world.publish(journey(STEPS))
    anna = enters(world)
    world.state("j", "draining")
    ben = enters(world)
    world.live(2 * DAY)
    assert world.statuses(anna) == ["completed"] and world.path(ben) == []


def test_stopping_ends_all_entries_and_cancels_what_is_queued(world: World) -> None:
    world.publish(journey(STEPS, "holdout: 50%\n"))
    people = [enters(world) for _ in range(8)]
    held_out = world.execute("select count(*) from enrolments where status = 'held_out'")[0][0]
    world.state("j", "paused")
    world.state("j", "stopped")
    world.settle()
    statuses = [status for person in people for status in world.statuses(person)]
    assert sorted(set(statuses)) == ["held_out", "stopped"] and statuses.count("held_out") == held_out
    assert world.log()["stopped"] == 8 - held_out
    assert rings(world) == []


def test_a_message_of_a_stopped_journey_is_cancelled_with_its_entry(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    anna = queued(world)
    world.state("j", "stopped")
    pipeline.end_stopped(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]
    assert world.statuses(anna) == ["stopped"]


def test_held_messages_of_finished_entries_are_cancelled_when_the_paused_journey_is_stopped(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail"))
    anna = queued(world)
    world.state("j", "paused")
    world.settle()
    world.state("j", "stopped")
    world.settle()
    assert world.messages(anna) == [("mail", "cancelled")] and world.statuses(anna) == ["completed"]


def test_publishing_starts_a_stopped_journey_anew_without_those_who_were_in_it(world: World) -> None:
    world.publish(journey(STEPS))
    anna = enters(world)
    world.state("j", "stopped")
    world.publish(journey(STEPS))
    assert world.statuses(anna) == ["stopped"]
    ben = enters(world)
    assert world.path(ben) == ["entered", "pause:waiting"]


def test_publishing_ends_a_pause(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail"))
    anna = queued(world)
    world.state("j", "paused")
    world.settle()
    world.publish(journey("- email: hello\n  id: mail"))
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]


def test_states_are_changed_once_and_written_down(world: World) -> None:
    world.publish(journey(STEPS))
    for _ in range(2):
        world.state("j", "paused")
    assert [tuple(row) for row in world.execute("select action, detail from audit_log order by id")][1:] == [
        ("pause", {"before": "live"})
    ]


def test_what_is_stopped_or_unknown_cannot_be_resumed(world: World) -> None:
    world.publish(journey(STEPS))
    world.state("j", "stopped")
    with world.database.transaction() as session:
        with pytest.raises(InvalidInput, match="Publish it again"):
            states.change(session, "j", "resume", world.now, "test")
        with pytest.raises(NotFound):
            states.change(session, "other", "pause", world.now, "test")


def test_a_state_that_somebody_else_changed_since_it_was_read_is_minded(world: World) -> None:
    world.publish(journey(STEPS))
    with world.database.transaction() as session:
        read = session.execute(select(Journey)).scalar_one()
        world.state("j", "stopped")
        with pytest.raises(InvalidInput, match="stopped"):
            states.change(session, "j", "pause", clock.now(session), "test")
        assert read.state == "stopped"
