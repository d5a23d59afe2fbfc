"""A small town of contacts with awkward data, as facts in memory and as rows of a database."""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import partitions
from engine.expr import EventFact, EventKey, Facts, MessageFact
from engine.model import (
    ConsentState,
    Contact,
    Content,
    Enrolment,
    Event,
    Journey,
    List,
    ListMembership,
    Message,
    Segment,
    SegmentMembership,
    Topic,
)

UTC = dt.UTC
NOW = dt.datetime(2026, 3, 31, 12, tzinfo=UTC)
INSTANTS = (
    NOW,
    dt.datetime(2026, 3, 28, 23, 59, 59, tzinfo=UTC),
    dt.datetime(2026, 3, 29, 1, tzinfo=UTC),
    dt.datetime(2026, 2, 28, 0, tzinfo=UTC),
    dt.datetime(2024, 2, 29, 6, tzinfo=UTC),
    dt.datetime(2026, 4, 30, 23, 30, tzinfo=UTC),
)
EVENTS = ("A", "B", "Order Completed", "Email Opened", "Email Link Clicked", "Unsubscribed", "Email Bounced")
CONTENTS = ("welcome", "cart")
STEPS = ("hello", "remind")
SLUGS = ("vip", "eu")
ODD = 'o"d\\d. $é'
"""A name with everything that a path of JSON has to escape."""
TOPICS = {"news": "subscribed", "offers": "unsubscribed"}
DATES = (
    "2026-03-31", "2026-03-30", "2026-02-28", "2024-02-29", "2026-02-29", "2026-02-31", "2026-13-01", "2026-3-1",
    "2026-03-31T12:00:00Z", "2026-03-31T12:00:00", "2026-03-31 12:00", "2026-03-30T23:30:00-05:00", "2026-04-03",
    "2026-03-31T24:00:00Z", "9999-12-31", "9999-12-31T23:59:59-14:00", "1000-01-01", "0999-01-01", "infinity",
    "2026-03-24T12:00:00+00:00", "20260331", "2026-03-31T12:00:00.123456+0530", "2026-04-30T12:00:00Z", "now",
)  # fmt: skip
TEXTS = ("pro", "free", "PRO", "", "5", "true", "pro plan", "naïve", "İstanbul", "ΣΑΣ", "a\nb", "%_\\", "12.50")
NUMBERS: tuple[Any, ...] = (0, 5, 10, -3, 12.5, 0.1, 1e20, 5.0, 7)
ANYTHING: tuple[Any, ...] = (*TEXTS, *NUMBERS, True, False, None, [], {}, ["pro", 5], *DATES[:6])


@dataclass(frozen=True)
class Resident:
    """A contact's facts, without the entry, and those that hold inside the journey."""

    id: int
    facts: Facts
    entered: Facts
    stays: tuple[tuple[str, str, dt.datetime, dt.datetime | None], ...]
    deadline: dt.datetime

    def __repr__(self) -> str:
        return f"Resident({self.id})"

    def at(self, now: dt.datetime, entered: bool = False) -> Facts:
        """Facts as of `now`: memberships are those open then."""
        held = {(kind, slug) for kind, slug, start, end in self.stays if start <= now and (end is None or end > now)}
        groups = {kind: frozenset(slug for k, slug in held if k == kind) for kind in ("segment", "list", "journey")}
        facts = self.entered if entered else self.facts
        return facts._replace(segments=groups["segment"], lists=groups["list"], journeys=groups["journey"])


def moments(chance: random.Random) -> dt.datetime:
    """Instants on and around the edges that windows have."""
    base = chance.choice(INSTANTS)
    step = chance.choice((0, 0, 1, 7, 30, 31, 28, 2, 365)) * dt.timedelta(days=1)
    fine = chance.choice((dt.timedelta(), dt.timedelta(), dt.timedelta(microseconds=1), dt.timedelta(hours=1)))
    return base - step + chance.choice((1, -1)) * fine + chance.choice((0, 0, 0, 3)) * dt.timedelta(hours=1)


