"""The frame of the addresses that take one call at a time: its method, its key, its body, and each error's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import CairnError, Conflict, InvalidInput, NotFound
from engine.messages.direct import KeyTaken
from webapp.api import body, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.keys import Keys
from webapp.groupcommit import Busy, Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal

NO_KEY = "The API key is missing, unknown or revoked."
STATUS: dict[type[CairnError], int] = {NotFound: 404, Conflict: 409, KeyTaken: 422, InvalidInput: 400}


class NotAuthorized(CairnError):
    """No key in force (401), or one that is not for this (403)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answered(environ: Environ, method: str, respond: Callable[[], Answer]) -> Answer:
    """What `respond` says; 405 for another method; what it raises as `{"success": false, "message": …}`, 400 to 503."""
    if environ["REQUEST_METHOD"] != method:
        return failure(405, f"This address takes {method}.", (("Allow", method),))
    try:
        return respond()
    except (BadBody, NotAuthorized) as error:
        return failure(error.status, str(error), (("WWW-Authenticate", "Basic"),) if error.status == 401 else ())
    except (NotFound, Conflict, InvalidInput) as error:
        return failure(next(code for kind, code in STATUS.items() if isinstance(error, kind)), str(error))
    except (Busy, Unavailable) as error:
        status, headers = refusal(error)
        return failure(status, str(error), headers)


def authorize(environ: Environ, known: Keys, scope: str, unfit: str = "") -> None:
    """Raises NotAuthorized: 401 for no key in force; for one without the scope 403 with `unfit`, or 401 without."""
    scopes = known.scopes(keys.of_header(environ) or "")
    if scopes is None or (scope not in scopes and not unfit):
        raise NotAuthorized(401, NO_KEY)
    if scope not in scopes:
        raise NotAuthorized(403, unfit)


def document(environ: Environ, known: Keys, scope: str, unfit: str = "") -> dict[str, Any]:
    """The JSON object of a call by a key with the scope. Raises NotAuthorized, BadBody, Unavailable."""
    data = body.read(environ)  # before any refusal: an unread body costs the client its connection
    if len(data) > EVENT_BYTES:
        raise body.too_large("The body", EVENT_BYTES)
    authorize(environ, known, scope, unfit)
    return body.parse(data)


def text(document: Mapping[str, Any], name: str, where: str = "") -> str:
    """A field that is text, '' without it. Raises InvalidInput, which names it with `where` in front."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("is no text", where=where + name, hint="Put it into quotes.")
    return value or ""


def between(path: str, prefix: str, suffix: str) -> str | None:
    """What stands in an address between the two, None for another address and where nothing does."""
    fits = path.startswith(prefix) and path.endswith(suffix) and len(path) > len(prefix) + len(suffix)
    return path[len(prefix) : -len(suffix)] if fits else None


def failure(status: int, message: str, headers: Headers = ()) -> Answer:
    """The answer that says what was wrong."""
    return as_json(status, {"success": False, "message": message}, headers)
