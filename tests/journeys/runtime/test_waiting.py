"""Waits: met, timed out, moved, and sends that are held."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline

SECOND = dt.timedelta(seconds=1)
PAID = """\
- wait_for: did "Paid"
  id: answer
  up_to: 3 days
  timeout:
    - set: {silent: true}
      id: silence
"""
MET = ["entered", "answer:waiting", "answer:met", "completed"]
TIMED_OUT = ["entered", "answer:waiting", "answer:timed_out", "silence:passed", "completed"]


def enter(world: World, contact_id: int, **properties: object) -> None:
    world.event(contact_id, "Signed Up", **properties)
    world.settle()


def test_an_event_meets_a_wait_at_once(world: World) -> None:
    world.publish(journey(PAID))
    anna, ben = world.contact(), world.contact()
    enter(world, anna)
    enter(world, ben)
    world.live(DAY)
    world.event(anna, "Paid")
    world.settle()
    assert world.path(anna) == MET
    world.live(2 * DAY)
    assert world.path(ben) == TIMED_OUT


def test_an_event_that_does_not_meet_the_wait_leaves_it_as_it_was(world: World) -> None:
    world.publish(journey('- wait_for: did "Paid" at least 2 times\n  id: answer\n  up_to: 3 days'))
    anna = world.contact()
    enter(world, anna)
    before = world.execute("select arrived_at, deadline, wake_at, steps_taken, phase from enrolments")
    world.live(HOUR)
    world.event(anna, "Paid")
    world.settle()
    assert world.execute("select arrived_at, deadline, wake_at, steps_taken, phase from enrolments") == before
    assert world.path(anna) == ["entered", "answer:waiting"]


def test_of_several_rules_the_first_to_come_true_wins(world: World) -> None:
    steps = """\
    - wait_for:
      id: answer
      up_to: 3 days
      any:
        - when: did "Paid"
          do: [{set: {how: paid}, id: paid}]
        - when: did "Called"
          do: [{set: {how: called}, id: called}]
    """
    world.publish(journey(steps))
    anna, ben = world.contact(), world.contact()
    for contact, names in ((anna, ["Called"]), (ben, ["Called", "Paid"])):
        world.event(contact, "Signed Up")
        world.jump(SECOND)
        for name in names:
            world.event(contact, name)
    world.settle()
    assert "called:passed" in world.path(anna)
    assert "paid:passed" in world.path(ben), "both hold when the wait is reached, so the file's order decides"


def test_a_rule_that_is_true_already_passes_at_once(world: World) -> None:
    world.publish(journey('- wait_for: plan is "pro"\n  id: answer\n  up_to: 3 days'))
    anna = world.contact(plan="pro")
    enter(world, anna)
    assert world.path(anna) == ["entered", "answer:met", "completed"]


def test_a_change_of_an_attribute_meets_a_wait(world: World) -> None:
    world.publish(journey('- wait_for: plan is "pro"\n  id: answer\n  up_to: 3 days'))
    anna = world.contact()
    enter(world, anna)
    world.change(anna, plan="pro")
    world.settle()
    assert world.path(anna)[-2:] == ["answer:met", "completed"]


def test_consent_and_segments_meet_waits(world: World) -> None:
    world.segment("gold", 'tier is "gold"')
    rule = 'not (subscribed to "news" on email) and in segment "gold"'
    steps = f"- email: hello\n  id: mail\n  topic: news\n- wait_for: {rule}\n  id: answer\n  up_to: 3 days"
    world.publish(journey(steps))
    anna = world.contact()
    enter(world, anna)
    world.consent(anna, "unsubscribed", "news")
    world.settle()
    assert world.statuses(anna) == ["active"]
    world.change(anna, tier="gold")
    world.settle()
    assert world.path(anna)[-2:] == ["answer:met", "completed"]


# Since entry ----------------------------------------------------------------------------------------------------------

SIGNED_UP = '- wait_for: did "Signed Up"\n  id: answer\n  up_to: 3 days'


def test_the_trigger_itself_does_not_meet_a_wait(world: World) -> None:
    world.publish(journey(SIGNED_UP))
    anna = world.contact()
    enter(world, anna)
    assert world.path(anna) == ["entered", "answer:waiting"]


@pytest.mark.parametrize(("message_id", "met"), [("b", False), ("d", True)])
def test_since_entry_is_strictly_after_the_trigger_in_the_order_of_events(
    world: World, message_id: str, met: bool
) -> None:
    """The same instant and another message id: the id decides."""
    world.publish(journey(SIGNED_UP, enter="on: Signed Up, where: event.first is true"))
    anna = world.contact()
    world.event(anna, "Signed Up", message_id="c", first=True)
    world.event(anna, "Signed Up", message_id=message_id)
    world.settle()
    assert world.path(anna)[1:] == (["answer:met", "completed"] if met else ["answer:waiting"])


def test_what_happened_before_entry_counts_only_with_ever(world: World) -> None:
    steps = '- wait_for: did "Paid" {}\n  id: answer\n  up_to: 3 days'
    world.publish(journey(steps.format(""), slug="plain"))
    world.publish(journey(steps.format("ever"), slug="ever"))
    anna = world.contact()
    world.event(anna, "Paid")
    world.jump(HOUR)
    enter(world, anna)
    assert sorted(world.statuses(anna)) == ["active", "completed"]


def test_since_step_starts_at_arrival(world: World) -> None:
    steps = f'{PAID}- wait_for: did "Paid" since step\n  id: again\n  up_to: 3 days'
    world.publish(journey(steps))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid")
    world.settle()
    assert world.path(anna)[-1] == "again:waiting"
    world.live(HOUR)
    world.event(anna, "Paid")
    world.settle()
    assert world.path(anna)[-2:] == ["again:met", "completed"]


# Deadlines ------------------------------------------------------------------------------------------------------------


def test_what_happened_by_the_deadline_wins_though_the_executor_is_late(world: World) -> None:
    """The event's inbox row is lost on purpose: only the re-evaluation at the deadline can see it."""
    world.publish(journey(PAID))
    anna, ben = world.contact(), world.contact()
    enter(world, anna)
    enter(world, ben)
    world.jump(3 * DAY - SECOND)
    world.event(anna, "Paid")
    world.jump(2 * SECOND)
    world.event(ben, "Paid")
    world.execute("delete from event_inbox")
    world.live(DAY)
    assert world.path(anna) == MET
    assert world.path(ben) == TIMED_OUT