def attributes(chance: random.Random) -> dict[str, Any]:
    """Each attribute is missing now and then, and sometimes of another type."""
    usual: dict[str, Any] = {
        "plan": chance.choice(TEXTS), "seats": chance.choice(NUMBERS), "trial_ends_at": chance.choice(DATES),
        "vip": chance.choice((True, False)), "tags": chance.choice((["pro", "x"], [5, "5"], [], [True, None], "pro")),
        "company": chance.choice(
            ({"seats": chance.choice(NUMBERS), ODD: chance.choice(NUMBERS)}, "Acme", [], {"seats": None})
        ),
        "items": [{"plan": chance.choice(TEXTS), "seats": chance.choice(ANYTHING)} for _ in range(chance.randrange(3))],
        "last_seen_at": chance.choice(DATES), "opened": chance.choice(ANYTHING),
        ODD: chance.choice(ANYTHING),
    }  # fmt: skip
    odd = {name: chance.choice(ANYTHING) if chance.random() < 0.2 else value for name, value in usual.items()}
    return {name: value for name, value in odd.items() if chance.random() < 0.8}


def properties(chance: random.Random) -> dict[str, Any]:
    """Properties of any event, among them those of message events."""
    usual: dict[str, Any] = {
        "total": chance.choice(NUMBERS), "plan": chance.choice(TEXTS), "at": chance.choice(DATES),
        "items": [{"plan": chance.choice(TEXTS)}, "pro"], "content": chance.choice((*CONTENTS, 5)),
        "step": chance.choice(STEPS), "journey": chance.choice(("trial", "other")), "seats": chance.choice(ANYTHING),
        ODD: chance.choice(ANYTHING),
    }  # fmt: skip
    return {name: value for name, value in usual.items() if chance.random() < 0.8}


def event(chance: random.Random, number: int) -> EventFact:
    """An event; it may be received up to five minutes before it occurred, by a client's clock that runs ahead."""
    occurred = moments(chance)
    received = occurred + chance.choice((-5, 0, 0, 60)) * dt.timedelta(minutes=1)
    return EventFact(chance.choice(EVENTS), occurred, received, f"m{number}-{chance.randrange(9)}", properties(chance))


def facts(chance: random.Random, number: int) -> Facts:
    """A contact that has not entered the journey."""
    events = tuple(event(chance, number * 100 + i) for i in range(chance.randrange(9)))
    messages = tuple(
        MessageFact(moments(chance), chance.choice(CONTENTS), chance.choice(STEPS), chance.choice(("trial", "other")))
        for _ in range(chance.randrange(3))
    )
    said = {
        (channel, topic): chance.choice(("subscribed", "unsubscribed"))
        for channel in ("email", "sms") for topic in ("", "news", "offers") if chance.random() < 0.4
    }  # fmt: skip
    return Facts(
        email=chance.choice((None, "Ann@Acme.com", "bob@acme.com", "İ@x.org")),
        phone=chance.choice((None, "+14155550100")),
        timezone=chance.choice((None, "Europe/Berlin")), locale=chance.choice((None, "de", "")),
        external_id=f"c{number}", created_at=moments(chance), attributes=attributes(chance), events=events,
        messages=messages, consent=said, topics=TOPICS,
    )  # fmt: skip


def resident(chance: random.Random, number: int) -> Resident:
    """A contact with its memberships and its entry; the trigger is one of its events where it has any."""
    base = facts(chance, number)
    trigger = chance.choice(base.events) if base.events else event(chance, number * 100 + 50)
    entered = base._replace(
        entry=EventKey(*trigger.key), step_since=trigger.occurred_at + dt.timedelta(hours=1),
        event=trigger.properties, journey="trial",
    )  # fmt: skip
    stays = []
    for kind in ("segment", "list"):
        for slug in SLUGS:
            if chance.random() < 0.6:
                start = moments(chance)
                stays.append((kind, slug, start, chance.choice((None, start + dt.timedelta(days=2)))))
    stays.append(("journey", "trial", trigger.occurred_at, None))
    return Resident(number, base, entered, tuple(stays), moments(chance))


def town(seed: int, size: int) -> list[Resident]:
    """`size` contacts, numbered from 1."""
    chance = random.Random(seed)
    return [resident(chance, number) for number in range(1, size + 1)]


