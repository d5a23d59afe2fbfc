"""Messages of paused journeys leave the queue and come back to it, so that they cost nothing while they wait.

They stay `queued`; what is set is `send_after`, to infinity. Whoever queues or defers a message need not know of it:
the next turn of sending puts aside what is due and may not go.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

BATCH = 10_000
# Locked so that whoever lets a journey go on waits for this transaction, and then finds what was put aside.
PAUSED = text("select id from journeys where state = 'paused' order by id for share skip locked")
HOLD = text("""
update messages m set send_after = 'infinity' from (
    select id, origin_at from messages
    where channel = :channel and state = 'queued' and send_after <= :now and journey_id = any(:journeys)
    limit :limit for update skip locked) due
where m.id = due.id and m.origin_at = due.origin_at
""")
RELEASE = text("""
update messages set send_after = :now where state = 'queued' and send_after = 'infinity' and journey_id = :journey_id
""")


def hold(session: Session, channel: str, now: dt.datetime, limit: int = BATCH) -> int:
    """Put aside at most `limit` due messages of paused journeys. Returns how many."""
    journeys = list(session.execute(PAUSED).scalars())
    if not journeys:
        return 0
    values = {"channel": channel, "now": now, "journeys": journeys, "limit": limit}
    return int(session.execute(HOLD, values).rowcount)  # type: ignore[attr-defined]


def release(session: Session, journey_id: int, now: dt.datetime) -> None:
    """Queue them again, due now. The caller has locked the journey, so that nothing is put aside behind its back."""
    session.execute(RELEASE, {"journey_id": journey_id, "now": now})
