"""Goals, exits, the order in which one event applies, and what becomes of queued messages."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline, sending

MINUTE = dt.timedelta(minutes=1)
REST = "- wait: 10 days\n  id: rest"
GOAL = 'goal: {when: did "Paid", within: 5 days, value: event.amount%s}\n'


def enter(world: World, contact_id: int) -> None:
    world.event(contact_id, "Signed Up")
    world.settle()


def queue(world: World, contact_id: int) -> None:
    """Enter and queue a message that is not sent yet."""
    world.event(contact_id, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    assert world.messages(contact_id) == [("mail", "queued")]


# Goals ----------------------------------------------------------------------------------------------------------------


def test_a_goal_ends_the_entry_and_counts_once(world: World) -> None:
    world.publish(journey(REST, GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    for amount in (30, 50):
        world.live(DAY)
        world.event(anna, "Paid", amount=amount)
        world.settle()
    assert world.path(anna) == ["entered", "rest:waiting", "converted"]
    assert world.goals() == [(anna, 30.0)]


def test_with_stay_the_entry_goes_on_and_the_goal_still_counts_once(world: World) -> None:
    world.publish(journey(REST, GOAL % ", stay: true"))
    anna = world.contact()
    enter(world, anna)
    for amount in (30, 50):
        world.live(DAY)
        world.event(anna, "Paid", amount=amount)
        world.settle()
    assert world.statuses(anna) == ["active"]
    assert world.goals() == [(anna, 30.0)]


@pytest.mark.parametrize(("after", "counts"), [(5 * DAY, True), (5 * DAY + MINUTE, False)])
def test_a_goal_counts_within_its_time_also_after_the_last_step(
    world: World, after: dt.timedelta, counts: bool
) -> None:
    world.publish(journey("- set: {seen: true}\n  id: mark", GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    world.live(after)
    world.event(anna, "Paid", amount=5)
    world.settle()
    assert world.path(anna) == ["entered", "mark:passed", "completed"]
    assert world.goals() == ([(anna, 5.0)] if counts else [])


def test_a_goal_event_that_is_worked_off_after_its_time_still_counts(world: World) -> None:
    """A busy hour must not cost the treated a goal that the held-out keep."""
    world.publish(journey("- set: {seen: true}\n  id: mark", GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    world.live(5 * DAY - MINUTE)
    world.event(anna, "Paid", amount=5)
    world.jump(HOUR)
    world.settle()
    assert world.goals() == [(anna, 5.0)]


def test_each_entry_has_a_goal_of_its_own(world: World) -> None:
    world.publish(journey(REST, GOAL % "", enter="on: Signed Up, again: always"))
    anna = world.contact()
    for amount in (1, 2):
        enter(world, anna)
        world.live(HOUR)
        world.event(anna, "Paid", amount=amount)
        world.settle()
    assert world.goals() == [(anna, 1.0), (anna, 2.0)]


def test_a_goal_met_by_a_change_of_the_contact_counts(world: World) -> None:
    world.publish(journey(REST, 'goal: {when: plan is "pro", value: 12}\n'))
    anna = world.contact()
    enter(world, anna)
    world.change(anna, plan="pro")
    world.settle()
    assert world.path(anna)[-1] == "converted"
    assert world.goals() == [(anna, 12.0)]


def test_without_a_value_a_goal_is_worth_the_revenue_of_its_event(world: World) -> None:
    world.publish(journey(REST, 'goal: {when: did "Order Completed"}\n'))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Order Completed", revenue=19.9)
    world.settle()
    assert world.goals() == [(anna, 19.9)]


@pytest.mark.parametrize("amount", ["many", None, True, {"a": 1}])
def test_a_value_that_is_no_number_is_worth_nothing(world: World, amount: object) -> None:
    world.publish(journey(REST, GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid", amount=amount)
    world.settle()
    assert world.goals() == [(anna, 0.0)]


def test_a_purchase_journey_does_not_meet_its_own_purchase(world: World) -> None:
    world.publish(journey(REST, 'goal: {when: did "Order Completed"}\n', enter="on: Order Completed"))
    anna = world.contact()
    world.event(anna, "Order Completed", revenue=5)
    world.settle()
    assert world.path(anna) == ["entered", "rest:waiting"]
    assert world.goals() == []


def test_a_goal_event_that_a_sender_dates_ahead_counts(world: World) -> None:
    world.publish(journey(REST, GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid", at=world.now + 3 * MINUTE, amount=5)
    world.live(HOUR)
    assert world.goals() == [(anna, 5.0)]


# Exits ----------------------------------------------------------------------------------------------------------------


def test_exit_on_a_change_of_an_attribute(world: World) -> None:
    world.publish(journey(REST, 'exit: plan is "pro"\n'))
    anna, ben = world.contact(), world.contact()
    enter(world, anna)
    enter(world, ben)
    world.change(anna, plan="pro")
    world.settle()
    assert world.path(anna) == ["entered", "rest:waiting", "exited"]
    assert world.statuses(ben) == ["active"]
    [(reason,)] = world.execute("select reason from enrolments where contact_id = :id", id=anna)
    assert reason == 'exit: plan is "pro"'


def test_exit_on_a_change_of_consent(world: World) -> None:
    steps = f"{REST}\n- email: hello\n  id: mail\n  topic: news"
    world.publish(journey(steps, 'exit: not subscribed to "news"\n'))
    anna = world.contact()
    enter(world, anna)
    world.consent(anna, "unsubscribed", "news")
    world.settle()
    assert world.path(anna)[-1] == "exited"


def test_exit_when_a_segment_is_left(world: World) -> None:
    world.segment("gold", 'tier is "gold"')
    world.publish(journey(REST, 'exit: not in segment "gold"\n'))
    anna = world.contact(tier="gold")
    world.settle()
    enter(world, anna)
    assert world.statuses(anna) == ["active"]
    world.change(anna, tier="silver")
    world.settle()
    assert world.path(anna)[-1] == "exited"


def test_exit_on_an_event(world: World) -> None:
    world.publish(journey(REST, 'exit: did "Left"\n'))
    anna = world.contact()
    world.event(anna, "Left")
    world.jump(MINUTE)
    enter(world, anna)
    assert world.statuses(anna) == ["active"]
    world.live(MINUTE)
    world.event(anna, "Left")
    world.settle()
    assert world.path(anna)[-1] == "exited"


def test_exit_at_the_gate_cancels_and_ends(world: World) -> None:
    """Nothing tells of it (the change inbox is emptied), so only the gate can see it."""
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", 'exit: plan is "pro"\n'))
    anna = world.contact()
    queue(world, anna)
    world.change(anna, plan="pro")
    world.execute("delete from change_inbox")
    sending.send(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]
    assert world.statuses(anna) == ["exited"]


def test_exit_at_the_gate_holds_back_the_last_message_of_an_entry(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", 'exit: plan is "pro"\n'))
    anna = world.contact()
    queue(world, anna)
    world.change(anna, plan="pro")
    sending.send(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]
    assert world.statuses(anna) == ["completed"]


# What waits in the queue ----------------------------------------------------------------------------------------------


def test_exit_cancels_queued_messages_in_the_same_commit(world: World) -> None:
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", 'exit: plan is "pro"\n'))
    anna = world.contact()
    queue(world, anna)
    world.change(anna, plan="pro")
    pipeline.refresh(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]
    rows = world.execute("select reason, ended_at from messages")
    assert rows == [("exited", START)]


def test_a_goal_cancels_queued_messages_in_the_same_commit(world: World) -> None:
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", GOAL % ""))
    anna = world.contact()
    queue(world, anna)
    world.jump(MINUTE)
    world.event(anna, "Paid", amount=1)
    pipeline.match(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]


def test_a_goal_after_the_last_step_cancels_what_is_still_queued(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", GOAL % ""))
    anna = world.contact()
    queue(world, anna)
    world.jump(MINUTE)
    world.event(anna, "Paid", amount=1)
    pipeline.match(world.database)
    assert world.goals() == [(anna, 1.0)]
    assert world.messages(anna) == [("mail", "cancelled")]


def test_a_goal_with_stay_cancels_nothing(world: World) -> None:
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", GOAL % ", stay: true"))
    anna = world.contact()
    queue(world, anna)
    world.jump(MINUTE)
    world.event(anna, "Paid", amount=1)
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]


def test_what_is_being_sent_goes_on(world: World) -> None:
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", 'exit: plan is "pro"\n'))
    anna = world.contact()
    queue(world, anna)
    world.execute("update messages set state = 'sending', claimed_at = :now", now=START)
    world.change(anna, plan="pro")
    pipeline.refresh(world.database)
    assert world.statuses(anna) == ["exited"]
    assert world.messages(anna) == [("mail", "sending")]


# The order of one event -----------------------------------------------------------------------------------------------


def test_one_event_converts_meets_the_wait_exits_counts_and_enters_in_this_order(world: World) -> None:
    """The exit rule is false before the wait is met; the goal's value and the new entry come last."""
    steps = """\
    - wait_for: did "Order Completed"
      id: order
      up_to: 10 days
    - set: {met: true}
      id: mark
    - wait: 1 day
      id: rest
    """
    frame = 'goal: {when: did "Order Completed", value: 7}\nexit: did "Order Completed" and met is true\n'
    world.publish(journey(steps, frame, enter="on: Order Completed, again: always"))
    anna = world.contact()
    for revenue in (10, 20):
        world.event(anna, "Order Completed", revenue=revenue)
        world.live(HOUR)
    first = ["entered", "order:waiting", "order:met", "mark:passed", "rest:waiting", "exited"]
    assert world.path(anna) == [*first, "entered", "order:waiting"]
    kinds = [kind for (kind,) in world.execute("select kind from conversions order by id")]
    assert kinds == ["revenue", "revenue", "goal"]


