"""Facts of many contacts for `engine.expr.evaluate`, one query a kind."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.expr.facts import EventFact, EventKey, Facts, MessageFact
from engine.expr.schema import Schema


class Asked(NamedTuple):
    """An enrolment, and since when it is at its step."""

    enrolment_id: int
    step_since: dt.datetime


ENTRIES = text("""
select e.id, e.contact_id, e.trigger_occurred_at, e.trigger_received_at, e.trigger_message_id, e.trigger_event, j.slug,
       c.email, c.phone, c.timezone, c.locale, c.external_id, c.created_at, c.attributes
from enrolments e join contacts c on c.id = e.contact_id join journeys j on j.id = e.journey_id
where e.id = any(:ids)
""")
CONTACT = text("""
select email, phone, timezone, locale, external_id, created_at, attributes from contacts where id = :id
""")
EVENTS = text("""
select contact_id, name, occurred_at, received_at, message_id, properties from events
where contact_id = any(:ids) and (:any_event or name = any(:names)) order by occurred_at, received_at, message_id
""")
MESSAGES = text("""
select m.contact_id, m.accepted_at, c.slug, m.step_id, j.slug from messages m
join contents c on c.id = m.content_id left join journeys j on j.id = m.journey_id
where m.contact_id = any(:ids) and m.accepted_at is not null order by m.accepted_at
""")
SEGMENTS = text("""
select m.contact_id, s.slug from segment_memberships m join segments s on s.id = m.segment_id
where m.contact_id = any(:ids) and m.left_at is null
""")
LISTS = text("""
select m.contact_id, l.slug from list_memberships m join lists l on l.id = m.list_id
where m.contact_id = any(:ids) and m.removed_at is null
""")
JOURNEYS = text("""
select e.contact_id, j.slug from enrolments e join journeys j on j.id = e.journey_id
where e.contact_id = any(:ids) and e.status = 'active'
""")
CONSENT = text("select contact_id, channel, topic, state from consent_states where contact_id = any(:ids)")


def facts_of(
    session: Session, schema: Schema, asked: Sequence[Asked], events: frozenset[str], any_event: bool
) -> dict[int, Facts]:
    """Enrolment id -> facts of its contact, with the `events` named (all of them if `any_event`)."""
    since = {one.enrolment_id: one.step_since for one in asked}
    rows = session.execute(ENTRIES, {"ids": list(since)}).all()
    known = _known(session, schema, sorted({row.contact_id for row in rows}), events, any_event)
    return {
        row.id: Facts(**_fields(row), **_entry(row), **known[row.contact_id], step_since=since[row.id]) for row in rows
    }


def facts_of_contact(
    session: Session,
    schema: Schema,
    contact_id: int,
    events: frozenset[str],
    any_event: bool,
    event: Mapping[str, Any] | None = None,
) -> Facts:
    """Facts of a contact outside any journey, with the `events` named (all of them if `any_event`); `event` holds the
    properties of what might start one."""
    row = session.execute(CONTACT, {"id": contact_id}).one()
    return Facts(**_fields(row), **_known(session, schema, [contact_id], events, any_event)[contact_id], event=event)


def _known(
    session: Session, schema: Schema, contact_ids: Sequence[int], events: frozenset[str], any_event: bool
) -> dict[int, dict[str, Any]]:
    """Contact id -> what happened to it and where it belongs."""
    ids = {"ids": list(contact_ids)}
    happened = _grouped(session.execute(EVENTS, {**ids, "names": list(events), "any_event": any_event}).all())
    received = _grouped(session.execute(MESSAGES, ids).all())
    segments, lists, journeys = (_grouped(session.execute(query, ids).all()) for query in (SEGMENTS, LISTS, JOURNEYS))
    consent = _grouped(session.execute(CONSENT, ids).all())
    return {
        id_: {
            "events": tuple(EventFact(*values) for values in happened[id_]),
            "messages": tuple(MessageFact(*values) for values in received[id_]),
            "segments": frozenset(slug for (slug,) in segments[id_]),
            "lists": frozenset(slug for (slug,) in lists[id_]),
            "journeys": frozenset(slug for (slug,) in journeys[id_]),
            "consent": {(channel, topic): state for channel, topic, state in consent[id_]},
            "topics": schema.topics,
            "zone": schema.zone,
            "aliases": schema.aliases,
        }
        for id_ in contact_ids
    }


def _grouped(rows: Sequence[Any]) -> dict[int, list[tuple[Any, ...]]]:
    """Contact id -> the rest of its rows."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for contact_id, *values in rows:
        found[contact_id].append(tuple(values))
    return found


def _fields(row: Any) -> dict[str, Any]:
    names = ("email", "phone", "timezone", "locale", "external_id", "created_at", "attributes")
    return {name: getattr(row, name) for name in names}


def _entry(row: Any) -> dict[str, Any]:
    return {
        "entry": EventKey(row.trigger_occurred_at, row.trigger_received_at, row.trigger_message_id),
        "event": row.trigger_event,
        "journey": row.slug,
    }
