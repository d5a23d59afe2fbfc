"""Why did this contact get this campaign, or not: the rule as of the freeze, the draw, the gates, the state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns import store
from engine.campaigns.definition import HOLDOUT, REST, Definition
from engine.expr import Dependencies, dependencies
from engine.expr.explain import explain
from engine.expr.load import load as load_schema
from engine.facts import facts_of_contact
from engine.habits import outlook
from engine.habits.estimate import By
from engine.segments.rules import resolve
from engine.signing import Signer
from journeys.explain.gates import of_campaign
from journeys.explain.values import MessageStory, Rule

PLACE = text("""
select a.arm, a.converted_at, a.value, w.at, w.test from campaign_contacts a
join campaign_waves w on w.campaign_id = a.campaign_id and w.wave = a.wave
where a.contact_id = :contact_id and a.campaign_id = :id
""")
CHANGED = text("select updated_at > :at from contacts where id = :id")


@dataclass(frozen=True, slots=True)
class CampaignStory:
    """`rules` are the audience and the exception, as of `as_of`: events up to then, attributes as they are today, which
    may differ if the contact was `changed` since. `at` is when the contact's turn is or was. `best_hour`: whose history
    chose that hour (`own`, `everybody`, `default`), as of now, if the campaign sends at best hours."""

    campaign: str
    state: str
    contact: str
    verdict: str
    in_audience: bool
    as_of: dt.datetime
    changed: bool
    rules: tuple[Rule, ...]
    variant: str | None = None
    held_back: bool = False
    at: dt.datetime | None = None
    converted_at: dt.datetime | None = None
    value: Decimal | None = None
    message: MessageStory | None = None
    best_hour: By | None = None


def explain_campaign(
    session: Session, slug: str, contact_id: int, name: str, signer: Signer, now: dt.datetime
) -> CampaignStory:
    """The story of a contact, called `name`, with the campaign of that slug. Raises NotFound."""
    campaign = store.find(session, slug)
    as_of = campaign.origin_at or now
    rules = tuple(_rules(session, store.definition_of(campaign), contact_id, as_of))
    changed = bool(session.execute(CHANGED, {"at": as_of, "id": contact_id}).scalar())
    place = session.execute(PLACE, {"contact_id": contact_id, "id": campaign.id}).first()
    if place is None:
        matches = rules[0].explained.verdict and not any(rule.explained.verdict for rule in rules[1:])
        verdict = _outside(campaign.origin_at is None, matches)
        return CampaignStory(slug, campaign.state, name, verdict, False, as_of, changed, rules)
    known = workspace.load(session)
    message = of_campaign(session, campaign, contact_id, known, signer, now)
    held = place.arm == HOLDOUT
    variant = campaign.winner if place.arm == REST else None if held else place.arm
    verdict = _inside(campaign.state, place, campaign.winner, message)
    return CampaignStory(
        slug, campaign.state, name, verdict, True, as_of, changed, rules, variant, held, place.at,
        place.converted_at, place.value, message,
        _by(session, contact_id, known, now) if store.definition_of(campaign).best else None,
    )  # fmt: skip


def _rules(session: Session, definition: Definition, contact_id: int, as_of: dt.datetime) -> list[Rule]:
    schema = load_schema(session)
    texts = {"audience": definition.audience, "except": definition.excluded}
    nodes = {what: resolve(rule, schema) for what, rule in texts.items() if rule}
    reads = [dependencies(node, schema.aliases) for node in nodes.values()]
    facts = facts_of_contact(session, schema, contact_id, *_events(reads))
    return [Rule(what, explain(node, facts, as_of)) for what, node in nodes.items()]


def _by(session: Session, contact_id: int, known: workspace.Workspace, now: dt.datetime) -> By:
    """Whose history chooses the contact's best hour."""
    return outlook.of(session, contact_id, now, known.zone, None).choice.by


def _events(reads: list[Dependencies]) -> tuple[frozenset[str], bool]:
    return frozenset().union(*(one.events for one in reads)), any(one.any_event for one in reads)


def _outside(before: bool, matches: bool) -> str:
    if before:
        return "The campaign has not started; the contact would be in its audience." if matches else (
            "The campaign has not started; the contact would not be in its audience.")  # fmt: skip
    if matches:
        return "Not in the audience: the rule is true by today's attributes, but was not when the audience was frozen."
    return "Not in the audience."


def _inside(state: str, place: Any, winner: str | None, message: MessageStory | None) -> str:
    if place.arm == HOLDOUT:
        return "In the audience, and held back: gets nothing, so that the campaign's effect can be measured."
    if message is not None:
        reason = f" ({message.reason.replace('_', ' ')})" if message.reason else ""
        return f"In the audience; the message is {message.state}{reason}."
    if place.arm == REST and winner is None and state == "sending":
        return "In the audience, and waits for the winner of the test."
    return (
        "In the audience; no message was queued."
        if state in ("sent", "cancelled")
        else "In the audience; not queued yet."
    )