def test_the_event_that_ends_an_entry_starts_the_next_one(world: World) -> None:
    steps = '- wait_for: did "Order Completed"\n  id: order\n  up_to: 10 days'
    world.publish(journey(steps, enter="on: Order Completed, again: always"))
    anna = world.contact()
    for _ in range(3):
        world.event(anna, "Order Completed", revenue=10)
        world.jump(MINUTE)
    world.settle()
    assert world.statuses(anna) == ["completed", "completed", "active"]


def test_a_goal_comes_after_the_wait_that_the_same_event_meets(world: World) -> None:
    steps = '- wait_for: did "Paid"\n  id: answer\n  up_to: 10 days\n- set: {seen: true}\n  id: mark\n' + REST
    world.publish(journey(steps, GOAL % ""))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid", amount=1)
    world.settle()
    assert world.path(anna) == ["entered", "answer:waiting", "answer:met", "mark:passed", "rest:waiting", "converted"]


def test_exit_comes_before_the_goal_and_the_goal_counts_all_the_same(world: World) -> None:
    world.publish(journey(REST, GOAL % "" + 'exit: did "Paid"\n'))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid", amount=3)
    world.settle()
    assert world.path(anna) == ["entered", "rest:waiting", "exited"]
    assert world.goals() == [(anna, 3.0)]


