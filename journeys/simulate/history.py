"""Load contacts with their history, many at a time: a statement a kind, and only what the draft reads."""

from __future__ import annotations

import datetime as dt
import json
from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.db import driver
from engine.expr import EventFact, Facts, MessageFact
from engine.expr.facts import NOTHING
from engine.habits import store as habits
from engine.habits.estimate import NOBODY, Habits
from engine.signing import Signer
from journeys.decide import chain
from journeys.simulate.person import Person, Sent, Turn
from journeys.simulate.plan import Plan

BY_EVENT = """
select distinct contact_id from events where name = %(name)s and occurred_at >= %(start)s and occurred_at < %(end)s
order by 1
"""
BY_SEGMENT = """
select distinct m.contact_id from segment_memberships m join segments s on s.id = m.segment_id
where s.slug = %(name)s and m.entered_at >= %(start)s and m.entered_at < %(end)s order by 1
"""
BY_DATE = """
select id from contacts where erased_at is null and (attributes ? %(name)s or %(name)s = 'created_at') order by 1
"""
EVERYBODY = "select id from contacts where erased_at is null order by 1"
CONTACTS = """
select id, public_id, email, phone, timezone, locale, external_id, created_at, attributes::text from contacts
where id = any(%s::bigint[]) and erased_at is null order by id
"""
EVENTS = """
select contact_id, name, occurred_at, received_at, message_id, {properties} from events
where contact_id = any(%s::bigint[]) and (%s or name = any(%s)) and occurred_at >= %s and occurred_at < %s
    and not (source = 'journey' and exists (
        select from enrolments e join journeys j on j.id = e.journey_id
        where j.slug = %s and e.id = substring(message_id from '{cause}')::bigint))
order by contact_id, occurred_at, received_at, message_id
"""
MESSAGES = """
select m.contact_id, m.accepted_at, c.slug, m.step_id, j.slug, m.channel, m.topic, m.transactional from messages m
join contents c on c.id = m.content_id left join journeys j on j.id = m.journey_id
where m.contact_id = any(%s::bigint[]) and m.accepted_at < %s
    and (j.slug is distinct from %s or m.accepted_at < %s) order by m.accepted_at
"""
CONSENT = """
select contact_id, channel, topic, action, occurred_at from consent_events
where contact_id = any(%s::bigint[]) and occurred_at < %s and action in ('subscribed', 'unsubscribed', 'expired')
order by id
"""
STAYS = """
select m.contact_id, 'segment', s.slug, m.entered_at, m.left_at
from segment_memberships m join segments s on s.id = m.segment_id
where m.contact_id = any(%s::bigint[]) and m.entered_at < %s and (m.left_at is null or m.left_at > %s)
union all
select m.contact_id, 'list', l.slug, m.added_at, m.removed_at
from list_memberships m join lists l on l.id = m.list_id
where m.contact_id = any(%s::bigint[]) and m.added_at < %s and (m.removed_at is null or m.removed_at > %s)
"""
JOURNEYS = """
select e.contact_id, j.slug from enrolments e join journeys j on j.id = e.journey_id
where e.contact_id = any(%s::bigint[]) and e.entered_at < %s and (e.ended_at is null or e.ended_at > %s)
    and not e.held_out
"""
SUPPRESSED = "select address_hmac, channel, created_at from suppressions where address_hmac = any(%s)"
EARLIEST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
CHUNK = 5000
Rows = Sequence[tuple[Any, ...]]
Grouped = dict[int, list[tuple[Any, ...]]]


class Read(NamedTuple):
    """Rows about one contact: `MESSAGES`, `CONSENT`, `STAYS`, `JOURNEYS`, without its id."""

    messages: Rows
    consent: Rows
    stays: Rows
    journeys: Rows


UNTOUCHED = Read((), (), (), ())


def population(session: Session, plan: Plan) -> array[int]:
    """Ids of the contacts whom the draft's trigger concerns in the span, in order; eight bytes each."""
    enter = plan.journey.enter
    query, name = {
        "event": (BY_EVENT, enter.event),
        "segment": (BY_SEGMENT, enter.segment),
        "date": (BY_DATE, enter.date.path.split(".")[0] if enter.date else ""),
    }.get(enter.kind, (EVERYBODY, ""))
    values = {"name": name, "start": plan.start, "end": plan.end}
    with driver(session).cursor(binary=True) as cursor:
        return array("q", (id_ for (id_,) in cursor.stream(query, values, size=CHUNK)))


def people(session: Session, plan: Plan, ids: Sequence[int], signer: Signer) -> Iterator[Person]:
    """These contacts, erased ones left out, in the order of their ids.

    Events come one contact after the other as they are asked for: a long history is never held for more than one.
    """
    wanted = literal(ids)
    contacts = driver(session).execute(CONTACTS, (wanted,), binary=True).fetchall()
    messages: Grouped = {}
    if plan.reads.messages:
        messages = _grouped(session, MESSAGES, wanted, plan.end, plan.journey.slug, plan.start)
    consent = _grouped(session, CONSENT, wanted, plan.end)
    stays = _grouped(session, STAYS, wanted, plan.end, plan.start, wanted, plan.end, plan.start)
    journeys = _grouped(session, JOURNEYS, wanted, plan.start, plan.start)
    suppressed = _suppressed(session, contacts, signer)
    asks_for_habits = any(asked.habits for asked in plan.asked.values())
    profiles, everybody = habits.read(session, ids) if asks_for_habits else ({}, NOBODY)
    events = _events(session, plan, wanted)
    coming = next(events, None)
    for row, attributes in zip(contacts, _documents(contacts), strict=True):
        id_ = row[0]
        while coming is not None and coming[0] < id_:
            coming = next(events, None)
        facts = coming[1] if coming is not None and coming[0] == id_ else ()
        read = Read(messages.get(id_, ()), consent.get(id_, ()), stays.get(id_, ()), journeys.get(id_, ()))
        person = _person(plan, row, attributes, facts, read, suppressed.get(id_, NOTHING))
        yield replace(person, habits=Habits(profiles.get(id_), everybody)) if asks_for_habits else person
    deque(events, maxlen=0)  # those of contacts erased meanwhile, so that the connection is free for what comes next


