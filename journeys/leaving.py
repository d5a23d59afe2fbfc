"""Take a contact out of a journey, by a program or by hand."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import NotFound
from journeys.runtime import catalogue
from journeys.runtime.leave import Ending, end

REASON = "removed"
JOURNEY = text("select id from journeys where slug = :slug and live_version_id is not null")
LOCK = text("select id from contacts where id = :id and erased_at is null for no key update")
INSIDE = text("""
select id, version_id from enrolments
where journey_id = :journey_id and contact_id = :id and status in ('active', 'held_out') order by id for update""")
AT_THE_DOOR = text("delete from entry_inbox where journey_id = :journey_id and contact_id = :id returning id")


def leave(session: Session, slug: str, contact_id: int, now: dt.datetime) -> bool:
    """End the contact's entry with the reason `removed`, and cancel what it has queued, in the same commit.

    An entry that was asked for and not made yet is dropped too. False if there was nothing to end. What is being sent
    goes on. The journey's rules decide whether the contact may enter again. Raises NotFound.
    """
    journey_id = session.execute(JOURNEY, {"slug": slug.replace("\0", "")}).scalar()
    if journey_id is None:
        raise NotFound("published journey", slug)
    values = {"journey_id": journey_id, "id": contact_id}
    session.execute(LOCK, {"id": contact_id})
    waiting = session.execute(AT_THE_DOOR, values).all()
    inside = session.execute(INSIDE, values).all()
    if inside:
        known = catalogue.load(session)
        end(
            session, [Ending(known.version(session, row.version_id), [row.id], "exited", REASON) for row in inside], now
        )
    return bool(inside or waiting)
