"""Why did this contact get this, or not: told from the ledger, with the values that were seen."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.signing import Signer
from journeys.explain.entries import entries
from journeys.explain.refusals import Asked, refusals
from journeys.explain.values import Entry, Refusal, Story, as_json
from journeys.runtime import catalogue as catalogues

JOURNEY = text("""
select j.id, j.state, j.live_version_id, v.number from journeys j
left join journey_versions v on v.id = j.live_version_id where j.slug = :slug
""")


def explain_journey(
    session: Session, journey: str, contact_id: int, name: str, signer: Signer, now: dt.datetime
) -> Story:
    """The story of a contact, called `name`, with the journey of that slug. Raises NotFound for a slug that is none."""
    row = session.execute(JOURNEY, {"slug": journey}).first()
    if row is None:
        raise NotFound("journey", journey, "`cairn journeys status` lists those that there are.")
    catalogue = catalogues.load(session)
    found = entries(session, catalogue, row.id, contact_id, signer, now)
    refused: tuple[Refusal, ...] = (Refusal("not_live", "The journey has never been published."),)
    if row.live_version_id is not None:
        live = catalogue.version(session, row.live_version_id).program.journey
        refused = refusals(Asked(session, catalogue, live, row.id, row.state, contact_id, now), found)
    return Story(journey, row.state, row.number, name, _verdict(found, refused), found, refused)


def _verdict(found: tuple[Entry, ...], refused: tuple[Refusal, ...]) -> str:
    if found:
        latest = found[-1]
        return f"Entered {len(found)} time{'s' if len(found) > 1 else ''}; the latest entry is {latest.status}."
    return f"Never entered. {refused[0].words}" if refused else "Never entered."


__all__ = ["Story", "as_json", "explain_journey"]
