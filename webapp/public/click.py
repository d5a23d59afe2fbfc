"""`/c/TOKEN`: a link; `/s/TOKEN`: a link in a text.

The click is durable before the redirect; the destination is looked up, never given.
"""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from engine.db import Database
from engine.signing import Reference, Signer
from engine.tracking import links
from webapp.groupcommit import Busy, GroupCommit, Unavailable
from webapp.native import NOT_FOUND, TEXT, Answer, Environ, not_allowed, refusal
from webapp.public import page, tokens

PRIVATE = (("Cache-Control", "no-store, max-age=0"), ("Referrer-Policy", "no-referrer"))


def answer(environ: Environ, signer: Signer, writer: GroupCommit, proxy_header: str | None) -> Answer:
    """302 to the link's destination; the common 404 for a bad token or a link that leads nowhere; 429 and 503.

    HEAD and OPTIONS are stored as well, as the scanners' requests that they are.
    """
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS"):
        return not_allowed("GET", "HEAD", "OPTIONS")
    found = tokens.reference(signer, "click", environ)
    return _followed(found, environ, writer, proxy_header)


def answer_brief(
    environ: Environ, signer: Signer, writer: GroupCommit, database: Database, proxy_header: str | None
) -> Answer:
    """The same for a link in a text, whose token leaves out what the database knows."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS"):
        return not_allowed("GET", "HEAD", "OPTIONS")
    named = signer.read_brief(environ["PATH_INFO"][3:])
    if named is None:
        return NOT_FOUND
    try:
        with database.transaction() as session:
            found = links.named(session, *named)
    except SQLAlchemyError:
        return page.later(Unavailable("The database is away."))
    return _followed(found, environ, writer, proxy_header)


def _followed(found: Reference | None, environ: Environ, writer: GroupCommit, proxy_header: str | None) -> Answer:
    if found is None:
        return NOT_FOUND
    try:
        url = writer.submit("click", tokens.hit("click", found, environ, proxy_header))
    except (Busy, Unavailable) as error:
        status, headers = refusal(error)
        return Answer(status, TEXT + headers, b"This link works again in a moment. Please try again.\n")
    return NOT_FOUND if url is None else Answer(302, (("Location", url), *PRIVATE))
