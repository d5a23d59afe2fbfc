"""Nobody rewrites the history of consent, and no merge or shared address makes a refusal forgotten."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contacts.consent import ConsentChange, record_consent, suppress, suppressed, welcome_back
from engine.contacts.identify import identify
from engine.contacts.merge import merge
from engine.contacts.profile import Profile
from engine.contacts.sharing import others_leaving
from engine.signing import signer

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def people(session: Session, *names: str, email: str | None = None) -> list[int]:
    return identify(session, [Profile(name, email) for name in names], NOW)


def say(session: Session, contact_id: int, action: str, source: str, day: int, basis: str | None = None) -> None:
    at = NOW + day * DAY
    change = ConsentChange(contact_id, "email", action, source, occurred_at=at, lawful_basis=basis, ip="192.0.2.1")
    record_consent(session, [change], NOW + 9 * DAY)


@pytest.mark.parametrize(
    "change",
    [
        "delete from consent_events",
        "update consent_events set action = 'subscribed'",
        "update consent_events set occurred_at = occurred_at - interval '1 day'",
        "update consent_events set ip = '192.0.2.9'",
        "update consent_events set ip = null, user_agent = null, proof = null",
        "update consent_events set contact_id = contact_id + 1, source = 'form'",
    ],
)
def test_the_database_refuses_to_change_what_was_said(session: Session, change: str) -> None:
    [one] = people(session, "c1")
    say(session, one, "unsubscribed", "link", 0)
    with pytest.raises(IntegrityError, match="append-only"), session.begin_nested():
        session.execute(text(change))
    assert session.execute(text("select action, host(ip::inet), source from consent_events")).one() == (
        "unsubscribed", "192.0.2.1", "link",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "gone", "then"),
    [
        (("unsubscribed", "link", 0, None), ("subscribed", "import", 1, None), "unsubscribed"),
        (("unsubscribed", "link", 0, None), ("subscribed", "api", 1, "implied"), "unsubscribed"),
        (("unsubscribed", "link", 0, None), ("requested", "form", 1, None), "unsubscribed"),
        (("unsubscribed", "link", 0, None), ("subscribed", "form", 1, None), "subscribed"),
        (("unsubscribed", "link", 1, None), ("subscribed", "form", 0, None), "unsubscribed"),
        (("subscribed", "import", 1, None), ("unsubscribed", "link", 0, None), "unsubscribed"),
        (("subscribed", "form", 1, None), ("unsubscribed", "link", 0, None), "subscribed"),
        (("subscribed", "form", 0, None), ("unsubscribed", "import", 1, None), "unsubscribed"),
        (("requested", "form", 0, None), ("subscribed", "form", 1, None), "subscribed"),
    ],
)
def test_of_merged_records_a_refusal_holds_until_somebody_agrees_expressly(
    session: Session,
    kept: tuple[str, str, int, str | None],
    gone: tuple[str, str, int, str | None],
    then: str,
) -> None:
    one, two = people(session, "c1", "c2")
    for contact, word in ((one, kept), (two, gone)):
        say(session, contact, *word)
    merge(session, [(two, one)], NOW + 9 * DAY)
    assert session.execute(text("select contact_id, state from consent_states")).one() == (one, then)
    assert session.execute(text("select distinct contact_id from consent_events")).scalars().all() == [one]


def test_all_records_with_an_address_leave_together_and_come_back_alone(session: Session) -> None:
    one, two = people(session, "c1", "c2", email="Home@x.example")
    [other] = people(session, "c3", email="other@x.example")
    left = ConsentChange(one, "email", "unsubscribed", "link", "news")
    found = others_leaving(session, [(left, "home@X.example"), (left, None)])
    assert [(change.contact_id, change.topic) for change in found] == [(two, "news")]
    record_consent(session, [left, *found], NOW)
    assert others_leaving(session, [(left, "home@x.example")]) == []
    back = ConsentChange(one, "email", "subscribed", "preferences", "news")
    assert others_leaving(session, [(back, "home@x.example")]) == []
    assert session.execute(text("select count(*) from consent_states where contact_id = :id"), {"id": other}).one() == (
        0,
    )


def test_who_expressly_agrees_may_be_written_to_again(session: Session) -> None:
    ids = people(session, "c1", email="a@x.example")
    suppress(session, "email", ["a@x.example"], "unsubscribed", NOW)
    weak = [("import", None), ("api", "implied")]
    words = [ConsentChange(ids[0], "email", "subscribed", source, lawful_basis=basis) for source, basis in weak]
    assert welcome_back(session, [*words, ConsentChange(ids[0], "email", "unsubscribed", "link")], signer()) == 0
    assert suppressed(session, "email", ["a@x.example"])
    assert welcome_back(session, [ConsentChange(ids[0], "email", "subscribed", "api", "news")], signer()) == 1
    assert not suppressed(session, "email", ["a@x.example"])
