"""`POST /v1/journeys/NAME/leave`: take a contact out of a journey. The body has `userId`, `email` or `phone`."""

from __future__ import annotations

from typing import Any

from engine import clock
from engine.contacts.find import find
from engine.db import Database
from engine.errors import InvalidInput
from journeys.leaving import leave
from webapp.api import frame, keys
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

SUFFIX = "/leave"


def answer(environ: Environ, slug: str, known: Keys, database: Database) -> Answer:
    """200 `{"success": true, "left": …}`, false if the contact was not in it; 400, 401, 404, 405, 413 or 503."""

    def respond() -> Answer:
        name = _name(frame.document(environ, known, keys.INGEST))
        left = persist(database, lambda session: leave(session, slug, find(session, name).id, clock.now(session)))
        return as_json(200, {"success": True, "left": left})

    return frame.answered(environ, "POST", respond)


def _name(document: dict[str, Any]) -> str:
    name = next((named for key in ("userId", "email", "phone") if (named := frame.text(document, key))), "")
    if not name:
        raise InvalidInput("nothing names the contact", where="userId", hint="Give userId, email or phone.")
    return name
