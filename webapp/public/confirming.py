"""`/y/TOKEN`: the second step of a subscription. GET shows a button, as link checkers follow links; POST confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock, urls
from engine.db import Database
from engine.signing import Signer
from engine.tracking import confirmation
from engine.tracking.confirmation import Asked, Click
from engine.tracking.links import MessageKey
from webapp.groupcommit import Busy, GroupCommit, Handler, Moment, Unavailable
from webapp.native import NOT_FOUND, Answer, Environ, client_ip, not_allowed, receive, user_agent
from webapp.public import page, tokens

BODY_BYTES = 4 * 1024


def writer_of(signer: Signer) -> Handler:
    """What runs inside the shared commit."""

    def write(session: Session, clicks: Sequence[Click], moment: Moment) -> list[Asked | None]:
        return confirmation.confirm(session, clicks, moment.now, signer)

    return write


@dataclass(frozen=True, slots=True)
class Confirming:
    """What the address works with."""

    signer: Signer
    database: Database
    writer: GroupCommit
    proxy_header: str | None = None

    def answer(self, environ: Environ) -> Answer:
        """The page for GET; POST confirms. The common 404 for a bad token, whatever the method."""
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "POST"):
            return not_allowed("GET", "HEAD", "POST")
        found = tokens.reference(self.signer, "confirm", environ)
        if found is None:
            return NOT_FOUND
        key = (found.message_id, urls.origin_at(found))
        try:
            if method == "POST":
                receive(environ, BODY_BYTES)
                click = Click(key, client_ip(environ, self.proxy_header), user_agent(environ))
                self.writer.submit("confirm", click)
            return self._show(environ, key)
        except (Busy, Unavailable) as error:
            return page.later(error)
        except SQLAlchemyError:
            return page.later(Unavailable("The database is away."))

    def _show(self, environ: Environ, key: MessageKey) -> Answer:
        with self.database.transaction() as session:
            asked = confirmation.read(session, [key], clock.now(session)).get(key)
            sender = page.sender(session)
        if asked is None:
            return NOT_FOUND
        return page.render(
            "confirm",
            page.language(environ, asked.languages),
            state=asked.state,
            address=page.masked(asked.address),
            topics=asked.topics,
            wording=asked.wording,
            sender=sender,
        )
