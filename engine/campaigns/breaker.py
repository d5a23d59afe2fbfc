"""The breaker: a campaign that bounces or draws complaints pauses by itself, and a colleague is told.

Complaints above 0.3 % of what was sent are what large mailbox providers never forgive; above 5 % of hard bounces the
list is not what it seems to be. Both count from 200 messages on; of fewer a part counts that is so far above it that
it comes by chance once in a thousand times: 4 of the first 5, not 3.
"""

from __future__ import annotations

import datetime as dt
import math

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns.halt import halt
from engine.campaigns.report import report
from engine.model import Campaign

# Refused in the dialogue with the server; what bounces later is counted by the rollups. Asked by way of the receipts,
# which are as many as were refused: this is asked each second, and a campaign may have millions of messages.
REFUSED = text("""
select count(*) from receipts r join messages m on m.id = r.message_id and m.origin_at = r.origin_at
where r.provider = 'smtp' and r.kind = 'hard' and r.received_at >= :origin_at and r.origin_at = :origin_at
    and m.campaign_id = :id and m.state = 'failed' and m.reason = 'hard_bounce'
""")
# Of messages that left since the campaign was resumed.
LATER = text("""
select count(distinct m.id) from receipts r join messages m on m.id = r.message_id and m.origin_at = r.origin_at
where r.kind = :kind and r.received_at >= cast(:since as timestamptz) and r.origin_at = :origin_at
    and m.campaign_id = :id and coalesce(m.accepted_at, m.ended_at) >= cast(:since as timestamptz)
""")
CHANCE = 0.001


def trips(session: Session, campaign: Campaign, now: dt.datetime) -> bool:
    """Pause the campaign if it does harm. Whether it did. The caller has locked it, and it is sending."""
    why = reason(session, campaign)
    if why:
        halt(session, campaign, why, "See where the addresses come from before it goes on:", now)
    return why is not None


def reason(session: Session, campaign: Campaign) -> str | None:
    """Why the campaign has to stop; None if all is well.

    What left before a person let it go on is theirs: after that only later messages count.
    """
    limits = workspace.load(session)
    total, since = report(session, campaign).total, campaign.resumed
    sent = total.sent - (since["sent"] if since else 0)
    tried = sent + total.undelivered - (since["undelivered"] if since else 0)
    least = limits.breaker_messages
    if too_many(
        total.undelivered + total.bounced, tried, limits.breaker_bounces, least
    ):  # only then it is worth to ask
        gone = _later(session, campaign, "hard") if since else total.bounced + _refused(session, campaign)
        if too_many(gone, tried, limits.breaker_bounces, least):
            return f"{gone} of {tried} addresses do not exist"
    if too_many(total.complained, sent, limits.breaker_complaints, least):
        complained = _later(session, campaign, "complaint") if since else total.complained
        if too_many(complained, sent, limits.breaker_complaints, least):
            return f"{complained} of {sent} recipients complained"
    return None


def too_many(found: int, of: int, limit: float, least: int) -> bool:
    """Pure: from `least` on, more than the part `limit`; of fewer, so many that chance does not explain it."""
    found = min(found, of)
    if of >= least:
        return found > limit * max(of, 1)
    return found > limit * of and chance(found, of, limit) < CHANCE


def chance(found: int, of: int, limit: float) -> float:
    """The probability of `found` or more of so many, each with probability `limit` (the binomial tail)."""
    return 1 - math.fsum(math.comb(of, k) * limit**k * (1 - limit) ** (of - k) for k in range(found))


def _refused(session: Session, campaign: Campaign) -> int:
    return int(session.execute(REFUSED, {"origin_at": campaign.origin_at, "id": campaign.id}).scalar_one())


def _later(session: Session, campaign: Campaign, kind: str) -> int:
    assert campaign.resumed is not None
    values = {"origin_at": campaign.origin_at, "id": campaign.id, "kind": kind, "since": campaign.resumed["at"]}
    return int(session.execute(LATER, values).scalar_one())
