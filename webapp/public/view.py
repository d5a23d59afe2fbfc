"""`/w/TOKEN`: an email in the browser: somebody's HTML on our address, so it runs nothing and reaches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from engine.db import Database
from engine.messages.view import page
from engine.signing import Signer
from engine.tracking.links import MessageKey
from webapp.native import HTML, NOT_FOUND, Answer, Environ
from webapp.public.by_token import READING, by_token

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
        return by_token(environ, self.signer, "view", self._show, READING)

    def _show(self, key: MessageKey) -> Answer:
        with self.database.transaction() as session:
            shown = page(session, key, self.signer, self.site)
        return NOT_FOUND if shown is None else Answer(200, HTML + GUARD, shown.encode("utf-8", "replace"))
