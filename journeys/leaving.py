"""Take contacts out of a journey, by a program or by hand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import NotFound
from journeys.runtime import catalogue
from journeys.runtime.leave import Ending, end

REASON = "removed"
JOURNEY = text("select id from journeys where slug = :slug and live_version_id is not null")
LOCK = text("""
select id from contacts where id = any(:ids) and erased_at is null order by id for no key update""")
INSIDE = text("""
select id, version_id, contact_id from enrolments
where journey_id = :journey_id and contact_id = any(:ids) and status in ('active', 'held_out')
order by id for update""")
AT_THE_DOOR = text("""
delete from entry_inbox where journey_id = :journey_id and contact_id = any(:ids) returning contact_id""")


def leave(session: Session, slug: str, contact_id: int, now: dt.datetime) -> bool:
    """The same of one contact; whether there was anything to end."""
    return leave_all(session, slug, [contact_id], now) > 0


def leave_all(session: Session, slug: str, contact_ids: Collection[int], now: dt.datetime) -> int:
    """End the contacts' entries with the reason `removed`, and cancel what they have queued, in the same commit.

    An entry that was asked for and not made yet is dropped too. Returns how many contacts left. What is being sent
    goes on. The journey's rules decide whether they may enter again. Raises NotFound.
    """
    journey_id = session.execute(JOURNEY, {"slug": slug.replace("\0", "")}).scalar()
    if journey_id is None:
        raise NotFound("published journey", slug)
    values = {"journey_id": journey_id, "ids": sorted(contact_ids)}
    session.execute(LOCK, values)
    waiting = session.execute(AT_THE_DOOR, values).scalars().all()
    inside = session.execute(INSIDE, values).all()
    known = catalogue.load(session) if inside else None
    by_version = defaultdict(list)
    for row in inside:
        by_version[row.version_id].append(row.id)
    if known is not None:
        end(
            session,
            [Ending(known.version(session, id_), ids, "exited", REASON) for id_, ids in by_version.items()],
            now,
        )
    return len({*waiting, *(row.contact_id for row in inside)})
