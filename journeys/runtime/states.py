"""Pause, resume, drain and stop a journey.

paused: nobody enters, nobody moves, no message leaves; exits and goals still count. Clocks run on: what fell due
meanwhile happens when the journey goes on. draining: nobody enters, also not later by slots and dates
that came meanwhile; those inside go on. stopped: nobody enters, and all entries end, a batch a transaction
(`end_stopped`), which any worker carries on with.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.db import driver
from engine.errors import InvalidInput, NotFound
from engine.messages import paused
from engine.model import AuditLog, Journey
from journeys.runtime import catalogue as catalogues
from journeys.runtime import timed, turn
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.leave import Ending, end

BATCH = 5000
STATES = {"pause": "paused", "resume": "live", "drain": "draining", "stop": "stopped"}
"""What may be done to a journey, and the state that it is in then."""
# What happened during the pause woke nobody, so everybody whose wait listens to something looks once more.
WAKE = """
update enrolments e set wake_at = %s from unnest(%s::int8[], %s::text[]) as u(version_id, step_id)
where e.version_id = u.version_id and e.step_id = u.step_id and e.status = 'active'
    and e.phase in ('waiting', 'sending') and e.wake_at > %s
"""
UNINVITE = text("delete from entry_inbox where journey_id = :id")
STOPPING = text("""
select v.id from journeys j join journey_versions v on v.journey_id = j.id
where j.state = 'stopped'
    and (select true from enrolments e where e.version_id = v.id and e.status = 'active' limit 1)
""")
ALL_REMAINING = "select id from enrolments where version_id = %s and status = 'active' order by id for update"
# In the order of the index, so that each batch goes on where the last one ended; nobody is waited for. The state is
# asked once: as a join it looks cheap to sort all that remain for each batch.
REMAINING = """
select e.id from enrolments e
where e.version_id = %(version)s and e.status = 'active' and 'stopped' = (
    select j.state from journeys j join journey_versions v on v.journey_id = j.id where v.id = %(version)s)
order by e.wake_at limit %(limit)s for update of e skip locked
"""


def change(session: Session, slug: str, verb: str, now: dt.datetime, actor: str) -> Journey:
    """Do `verb` (of `STATES`) to a journey. Nothing happens to one that is in that state already.

    Raises NotFound, and InvalidInput for a journey that was never published or is stopped: only publishing starts it.
    """
    turn.take(session)
    locked = select(Journey).where(Journey.slug == slug).with_for_update().execution_options(populate_existing=True)
    journey = session.execute(locked).scalar_one_or_none()
    if journey is None:
        raise NotFound("journey", slug)
    before, after = journey.state, STATES[verb]
    if before == after:
        return journey
    if before in ("draft", "stopped"):
        hint = "Publish it first." if before == "draft" else "Publish it again to start it anew."
        raise InvalidInput(f"the journey is {'not published' if before == 'draft' else 'stopped'}", slug, hint)
    journey.state = after
    session.add(AuditLog(actor=actor, action=verb, object=f"journey {slug}", detail={"before": before}, at=now))
    session.flush()
    if before == "paused":
        go_on(session, catalogues.load(session), journey.id, now)
    if before == "draining" and after != "stopped":
        timed.drained(session, catalogues.load(session), journey, now)
    if after == "stopped":
        session.execute(UNINVITE, {"id": journey.id})
    return journey


def go_on(session: Session, catalogue: Catalogue, journey_id: int, now: dt.datetime) -> None:
    """A pause is over: messages are due again, and waits look at what happened meanwhile. The caller has the turn and
    has locked the journey."""
    paused.release(session, journey_id, now)
    waits = [
        (version.id, step_id)
        for version in catalogue.versions.values()
        if version.journey_id == journey_id
        for step_id in version.listening.steps
    ]
    driver(session).execute(WAKE, (now, [id_ for id_, _ in waits], [step_id for _, step_id in waits], now))


def stopping(session: Session) -> list[int]:
    """Versions of stopped journeys whose entries have not all ended."""
    return list(session.execute(STOPPING).scalars())


def end_all(session: Session, catalogue: Catalogue, journey_id: int, now: dt.datetime) -> None:
    """End what is left of a stopped journey at once, before it starts anew. The caller has locked the journey."""
    for version in list(catalogue.versions.values()):
        if version.journey_id != journey_id:
            continue
        with driver(session).cursor("remaining") as cursor:
            cursor.execute(ALL_REMAINING, (version.id,))
            while rows := cursor.fetchmany(BATCH):
                _end(session, version, [id_ for (id_,) in rows], now)


def end_stopped(
    session: Session,
    catalogue: Catalogue,
    version_id: int,
    now: dt.datetime,
    limit: int = BATCH,
    taken: list[int] | None = None,
) -> int:
    """End at most `limit` entries of a stopped journey's version, with their queued messages. Returns how many.

    `taken` is given the ids before anything is done with them, so that the caller knows them if that fails.
    """
    values = {"version": version_id, "limit": limit}
    ids = [id_ for (id_,) in driver(session).execute(REMAINING, values, binary=True).fetchall()]
    if taken is not None:
        taken += ids
    _end(session, catalogue.version(session, version_id), ids, now)
    return len(ids)


def _end(session: Session, version: Version, ids: list[int], now: dt.datetime) -> None:
    end(session, [Ending(version, ids, "stopped", "the journey was stopped")], now)
