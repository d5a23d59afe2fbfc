"""`POST /v1/receipts/raw`: a mail that came back, as it came (message/rfc822); stored before the answer.

The header `X-Recipient`, or `recipient` in the query, may say to whom it came, which is where the message is named.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from engine import clock
from engine.db import Database
from engine.receipts.mail import Arrived, put
from webapp.api import body, keys
from webapp.api.keys import Keys
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, Headers, as_json, receive, refusal

PATH = "/v1/receipts/raw"
LARGEST = 10 * 1024 * 1024


def answer(environ: Environ, known: Keys, database: Database) -> Answer:
    """202 `{"success": true}`; 400, 401, 405, 413 or 503 with the reason."""
    if environ["REQUEST_METHOD"] != "POST":
        return _failure(405, "This address takes POST.")
    if keys.RECEIPTS not in (known.scopes(keys.of_header(environ) or "") or ()):
        return _failure(401, "This takes a key made by `cairn keys create NAME --for receipts`.")
    raw = receive(environ, LARGEST + 1)
    if len(raw) > LARGEST:
        error = body.too_large("The mail", LARGEST)
        return _failure(error.status, str(error))
    if not raw.strip():
        return _failure(400, "The body is the mail as it came, headers and all.")
    try:
        _keep(database, Arrived(raw, _recipients(environ)))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    return as_json(202, {"success": True})


def _keep(database: Database, mail: Arrived) -> None:
    try:
        with database.transaction() as session:
            put(session, "api", [mail], clock.now(session))
    except Exception as error:
        if diagnose(error) is Trouble.AWAY:
            raise Unavailable("The database is away.") from error
        raise


def _recipients(environ: Environ) -> tuple[str, ...]:
    named = environ.get("HTTP_X_RECIPIENT", "").split(",")
    named += parse_qs(environ.get("QUERY_STRING", "")).get("recipient", [])
    return tuple(each.strip() for each in named if each.strip())


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
