"""Messages of paused journeys and campaigns leave the queue and come back to it: they cost nothing while they wait.

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
PAUSED_CAMPAIGNS = text("select id from campaigns where state = 'paused' order by id for share skip locked")
HOLD = text("""
update messages m set send_after = 'infinity' from (
    select id, origin_at from messages
    where channel = :channel and state = 'queued' and claimed_at is null and ended_at is null and send_after <= :now
        and (journey_id = any(:journeys) or campaign_id = any(:campaigns))
    limit :limit for update skip locked) due
where m.id = due.id and m.origin_at = due.origin_at
""")
RELEASE = text("""
update messages set send_after = :now
where state = 'queued' and claimed_at is null and ended_at is null and send_after = 'infinity'
    and journey_id = :journey_id
""")
HOLD_CAMPAIGN = text("""
update messages set send_after = 'infinity'
where origin_at = :origin_at and campaign_id = :id and state = 'queued'
""")
RELEASE_CAMPAIGN = text("""
with held as (
    select id, origin_at, row_number() over (order by id) - 1 as place from messages
    where origin_at = :origin_at and campaign_id = :id and state = 'queued' and send_after = 'infinity'),
released as (
    update messages m set send_after = cast(:now as timestamptz) + held.place * cast(:apart as interval) from held
    where m.id = held.id and m.origin_at = held.origin_at and m.state = 'queued' returning m.send_after)
select max(send_after) from released
""")


def hold(session: Session, channel: str, now: dt.datetime, limit: int = BATCH) -> int:
    """Put aside at most `limit` due messages of paused journeys and campaigns. Returns how many."""
    journeys = list(session.execute(PAUSED).scalars())
    campaigns = list(session.execute(PAUSED_CAMPAIGNS).scalars())
    if not journeys and not campaigns:
        return 0
    values = {"channel": channel, "now": now, "journeys": journeys, "campaigns": campaigns, "limit": limit}
    return int(session.execute(HOLD, values).rowcount)  # type: ignore[attr-defined]


def release(session: Session, journey_id: int, now: dt.datetime) -> None:
    """Queue them again, due now. The caller has locked the journey, so that nothing is put aside behind its back."""
    session.execute(RELEASE, {"journey_id": journey_id, "now": now})


def hold_campaign(session: Session, campaign_id: int, origin_at: dt.datetime) -> None:
    """Put aside what is queued of a campaign, due or not. The caller has locked the campaign, and paused it."""
    session.execute(HOLD_CAMPAIGN, {"id": campaign_id, "origin_at": origin_at})


def release_campaign(
    session: Session, campaign_id: int, origin_at: dt.datetime, now: dt.datetime, apart: dt.timedelta
) -> dt.datetime | None:
    """Queue them again, from now on, one `apart` from the other. Returns when the last one is due; None without any.

    The caller has locked the campaign, so that nothing is put aside behind its back.
    """
    values = {"id": campaign_id, "origin_at": origin_at, "now": now, "apart": apart}
    found: dt.datetime | None = session.execute(RELEASE_CAMPAIGN, values).scalar()
    return found
