"""Write encoded events: keys first, then COPY of the new ones and of their inbox rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine import partitions
from engine.db import copy_rows, driver, text_array

TAKE_KEYS = "insert into event_keys (message_id) select unnest(%s::text[]) on conflict do nothing returning message_id"
EVENTS = (
    "events(message_id, received_at, occurred_at, contact_id, name, properties, context, source)",
    ("text", "timestamptz", "timestamptz", "int8", "text", "bytea", "bytea", "text"),
)
INBOX = (
    "event_inbox(available_at, contact_id, name, occurred_at, received_at, message_id, properties, triggers)",
    ("timestamptz", "int8", "text", "timestamptz", "timestamptz", "text", "bytea", "bool"),
)
"""Binary COPY carries no types, so jsonb is handed over as the bytes that it is on the wire: see `wire`."""


class Encoded(NamedTuple):
    """An event as it is stored. `properties` and `context` are JSON text.

    `triggers` None leaves no inbox row; otherwise there is one, available once the event is received and has occurred,
    because rules do not count what is after now.
    """

    message_id: str
    received_at: dt.datetime
    occurred_at: dt.datetime
    contact_id: int
    name: str
    properties: str
    context: str | None
    source: str
    triggers: bool | None


def take_keys(session: Session, message_ids: Collection[str]) -> set[str]:
    """Take those of the ids that were never taken before. Sorted, so that two callers cannot deadlock."""
    if not message_ids:
        return set()
    return {row[0] for row in driver(session).execute(TAKE_KEYS, (text_array(sorted(message_ids)),))}


def store(session: Session, events: Sequence[Encoded]) -> None:
    """Write events whose keys were taken, making the partitions that they need."""
    if not events:
        return
    partitions.ensure(session, "events", {event.received_at for event in events})
    documents = [wire(event.properties) for event in events]
    copy_rows(session, *EVENTS, map(_event_row, events, documents))
    inbox = [_inbox_row(e, document) for e, document in zip(events, documents, strict=True) if e.triggers is not None]
    if inbox:
        copy_rows(session, *INBOX, inbox)


def wire(document: str) -> bytes:
    """JSON text as binary COPY takes it for a jsonb column: the format's version, 1, and the text."""
    return b"\1" + document.encode()


def _event_row(e: Encoded, properties: bytes) -> tuple[Any, ...]:
    context = wire(e.context) if e.context is not None else None
    return e.message_id, e.received_at, e.occurred_at, e.contact_id, e.name, properties, context, e.source


def _inbox_row(e: Encoded, properties: bytes) -> tuple[Any, ...]:
    available_at = max(e.received_at, e.occurred_at)
    return available_at, e.contact_id, e.name, e.occurred_at, e.received_at, e.message_id, properties, e.triggers
