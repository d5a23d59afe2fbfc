"""The breaker: a campaign that bounces or draws complaints pauses by itself, and a colleague is told.

Complaints above 0.3 % of what was sent are what large mailbox providers never forgive; above 5 % of hard bounces the
list is not what it seems to be. Both count from 200 messages on.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns.report import report
from engine.messages import paused
from engine.model import AuditLog, Campaign
from engine.receipts.tell import tell_colleagues

# Refused in the dialogue with the server; what bounces later is counted by the rollups. Asked by way of the receipts,
# which are as many as were refused: this is asked each second, and a campaign may have millions of messages.
REFUSED = text("""
select count(*) from receipts r join messages m on m.id = r.message_id and m.origin_at = r.origin_at
where r.provider = 'smtp' and r.kind = 'hard' and r.received_at >= :origin_at and r.origin_at = :origin_at
    and m.campaign_id = :id and m.state = 'failed' and m.reason = 'hard_bounce'
""")


def trips(session: Session, campaign: Campaign, now: dt.datetime) -> bool:
    """Pause the campaign if it does harm. Whether it did. The caller has locked it, and it is sending."""
    why = reason(session, campaign)
    if not why:
        return False
    assert campaign.origin_at is not None
    campaign.state, campaign.reason, campaign.changed_at = "paused", why, now
    session.flush()
    paused.hold_campaign(session, campaign.id, campaign.origin_at)
    note = (
        f"Cairn has paused the campaign {campaign.slug}\n\n{why}. Nothing more of it leaves, and nothing is lost. "
        f"See where the addresses come from before it goes on:\n\n    cairn campaigns resume {campaign.slug}\n"
    )
    tell_colleagues(session, note, now)
    detail = {"before": "sending", "reason": why}
    session.add(AuditLog(actor="cairn", action="pause", object=f"campaign {campaign.slug}", detail=detail, at=now))
    return True


def reason(session: Session, campaign: Campaign) -> str | None:
    """Why the campaign has to stop; None if all is well."""
    limits = workspace.load(session)
    total = report(session, campaign).total
    tried = total.sent + total.undelivered
    if tried < limits.breaker_messages:
        return None
    if total.undelivered + total.bounced > limits.breaker_bounces * tried:  # only then it is worth to ask
        refused = session.execute(REFUSED, {"origin_at": campaign.origin_at, "id": campaign.id}).scalar_one()
        if total.bounced + refused > limits.breaker_bounces * tried:
            return f"{total.bounced + refused} of {tried} addresses do not exist"
    if total.complained > limits.breaker_complaints * max(total.sent, 1):
        return f"{total.complained} of {total.sent} recipients complained"
    return None
