"""Options of a send in whole journeys: what drops a message, what holds it, what comes instead of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from engine import clock
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.settings import settings
from engine.signing import signer
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from tests.smtp import Conversation, recording_server
from workers import pipeline, sending

REST = "- wait: 10 days\n  id: rest"
FALLBACK = """\
- email: hello
  id: mail
  fallback: [{sms: short, id: text}, {set: {reached: by phone}, id: mark}]
- set: {done: true}
  id: after
"""


class NobodyHere(Conversation):
    """A server that knows no recipient whose address begins with `gone`."""

    def _command(self, line: bytes) -> None:
        if line[:4].upper() == b"RCPT" and b"<gone" in line:
            self.transport.write(b"550 5.1.1 no such user\r\n")
        elif line[:4].upper() == b"DATA" and not self.recipients:
            self.transport.write(b"554 5.5.1 no valid recipients\r\n")
        else:
            super()._command(line)


@pytest.fixture
def knowing_server(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with recording_server(conversation=NobodyHere) as server:
        monkeypatch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        sending.close()
        yield
        sending.close()


def enter(world: World, *contacts: int) -> None:
    for contact in contacts:
        world.event(contact, "Signed Up")
    world.settle()


def reachable(world: World, **values: object) -> int:
    """A contact with a phone who has agreed to SMS."""
    made = world.contact(phone=f"+1202555{next(world.numbers):04}", **values)
    world.consent(made, "subscribed", channel="sms")
    return made


# Caps, age, topics ----------------------------------------------------------------------------------------------------


def test_a_cap_drops_with_its_reason_and_the_entry_goes_on(world: World) -> None:
    world.publish(journey("- email: one\n  id: one\n- email: two\n  id: two", "send: {cap: 1 per day}\n"))
    anna = world.contact()
    enter(world, anna)
    assert world.execute("select step_id, state, reason from messages order by id") == [
        ("one", "accepted", None),
        ("two", "suppressed", "cap"),
    ]
    assert world.statuses(anna) == ["completed"]


def test_none_lifts_the_cap_of_the_journey_for_one_step(world: World) -> None:
    world.publish(journey("- email: one\n  id: one\n- email: two\n  id: two\n  cap: none", "send: {cap: 1 per day}\n"))
    anna = world.contact()
    enter(world, anna)
    assert world.messages(anna) == [("one", "accepted"), ("two", "accepted")]


def test_a_message_that_waited_longer_than_it_may_expires_at_the_gate(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", "send: {expires: 2 hours}\n"))
    late, early = world.contact(), world.contact()
    world.event(late, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.jump(HOUR + dt.timedelta(minutes=30))
    world.event(early, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.jump(dt.timedelta(minutes=30))
    sending.send(world.database)
    assert world.execute("select contact_id, state, reason from messages order by id") == [
        (late, "expired", "expired"),
        (early, "accepted", None),
    ]


def test_the_age_counts_from_when_sending_was_allowed(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n  at: 09:30 contact\n  expires: 1 hour"))
    anna = world.contact()
    enter(world, anna)
    world.live(DAY)
    assert world.messages(anna) == [("mail", "accepted")]


def test_a_step_sends_under_its_own_topic_else_the_journeys_unless_it_lifts_it(world: World) -> None:
    steps = """\
    - email: one
      id: one
    - email: two
      id: two
      topic: offers
    - email: three
      id: three
      topic: none
    """
    world.publish(journey(steps, "send: {topic: news}\n"))
    anna, ben = world.contact(), world.contact()
    world.consent(anna, "unsubscribed", "news")
    world.consent(ben, "unsubscribed", "offers")
    enter(world, anna, ben)
    assert world.messages(anna) == [("one", "suppressed"), ("two", "accepted"), ("three", "accepted")]
    assert world.messages(ben) == [("one", "accepted"), ("two", "suppressed"), ("three", "accepted")]


# Fallbacks ------------------------------------------------------------------------------------------------------------


def test_without_an_address_the_fallback_runs_before_what_follows(world: World) -> None:
    world.publish(journey(FALLBACK))
    anna = reachable(world, email=None)
    enter(world, anna)
    taken = ["mail:queued", "mail:fell_back", "text:queued", "mark:passed", "after:passed", "completed"]
    assert world.path(anna) == ["entered", *taken]
    assert world.messages(anna) == [("mail", "suppressed"), ("text", "accepted")]


def test_who_gets_the_message_does_not_get_the_fallback(world: World) -> None:
    world.publish(journey(FALLBACK))
    anna = reachable(world)
    enter(world, anna)
    assert world.path(anna) == ["entered", "mail:queued", "mail:settled", "after:passed", "completed"]
    assert world.messages(anna) == [("mail", "accepted")]


def test_a_suppressed_address_is_no_address(world: World) -> None:
    world.publish(journey(FALLBACK))
    anna = reachable(world, email="gone@x.example")
    hmac = sending.sender().signer.address_hmac("email", "gone@x.example")
    world.execute("insert into suppressions values (:hmac, 'email', 'hard_bounce', now())", hmac=hmac)
    enter(world, anna)
    assert world.messages(anna) == [("mail", "suppressed"), ("text", "accepted")]


def test_who_unsubscribed_is_not_followed_to_another_channel(world: World) -> None:
    world.publish(journey(FALLBACK))
    anna = reachable(world)
    world.consent(anna, "unsubscribed")
    enter(world, anna)
    assert world.path(anna)[-4:] == ["mail:queued", "mail:settled", "after:passed", "completed"]
    assert world.messages(anna) == [("mail", "suppressed")]


@pytest.mark.usefixtures("knowing_server")
def test_a_hard_bounce_runs_the_fallback(world: World) -> None:
    world.publish(journey(FALLBACK))
    gone, here = reachable(world, email="gone@x.example"), reachable(world)
    enter(world, gone, here)
    assert world.messages(gone) == [("mail", "failed"), ("text", "accepted")]
    assert world.messages(here) == [("mail", "accepted")]
    assert world.statuses(gone) == world.statuses(here) == ["completed"]


BEHIND = FALLBACK.replace(
    "- set: {done: true}\n  id: after\n", "- wait: 2 days\n  id: nap\n- set: {done: true}\n  id: after\n"
)


def comes_back(world: World, contact: int, kind: str = "hard") -> None:
    """What a server says of the contact's mail some while after it took it."""
    [(id_, origin_at)] = world.execute(
        "select id, origin_at from messages where contact_id = :id and step_id = 'mail'", id=contact
    )
    with world.database.transaction() as session:
        now = clock.now(session)
        store(session, [Receipt("mail", f"about {id_}", kind, message=(id_, origin_at))], now, signer())
    world.settle()


