"""A campaign's way from its start to its end: what a worker does for it, a piece a transaction."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns import breaker, goals, winner
from engine.campaigns.definition import Definition
from engine.campaigns.feed import feed
from engine.campaigns.freeze import freeze
from engine.campaigns.halt import halt
from engine.campaigns.preflight import again
from engine.campaigns.report import report
from engine.campaigns.store import definition_of
from engine.model import Campaign

SOONEST, LATEST = dt.timedelta(seconds=1), dt.timedelta(minutes=10)
PATIENCE = 4
DUE = text("select id from campaigns where next_at <= :now order by next_at, id")


def due(session: Session, now: dt.datetime) -> list[int]:
    """Campaigns that somebody has to look at."""
    return list(session.execute(DUE, {"now": now}).scalars())


def look(session: Session, campaign_id: int, now: dt.datetime) -> bool:
    """Do what is due for one campaign; the caller commits. Whether there may be more to do at once.

    A campaign that somebody else is busy with is left to them.
    """
    query = select(Campaign).where(Campaign.id == campaign_id, Campaign.next_at <= now)
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    campaign = session.execute(query).scalar_one_or_none()
    if campaign is None:
        return False
    definition = definition_of(campaign)
    if campaign.state in ("scheduled", "sending") and _harms(session, campaign, definition, now):
        return False
    if campaign.state == "scheduled":
        freeze(session, campaign, definition, workspace.load(session), now)
        campaign.state, campaign.next_at = "sending", now
        return True
    _go_on(session, campaign, definition, now)
    session.flush()
    return campaign.next_at is not None and campaign.next_at <= now


def _harms(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> bool:
    """Check it again where that is due; whether that has paused it."""
    if not again.stale(session, campaign, definition, now):
        return False
    found = again.trouble(session, campaign, definition, now)
    if not found:
        kept = again.accepted(session, definition, (), now)
        campaign.checked = kept | {"words": (campaign.checked or kept)["words"]}
        return False
    why = "; ".join(one.message.rstrip(".") for one in found)
    hints = " ".join(dict.fromkeys(one.hint for one in found if one.hint))
    halt(session, campaign, why, f"{hints} Then let it go on:", now)
    return True


def _go_on(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> None:
    instants = [goals.count(session, campaign, definition, now)]
    if campaign.state == "sending" and not breaker.trips(session, campaign, now):
        instants += [winner.choose(session, campaign, definition, now), _send(session, campaign, definition, now)]
    campaign.next_at = min((each for each in instants if each is not None), default=None)


def _send(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> dt.datetime | None:
    """Queue what is next. Once all is queued it waits, ever longer, until each message has come to its end."""
    following = feed(session, campaign, definition, now)
    if following is not None:
        return following
    if definition.winner is not None and campaign.winner is None:
        return None  # until the winner is chosen
    if report(session, campaign).waiting:
        return later(campaign, now)
    campaign.state, campaign.ended_at = "sent", now
    return None


def set_aside(session: Session, campaign_id: int, now: dt.datetime, error: str) -> None:
    """Pause a campaign that cannot be worked on, with the reason; a person may put that right and let it go on."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
    if campaign.state in ("scheduled", "sending"):
        halt(session, campaign, error, "Put that right before it goes on:", now)


def later(campaign: Campaign, now: dt.datetime) -> dt.datetime:
    """The longer ago it began, the longer until the next look."""
    assert campaign.origin_at is not None
    return now + min(max((now - campaign.origin_at) / PATIENCE, SOONEST), LATEST)
