"""What texts of people do to their consent, their number and their timeline."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import suppress, suppressed
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.texts.incoming import Incoming, take
from tests.engine.messages import ledger
from tests.ledger import assert_counters_equal_ledger

NOW = ledger.now
ANN = "+4915112345678"


def say(session: Session, words: str, reference: str = "", sender: str = ANN, minutes: int = 0) -> str:
    moment = NOW + dt.timedelta(minutes=minutes)
    return take(session, "test", Incoming(reference or f"{words}-{minutes}", sender, "+15550100", words), moment)


@pytest.fixture
def ann(session: Session) -> int:
    return identify(session, [Profile("ann", phone=ANN)], NOW)[0]


def standing(session: Session, contact: int) -> str | None:
    query = text("select state from consent_states where contact_id = :id and channel = 'sms' and topic = ''")
    return session.execute(query, {"id": contact}).scalar()


def events(session: Session) -> list[tuple[str, str | None]]:
    rows = session.execute(text("select name, properties ->> 'text' from events order by name, message_id"))
    return [(row[0], row[1]) for row in rows]


def test_stop_unsubscribes_suppresses_and_is_confirmed_once(session: Session, ann: int) -> None:
    assert "you are unsubscribed" in say(session, "STOP please")
    assert standing(session, ann) == "unsubscribed" and suppressed(session, "sms", [ANN]) == {ANN}
    assert say(session, "stop", minutes=5) == ""
    assert session.execute(text("select count(*) from consent_events")).scalar() == 1


def test_the_same_text_delivered_twice_counts_once(session: Session, ann: int) -> None:
    assert say(session, "HELP", "m1") != ""
    assert say(session, "HELP", "m1") == ""
    assert events(session) == [("SMS Received", "HELP")]


def test_start_takes_stop_back_with_the_word_as_proof(session: Session, ann: int) -> None:
    say(session, "STOP")
    assert "you get our texts again" in say(session, "Start", minutes=1)
    assert standing(session, ann) == "subscribed" and suppressed(session, "sms", [ANN]) == set()
    row = session.execute(text("select lawful_basis, wording, source from consent_events order by id desc")).first()
    assert row is not None and tuple(row) == ("consent", "Start", "text")
    assert say(session, "Start", minutes=2) == ""


def test_start_does_not_lift_a_complaint(session: Session, ann: int) -> None:
    suppress(session, "sms", [ANN], "complaint", NOW)
    say(session, "START")
    assert suppressed(session, "sms", [ANN]) == {ANN}


def test_help_answers_even_after_stop(session: Session, ann: int) -> None:
    say(session, "STOP")
    assert "Text STOP" in say(session, "HELP", minutes=1) or "text STOP" in say(session, "HELP", minutes=2)
    assert standing(session, ann) == "unsubscribed"


def test_a_number_of_nobody_is_suppressed_and_answered_all_the_same(session: Session) -> None:
    assert say(session, "STOP") != ""
    assert suppressed(session, "sms", [ANN]) == {ANN} and events(session) == []


def test_every_contact_with_the_number_is_unsubscribed(session: Session, ann: int) -> None:
    [ben] = identify(session, [Profile("ben", phone=ANN)], NOW)
    say(session, "QUIT")
    assert [standing(session, one) for one in (ann, ben)] == ["unsubscribed", "unsubscribed"]


def accepted(session: Session) -> None:
    """Each contact has got a message a minute ago."""
    session.execute(
        text("update messages set state = 'accepted', accepted_at = :at, claimed_at = :at, attempts = 1"),
        {"at": NOW - dt.timedelta(minutes=1)},
    )


def test_a_reply_names_the_message_it_answers(session: Session) -> None:
    ledger.fill(session, 1, channel="sms", slug="hi")
    accepted(session)
    assert say(session, "Is it still on?", sender="+12025550000") == ""
    seen = text("select name, properties ->> 'content', properties ->> 'message' from events order by 1")
    rows = session.execute(seen)
    replied, received = [tuple(row) for row in rows]
    token = session.execute(text("select token from messages")).scalar()
    assert (replied[1], replied[2]) == ("hi", token) and received[0] == "SMS Received"


def test_who_stops_after_a_message_is_counted_at_its_step(session: Session) -> None:
    ledger.fill(session, 1, channel="sms", slug="hi")
    accepted(session)
    session.execute(text(
        "insert into message_rollups (journey_id, step_id, channel, day, sent) values (1, 'a', 'sms', :day, 1)"
    ), {"day": (NOW - dt.timedelta(minutes=1)).date()})  # fmt: skip
    say(session, "STOP", sender="+12025550000")
    assert session.execute(text("select unsubscribes from message_rollups")).scalars().all() == [1]
    assert_counters_equal_ledger(session)
