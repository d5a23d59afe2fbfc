"""Consent history, its fold, and suppression."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import ConsentChange, record_consent, suppress, suppressed
from engine.contacts.identify import identify
from engine.contacts.profile import Profile

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