def settle(session: Session, residents: list[Resident]) -> None:
    """Write them all down."""
    session.execute(insert(Topic), [{"slug": s, "name": s, "default_state": d} for s, d in TOPICS.items()])
    for model in (Segment, List):
        extra = {"rule": "a is 1"} if model is Segment else {}
        session.execute(insert(model), [{"slug": s, "name": s, **extra} for s in (*SLUGS, "beta")])
    session.execute(insert(Journey), [{"slug": s} for s in ("trial", "other")])
    session.execute(insert(Content), [{"slug": s, "channel": "email"} for s in CONTENTS])
    session.execute(insert(Contact), [_contact(one) for one in residents])
    _write_events(session, residents)
    _write_messages(session, residents)
    _write_memberships(session, residents)


def exact(value: Any) -> Any:
    """JSON as the database returns it, with exact numbers."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def _contact(one: Resident) -> dict[str, Any]:
    names = ("email", "phone", "timezone", "locale", "external_id", "created_at", "attributes")
    return {"id": one.id, **{name: getattr(one.facts, name) for name in names}}


def _write_events(session: Session, residents: list[Resident]) -> None:
    rows = [
        {
            "message_id": e.message_id, "received_at": e.received_at, "occurred_at": e.occurred_at, "name": e.name,
            "contact_id": one.id, "properties": e.properties, "source": "api",
        }
        for one in residents for e in one.facts.events
    ]  # fmt: skip
    partitions.ensure(session, "events", {row["received_at"] for row in rows})
    session.execute(insert(Event.__table__), rows)


def _write_messages(session: Session, residents: list[Resident]) -> None:
    contents = {c.slug: c.id for c in session.query(Content)}
    journeys = {j.slug: j.id for j in session.query(Journey)}
    rows = [
        {
            "origin_at": NOW, "enrolment_id": one.id * 10 + n, "step_id": m.step, "visit": 1, "contact_id": one.id,
            "journey_id": journeys[m.journey or ""], "content_id": contents[m.content], "channel": "email",
            "state": "accepted", "queued_at": NOW, "send_after": NOW, "accepted_at": m.accepted_at,
        }
        for one in residents for n, m in enumerate(one.facts.messages)
    ]  # fmt: skip
    partitions.ensure(session, "messages", [NOW])
    session.execute(insert(Message.__table__), rows)
    session.execute(insert(Enrolment.__table__), [_enrolment(one, journeys["trial"]) for one in residents])


def _enrolment(one: Resident, journey_id: int) -> dict[str, Any]:
    entry = one.entered.entry
    assert entry is not None
    return {
        "journey_id": journey_id, "version_id": 1, "contact_id": one.id, "status": "active", "phase": "waiting",
        "wake_at": one.deadline, "deadline": one.deadline, "arrived_at": one.entered.step_since, "entered_at": entry[0],
        "trigger_occurred_at": entry[0], "trigger_received_at": entry[1], "trigger_message_id": entry[2],
        "trigger_event": one.entered.event,
    }  # fmt: skip


def _write_memberships(session: Session, residents: list[Resident]) -> None:
    segments = {s.slug: s.id for s in session.query(Segment)}
    lists = {x.slug: x.id for x in session.query(List)}
    stays = [(one.id, *stay) for one in residents for stay in one.stays]
    session.execute(
        insert(SegmentMembership.__table__),
        [
            {"segment_id": segments[s], "contact_id": c, "entered_at": a, "left_at": b}
            for c, k, s, a, b in stays
            if k == "segment"
        ],
    )
    session.execute(
        insert(ListMembership.__table__),
        [
            {"list_id": lists[s], "contact_id": c, "added_at": a, "removed_at": b}
            for c, k, s, a, b in stays
            if k == "list"
        ],
    )
    consent = [
        {"contact_id": one.id, "channel": channel, "topic": topic, "state": state, "changed_at": NOW}
        for one in residents for (channel, topic), state in one.facts.consent.items()
    ]  # fmt: skip
    session.execute(insert(ConsentState.__table__), consent)
