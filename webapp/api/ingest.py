"""`/v1/track`, `identify`, `page`, `screen`, `group`, `alias`, `batch`: durable before the answer.

The Segment HTTP API: libraries take 200 alone as success, retry 429 and 5xx after `Retry-After`, and drop the rest.
Browsers use one-letter paths and send JSON as text/plain, so that no preflight is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from engine.errors import InvalidInput
from engine.events.ingest import CallType, Outcome
from webapp.api import body, calls, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.calls import BadCalls, Sent
from webapp.api.keys import Keys
from webapp.groupcommit import Busy, GroupCommit, Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal

SINGLE: dict[str, CallType] = {name: name for name in get_args(CallType)}
NAMES = (*SINGLE, "batch")
PATHS = {f"/v1/{name}": name for name in NAMES} | {f"/v1/{name[0]}": name for name in NAMES if name != "batch"}
PATHS["/v1/b"] = "batch"

CORS: Headers = (("Access-Control-Allow-Origin", "*"), ("Vary", "Origin"))
PREFLIGHT: Headers = (
    *CORS,
    ("Access-Control-Allow-Methods", "POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding"),
    ("Access-Control-Max-Age", "86400"),
)
SUCCESS = as_json(200, {"success": True}, CORS)


class NotAuthorized(Exception):
    """No key, an unknown or revoked one, or one that may not write events."""


def answer(environ: Environ, name: str, known: Keys, writer: GroupCommit) -> Answer:
    """200 `{"success": true}` once the calls are committed; 400, 401, 413, 415, 429 or 503 with the reason."""
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        return Answer(204, PREFLIGHT)
    if method != "POST":
        return _failure(405, "This address takes POST.", (("Allow", "POST, OPTIONS"),))
    try:
        received = read(environ, name, known)
        outcomes = writer.submit("ingest", received, len(received)) if received else []
    except BadCalls as error:
        return _refused("Nothing was stored", error.errors)
    except BadBody as error:
        return _failure(error.status, str(error))
    except NotAuthorized:
        return _failure(401, "The API key is missing, unknown or revoked.", (("WWW-Authenticate", "Basic"),))
    except (Busy, Unavailable) as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    return _late_refusals(name, outcomes) or SUCCESS


def read(environ: Environ, name: str, known: Keys) -> list[Sent]:
    """The calls of a request by a key in force. Raises NotAuthorized, BadBody, BadCalls, Unavailable."""
    data = body.read(environ)  # before any refusal: an unread body costs the client its connection
    if (key := keys.of_header(environ)) is not None:
        _authorize(key, known)
        document = body.parse(data)
    else:
        document = body.parse(data)
        _authorize(keys.of_body(document), known)
    if name not in SINGLE:
        return calls.read_batch(document, len(data))
    if len(data) > EVENT_BYTES:
        raise body.too_large("The event", EVENT_BYTES)
    return calls.read_one(SINGLE[name], document)


def _authorize(key: str | None, known: Keys) -> None:
    scopes = known.scopes(key) if key else None
    if scopes is None or keys.INGEST not in scopes:
        raise NotAuthorized


def _late_refusals(name: str, outcomes: Sequence[Outcome]) -> Answer | None:
    """What only the store could find wrong; the other calls of the request are stored by then."""
    errors = [
        InvalidInput(outcome.reason, where=f"batch[{index}]" if name == "batch" else "")
        for index, outcome in enumerate(outcomes)
        if outcome.status == "refused"
    ]
    return _refused(f"{len(errors)} of {len(outcomes)} were not stored", errors) if errors else None


def _refused(what: str, errors: Sequence[InvalidInput]) -> Answer:
    """400: every reason names its place."""
    reasons = [{"where": error.where, "message": error.message} for error in errors]
    return _failure(400, f"{what}: " + "; ".join(str(error) for error in errors), errors=reasons)


def _failure(status: int, message: str, headers: Headers = (), **more: Any) -> Answer:
    return as_json(status, {"success": False, "message": message, **more}, CORS + headers)
