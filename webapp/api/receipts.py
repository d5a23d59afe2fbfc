"""`POST /v1/receipts/raw`: a mail that came back, as it came (message/rfc822); stored before the answer.

The header `X-Recipient`, or `recipient` in the query, may say to whom it came, which is where the message is named.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from engine import clock
from engine.db import Database
from engine.receipts.mail import Arrived, put
from webapp.api import body, frame, keys
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json, receive
from webapp.persisting import persist

PATH = "/v1/receipts/raw"
LARGEST = 10 * 1024 * 1024


def answer(environ: Environ, known: Keys, database: Database) -> Answer:
    """202 `{"success": true}`; 400, 401, 405, 413 or 503 with the reason."""

    def respond() -> Answer:
        if keys.RECEIPTS not in (known.scopes(keys.of_header(environ) or "") or ()):
            return frame.failure(401, "This takes a key made by `cairn keys create NAME --for receipts`.")
        raw = receive(environ, LARGEST + 1)
        if len(raw) > LARGEST:
            raise body.too_large("The mail", LARGEST)
        if not raw.strip():
            return frame.failure(400, "The body is the mail as it came, headers and all.")
        mail = Arrived(raw, _recipients(environ))
        persist(database, lambda session: put(session, "api", [mail], clock.now(session)))
        return as_json(202, {"success": True})

    return frame.answered(environ, "POST", respond)


def _recipients(environ: Environ) -> tuple[str, ...]:
    named = environ.get("HTTP_X_RECIPIENT", "").split(",")
    named += parse_qs(environ.get("QUERY_STRING", "")).get("recipient", [])
    return tuple(each.strip() for each in named if each.strip())