def _events(session: Session, plan: Plan, ids: str) -> Iterator[tuple[int, tuple[EventFact, ...]]]:
    """Contact ids, rising, each with its events in their order."""
    for contact_id, facts in groupby(_each_event(session, plan, ids), itemgetter(0)):
        yield contact_id, tuple([fact for _, fact in facts])


def _each_event(session: Session, plan: Plan, ids: str) -> Iterator[tuple[int, EventFact]]:
    reads = plan.reads
    since = EARLIEST if reads.past else plan.start
    query = EVENTS.format(properties="properties::text" if reads.properties else "'{}'", cause=chain.PATTERN)
    values = (ids, reads.any_event, sorted(reads.events), since, plan.end, plan.journey.slug)
    with driver(session).cursor(binary=True) as cursor:
        rows = cursor.stream(query, values, size=CHUNK)
        while chunk := list(islice(rows, CHUNK)):
            for (id_, name, at, received_at, message_id, _), document in zip(chunk, _documents(chunk), strict=True):
                yield id_, EventFact(name, at, received_at, message_id, document)


def _documents(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The last column of each row, read as JSON: one document of all is read in half the time of one each."""
    found: list[dict[str, Any]] = json.loads(f"[{','.join([row[-1] for row in rows])}]")
    return found


def _grouped(session: Session, query: str, *values: Any) -> Grouped:
    found: Grouped = defaultdict(list)
    for row in driver(session).execute(query, values, binary=True):
        found[row[0]].append(row[1:])
    return found


def _suppressed(session: Session, contacts: Sequence[Any], signer: Signer) -> dict[int, dict[str, dt.datetime]]:
    """Contact id -> channel -> since when its address is suppressed."""
    if session.execute(text("select not exists (select from suppressions)")).scalar():
        return {}
    keys = {
        (signer.address_hmac(channel, address), channel): contact_id
        for contact_id, _, email, phone, *_ in contacts
        for channel, address in (("email", email), ("sms", phone))
        if address
    }
    found: dict[int, dict[str, dt.datetime]] = defaultdict(dict)
    for hmac, channel, since in driver(session).execute(SUPPRESSED, ([hmac for hmac, _ in keys],), binary=True):
        if (bytes(hmac), channel) in keys:
            found[keys[bytes(hmac), channel]][channel] = since
    return found


def _person(
    plan: Plan,
    row: Any,
    attributes: Mapping[str, Any],
    events: tuple[EventFact, ...],
    read: Read,
    suppressed: Mapping[str, dt.datetime],
) -> Person:
    id_, public_id, email, phone, timezone, locale, external_id, created_at, _ = row
    if read == UNTOUCHED:  # most people: nothing has to be put in order
        facts = Facts(
            email, phone, timezone, locale, external_id, created_at, attributes, events,
            topics=plan.schema.topics, zone=plan.schema.zone, aliases=plan.schema.aliases,
        )  # fmt: skip
        return Person(id_, external_id or email or public_id, facts, (), suppressed)
    consent, turns = _consent(plan, read.consent)
    inside = {"segment": set[str](), "list": set[str]()}
    for kind, slug, entered, left in read.stays:
        if entered <= plan.start:
            inside[kind].add(slug)
        if entered > plan.start or (entered == plan.start and slug == plan.journey.enter.segment):
            turns.append(Turn(entered, kind, slug, "in"))
        if left is not None and left < plan.end:
            turns.append(Turn(left, kind, slug, "out"))
    facts = Facts(
        email, phone, timezone, locale, external_id, created_at, attributes, events,
        tuple(MessageFact(*values[:4]) for values in read.messages),
        frozenset(inside["segment"]), frozenset(inside["list"]),
        frozenset(slug for (slug,) in read.journeys) - {plan.journey.slug},
        consent, plan.schema.topics, zone=plan.schema.zone, aliases=plan.schema.aliases,
    )  # fmt: skip
    name = external_id or email or public_id
    sent = tuple(
        Sent(at, channel, topic, not transactional and topic not in plan.limits.unlimited)
        for at, *_, channel, topic, transactional in read.messages
    )
    return Person(id_, name, facts, tuple(sorted(turns, key=lambda turn: turn.at)), suppressed, sent=sent)


def _consent(plan: Plan, rows: Sequence[tuple[Any, ...]]) -> tuple[dict[tuple[str, str], str], list[Turn]]:
    """The state at the span's start, and the changes within it."""
    state: dict[tuple[str, str], str] = {}
    turns = []
    for channel, topic, action, at in rows:
        if at <= plan.start:
            state[channel, topic] = action
        else:
            turns.append(Turn(at, "consent", topic, action, channel))
    return state, turns
