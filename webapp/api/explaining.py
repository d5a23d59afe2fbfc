"""`GET /v1/contacts/ID/explain?journey=NAME`: why a contact did, or did not, get what a journey sends.

ID is what a person would type: an external id, an email address, a phone number or the id on pages.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from engine import clock
from engine.contacts.find import find
from engine.db import Database
from engine.errors import NotFound
from engine.signing import Signer
from journeys.explain import as_json as story_as_json
from journeys.explain import explain_journey
from webapp.api import keys
from webapp.api.keys import Keys
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal

PREFIX, SUFFIX = "/v1/contacts/", "/explain"
NO_KEY = "The API key is missing, unknown or revoked."
NOT_FOR_READING = "This key may not read. Make one that may: cairn keys create NAME --for read."


def contact_of(path: str) -> str | None:
    """The contact that the address names, None for another address. WSGI hands out bytes as Latin-1 (PEP 3333)."""
    fits = path.startswith(PREFIX) and path.endswith(SUFFIX) and len(path) > len(PREFIX) + len(SUFFIX)
    return path[len(PREFIX) : -len(SUFFIX)].encode("latin-1").decode("utf-8", "replace") if fits else None


def answer(environ: Environ, contact: str, known: Keys, database: Database, signer: Signer) -> Answer:
    """200 with what `cairn journeys explain --json` prints; 400, 401, 403, 404, 405 or 503 with the reason."""
    if environ["REQUEST_METHOD"] != "GET":
        return _failure(405, "This address takes GET.", (("Allow", "GET"),))
    try:
        scopes = known.scopes(keys.of_header(environ) or "")
        if scopes is None:
            return _failure(401, NO_KEY, (("WWW-Authenticate", "Basic"),))
        if keys.READ not in scopes:
            return _failure(403, NOT_FOR_READING)
        journey = parse_qs(environ.get("QUERY_STRING", "")).get("journey", [""])[0]
        if not journey:
            return _failure(400, "Name a journey: ?journey=NAME.")
        return as_json(200, _story(database, contact, journey, signer))
    except NotFound as error:
        return _failure(404, str(error))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)


def _story(database: Database, contact: str, journey: str, signer: Signer) -> dict[str, object]:
    """Raises NotFound, and Unavailable if the database is away."""
    try:
        with database.transaction() as session:
            found = find(session, contact)
            slug = journey.replace("\0", "")
            return story_as_json(explain_journey(session, slug, found.id, found.name, signer, clock.now(session)))
    except Exception as error:
        if diagnose(error) is Trouble.AWAY:
            raise Unavailable("The database is away.") from error
        raise


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
