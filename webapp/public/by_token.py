"""The frame of the addresses that name a message by its token: the method, the message, a store that is away."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from engine import urls
from engine.signing import Signer
from engine.tracking.links import MessageKey
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import Busy, Unavailable
from webapp.native import NOT_FOUND, Answer, Environ, not_allowed
from webapp.public import page, tokens

READING = ("GET", "HEAD")
CHANGING = (*READING, "POST")


def by_token(
    environ: Environ,
    signer: Signer,
    purpose: str,
    respond: Callable[[MessageKey], Answer],
    methods: tuple[str, ...] = CHANGING,
) -> Answer:
    """What `respond` says of the message; the common 404 for a bad token, whatever the method; 405, 429 and 503."""
    if environ["REQUEST_METHOD"] not in methods:
        return not_allowed(*methods)
    found = tokens.reference(signer, purpose, environ)
    if found is None:
        return NOT_FOUND
    try:
        return respond((found.message_id, urls.origin_at(found)))
    except (Busy, Unavailable) as error:
        return page.later(error)
    except SQLAlchemyError as error:
        if diagnose(error) is Trouble.GUILTY:
            raise
        return page.later(Unavailable("The database is away."))
