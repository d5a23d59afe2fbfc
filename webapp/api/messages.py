"""`POST /v1/messages`: one message to one contact, written down before the answer; `GET /v1/messages/TOKEN`: its fate.

The body has `content`, `to` (an object with `userId`, `email` or `phone`), perhaps `messageId` (or the header
`Idempotency-Key`) that makes the call one, `properties`, which the content reads as `event.`, `send_at`, `expires`, and
`from`, the identity that it is from.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from engine import clock
from engine.db import Database
from engine.errors import InvalidInput
from engine.messages.direct import Order, send, state
from webapp.api import frame, keys
from webapp.api.keys import Keys
from webapp.api.pace import Pace
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

PATH = "/v1/messages"
NOT_FOR_SENDING = "This key may not send. Make one that may: cairn keys create NAME --for send."
FIELDS = frozenset({"content", "to", "messageId", "properties", "send_at", "expires", "from", "writeKey"})
NAMES = ("userId", "email", "phone")


def is_ours(path: str) -> bool:
    """Whether the address is one of these two."""
    return path == PATH or path.startswith(PATH + "/")


def answer(environ: Environ, known: Keys, database: Database, ring: Callable[[], object], pace: Pace) -> Answer:
    """202 `{"success": true, "token": …}`, or 200 with what became of a message; else the reason, with 400 to 503."""
    path: str = environ["PATH_INFO"]

    def post() -> Answer:
        document = frame.document(environ, known, keys.SEND, NOT_FOR_SENDING)
        pace.take(keys.of_header(environ) or "")
        order = _order(document, environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        token = persist(database, lambda session: send(session, order, clock.now(session)))
        ring()
        return as_json(202, {"success": True, "token": token})

    def get() -> Answer:
        frame.authorize(environ, known, keys.SEND, NOT_FOR_SENDING)
        return as_json(200, persist(database, lambda session: state(session, path[len(PATH) + 1 :])))

    return frame.answered(environ, "POST", post) if path == PATH else frame.answered(environ, "GET", get)


def _order(document: Mapping[str, Any], header: str) -> Order:
    """Raises InvalidInput naming the field; a name that is not known may be a misspelt one and is refused."""
    for name in document.keys() - FIELDS:
        raise InvalidInput("is not known", where=name[:100], hint=f"Known are {', '.join(sorted(FIELDS))}.")
    to = document.get("to")
    if not isinstance(to, dict) or not to or not to.keys() <= set(NAMES):
        raise InvalidInput(
            "is no recipient", where="to", hint='As in {"email": "ann@example.com"}; or userId, or phone.'
        )
    properties = document.get("properties") or {}
    if not isinstance(properties, dict):
        raise InvalidInput("is no object", where="properties", hint='As in {"order_id": "A-1"}.')
    content = _text(document, "content")
    if not content:
        raise InvalidInput("is missing", where="content", hint="Name the content to send.")
    key = _text(document, "messageId") or header.replace("\0", "") or uuid.uuid4().hex
    user_id, email, phone = (_text(to, name, "to.") or None for name in NAMES)
    times = (_moment(document, "send_at"), _moment(document, "expires"))
    return Order(content, key, user_id, email, phone, properties, *times, _text(document, "from"))


def _text(document: Mapping[str, Any], name: str, where: str = "") -> str:
    return frame.text(document, name, where).strip()


def _moment(document: Mapping[str, Any], name: str) -> dt.datetime | None:
    given = _text(document, name)
    if not given:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("is no instant", where=name, hint="As in 2026-12-31T09:00:00Z.") from None
