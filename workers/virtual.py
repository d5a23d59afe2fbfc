"""The virtual clock's driver: the real pipeline, jumping from one instant at which something is due to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import text

from engine import clock, segments
from engine.db import Database
from engine.errors import InvalidInput
from workers import campaigning, delivering, pipeline, sending
from workers.due import due

NEXT = text("""
select least(
    (select min(available_at) from event_inbox where available_at > :now and available_at < 'infinity'),
    (select min(i.available_at) from entry_inbox i join journeys j on j.id = i.journey_id
     where i.error is null and i.available_at > :now and j.state = 'live'),
    (select min(next_entry_at) from journeys where state = 'live' and next_entry_at > :now),
    (select min(e.wake_at) from enrolments e join journeys j on j.id = e.journey_id
     where e.status = 'active' and e.wake_at > :now and j.state in ('live', 'draining')),
    (select min(next_at) from campaigns where next_at > :now),
    (select min(send_after) from messages where state = 'queued' and claimed_at is null and ended_at is null
     and send_after > :now and send_after < 'infinity'),
    (select min(claimed_at) + interval '30 seconds' from message_claims
     where claimed_at > :now - interval '30 seconds'),
    (select min(next_at) from deliveries where state in ('pending', 'sending') and next_at > :now),
    (select min(retry_at) from webhooks where retry_at > :now and not gone),
    (select min(at) + interval '3 seconds' from hits where classification is null and at > :now - interval '3 seconds'),
    (select e.at from segment_expiries e join segments s on s.id = e.segment_id
     where e.at > :now and s.heard order by e.at limit 1),
    (select cast(:segments_at as timestamptz) where exists (select from segments where periodic)))
""")
"""The next instant at which something falls due. What is due already and did not move (a paused journey's messages, a
mail server away) is looked at again at every stop, and must not stop the clock. Segments that nobody listens to are
brought up to date at every stop, but make none: each contact would be one."""
SEGMENTS_EVERY = dt.timedelta(hours=1)

WORK: dict[str, Callable[[Database], int]] = {
    "hits": pipeline.hits,
    "receipts": pipeline.receipts,
    "match": pipeline.match,
    "refresh": pipeline.refresh,
    "advance": pipeline.advance,
    "campaigns": campaigning.campaigns,
    "send": sending.send,
    "sweep": sending.reap,
    "deliver": delivering.deliver,
}
"""Events before wake-ups, and both before messages."""

Progress = Callable[[dt.datetime], None]


def run_until(database: Database, until: dt.datetime, progress: Progress = lambda _: None) -> None:
    """Let virtual time pass up to `until` and do all that falls due, events before wake-ups of the same instant.

    The clock must be virtual (`engine.clock.set_virtual`). Raises InvalidInput when it is not.
    """
    refreshed: dt.datetime | None = None
    while True:
        with database.transaction() as session:
            now = clock.virtual_now(session)
            if now is None:
                raise InvalidInput("the clock is real", hint="Set it first: cairn clock set INSTANT.")
            if refreshed is None or now - refreshed >= SEGMENTS_EVERY:
                segments.mark_stale(session)
                refreshed = now
        drain(database)
        progress(now)
        if now >= until:
            return
        with database.transaction() as session:
            following = session.execute(NEXT, {"now": now, "segments_at": now + SEGMENTS_EVERY}).scalar()
            clock.set_virtual(session, min(following, until) if following is not None else until)


def drain(database: Database) -> None:
    """Work until nothing is due at the present instant, or nothing that is due moves (a mail server is away).

    What comes of a piece of work is looked for before the next one, so that order holds for what steps cause too.
    """
    while True:
        with database.transaction() as session:
            names = set(due(session, clock.now(session)))
        if not any(work(database) for name, work in WORK.items() if name in names):
            return
