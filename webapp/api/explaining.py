"""`GET /v1/contacts/ID/explain?journey=NAME`: why a contact did, or did not, get what a journey sends.

ID is what a person would type: an external id, an email address, a phone number or the id on pages.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts.find import find
from engine.db import Database
from engine.signing import Signer
from journeys.explain import as_json as story_as_json
from journeys.explain import explain_journey
from webapp.api import frame, keys
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

PREFIX, SUFFIX = "/v1/contacts/", "/explain"
NOT_FOR_READING = "This key may not read. Make one that may: cairn keys create NAME --for read."


def contact_of(path: str) -> str | None:
    """The contact that the address names, None for another address. WSGI hands out bytes as Latin-1 (PEP 3333)."""
    named = frame.between(path, PREFIX, SUFFIX)
    return named and named.encode("latin-1").decode("utf-8", "replace")


def answer(environ: Environ, contact: str, known: Keys, database: Database, signer: Signer) -> Answer:
    """200 with what `cairn journeys explain --json` prints; 400, 401, 403, 404, 405 or 503 with the reason."""

    def respond() -> Answer:
        frame.authorize(environ, known, keys.READ, NOT_FOR_READING)
        journey = parse_qs(environ.get("QUERY_STRING", "")).get("journey", [""])[0]
        if not journey:
            return frame.failure(400, "Name a journey: ?journey=NAME.")
        return as_json(200, persist(database, lambda session: _story(session, contact, journey, signer)))

    return frame.answered(environ, "GET", respond)


def _story(session: Session, contact: str, journey: str, signer: Signer) -> dict[str, object]:
    """Raises NotFound."""
    found = find(session, contact)
    slug = journey.replace("\0", "")
    return story_as_json(explain_journey(session, slug, found.id, found.name, signer, clock.now(session)))
