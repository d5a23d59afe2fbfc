"""Move everybody who is due at a version, a batch a transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import driver
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.effects import CHANGES_CONTACTS
from journeys.runtime.entry import ENTRY_COLUMNS, Entry
from journeys.runtime.run import run
from journeys.runtime.write import write

BATCH = 5000
CLAIM = f"""
select {ENTRY_COLUMNS} from enrolments e
where e.version_id = %s and e.status = 'active' and e.wake_at <= %s
order by e.wake_at limit %s for update skip locked
"""
CLAIM_WITH_CONTACTS = f"""
select {ENTRY_COLUMNS} from enrolments e join contacts c on c.id = e.contact_id
where e.version_id = %s and e.status = 'active' and e.wake_at <= %s
order by e.wake_at limit %s for no key update skip locked
"""
DUE = text("""
select distinct e.version_id from journeys j join journey_versions v on v.journey_id = j.id
cross join lateral (
    select version_id from enrolments where version_id = v.id and status = 'active' and wake_at <= :now limit 1) e
where j.state in ('live', 'draining')
""")


def due(session: Session, now: dt.datetime) -> list[int]:
    """Versions at which somebody is due; one index probe a version."""
    return sorted(session.execute(DUE, {"now": now}).scalars())


def advance(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    now: dt.datetime,
    limit: int = BATCH,
    taken: list[int] | None = None,
) -> int:
    """Claim at most `limit` due enrolments, move them, write back. Returns how many; 0 when none is due.

    Locks come first and reads after, in a later statement: an event that commits between the two is then seen. `taken`
    is given the ids before anything is done with them, so that the caller knows them if that fails.
    """
    if version.state not in ("live", "draining"):
        return 0
    rows = _claim(session, version, now, limit)
    if taken is not None:
        taken += [row.id for row in rows]
    if rows:
        write(session, catalogue, version, run(session, catalogue, version, rows, now), now)
    return len(rows)


def _claim(session: Session, version: Version, now: dt.datetime, limit: int) -> list[Entry]:
    """Journeys that write to contacts lock these too, in the same statement, so as not to meet a match head-on."""
    writes = any(isinstance(step, CHANGES_CONTACTS) for step in version.program.steps.values())
    statement = CLAIM_WITH_CONTACTS if writes else CLAIM
    found: list[tuple[Any, ...]] = driver(session).execute(statement, (version.id, now, limit), binary=True).fetchall()
    return [Entry(*values) for values in found]
