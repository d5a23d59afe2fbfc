"""The gate, as a table."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.messages.cap import Cap, parse
from engine.messages.gate import Facts, decide

now = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
email = Facts(channel="email", address="a@b.example")
sms = Facts(channel="sms", address="+12025550123", needs_consent=True)


@pytest.mark.parametrize(
    ("facts", "changes", "action", "reason"),
    [
        (email, {}, "send", None),
        (email, {"address": None}, "suppressed", "no_address"),
        (email, {"address": ""}, "suppressed", "no_address"),
        (email, {"allowed": False, "suppressed": True, "transactional": True}, "suppressed", "not_allowed"),
        (email, {"suppressed": True}, "suppressed", "suppressed"),
        (email, {"channel_state": "unsubscribed"}, "suppressed", "unsubscribed"),
        (email, {"channel_state": "unsubscribed", "topic_state": "subscribed"}, "suppressed", "unsubscribed"),
        (email, {"topic_state": "unsubscribed", "channel_state": "subscribed"}, "suppressed", "unsubscribed"),
        (email, {"topic_default": "unsubscribed"}, "suppressed", "no_consent"),
        (email, {"topic_default": "unsubscribed", "topic_state": "subscribed"}, "send", None),
        (email, {"topic_default": "subscribed"}, "send", None),
        (sms, {}, "suppressed", "no_consent"),
        (sms, {"channel_state": "subscribed"}, "send", None),
        (sms, {"channel_state": "subscribed", "topic_default": "unsubscribed"}, "send", None),
        (sms, {"channel_state": "subscribed", "topic_state": "unsubscribed"}, "suppressed", "unsubscribed"),
        (sms, {"needs_consent": False}, "send", None),
        (email, {"channel_state": "pending"}, "suppressed", "no_consent"),
        (email, {"topic_state": "pending", "topic_default": "subscribed"}, "suppressed", "no_consent"),
        (email, {"channel_state": "expired", "topic_state": "subscribed"}, "suppressed", "no_consent"),
        (email, {"topic_state": "expired"}, "suppressed", "no_consent"),
        (sms, {"channel_state": "pending", "needs_consent": False}, "suppressed", "no_consent"),
        (email, {"snoozed": True, "channel_state": "subscribed"}, "suppressed", "snoozed"),
        (email, {"transactional": True, "channel_state": "unsubscribed", "snoozed": True}, "send", None),
        (email, {"transactional": True, "suppressed": True}, "suppressed", "suppressed"),
        (email, {"transactional": True, "address": None}, "suppressed", "no_address"),
        (email, {"cap": Cap(3, 1, "week"), "cap_count": 2}, "send", None),
        (email, {"cap": Cap(3, 1, "week"), "cap_count": 3}, "suppressed", "cap"),
        (email, {"expires_at": now}, "expired", "expired"),
        (email, {"expires_at": now + dt.timedelta(seconds=1)}, "send", None),
        (email, {"journey_state": "live"}, "send", None),
        (email, {"journey_state": "draining"}, "send", None),
        (email, {"journey_state": "paused"}, "hold", "paused"),
        (email, {"journey_state": "paused", "expires_at": now}, "hold", "paused"),
        (email, {"journey_state": "stopped"}, "cancelled", "stopped"),
        (email, {"leaving": True}, "cancelled", "exit"),
        (email, {"leaving": True, "address": None}, "cancelled", "exit"),
        (email, {"leaving": True, "journey_state": "paused"}, "cancelled", "exit"),
    ],
)
def test_the_gate(facts: Facts, changes: dict[str, Any], action: str, reason: str | None) -> None:
    verdict = decide(facts._replace(**changes), now)
    assert (verdict.action, verdict.reason) == (action, reason)


@pytest.mark.parametrize(
    ("text", "cap", "since"),
    [
        ("3 per week", Cap(3, 1, "week"), now - dt.timedelta(days=7)),
        ("3 per 1 week", Cap(3, 1, "week"), now - dt.timedelta(days=7)),
        ("1 per 2 days", Cap(1, 2, "day"), now - dt.timedelta(days=2)),
        ("5 per 12 hours", Cap(5, 12, "hour"), now - dt.timedelta(hours=12)),
        ("2 per month", Cap(2, 1, "month"), now.replace(month=2, day=28)),
        ("2 per 4 months", Cap(2, 4, "month"), now.replace(year=2025, month=11, day=30)),
        ("2 per year", Cap(2, 1, "year"), now.replace(year=2025)),
    ],
)
def test_caps(text: str, cap: Cap, since: dt.datetime) -> None:
    assert parse(text) == cap
    assert cap.since(now) == since


def test_a_cap_that_cannot_be_read_lets_nothing_through() -> None:
    assert parse("often") == Cap(0, 1, "day")
    assert parse(None) is None
