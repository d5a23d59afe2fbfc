"""`POST /v1/journeys/NAME/enter`: let a contact into a journey; written down before the answer.

The body has `userId` or `email`, perhaps `messageId` (or the header `Idempotency-Key`) that makes the call one, and
`properties`, which `event.` reads in the journey.
"""

from __future__ import annotations

import uuid
from typing import Any

from engine import clock
from engine.contacts.identify import identify
from engine.contacts.profile import Profile, clean
from engine.db import Database
from engine.errors import CairnError, Conflict, InvalidInput, NotFound
from journeys.entering import enter
from webapp.api import body, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.keys import Keys
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import ATTEMPTS, Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal

PREFIX, SUFFIX = "/v1/journeys/", "/enter"
KEY_LENGTH = 150
STATUS: dict[type[CairnError], int] = {NotFound: 404, Conflict: 409, InvalidInput: 400}


def slug_of(path: str) -> str | None:
    """The journey that the address names, None for another address."""
    fits = path.startswith(PREFIX) and path.endswith(SUFFIX) and len(path) > len(PREFIX) + len(SUFFIX)
    return path[len(PREFIX) : -len(SUFFIX)] if fits else None


def answer(environ: Environ, slug: str, known: Keys, database: Database) -> Answer:
    """200 `{"success": true, "duplicate": …}`; 400, 401, 404, 405, 409, 413 or 503 with the reason."""
    if environ["REQUEST_METHOD"] != "POST":
        return _failure(405, "This address takes POST.")
    try:
        data = body.read(environ)
        if len(data) > EVENT_BYTES:
            raise body.too_large("The body", EVENT_BYTES)
        if keys.INGEST not in (known.scopes(keys.of_header(environ) or "") or ()):
            return _failure(401, "The API key is missing, unknown or revoked.")
        fresh = _entered(database, slug, body.parse(data), environ.get("HTTP_IDEMPOTENCY_KEY", ""))
    except BadBody as error:
        return _failure(error.status, str(error))
    except (NotFound, Conflict, InvalidInput) as error:
        return _failure(STATUS[type(error)], str(error))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    return as_json(200, {"success": True, "duplicate": not fresh})


def _entered(database: Database, slug: str, document: dict[str, Any], header: str) -> bool:
    """As `_enter`; a lost race is run again. Raises Unavailable if the database is away or the races do not end."""
    for _ in range(ATTEMPTS):
        try:
            return _enter(database, slug, document, header)
        except Exception as error:
            trouble = diagnose(error)
            if trouble is Trouble.AWAY:
                raise Unavailable("The database is away.") from error
            if trouble is not Trouble.RACE:
                raise
    raise Unavailable("Others write the same contact all the time.")


def _enter(database: Database, slug: str, document: dict[str, Any], header: str) -> bool:
    key = _text(document, "messageId") or header or uuid.uuid4().hex
    if len(key) > KEY_LENGTH:
        raise InvalidInput(f"is longer than {KEY_LENGTH} characters", where="messageId", hint="Shorten it.")
    properties = document.get("properties") or {}
    if not isinstance(properties, dict):
        raise InvalidInput("is no object", where="properties", hint='As in {"order_id": "A-1"}.')
    profile, _ = clean(Profile(_text(document, "userId") or None, email=_text(document, "email") or None))
    with database.transaction() as session:
        now = clock.now(session)
        [contact_id] = identify(session, [profile], now)
        return enter(session, slug, contact_id, key, properties, now)


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("is no text", where=name, hint="Put it into quotes.")
    return value or ""


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