def test_a_bounce_that_comes_within_a_day_takes_the_entry_from_where_it_rests_into_the_fallback(world: World) -> None:
    world.publish(journey(BEHIND))
    gone, full, here = (reachable(world) for _ in range(3))
    enter(world, gone, full, here)
    world.jump(20 * HOUR)
    comes_back(world, gone)
    comes_back(world, full, "soft")
    assert world.path(gone)[-5:] == ["nap:waiting", "mail:fell_back", "text:queued", "mark:passed", "nap:waiting"]
    assert world.path(here)[-1] == world.path(full)[-1] == "nap:waiting"
    assert (world.messages(gone), len(world.messages(full))) == ([("mail", "bounced"), ("text", "accepted")], 1)
    world.live(3 * DAY)
    assert world.statuses(gone) == world.statuses(here) == ["completed"]
    assert world.path(gone).count("after:passed") == 1


def test_a_bounce_after_a_day_or_behind_further_steps_runs_no_fallback(world: World) -> None:
    world.publish(journey(BEHIND))
    late = reachable(world)
    enter(world, late)
    world.jump(25 * HOUR)
    comes_back(world, late)
    assert world.path(late)[-1] == "nap:waiting"
    world.publish(journey(FALLBACK + REST))
    further = reachable(world)
    enter(world, further)
    comes_back(world, further)
    paths = world.execute("select count(*) from step_log where contact_id = :id and outcome = 'fell_back'", id=further)
    assert paths == [(0,)]


def test_the_entry_waits_for_its_message_a_day_at_most(world: World) -> None:
    world.publish(journey(FALLBACK + REST))
    anna = reachable(world, email=None)
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    assert world.path(anna) == ["entered", "mail:queued"]
    assert world.wakes(anna) == START + DAY
    world.jump(DAY)
    pipeline.advance(world.database)
    assert world.path(anna)[2:] == ["mail:settled", "after:passed", "rest:waiting"]
    sending.send(world.database)
    world.settle()
    assert world.messages(anna) == [("mail", "suppressed")]


def test_an_entry_that_has_left_does_not_fall_back(world: World) -> None:
    world.publish(journey(FALLBACK, 'exit: plan is "pro"\n'))
    anna = reachable(world, email=None)
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.change(anna, plan="pro")
    world.settle()
    assert world.path(anna) == ["entered", "mail:queued", "exited"]
    assert world.messages(anna) == [("mail", "cancelled")]


def test_a_fallback_keeps_its_own_options_and_may_fall_back_itself(world: World) -> None:
    steps = """\
    - email: hello
      id: mail
      exit: true
      fallback:
        - sms: short
          id: text
          at: 20:00 contact
          fallback: [{set: {unreachable: true}, id: mark}]
    - set: {done: true}
      id: after
    """
    world.publish(journey(steps))
    anna = world.contact(email=None)
    enter(world, anna)
    assert world.path(anna) == ["entered", "mail:queued", "mail:fell_back", "text:held"]
    world.live(DAY)
    assert world.path(anna)[4:] == ["text:queued", "text:fell_back", "mark:passed", "exited"]


def test_what_happens_to_another_message_wakes_nobody_before_their_time(world: World) -> None:
    """Anna's entry is held for 20:00 when a message of her other entry finds its fate."""
    held = "- email: hello\n  id: mail\n  at: 20:00 contact\n  fallback: [{set: {a: 1}, id: a}]"
    world.publish(journey(held, slug="held"))
    world.publish(journey(FALLBACK, slug="now"))
    anna = world.contact(email=None)
    enter(world, anna)
    assert world.wakes(anna) == START + 8 * HOUR
    assert "mail:fell_back" in world.path(anna)


def test_the_numbers_of_a_step_count_each_arrival_once(world: World) -> None:
    from journeys.runtime.numbers import step_counts

    world.publish(journey(FALLBACK + REST))
    people = [reachable(world, email=None), reachable(world)]
    for contact in people:
        world.event(contact, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    for _ in range(2):
        with world.database.transaction() as session:
            counts = step_counts(session, 1)
        assert counts["mail"].reached == 2
        world.settle()
    assert (counts["text"].reached, counts["after"].reached, counts["rest"].waiting) == (1, 2, 2)
