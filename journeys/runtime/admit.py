"""Who is to enter a journey by something else than an event: written down with the commit that wants it, and entered
later, a batch a transaction, through the rules that hold for every entry.

`entry_inbox` holds the members of a segment whom a publish lets in, whom a step of another journey starts, and whom
programs, schedules and dates let in. A row goes in the commit that enters its contact.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import driver
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.enrol import Trigger, enrol

BATCH = 2000
MEMBERS = """
from segment_memberships m join segments s on s.id = m.segment_id
where s.slug = :slug and m.left_at is null"""
COUNT = text(f"select count(*) {MEMBERS}")
NOTE = text(f"""
insert into entry_inbox (journey_id, contact_id) select :journey_id, m.contact_id {MEMBERS} order by m.contact_id
""")
START = """
insert into entry_inbox (journey_id, contact_id, message_id, properties, available_at)
select j.id, u.contact_id, u.message_id, u.properties, %s
from journeys j, unnest(%s::int8[], %s::text[], %s::jsonb[]) as u(contact_id, message_id, properties)
where j.slug = %s and j.state = 'live' on conflict do nothing
"""
DUE = text("""
select j.id from journeys j where j.state = 'live' and exists (
    select from entry_inbox i where i.journey_id = j.id and i.error is null and i.available_at <= :now) order by j.id
""")
CLAIM = """
delete from entry_inbox where id = any(array(
    select id from entry_inbox where journey_id = %(journey_id)s and error is null and available_at <= %(now)s
    order by available_at, id limit %(limit)s for update skip locked))
returning id, contact_id, message_id, properties
"""
LOCK = "select id from contacts where id = any(%s) and erased_at is null order by id for no key update"


class Start(NamedTuple):
    """A contact who is to enter; `message_id` tells why, and makes it one however often it is asked for.

    `properties` are JSON text, which `event.` reads in the journey.
    """

    contact_id: int
    message_id: str
    properties: str = "{}"


def members(session: Session, segment: str) -> int:
    """How many people are in a segment now, as far as it is refreshed."""
    return int(session.execute(COUNT, {"slug": segment}).scalar_one())


def note(session: Session, journey_id: int, segment: str) -> int:
    """Write down everybody who is in `segment`, to be let into the journey. Returns how many."""
    return session.execute(NOTE, {"journey_id": journey_id, "slug": segment}).rowcount  # type: ignore[attr-defined, no-any-return]


def start(session: Session, slug: str, wanted: Sequence[Start], now: dt.datetime) -> None:
    """Write down who is to enter the journey `slug`; nobody, unless it is live."""
    if wanted:
        driver(session).execute(START, (now, *map(list, zip(*wanted, strict=True)), slug))


def due(session: Session, now: dt.datetime) -> list[int]:
    """Live journeys that have people to let in."""
    return list(session.execute(DUE, {"now": now}).scalars())


def admit(
    session: Session,
    catalogue: Catalogue,
    journey_id: int,
    now: dt.datetime,
    limit: int = BATCH,
    taken: list[int] | None = None,
) -> int:
    """Let in at most `limit` people, into the version that is live now. Returns how many were taken from the inbox.

    `taken` is given the rows' ids before anything is done with them, so that the caller knows them if that fails.
    The caller has taken the turn of matching: nobody else looks for open entries while some begin.
    """
    catalogue.follow(session)
    version = next((version for version in catalogue.live if version.journey_id == journey_id), None)
    if version is None:
        return 0
    values = {"journey_id": journey_id, "now": now, "limit": limit}
    claimed = sorted(driver(session).execute(CLAIM, values, binary=True).fetchall())
    if taken is not None:
        taken += [row[0] for row in claimed]
    ids = sorted({row[1] for row in claimed})
    locked = {id_ for (id_,) in driver(session).execute(LOCK, (ids,), binary=True)}
    queues: dict[int, list[Trigger]] = defaultdict(list)
    for _, contact_id, message_id, properties in claimed:
        if contact_id in locked:
            queues[contact_id].append(Trigger(contact_id, now, now, message_id, properties))
    _enter(session, catalogue, version, queues, now)
    return len(claimed)


def _enter(
    session: Session, catalogue: Catalogue, version: Version, queues: dict[int, list[Trigger]], now: dt.datetime
) -> None:
    """Each contact's triggers one after the other, everybody's first ones together."""
    while queues:
        enrol(session, catalogue, {version: [queue.pop(0) for queue in queues.values()]}, now)
        queues = {contact_id: queue for contact_id, queue in queues.items() if queue}
