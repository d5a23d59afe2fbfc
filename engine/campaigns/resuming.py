"""Letting a paused stream go on: the messages of campaigns keep their distance."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.campaigns import schedule
from engine.campaigns.store import definition_of
from engine.messages import paused
from engine.model import Campaign
from engine.receipts import streams

HELD = text("""
select distinct campaign_id from messages
where state = 'queued' and claimed_at is null and ended_at is null and send_after = 'infinity'
    and campaign_id is not null
""")


def resume(session: Session, stream: str, by: str, now: dt.datetime) -> None:
    """Let a stream go on. Raises NotFound when it is not paused.

    What was put aside of a campaign is queued behind what the campaign has queued by now, as far apart as its throttle
    says; a paused campaign keeps it.
    """
    # Campaigns come before streams and messages, as for everybody who pauses one.
    session.execute(select(Campaign.id).where(Campaign.state == "sending").order_by(Campaign.id).with_for_update())
    streams.end(session, stream, by, now)
    held = list(session.execute(HELD).scalars())
    query = select(Campaign).where(Campaign.id.in_(held), Campaign.state == "sending").order_by(Campaign.id)
    for campaign in session.scalars(query.with_for_update().execution_options(populate_existing=True)).all():
        _release(session, campaign, now)


def _release(session: Session, campaign: Campaign, now: dt.datetime) -> None:
    assert campaign.origin_at is not None
    apart = schedule.spacing(definition_of(campaign))
    first = max(now, campaign.tail_at + apart) if campaign.tail_at is not None else now
    tail = paused.release_campaign(session, campaign.id, campaign.origin_at, first, apart)
    campaign.tail_at = tail or campaign.tail_at