def test_a_deadline_at_a_date_moves_with_the_attribute(world: World) -> None:
    world.publish(journey(PAID.replace("3 days", "1 day before ends_at")))
    anna = world.contact(ends_at="2026-03-10T12:00:00Z")
    enter(world, anna)
    assert world.wakes(anna) == dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
    world.change(anna, ends_at="2026-03-20T12:00:00Z")
    world.settle()
    assert world.wakes(anna) == dt.datetime(2026, 3, 19, 12, tzinfo=dt.UTC)
    world.change(anna, ends_at="2026-03-05T12:00:00Z")
    world.live(2 * DAY + SECOND)
    assert world.path(anna) == TIMED_OUT
    [(at,)] = world.execute("select at from step_log where outcome = 'timed_out'")
    assert at == START + 2 * DAY


def test_an_attribute_that_moves_a_deadline_later_does_not_hide_what_came_between(world: World) -> None:
    """The executor is late: the date moved before the old deadline, the event came after it."""
    world.publish(journey(PAID.replace("3 days", "1 day before ends_at")))
    anna = world.contact(ends_at="2026-03-05T12:00:00Z")
    enter(world, anna)
    world.live(DAY)
    world.change(anna, ends_at="2026-03-20T12:00:00Z")
    world.jump(2 * DAY)
    world.event(anna, "Paid")
    world.settle()
    assert world.path(anna) == MET


@pytest.mark.parametrize("ends_at", [None, "2026-03-03T11:00:00Z", "soon", 7])
def test_a_missing_past_or_unreadable_date_times_out_now(world: World, ends_at: object) -> None:
    world.publish(journey(PAID.replace("3 days", "1 day before ends_at")))
    anna = world.contact(**({} if ends_at is None else {"ends_at": ends_at}))
    enter(world, anna)
    assert world.path(anna) == ["entered", "answer:timed_out", "silence:passed", "completed"]


def test_a_wait_until_a_date_moves_with_it_too(world: World) -> None:
    world.publish(journey("- wait: until ends_at\n  id: pause"))
    anna = world.contact(ends_at="2026-03-10T12:00:00Z")
    enter(world, anna)
    world.change(anna, ends_at="2026-03-04T12:00:00Z")
    world.settle()
    assert world.wakes(anna) == START + 2 * DAY
    world.change(anna, ends_at=None)
    world.settle()
    assert world.path(anna) == ["entered", "pause:waiting", "pause:passed", "completed"]


def test_timers_count_from_the_batch_that_reached_the_step(world: World) -> None:
    world.publish(journey("- wait: 1 hour\n  id: one\n- wait: 1 hour\n  id: two"))
    anna = world.contact()
    enter(world, anna)
    world.jump(5 * HOUR)
    world.settle()
    assert world.wakes(anna) == START + 6 * HOUR


# Time alone -----------------------------------------------------------------------------------------------------------


