"""Campaigns as saved: written, found, listed. The caller's transaction is the boundary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.campaigns import definition as definitions
from engine.campaigns.definition import Definition
from engine.campaigns.text import spliced
from engine.errors import InvalidInput, NotFound
from engine.model import AuditLog, Campaign

EDITABLE = ("draft",)


def save(session: Session, found: Definition, now: dt.datetime, actor: str, source: str | None = None) -> Campaign:
    """Make a campaign or rewrite a draft; it may have gaps. Raises InvalidInput once it is scheduled or has started.

    `source` is the author's file, kept with its comments; without it, what changes is spliced into the one kept.
    """
    query = select(Campaign).where(Campaign.slug == found.slug).with_for_update()
    campaign = session.execute(query).scalar_one_or_none()
    written = definitions.as_mapping(found)
    if source is None and campaign is not None and campaign.source is not None:
        source = spliced(campaign.source, found)
    if campaign is None:
        campaign = Campaign(slug=found.slug, created_by=actor, created_at=now)
        session.add(campaign)
    elif (campaign.definition, campaign.source) == (written, source):
        return campaign
    elif campaign.state not in EDITABLE:
        hint = "Cancel it and make another one." if campaign.state != "scheduled" else "Take it back to a draft first."
        raise InvalidInput(f"is {campaign.state} and is not changed any more", found.slug, hint)
    campaign.name, campaign.channel, campaign.definition, campaign.changed_at = found.name, found.channel, written, now
    campaign.source = source
    session.add(AuditLog(actor=actor, action="save", object=f"campaign {found.slug}", detail={}, at=now))
    session.flush()
    return campaign


def find(session: Session, slug: str) -> Campaign:
    """One campaign. Raises NotFound."""
    found = session.execute(select(Campaign).where(Campaign.slug == slug)).scalar_one_or_none()
    if found is None:
        raise NotFound("campaign", slug)
    return found


def locked(session: Session, slug: str) -> Campaign:
    """One campaign, locked until the transaction ends and read after that. Raises NotFound."""
    query = select(Campaign).where(Campaign.slug == slug).with_for_update()
    found = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound("campaign", slug)
    return found


def listing(session: Session) -> Sequence[Campaign]:
    """All campaigns, the newest first."""
    return session.execute(select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id.desc())).scalars().all()


def definition_of(campaign: Campaign) -> Definition:
    """What its author wrote."""
    return definitions.read(campaign.definition)


def text_of(campaign: Campaign) -> str:
    """Its file: the author's own, or one that says the same."""
    return campaign.source or definitions.as_yaml(definition_of(campaign))
