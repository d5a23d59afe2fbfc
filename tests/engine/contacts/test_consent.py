"""Consent history, its fold, and suppression."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import ConsentChange, expire, lift, record_consent, suppress, suppressed
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.signing import signer

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def test_the_last_word_holds_and_only_changes_are_announced(session: Session) -> None:
    one, two = identify(session, [Profile("c1"), Profile("c2")], NOW)
    session.execute(text("delete from change_inbox"))
    words = [
        ConsentChange(one, "email", "subscribed", "form", occurred_at=NOW - dt.timedelta(days=1)),
        ConsentChange(one, "email", "unsubscribed", "link"),
        ConsentChange(two, "sms", "subscribed", "form", topic="news"),
    ]
    assert record_consent(session, words, NOW) == {one, two}
    states = session.execute(text("select contact_id, channel, topic, state from consent_states order by 1")).all()
    assert [tuple(row) for row in states] == [(one, "email", "", "unsubscribed"), (two, "sms", "news", "subscribed")]
    old = ConsentChange(one, "email", "subscribed", "import", occurred_at=NOW - dt.timedelta(days=9))
    assert record_consent(session, [old, words[2]], NOW) == set()
    assert session.execute(text("select count(*) from consent_events")).scalar() == 5
    inbox = session.execute(text("select contact_id, kind, names from change_inbox order by 1")).all()
    assert [tuple(row) for row in inbox] == [(one, "consent", [""]), (two, "consent", ["news"])]


def test_a_suppressed_address_is_known_again_but_not_kept(session: Session) -> None:
    assert suppress(session, "email", ["Ann@x.example", "ann@X.example", "b@x.example"], "manual", NOW) == 2
    assert suppress(session, "email", ["ann@x.example"], "hard_bounce", NOW) == 0
    assert suppressed(session, "email", ["ANN@x.example", "c@x.example"]) == {"ANN@x.example"}
    assert suppressed(session, "sms", ["ann@x.example"]) == set()
    stored = session.execute(text("select encode(address_hmac, 'escape') from suppressions")).scalars().all()
    assert not any("x.example" in row for row in stored)


def state(session: Session, contact_id: int) -> tuple[str, dt.datetime | None] | None:
    row = session.execute(
        text("select state, expires_at from consent_states where contact_id = :id"), {"id": contact_id}
    ).first()
    return tuple(row) if row else None  # type: ignore[return-value]


def said(session: Session, contact_id: int, action: str, source: str = "form", **more: object) -> bool:
    """Whether a word changed the state."""
    change = ConsentChange(contact_id, "email", action, source, **more)  # type: ignore[arg-type]
    return bool(record_consent(session, [change], NOW))


def test_what_is_only_implied_neither_undoes_a_refusal_nor_shortens_a_consent(session: Session) -> None:
    refused, agreed, silent = identify(session, [Profile("c1"), Profile("c2"), Profile("c3")], NOW)
    said(session, refused, "unsubscribed")
    said(session, agreed, "subscribed")
    half_a_year = NOW + dt.timedelta(days=180)
    for contact in (refused, agreed, silent):
        said(session, contact, "subscribed", "api", lawful_basis="implied", expires_at=half_a_year)
    assert state(session, refused) == ("unsubscribed", None)
    assert state(session, agreed) == ("subscribed", None)
    assert state(session, silent) == ("subscribed", half_a_year)
    later = half_a_year + dt.timedelta(days=30)
    assert said(session, silent, "subscribed", "api", lawful_basis="implied", expires_at=later)
    assert state(session, silent) == ("subscribed", later)
    assert said(session, silent, "subscribed")
    assert state(session, silent) == ("subscribed", None)


def test_no_file_lifts_a_refusal_but_the_person_does(session: Session) -> None:
    (one,) = identify(session, [Profile("c1")], NOW)
    said(session, one, "unsubscribed")
    assert not said(session, one, "subscribed", "import", lawful_basis="consent")
    assert state(session, one) == ("unsubscribed", None)
    assert said(session, one, "subscribed", "preferences")
    assert session.execute(text("select count(*) from consent_events")).scalar() == 3


def test_a_request_is_pending_only_where_nothing_was_said(session: Session) -> None:
    silent, refused, agreed = identify(session, [Profile("c1"), Profile("c2"), Profile("c3")], NOW)
    said(session, refused, "unsubscribed")
    said(session, agreed, "subscribed")
    for contact in (silent, refused, agreed):
        said(session, contact, "requested")
    found = [state(session, contact) for contact in (silent, refused, agreed)]
    assert found == [("pending", None), ("unsubscribed", None), ("subscribed", None)]
    assert not said(session, silent, "subscribed", "import")


def test_implied_consent_ends_and_is_announced(session: Session) -> None:
    one, two = identify(session, [Profile("c1"), Profile("c2")], NOW)
    for contact, days in ((one, 10), (two, 20)):
        said(session, contact, "subscribed", lawful_basis="implied", expires_at=NOW + dt.timedelta(days=days))
    session.execute(text("delete from change_inbox"))
    assert expire(session, NOW + dt.timedelta(days=10)) == 1
    assert expire(session, NOW + dt.timedelta(days=10)) == 0
    assert state(session, one) == ("expired", None)
    assert session.execute(text("select contact_id, kind from change_inbox")).all() == [(one, "consent")]
    assert session.execute(text("select action, source from consent_events order by id desc limit 1")).one() == (
        "expired",
        "expiry",
    )


def test_who_comes_back_lifts_what_they_did_themselves_and_nothing_else(session: Session) -> None:
    suppress(session, "email", ["left@x.example"], "unsubscribed", NOW)
    for reason in ("hard_bounce", "complaint", "manual"):
        suppress(session, "email", [f"{reason}@x.example"], reason, NOW)
    everybody = ["left@x.example", "hard_bounce@x.example", "complaint@x.example", "manual@x.example"]
    assert lift(session, "email", everybody, signer()) == 1
    assert suppressed(session, "email", everybody) == set(everybody[1:])
