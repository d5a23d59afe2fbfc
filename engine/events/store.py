"""Write encoded events: their keys, those that are new, and their inbox rows, in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import driver

TOGETHER = 500  # events of a statement; as many of the largest documents are still one jsonb
STORE = """
with given as materialized (
    select message_id, coalesce(received_at, shared.received) as received_at,
        coalesce(occurred_at, received_at, shared.received) as occurred_at, contact_id, name, properties, context,
        coalesce(source, shared.origin) as source, triggers
    from (select %s::timestamptz as received, %s::text as origin) shared, jsonb_to_recordset(%s::jsonb) as event(
        message_id text, received_at timestamptz, occurred_at timestamptz, contact_id bigint, name text,
        properties jsonb, context jsonb, source text, triggers bool)),
taken as (
    insert into event_keys (message_id) select message_id from given on conflict do nothing returning message_id),
stored as (
    insert into events (message_id, received_at, occurred_at, contact_id, name, properties, context, source)
    select message_id, received_at, occurred_at, contact_id, name, properties, context, source
    from given join taken using (message_id)),
told as (
    insert into event_inbox
        (available_at, contact_id, name, occurred_at, received_at, message_id, properties, triggers)
    select greatest(received_at, occurred_at), contact_id, name, occurred_at, received_at, message_id, properties,
        triggers
    from given join taken using (message_id) where triggers is not null)
select message_id from given where message_id not in (select message_id from taken)"""


class Encoded(NamedTuple):
    """An event as it is stored. `properties` and `context` are JSON in UTF-8.

    `triggers` None leaves no inbox row; otherwise there is one, available once the event is received and has occurred,
    because rules do not count what is after now.
    """

    message_id: str
    received_at: dt.datetime
    occurred_at: dt.datetime
    contact_id: int
    name: str
    properties: bytes
    context: bytes | None
    source: str
    triggers: bool | None


def store(session: Session, events: Iterable[Encoded]) -> set[str]:
    """Write those of the events whose ids were never taken before, making the partitions that they need.

    Returns the others' ids. The ids of one call differ. Keys are taken in their order, so that two callers cannot
    deadlock. The rows of a small commit cost a third of what they cost with COPY, whose every table is asked twice.
    """
    ordered = sorted(events, key=attrgetter("message_id"))
    if not ordered:
        return set()
    partitions.ensure(session, "events", {event.received_at for event in ordered})
    repeated: set[str] = set()
    received_at, source = ordered[0].received_at, ordered[0].source
    for start in range(0, len(ordered), TOGETHER):
        rows = [_row(event, received_at, source) for event in ordered[start : start + TOGETHER]]
        values = received_at, source, orjson.dumps(rows).decode()
        repeated.update(row[0] for row in driver(session).execute(STORE, values))
    return repeated


def _row(e: Encoded, received_at: dt.datetime, source: str) -> dict[str, Any]:
    """Without what the events of a call mostly share: instants are dear to read."""
    row: dict[str, Any] = {
        "message_id": e.message_id,
        "contact_id": e.contact_id,
        "name": e.name,
        "properties": orjson.Fragment(e.properties),
        "triggers": e.triggers,
    }
    if e.received_at is not received_at:
        row["received_at"] = e.received_at
    if e.occurred_at is not e.received_at:
        row["occurred_at"] = e.occurred_at
    if e.source != source:
        row["source"] = e.source
    if e.context is not None:
        row["context"] = orjson.Fragment(e.context)
    return row
