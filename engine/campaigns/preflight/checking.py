"""The whole check of a campaign."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy.orm import Session

from engine import workspace
from engine.campaigns import audience, states
from engine.campaigns.definition import Definition
from engine.campaigns.preflight import contents, identity, people, timing, variables
from engine.campaigns.preflight.findings import Finding, Preflight
from engine.errors import CairnError
from engine.identities.values import sending_as
from engine.signing import Signer

SEVERITIES = ("error", "warning", "note")


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
    prices = [known.price(definition.channel, str(contact.get("phone") or "")) for contact in sample]
    own = sum(prices, start=Decimal()) / len(prices) if prices else known.price(definition.channel)
    price = own * (sum(parts, start=0) if parts else 1) / max(len(parts), 1)
    return Preflight(
        tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity))),
        reach,
        round(price * reach.likely, 2),
        known.currency,
        timing.finish(session, definition, known, reach.likely, now),
    )