def test_time_alone_meets_did_without_within(world: World) -> None:
    steps = 'did "Checkout Started" without "Order Completed" within 1 hour'
    world.publish(journey(f"- wait_for: {steps}\n  id: cart\n  up_to: 3 days"))
    anna, ben = world.contact(), world.contact()
    for contact in (anna, ben):
        enter(world, contact)
    world.live(HOUR)
    for contact in (anna, ben):
        world.event(contact, "Checkout Started")
    world.settle()
    assert world.wakes(anna) == START + 2 * HOUR
    world.live(HOUR / 2)
    world.event(ben, "Order Completed")
    world.live(HOUR)
    assert world.path(anna) == ["entered", "cart:waiting", "cart:met", "completed"]
    assert world.path(ben) == ["entered", "cart:waiting"]
    [(at,)] = world.execute("select at from step_log where outcome = 'met'")
    assert at == START + 2 * HOUR


def test_an_event_that_a_sender_dates_ahead_still_meets_its_wait(world: World) -> None:
    """Its clock runs three minutes fast: the event counts once that moment has come."""
    world.publish(journey(PAID))
    anna = world.contact()
    enter(world, anna)
    world.live(HOUR)
    world.event(anna, "Paid", at=world.now + dt.timedelta(minutes=3))
    world.live(HOUR)
    assert world.path(anna) == MET


# Sends that are held --------------------------------------------------------------------------------------------------


def test_opened_up_to_counts_from_the_send_and_not_from_the_hold(world: World) -> None:
    steps = """\
    - email: hello
      id: mail
      at: 09:30 contact
    - wait_for: opened step "mail"
      id: open
      up_to: 6 hours
    """
    world.publish(journey(steps))
    anna = world.contact(timezone="Europe/Berlin")
    enter(world, anna)
    assert world.path(anna) == ["entered", "mail:held"]
    assert world.messages(anna) == []
    sent = dt.datetime(2026, 3, 3, 8, 30, tzinfo=dt.UTC)
    assert world.wakes(anna) == sent
    world.live(2 * DAY)
    assert world.messages(anna) == [("mail", "accepted")]
    assert world.path(anna) == ["entered", "mail:held", "mail:queued", "open:waiting", "open:timed_out", "completed"]
    [(at,)] = world.execute("select at from step_log where outcome = 'timed_out'")
    assert at == sent + 6 * HOUR


@pytest.mark.parametrize(
    ("timezone", "entered", "wakes"),
    [("Europe/Berlin", 22, 31), ("America/New_York", 27, 37), ("Mars/Olympus", 22, 32), (None, 22, 32)],
)
def test_quiet_hours_are_the_contacts_and_an_unknown_zone_is_the_workspaces(
    world: World, timezone: str | None, entered: int, wakes: int
) -> None:
    """Hours of UTC, counted from the midnight before START."""
    midnight = START - 12 * HOUR
    world.publish(journey("- email: hello\n  id: mail", "send: {quiet: 21:00-08:00 contact}\n"))
    anna = world.contact()
    world.execute("update contacts set timezone = :zone where id = :id", zone=timezone, id=anna)
    world.jump(midnight + entered * HOUR - START)
    enter(world, anna)
    assert world.wakes(anna) == midnight + wakes * HOUR


def test_an_sms_keeps_the_quiet_hours_of_every_zone_that_the_number_may_be_in(world: World) -> None:
    world.publish(journey("- sms: short\n  id: text\n  quiet: 20:00-09:00 contact"))
    anna = world.contact(phone="+79161234567")
    enter(world, anna)
    assert world.wakes(anna) == dt.datetime(2026, 3, 3, 7, tzinfo=dt.UTC)


def test_if_is_asked_when_the_hold_ends(world: World) -> None:
    world.publish(journey('- email: hello\n  id: mail\n  at: 20:00 contact\n  if: plan is not "pro"'))
    anna = world.contact()
    enter(world, anna)
    world.change(anna, plan="pro")
    world.live(DAY)
    assert world.path(anna) == ["entered", "mail:held", "mail:skipped", "completed"]
    assert world.messages(anna) == []


# Pause ----------------------------------------------------------------------------------------------------------------


def test_a_paused_journey_holds_people_messages_and_entries(world: World) -> None:
    world.publish(journey("- wait: 1 hour\n  id: pause\n- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    anna, ben, carl = world.contact(), world.contact(), world.contact()
    enter(world, anna)
    world.live(HOUR / 2)
    enter(world, ben)
    world.state("j", "paused")
    world.event(carl, "Signed Up")
    world.live(2 * HOUR)
    assert world.path(anna) == world.path(ben) == ["entered", "pause:waiting"]
    assert world.path(carl) == []
    world.state("j", "live")
    world.live(HOUR)
    assert world.messages(anna) == world.messages(ben) == [("mail", "accepted")]


def test_a_message_of_a_paused_journey_stays_queued_and_does_not_stop_the_clock(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    with world.database.transaction() as session:
        world.match(session)
    pipeline.advance(world.database)
    world.state("j", "paused")
    world.live(HOUR)
    assert world.messages(anna) == [("mail", "queued")]
    world.state("j", "live")
    world.settle()
    assert world.messages(anna) == [("mail", "accepted")]
