"""Cairn itself pauses a campaign: nothing more of it leaves, and colleagues are told why and what to do."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from engine.messages import paused
from engine.model import AuditLog, Campaign
from engine.receipts.tell import tell_colleagues

LONGEST = 500


def halt(session: Session, campaign: Campaign, why: str, advice: str, now: dt.datetime) -> None:
    """Pause a campaign that is scheduled or sending. The caller has locked it. `why` is no whole sentence."""
    why = why[:LONGEST]
    detail = {"before": campaign.state, "reason": why}
    campaign.state, campaign.reason, campaign.next_at, campaign.changed_at = "paused", why, None, now
    session.flush()
    if campaign.origin_at is not None:
        paused.hold_campaign(session, campaign.id, campaign.origin_at)
    note = (
        f"Cairn has paused the campaign {campaign.slug}\n\n{why}. Nothing more of it leaves, and nothing is lost. "
        f"{advice}\n\n    cairn campaigns resume {campaign.slug}\n"
    )
    tell_colleagues(session, note, now)
    session.add(AuditLog(actor="cairn", action="pause", object=f"campaign {campaign.slug}", detail=detail, at=now))
