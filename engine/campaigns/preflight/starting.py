"""Starting a campaign that passes the check, and letting a paused one go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from engine.campaigns import states, store
from engine.campaigns.preflight import again
from engine.campaigns.preflight.checking import check
from engine.campaigns.preflight.findings import Finding
from engine.errors import InvalidInput
from engine.model import Campaign
from engine.signing import Signer


def start(
    session: Session, slug: str, signer: Signer, site: str, now: dt.datetime, actor: str, *, accepted: bool
) -> Campaign:
    """Start a campaign that passes. Raises InvalidInput with what stops it; a warning stops it unless `accepted`."""
    campaign = store.locked(session, slug)
    if campaign.state != "draft":
        return states.change(session, slug, "start", now, actor)  # which says why not
    definition = store.definition_of(campaign)
    found = check(session, definition, signer, site, now)
    _refuse(slug, found.errors, found.warnings, accepted=accepted)
    campaign.checked = again.accepted(session, definition, found.warnings, now)
    return states.change(session, slug, "start", now, actor)


def resume(session: Session, slug: str, now: dt.datetime, actor: str, *, accepted: bool) -> Campaign:
    """Let a paused campaign go on. Raises InvalidInput with what has come up since it was checked, as `start` does."""
    campaign = store.locked(session, slug)
    found = news(session, campaign, now) if campaign.state == "paused" else []
    errors = [one for one in found if one.severity == "error"]
    harms = [one for one in found if one.severity != "error"]
    _refuse(slug, errors, harms, accepted=accepted)
    if campaign.state == "paused" and campaign.checked is not None:
        definition = store.definition_of(campaign)
        kept = again.accepted(session, definition, harms, now)
        campaign.checked = kept | {"words": sorted({*kept["words"], *campaign.checked["words"]})}
    return states.change(session, slug, "resume", now, actor)


def news(session: Session, campaign: Campaign, now: dt.datetime) -> list[Finding]:
    """What speaks against letting a paused campaign go on and was not there, or not accepted, when it started."""
    definition = store.definition_of(campaign)
    if not again.stale(session, campaign, definition, now):
        return []
    return again.trouble(session, campaign, definition, now)


def _refuse(slug: str, errors: Sequence[Finding], warnings: Sequence[Finding], *, accepted: bool) -> None:
    if errors:
        raise InvalidInput("; ".join(one.message.rstrip(".") for one in errors), slug, "Nothing was sent.")
    if warnings and not accepted:
        reasons = "; ".join(one.message.rstrip(".") for one in warnings)
        raise InvalidInput(f"needs your word: {reasons}", slug, "Nothing was sent. Say that you accept these warnings.")
