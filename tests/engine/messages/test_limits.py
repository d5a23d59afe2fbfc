"""The workspace's limits on pressure: caps over all that a contact gets, and quiet hours where the contact is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.orm import Session

from engine import workspace
from engine.db import Database
from engine.errors import InvalidInput
from engine.messages import limits
from engine.messages.claim import Claim, claim
from engine.messages.limits import Limits
from engine.model import Campaign, Contact, Message, Topic
from tests.engine.messages.ledger import fill, queue, save, signer

NOON = dt.datetime(2026, 3, 18, 12, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@pytest.fixture
def opened(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        session.execute(insert(Topic), [{"slug": "news", "name": "News"}, {"slug": "orders", "name": "Orders"}])
        yield session


def due(session: Session, contact: int, channel: str = "email", **values: Any) -> int:
    """A queued message of a step of its own; gives its id."""
    content = save(session, "hello" if channel == "email" else "short", channel)
    queue(session, [contact], content, **{"channel": channel, "send_after": NOON - HOUR, **values})
    return session.scalars(select(Message.id).order_by(Message.id.desc()).limit(1)).one()


def sent(session: Session, contact: int, ago: dt.timedelta, **values: Any) -> None:
    due(session, contact, state="accepted", claimed_at=NOON - ago, accepted_at=NOON - ago, **values)


def take(session: Session, channel: str = "email", now: dt.datetime = NOON) -> Claim:
    known = Limits.of(workspace.load(session))
    return claim(session, channel, now, limit=100, journal="j", signer=signer, needs_consent=False, pressure=known)


def contacts(session: Session, count: int, **values: Any) -> list[int]:
    made = fill(session, count, state="cancelled", ended_at=NOON)
    session.execute(update(Contact).values(**values)) if values else None
    return made


def row(session: Session, id_: int) -> Any:
    return session.execute(
        text("select state, reason, send_after, seen from messages where id = :id"), {"id": id_}
    ).one()


@pytest.mark.parametrize(
    ("of", "counted", "free"),
    [
        ("all", {"channel": "sms"}, {"transactional": True}),
        ("email", {"topic": "news"}, {"channel": "sms"}),
        ("topic:news", {"topic": "news"}, {"topic": "other"}),
        ("all", {"journey_id": None, "campaign_id": 7}, {"topic": "orders"}),
    ],
)
def test_a_cap_counts_what_it_is_of_whatever_it_came_from(
    opened: Session, of: str, counted: dict[str, Any], free: dict[str, Any]
) -> None:
    limits.set_cap(opened, of, "2 per week", "test", NOON)
    limits.set_unlimited(opened, "orders", True, "test", NOON)
    full, not_full = contacts(opened, 2)
    for contact, third in ((full, counted), (not_full, free)):
        sent(opened, contact, 6 * DAY, **{"topic": "news", **counted})
        sent(opened, contact, 8 * DAY, topic="news")
        sent(
            opened, contact, DAY, **{"topic": "news", **third, **({"campaign_id": 8} if "campaign_id" in third else {})}
        )
    dropped, goes = due(opened, full, topic="news"), due(opened, not_full, topic="news")
    claimed = take(opened)
    assert [each.id for each in claimed.messages] == [goes]
    found = row(opened, dropped)
    assert (found.state, found.reason, found.seen["cap"]) == ("suppressed", "cap", {of: "2 of 2 per 1 week"})


def test_what_is_being_sent_or_may_have_arrived_counts_from_the_last_moment_at_which_it_may(opened: Session) -> None:
    limits.set_cap(opened, "all", "1 per hour", "test", NOON)
    stuck, unclear, long_over = contacts(opened, 3)
    due(opened, stuck, state="sending", claimed_at=NOON - 3 * HOUR)
    due(opened, unclear, state="unknown", claimed_at=NOON - 3 * HOUR, ended_at=NOON - HOUR / 2)
    due(opened, long_over, state="unknown", claimed_at=NOON - 3 * HOUR, ended_at=NOON - 2 * HOUR)
    for contact in (stuck, unclear):
        due(opened, contact)
    goes = due(opened, long_over)
    assert [each.id for each in take(opened).messages] == [goes]


def test_transactional_messages_and_unlimited_topics_pass_every_limit(opened: Session) -> None:
    limits.set_cap(opened, "all", "0 per day", "test", NOON)
    limits.set_quiet(opened, "email", "11:00-13:00", "test", NOON)
    limits.set_unlimited(opened, "orders", True, "test", NOON)
    first, second, third = contacts(opened, 3, timezone="UTC")
    free = [due(opened, first, transactional=True), due(opened, second, topic="orders")]
    held = due(opened, third, topic="news")
    assert [each.id for each in take(opened).messages] == free
    assert row(opened, held).reason == "quiet"


def test_without_limits_a_claim_makes_no_statement_more(opened: Session) -> None:
    first, second = contacts(opened, 2)
    seen: list[str] = []
    event.listen(opened.connection(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    due(opened, first)
    take(opened)
    assert not any("as counted" in statement for statement in seen)
    limits.set_cap(opened, "all", "9 per day", "test", NOON)
    due(opened, second)
    take(opened)
    assert sum("as counted" in statement for statement in seen) == 1


@pytest.mark.parametrize(
    ("zone", "phone", "now", "until"),
    [
        ("Europe/Berlin", None, "2026-03-18T19:59+00:00", None),
        ("Europe/Berlin", None, "2026-03-18T20:00+00:00", "2026-03-19T07:00+00:00"),
        ("Europe/Berlin", None, "2026-03-28T21:00+00:00", "2026-03-29T06:00+00:00"),  # the clock goes forward
        ("Europe/Berlin", None, "2026-10-24T21:00+00:00", "2026-10-25T07:00+00:00"),  # and back
        ("Pacific/Kiritimati", None, "2026-03-18T17:59+00:00", "2026-03-18T18:00+00:00"),
        ("Pacific/Pago_Pago", None, "2026-03-18T18:59+00:00", "2026-03-18T19:00+00:00"),
        ("Asia/Kathmandu", None, "2026-03-18T15:15+00:00", "2026-03-19T02:15+00:00"),
        (None, "+12025550100", "2026-03-18T11:59+00:00", "2026-03-18T12:00+00:00"),  # Washington
        (None, "+61491570006", "2026-03-18T12:00+00:00", "2026-03-19T01:30+00:00"),  # Australia: from Cocos to Norfolk
        ("no zone", None, "2026-03-18T07:00+00:00", "2026-03-18T08:00+00:00"),  # the workspace's
    ],
)
def test_quiet_hours_hold_until_the_contacts_morning(
    opened: Session, zone: str | None, phone: str | None, now: str, until: str | None
) -> None:
    limits.set_quiet(opened, "sms", "21:00-08:00", "test", NOON)
    at = dt.datetime.fromisoformat(now)
    contact = contacts(opened, 1, timezone=zone, phone=phone or "+447700900123")[0]
    if zone == "no zone":
        opened.execute(update(Contact).values(phone="+999", timezone=zone))
    message = due(opened, contact, "sms", send_after=at - HOUR)
    claimed = take(opened, "sms", at)
    if until is None:
        assert [each.id for each in claimed.messages] == [message]
    else:
        held = row(opened, message)
        assert (held.state, held.reason) == ("queued", "quiet")
        assert held.send_after == dt.datetime.fromisoformat(until)
        assert take(opened, "sms", held.send_after - dt.timedelta(seconds=1)).locked == 0
        assert [each.id for each in take(opened, "sms", held.send_after).messages] == [message]


def test_what_expires_in_quiet_hours_ends_when_it_expires(opened: Session) -> None:
    limits.set_quiet(opened, "email", "11:00-15:00", "test", NOON)
    contact = contacts(opened, 1, timezone="UTC")[0]
    message = due(opened, contact, expires_at=NOON + HOUR)
    take(opened)
    assert row(opened, message).send_after == NOON + HOUR
    assert take(opened, now=NOON + HOUR).ended == {"expired": 1}


def test_a_throttled_campaigns_messages_keep_their_distance_over_quiet_hours_and_others_leave_at_their_end(
    opened: Session,
) -> None:
    limits.set_quiet(opened, "email", "11:00-15:00", "test", NOON)
    definition = {"throttle": "60 per hour"}
    campaigns = [{"slug": "slow", "definition": definition}, {"slug": "fast", "definition": {}}]
    common = {"name": "x", "channel": "email", "state": "sending"}
    ids = [opened.scalars(insert(Campaign).values(**common, **one).returning(Campaign.id)).one() for one in campaigns]
    minute, before = HOUR / 60, NOON - 2 * HOUR
    found = {}
    for contact, (campaign, at) in zip(
        contacts(opened, 5, timezone="UTC"),
        [(ids[0], NOON), (ids[0], NOON - minute), (ids[0], before), (ids[1], NOON - minute), (ids[0], NOON)],
        strict=True,
    ):
        found[contact] = due(opened, contact, campaign_id=campaign, journey_id=None, send_after=at)
    opened.execute(update(Message).where(Message.id == list(found.values())[4]).values(expires_at=NOON + HOUR))
    take(opened)
    quiet_over = NOON + 3 * HOUR
    expected = [quiet_over + HOUR, quiet_over + HOUR - minute, quiet_over, quiet_over, NOON + HOUR]
    assert [row(opened, id_).send_after for id_ in found.values()] == expected


def test_lifted_quiet_hours_let_go_at_once_and_changed_ones_are_asked_anew(opened: Session) -> None:
    limits.set_quiet(opened, "email", "11:00-15:00", "test", NOON)
    first, second = contacts(opened, 2, timezone="UTC")
    held, aside = due(opened, first), due(opened, second, send_after=NOON - HOUR)
    take(opened)
    opened.execute(text("update messages set send_after = 'infinity' where id = :id"), {"id": aside})
    limits.set_quiet(opened, "email", "11:00-13:00", "test", NOON)
    assert take(opened).messages == []
    assert row(opened, held).send_after == NOON + HOUR
    limits.set_quiet(opened, "email", "", "test", NOON)
    assert [each.id for each in take(opened).messages] == [held]


def test_texts_have_quiet_hours_unless_somebody_lifts_them() -> None:
    assert {channel: str(hours) for channel, hours in Limits.of(workspace.Workspace()).quiet.items()} == {
        "sms": "21:00-08:00"
    }


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (limits.set_cap, ("fax", "1 per day")),
        (limits.set_cap, ("topic:none", "1 per day")),
        (limits.set_cap, ("email", "often")),
        (limits.set_quiet, ("fax", "21:00-08:00")),
        (limits.set_quiet, ("sms", "21:00-25:00")),
        (limits.set_quiet, ("sms", "08:00-08:00")),
    ],
)
def test_what_is_no_limit_is_refused(opened: Session, change: Any, given: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput):
        change(opened, *given, "test", NOON)


def test_an_attribute_of_any_type_is_no_time_zone(opened: Session) -> None:
    limits.set_quiet(opened, "email", "21:00-08:00", "test", NOON)
    contact = contacts(opened, 1, timezone=None, phone=None, attributes={"timezone": ["a"], "phone": {"b": 1}})[0]
    message = due(opened, contact)
    assert [each.id for each in take(opened).messages] == [message]
