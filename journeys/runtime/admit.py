"""Present members of a segment whom a publish lets in: written down by it, entered later, a batch a transaction."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import driver
from journeys.runtime.catalogue import Catalogue
from journeys.runtime.enrol import Trigger, enrol

BATCH = 2000
MEMBERS = """
from segment_memberships m join segments s on s.id = m.segment_id
where s.slug = :slug and m.left_at is null"""
COUNT = text(f"select count(*) {MEMBERS}")
NOTE = text(f"insert into entry_inbox (journey_id, contact_id) select :journey_id, m.contact_id {MEMBERS}")
DUE = text("""
select j.id from journeys j where j.state = 'live'
    and exists (select from entry_inbox i where i.journey_id = j.id and i.error is null) order by j.id
""")
CLAIM = """
delete from entry_inbox where journey_id = %(journey_id)s and contact_id = any(array(
    select contact_id from entry_inbox where journey_id = %(journey_id)s and error is null
    order by contact_id limit %(limit)s for update skip locked))
returning contact_id
"""
LOCK = "select id from contacts where id = any(%s) and erased_at is null order by id for no key update"


def members(session: Session, segment: str) -> int:
    """How many people are in a segment now, as far as it is refreshed."""
    return int(session.execute(COUNT, {"slug": segment}).scalar_one())


def note(session: Session, journey_id: int, segment: str) -> int:
    """Write down everybody who is in `segment`, to be let into the journey. Returns how many."""
    return session.execute(NOTE, {"journey_id": journey_id, "slug": segment}).rowcount  # type: ignore[attr-defined, no-any-return]


def due(session: Session) -> list[int]:
    """Live journeys that have people to let in."""
    return list(session.execute(DUE).scalars())


def admit(
    session: Session,
    catalogue: Catalogue,
    journey_id: int,
    now: dt.datetime,
    limit: int = BATCH,
    taken: list[int] | None = None,
) -> int:
    """Let in at most `limit` people, into the version that is live now. Returns how many were taken from the inbox.

    `taken` is given the contacts' ids before anything is done with them, so that the caller knows them if that fails.
    The caller has taken the turn of matching: nobody else looks for open entries while some begin.
    """
    catalogue.follow(session)
    version = next((version for version in catalogue.live if version.journey_id == journey_id), None)
    if version is None:
        return 0
    claimed = driver(session).execute(CLAIM, {"journey_id": journey_id, "limit": limit}, binary=True).fetchall()
    ids = [contact_id for (contact_id,) in claimed]
    if taken is not None:
        taken += ids
    locked = driver(session).execute(LOCK, (ids,), binary=True).fetchall()
    enrol(session, catalogue, {version: [Trigger(contact_id, now, now) for (contact_id,) in locked]}, now)
    return len(ids)
