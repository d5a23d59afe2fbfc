"""The check once more: as the audience is frozen, when a content is saved anew under way, and each hour.

What a person accepted stays accepted; an error, or a link to a host that nobody has accepted, pauses the campaign.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition
from engine.campaigns.preflight.checking import check
from engine.campaigns.preflight.findings import Finding
from engine.model import Campaign
from engine.settings import settings
from engine.signing import signer

HARMS = frozenset({"hosts", "dynamic"})
"""Warnings that want a person's word even when they come up later."""
UNDER_WAY = frozenset({"audience", "quiet"})
"""What is not asked any more once the audience is frozen."""
FRESH, EACH = dt.timedelta(minutes=2), dt.timedelta(hours=1)
VERSIONS = text("select slug, current_version_id from contents where slug = any(:slugs) order by slug")


def versions(session: Session, definition: Definition) -> dict[str, int | None]:
    """The current version of each content."""
    slugs = sorted({one.content for one in definition.variants})
    return {row.slug: row.current_version_id for row in session.execute(VERSIONS, {"slugs": slugs})}


def words(findings: Iterable[Finding]) -> set[str]:
    """What somebody accepts who accepts these warnings."""
    return {f"{one.kind} {name}" for one in findings for name in one.names or ("",)}


def accepted(session: Session, definition: Definition, found: Iterable[Finding], now: dt.datetime) -> dict[str, Any]:
    """To be kept with a campaign that was checked now."""
    return {"at": now.isoformat(), "versions": versions(session, definition), "words": sorted(words(found))}


def stale(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> bool:
    """Whether the check has to be made again. One that started without a check goes on without."""
    kept = campaign.checked
    if kept is None:
        return False
    age = now - dt.datetime.fromisoformat(kept["at"])
    return age > (FRESH if campaign.origin_at is None else EACH) or kept["versions"] != versions(session, definition)


def trouble(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> list[Finding]:
    """What stops it now: errors, and harms that nobody has accepted."""
    assert campaign.checked is not None
    known = set(campaign.checked["words"])
    found = check(session, definition, signer(), settings().site_url, now).findings
    if campaign.origin_at is not None:
        found = tuple(one for one in found if one.kind not in UNDER_WAY)
    return [one for one in found if one.severity == "error" or (one.kind in HARMS and not words([one]) <= known)]
