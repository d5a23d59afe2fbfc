"""`POST /v1/journeys/NAME/enter`: let a contact into a journey; written down before the answer.

The body has `userId`, `email` or `phone`, perhaps `messageId` (or the header `Idempotency-Key`) that makes the call
one, and `properties`, which `event.` reads in the journey.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts.numbers import called
from engine.db import Database
from engine.errors import InvalidInput
from journeys.entering import enter
from webapp.api import frame, keys
from webapp.api.frame import text
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

PREFIX, SUFFIX = "/v1/journeys/", "/enter"
KEY_LENGTH = 150


def answer(environ: Environ, slug: str, known: Keys, database: Database) -> Answer:
    """200 `{"success": true, "duplicate": …}`; 400, 401, 404, 405, 409, 413 or 503 with the reason."""

    def respond() -> Answer:
        document = frame.document(environ, known, keys.INGEST)
        key = text(document, "messageId") or environ.get("HTTP_IDEMPOTENCY_KEY", "") or uuid.uuid4().hex
        fresh = persist(database, lambda session: _enter(session, slug, key, document))
        return as_json(200, {"success": True, "duplicate": not fresh})

    return frame.answered(environ, "POST", respond)


def _enter(session: Session, slug: str, key: str, document: dict[str, Any]) -> bool:
    if len(key) > KEY_LENGTH:
        raise InvalidInput(f"is longer than {KEY_LENGTH} characters", where="messageId", hint="Shorten it.")
    properties = document.get("properties") or {}
    if not isinstance(properties, dict):
        raise InvalidInput("is no object", where="properties", hint='As in {"order_id": "A-1"}.')
    now = clock.now(session)
    user_id, email, phone = (text(document, name) or None for name in ("userId", "email", "phone"))
    return enter(session, slug, called(session, user_id, email, phone, now), key, properties, now)
