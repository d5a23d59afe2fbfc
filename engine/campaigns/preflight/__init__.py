"""What would go wrong with a campaign, found before anybody gets it: errors stop it, warnings want a person's word."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns import audience, states, store
from engine.campaigns.definition import Definition
from engine.campaigns.preflight import contents, identity, people, timing, variables
from engine.campaigns.preflight.findings import Finding, Preflight
from engine.errors import CairnError, InvalidInput
from engine.identities.values import sending_as
from engine.model import Campaign
from engine.signing import Signer

SEVERITIES = ("error", "warning", "note")
__all__ = ["Finding", "Preflight", "check", "start"]


def check(session: Session, definition: Definition, signer: Signer, site: str, now: dt.datetime) -> Preflight:
    """Look at everything; nothing is changed. `site` is the base of links in messages."""
    try:
        states.sendable(session, definition)
        size = audience.count(session, definition, now)
    except CairnError as error:
        return Preflight((Finding("error", "definition", str(error)),))
    known = workspace.load(session)
    if definition.channel == "email":
        known = sending_as(known, identity.senders_of(session, definition, known)[0])
    reach = people.reach(session, definition, known, signer, size, now)
    some = [*variables.odd(session, definition, now), *people.sample(session, definition, now)]
    sample = list({contact["id"]: contact for contact in some}.values())
    seen = contents.rendered(session, definition, known, signer, site, sample, now)
    found = [
        *people.findings(reach, definition),
        *identity.findings(session, definition, known, site),
        *contents.findings(session, definition, known, seen, site, now),
        *timing.findings(session, definition, known, now),
    ]
    parts = [one.parts for one in seen if one.parts]
    price = known.price(definition.channel) * (sum(parts, start=0) if parts else 1) / max(len(parts), 1)
    return Preflight(
        tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity))),
        reach,
        round(price * reach.likely, 2),
        known.currency,
        timing.finish(session, definition, known, reach.likely, now),
    )


def start(
    session: Session, slug: str, signer: Signer, site: str, now: dt.datetime, actor: str, *, accepted: bool
) -> Campaign:
    """Start a campaign that passes. Raises InvalidInput with what stops it; a warning stops it unless `accepted`."""
    campaign = store.locked(session, slug)
    found = check(session, store.definition_of(campaign), signer, site, now)
    if found.errors:
        raise InvalidInput("; ".join(one.message.rstrip(".") for one in found.errors), slug, "Nothing was sent.")
    if found.warnings and not accepted:
        reasons = "; ".join(one.message.rstrip(".") for one in found.warnings)
        raise InvalidInput(f"needs your word: {reasons}", slug, "Nothing was sent. Say that you accept these warnings.")
    return states.change(session, slug, "start", now, actor)
