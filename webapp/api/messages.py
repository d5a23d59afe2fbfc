"""`POST /v1/messages`: one message to one contact, written down before the answer; `GET /v1/messages/TOKEN`: its fate.

The body has `content`, `to` (an object with `userId`, `email` or `phone`), perhaps `messageId` (or the header
`Idempotency-Key`) that makes the call one, `properties`, which the content reads as `event.`, `send_at` and `expires`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from engine import clock
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.messages.direct import Order, send, state
from webapp.api import body, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.keys import Keys
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal
from webapp.persisting import persist

PATH = "/v1/messages"
NO_KEY = "The API key is missing, unknown or revoked."
NOT_FOR_SENDING = "This key may not send. Make one that may: cairn keys create NAME --for send."
FIELDS = frozenset({"content", "to", "messageId", "properties", "send_at", "expires", "writeKey"})
NAMES = ("userId", "email", "phone")


def is_ours(path: str) -> bool:
    """Whether the address is one of these two."""
    return path == PATH or path.startswith(PATH + "/")


def answer(environ: Environ, known: Keys, database: Database, ring: Callable[[], object]) -> Answer:
    """202 `{"success": true, "token": …}`, or 200 with what became of a message; else the reason, with 400 to 503."""
    path: str = environ["PATH_INFO"]
    method = "POST" if path == PATH else "GET"
    if environ["REQUEST_METHOD"] != method:
        return _failure(405, f"This address takes {method}.", (("Allow", method),))
    try:
        data = body.read(environ) if method == "POST" else b""
        scopes = known.scopes(keys.of_header(environ) or "")
        if scopes is None:
            return _failure(401, NO_KEY, (("WWW-Authenticate", "Basic"),))
        if keys.SEND not in scopes:
            return _failure(403, NOT_FOR_SENDING)
        if method == "GET":
            token = path[len(PATH) + 1 :]
            return as_json(200, persist(database, lambda session: state(session, token)))
        if len(data) > EVENT_BYTES:
            raise body.too_large("The body", EVENT_BYTES)
        order = _order(body.parse(data), environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        token = persist(database, lambda session: send(session, order, clock.now(session)))
    except BadBody as error:
        return _failure(error.status, str(error))
    except (NotFound, InvalidInput) as error:
        return _failure(404 if isinstance(error, NotFound) else 400, str(error))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    ring()
    return as_json(202, {"success": True, "token": token})


def _order(document: Mapping[str, Any], header: str) -> Order:
    """Raises InvalidInput naming the field; a name that is not known may be a misspelt one and is refused."""
    for name in document.keys() - FIELDS:
        raise InvalidInput("is not known", where=name[:100], hint=f"Known are {', '.join(sorted(FIELDS))}.")
    to = document.get("to")
    if not isinstance(to, dict) or not to or not to.keys() <= set(NAMES):
        raise InvalidInput("is no recipient", where="to", hint='As in {"email": "ann@example.com"}.')
    properties = document.get("properties") or {}
    if not isinstance(properties, dict):
        raise InvalidInput("is no object", where="properties", hint='As in {"order_id": "A-1"}.')
    content = _text(document, "content")
    if not content:
        raise InvalidInput("is missing", where="content", hint="Name the content to send.")
    key = _text(document, "messageId") or header.replace("\0", "") or uuid.uuid4().hex
    user_id, email, phone = (_text(to, name, "to.") or None for name in NAMES)
    times = (_moment(document, "send_at"), _moment(document, "expires"))
    return Order(content, key, user_id, email, phone, properties, *times)


def _text(document: Mapping[str, Any], name: str, where: str = "") -> str:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("is no text", where=where + name, hint="Put it into quotes.")
    return (value or "").strip()


def _moment(document: Mapping[str, Any], name: str) -> dt.datetime | None:
    given = _text(document, name)
    if not given:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("is no instant", where=name, hint="As in 2026-12-31T09:00:00Z.") from None


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
