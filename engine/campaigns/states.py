"""Start, pause, resume, cancel, and back to a draft.

Paused: nothing more is queued, and what is queued leaves the part of the queue that claims look at. Cancelled: what is
queued is cancelled in the same commit. What is `sending` goes on in both cases.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns import audience, schedule, store
from engine.campaigns.definition import Definition
from engine.campaigns.report import report
from engine.campaigns.store import definition_of
from engine.errors import InvalidInput
from engine.identities import store as identities
from engine.messages import paused
from engine.model import AuditLog, Campaign
from engine.reports import rollup

VERBS = {
    "start": ("draft",),
    "draft": ("scheduled",),
    "pause": ("scheduled", "sending"),
    "resume": ("paused",),
    "cancel": ("draft", "scheduled", "sending", "paused"),
}
"""What may be done to a campaign in which states."""
CANCEL = text("""
update messages set state = 'cancelled', reason = 'cancelled', ended_at = :now
where origin_at = :origin_at and campaign_id = :id and state = 'queued' returning step_id
""")
CONTENTS = text("select slug, channel, current_version_id from contents where slug = any(:slugs)")


def change(session: Session, slug: str, verb: str, now: dt.datetime, actor: str, reason: str | None = None) -> Campaign:
    """Do `verb` (of VERBS) to a campaign. `reason` says why, if not a person did it.

    Raises NotFound, and InvalidInput where the campaign's state does not allow it or it could not be sent.
    """
    campaign = store.locked(session, slug)
    if campaign.state not in VERBS[verb]:
        raise InvalidInput(f"is {campaign.state}", slug, f"Only {' or '.join(VERBS[verb])} allows {verb}.")
    before = campaign.state
    {"start": _start, "draft": _draft, "pause": _pause, "resume": _resume, "cancel": _cancel}[verb](
        session, campaign, now
    )
    campaign.changed_at, campaign.reason = now, reason
    if verb == "start":
        campaign.started_by = actor
    detail = {"before": before} | ({"reason": reason} if reason else {})
    session.add(AuditLog(actor=actor, action=verb, object=f"campaign {slug}", detail=detail, at=now))
    session.flush()
    return campaign


def _start(session: Session, campaign: Campaign, now: dt.datetime) -> None:
    found = definition_of(campaign)
    sendable(session, found)
    campaign.start_at = max(schedule.start_of(found, workspace.load(session).zone) or now, now)
    campaign.state, campaign.next_at = "scheduled", campaign.start_at


def sendable(session: Session, found: Definition) -> None:
    """Raises InvalidInput or LanguageError for what could not be sent at all: a gap, a name that does not exist."""
    audience.rule_of(session, found)
    if found.goal:
        audience.goal_of(session, found.goal)
    identities.expect(session, found.sender)
    if not found.variants:
        raise InvalidInput("is missing", "content", "Name a content; `cairn content list` shows them.")
    known = {row.slug: row for row in session.execute(CONTENTS, {"slugs": [one.content for one in found.variants]})}
    for variant in found.variants:
        content = known.get(variant.content)
        if content is None or content.current_version_id is None:
            raise InvalidInput(f"there is no content “{variant.content}”", "content")
        if content.channel != found.channel:
            raise InvalidInput(f"“{variant.content}” is an {content.channel} content", "content")


def _draft(_: Session, campaign: Campaign, __: dt.datetime) -> None:
    campaign.state, campaign.start_at, campaign.next_at = "draft", None, None


def _pause(session: Session, campaign: Campaign, _: dt.datetime) -> None:
    campaign.state, campaign.next_at = "paused", None
    session.flush()
    if campaign.origin_at is not None:
        paused.hold_campaign(session, campaign.id, campaign.origin_at)


def _resume(session: Session, campaign: Campaign, now: dt.datetime) -> None:
    """What was put aside goes first, as far apart as it was; what is not queued yet follows it.

    What bounced so far has had a person's look: the breaker counts from here.
    """
    if campaign.origin_at is None:
        campaign.state, campaign.next_at = "scheduled", max(campaign.start_at or now, now)
        return
    campaign.state, campaign.next_at = "sending", now
    total = report(session, campaign).total
    campaign.resumed = {"at": now.isoformat(), "sent": total.sent, "undelivered": total.undelivered}
    apart = schedule.spacing(definition_of(campaign))
    tail = paused.release_campaign(session, campaign.id, campaign.origin_at, now, apart)
    campaign.tail_at = tail or campaign.tail_at


def _cancel(session: Session, campaign: Campaign, now: dt.datetime) -> None:
    campaign.state, campaign.next_at, campaign.ended_at = "cancelled", None, now
    if campaign.origin_at is None:
        return
    steps = list(session.execute(CANCEL, {"id": campaign.id, "origin_at": campaign.origin_at, "now": now}).scalars())
    day = now.astimezone(dt.UTC).date()
    counted = {step: steps.count(step) for step in set(steps)}
    rollup.messages(
        session,
        [
            rollup.MessageDelta(0, step, campaign.channel, day, {"undelivered": count})
            for step, count in counted.items()
        ],
    )
