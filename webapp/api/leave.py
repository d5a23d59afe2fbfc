"""`POST /v1/journeys/NAME/leave`: take a contact out of a journey. The body has `userId` or `email`."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts.find import find
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from journeys.leaving import leave
from webapp.api import body, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.enter import PREFIX
from webapp.api.keys import Keys
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal
from webapp.persisting import persist

SUFFIX = "/leave"


def slug_of(path: str) -> str | None:
    """The journey that the address names, None for another address."""
    fits = path.startswith(PREFIX) and path.endswith(SUFFIX) and len(path) > len(PREFIX) + len(SUFFIX)
    return path[len(PREFIX) : -len(SUFFIX)] if fits else None


def answer(environ: Environ, slug: str, known: Keys, database: Database) -> Answer:
    """200 `{"success": true, "left": …}`, false if the contact was not in it; 400, 401, 404, 405, 413 or 503."""
    if environ["REQUEST_METHOD"] != "POST":
        return _failure(405, "This address takes POST.", (("Allow", "POST"),))
    try:
        data = body.read(environ)
        if len(data) > EVENT_BYTES:
            raise body.too_large("The body", EVENT_BYTES)
        if keys.INGEST not in (known.scopes(keys.of_header(environ) or "") or ()):
            return _failure(401, "The API key is missing, unknown or revoked.")
        name = _name(body.parse(data))
        left = persist(database, lambda session: _leave(session, slug, name))
    except BadBody as error:
        return _failure(error.status, str(error))
    except (NotFound, InvalidInput) as error:
        return _failure(404 if isinstance(error, NotFound) else 400, str(error))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    return as_json(200, {"success": True, "left": left})


def _leave(session: Session, slug: str, name: str) -> bool:
    return leave(session, slug, find(session, name).id, clock.now(session))


def _name(document: dict[str, Any]) -> str:
    for field in ("userId", "email"):
        value = document.get(field)
        if value is not None and not isinstance(value, str):
            raise InvalidInput("is no text", where=field, hint="Put it into quotes.")
        if value:
            return value
    raise InvalidInput("nothing names the contact", where="userId", hint="Give userId or email.")


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
