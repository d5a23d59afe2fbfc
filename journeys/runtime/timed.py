"""Entries by the clock: by the slots of a schedule, and by dates of contacts.

Both write down who is to enter; `admit` lets them in. A slot is taken once, by whoever comes first; of several that
were missed while nobody worked only the last counts. Dates stand in `entry_inbox` from the moment that they are known,
and a change of the attribute moves them, so that nobody looks through contacts as time passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, DateTime, cast, insert, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from engine.db import driver, int_array, text_array
from engine.expr.compile_sql import Scope, condition
from engine.expr.values import dig
from engine.model import Contact, EntryInbox
from engine.segments import planning
from engine.segments.planning import planned
from engine.zones import zones_of
from journeys.decide.timed import date_entry, next_slot, slot_id, slots
from journeys.language.steps import DateOffset, Enter
from journeys.runtime.catalogue import Catalogue

DUE = text("select id from journeys where state = 'live' and next_entry_at <= :now order by id")
LOCK = text("""
select next_entry_at from journeys where id = :id and state = 'live' and next_entry_at <= :now
for no key update skip locked
""")
TAKE_SLOT = text("""
insert into schedule_slots (schedule, slot, fence) values (:schedule, :slot, 0) on conflict do nothing returning slot
""")
NEXT = text("update journeys set next_entry_at = :at where id = :id")
DATES = "delete from entry_inbox where journey_id = %s and message_id like 'date:%%'"
TO_COME = "(available_at > %s or error is not null)"
"""A date that has come stays until its contact is let in: nobody would note it again, as only dates ahead are noted."""
FORGET = f"{DATES} and (%s or {TO_COME})"
FORGET_OF = f"{DATES} and {TO_COME} and contact_id = any(%s::int8[])"
FORGET_COME = f"{DATES} and available_at <= %s"
READ = """
select id, timezone, created_at, attributes->%s from contacts
where id > %s and erased_at is null and (%s or attributes ? %s) order by id limit %s
"""
READ_OF = """
select id, timezone, created_at, attributes->%s from contacts where id = any(%s::int8[]) and erased_at is null
"""
NOTE = """
insert into entry_inbox (journey_id, contact_id, message_id, available_at)
select %s, u.* from unnest(%s::int8[], %s::text[], %s::timestamptz[]) as u
on conflict (journey_id, contact_id, message_id) do update set available_at = excluded.available_at, error = null
"""
HOLDING = ("live", "paused")
"""States in which a slot or a date that comes is one that people enter by, now or when the pause ends."""
BATCH = 20_000


def due(session: Session, now: dt.datetime) -> list[int]:
    """Live journeys whose slot has come."""
    return list(session.execute(DUE, {"now": now}).scalars())


def let_in(session: Session, catalogue: Catalogue, journey_id: int, now: dt.datetime) -> None:
    """Take the slot that has come and write down everybody for whom `where` holds; nothing if somebody else does."""
    since = session.execute(LOCK, {"id": journey_id, "now": now}).scalar()
    catalogue.follow(session)  # nobody publishes from here on, but somebody may have since the catalogue was read
    version = next((version for version in catalogue.live if version.journey_id == journey_id), None)
    if version is None or since is None or version.program.journey.enter.slots is None:
        return
    enter, zone = version.program.journey.enter, catalogue.workspace.zone
    assert enter.slots is not None
    slot = max([since, *slots(enter.slots, zone, since, now)])
    session.execute(NEXT, {"id": journey_id, "at": next_slot(enter.slots, zone, now)})
    if session.execute(TAKE_SLOT, {"schedule": f"journey {journey_id}", "slot": slot}).first() is not None:
        _write_down(session, catalogue, journey_id, enter, slot, now)


def _write_down(
    session: Session, catalogue: Catalogue, journey_id: int, enter: Enter, slot: dt.datetime, now: dt.datetime
) -> None:
    contact, moment = Contact.__table__, literal(now, DateTime(timezone=True))
    scope = Scope(
        contact=contact,
        now=moment,
        event=cast(literal("{}"), JSONB),
        zone=catalogue.schema.zone,
        aliases=catalogue.schema.aliases,
    )
    who = select(literal(journey_id, BigInteger), contact.c.id, literal(slot_id(slot)), moment)
    who = who.where(contact.c.erased_at.is_(None))
    if enter.where is not None:
        who = who.where(condition(enter.where.node, catalogue.schema, scope, "set"))
    columns = ["journey_id", "contact_id", "message_id", "available_at"]
    statement = insert(EntryInbox.__table__).from_select(columns, who.order_by(contact.c.id))  # type: ignore[arg-type]
    with planned(session, planning.ALL):
        session.execute(statement)


def prepare(session: Session, journey: Any, before: str, enter: Enter, zone: ZoneInfo, now: dt.datetime) -> None:
    """After a publish: the next slot of the schedule, and the dates of all contacts.

    What has come and let nobody in yet stays, if the journey was live or paused: its state was `before`.
    """
    holds = before in HOLDING
    if enter.slots is None:
        journey.next_entry_at = None
    elif not holds or journey.next_entry_at is None or journey.next_entry_at > now:
        journey.next_entry_at = next_slot(enter.slots, zone, now)
    driver(session).execute(FORGET, (journey.id, not holds or enter.date is None, now))
    if enter.date is not None:
        for rows in _contacts(session, enter.date):
            _note(session, journey.id, enter.date, rows, zone, now)


def drained(session: Session, catalogue: Catalogue, journey: Any, now: dt.datetime) -> None:
    """The journey drains no longer: the slots and dates that came while it did let nobody in."""
    driver(session).execute(FORGET_COME, (journey.id, now))
    version = catalogue.version(session, journey.live_version_id)
    if (schedule := version.program.journey.enter.slots) is not None:
        journey.next_entry_at = next_slot(schedule, catalogue.workspace.zone, now)


def follow(
    session: Session, journey_id: int, date: DateOffset, contact_ids: Collection[int], zone: ZoneInfo, now: dt.datetime
) -> None:
    """The dates of these contacts anew. The caller has the turn, so nobody else writes them."""
    ids = int_array(contact_ids)
    driver(session).execute(FORGET_OF, (journey_id, now, ids))
    rows = driver(session).execute(READ_OF, (date.path.split(".")[0], ids), binary=True).fetchall()
    _note(session, journey_id, date, rows, zone, now)


def _contacts(session: Session, date: DateOffset) -> Iterator[Sequence[Any]]:
    top, last = date.path.split(".")[0], 0
    while True:
        values = (top, last, top == "created_at", top, BATCH)
        rows = driver(session).execute(READ, values, binary=True).fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _note(
    session: Session, journey_id: int, date: DateOffset, rows: Sequence[Any], zone: ZoneInfo, now: dt.datetime
) -> None:
    """Dates that are still to come."""
    top, *inner = date.path.split(".")
    found: list[tuple[int, dt.datetime, str]] = []
    for id_, timezone, created_at, value in rows:
        given = created_at if top == "created_at" else dig(value, tuple(inner))
        entry = date_entry(date, given, zones_of(timezone, None, zone)[0])
        if entry is not None and entry[0] > now:
            found.append((id_, *entry))
    if found:
        ids, moments, message_ids = zip(*found, strict=True)
        written = text_array(moment.isoformat() for moment in moments)
        driver(session).execute(NOTE, (journey_id, int_array(ids), text_array(message_ids), written))