def test_events_of_one_batch_apply_in_the_order_in_which_they_happened(world: World) -> None:
    """`Left` happened before `Paid`, though it was received later."""
    world.publish(journey(REST, GOAL % "" + 'exit: did "Left"\n'))
    anna = world.contact()
    enter(world, anna)
    world.jump(HOUR)
    world.event(anna, "Paid", amount=3)
    world.event(anna, "Left", at=world.now - MINUTE)
    world.settle()
    assert world.path(anna)[-1] == "exited"


def test_a_message_that_comes_back_to_the_queue_after_the_goal_is_not_sent(world: World) -> None:
    """Its first try was under way when the goal was met; the server then asked to come again."""
    world.publish(journey(f"- email: hello\n  id: mail\n{REST}", GOAL % ""))
    anna = world.contact()
    queue(world, anna)
    world.execute("update messages set state = 'sending'")
    world.event(anna, "Paid", amount=20)
    pipeline.match(world.database)
    assert world.messages(anna) == [("mail", "sending")]
    world.execute("update messages set state = 'queued'")
    sending.send(world.database)
    assert world.messages(anna) == [("mail", "cancelled")]


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["enter", "exit", "goal", "step"])
def test_a_step_may_be_called_as_a_rule_of_the_journey_is(world: World, name: str) -> None:
    """Each of the rules asks for something else, so an answer to another one's question would show."""
    steps = f"""\
    - branch: kind
      id: {name}
      paths:
        - when: kind is "vip"
          do: [{{wait: 1 day, id: vip}}]
    - wait: 10 days
      id: rest
    """
    frame = 'goal: {when: did "Paid"}\nexit: did "Left"\n'
    world.publish(journey(steps, frame, enter="on: Signed Up, where: 'plan is \"pro\"'"))
    kinds = {"vip": world.contact(plan="pro", kind="vip"), "plain": world.contact(plan="pro"), "free": world.contact()}
    leaver = world.contact(plan="pro", kind="vip")
    for known in ("Paid", "Left"):  # a name that is new would have the statements built anew
        world.event(kinds["free"], known)
    for contact in (*kinds.values(), leaver):
        enter(world, contact)
    assert ["vip:waiting" in world.path(contact) for contact in kinds.values()] == [True, False, False]
    for contact in kinds.values():
        world.event(contact, "Paid")
    world.event(leaver, "Left")
    world.settle()
    assert [world.statuses(contact) for contact in (*kinds.values(), leaver)] == [
        ["converted"],
        ["converted"],
        [],
        ["exited"],
    ]
