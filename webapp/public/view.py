"""`/w/TOKEN`: an email in the browser: somebody's HTML on our address, so it runs nothing and reaches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from engine import urls
from engine.db import Database
from engine.messages.view import page
from engine.signing import Signer
from webapp.groupcommit import Unavailable
from webapp.native import HTML, NOT_FOUND, Answer, Environ, not_allowed
from webapp.public import tokens
from webapp.public.page import later

GUARD = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:; "
        "media-src https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    ),
)


@dataclass(frozen=True, slots=True)
class Viewing:
    """What the address works with; `site` is the base of the links in messages."""

    signer: Signer
    database: Database
    site: str

    def answer(self, environ: Environ) -> Answer:
        """The message, or the common 404 for whatever is not to be seen."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return not_allowed("GET", "HEAD")
        found = tokens.reference(self.signer, "view", environ)
        if found is None:
            return NOT_FOUND
        try:
            with self.database.transaction() as session:
                shown = page(session, (found.message_id, urls.origin_at(found)), self.signer, self.site)
        except SQLAlchemyError:
            return later(Unavailable("The database is away."))
        return NOT_FOUND if shown is None else Answer(200, HTML + GUARD, shown.encode("utf-8", "replace"))
