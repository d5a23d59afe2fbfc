"""`/y/TOKEN`: the second step of a subscription. GET shows a button, as link checkers follow links; POST confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database
from engine.signing import Signer
from engine.tracking import confirmation
from engine.tracking.confirmation import Asked, Click
from engine.tracking.links import MessageKey
from webapp.groupcommit import GroupCommit, Handler, Moment
from webapp.native import NOT_FOUND, Answer, Environ, client_ip, receive, user_agent
from webapp.public import page
from webapp.public.by_token import by_token

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
        return by_token(environ, self.signer, "confirm", lambda key: self._respond(environ, key))

    def _respond(self, environ: Environ, key: MessageKey) -> Answer:
        if environ["REQUEST_METHOD"] == "POST":
            receive(environ, BODY_BYTES)
            self.writer.submit("confirm", Click(key, client_ip(environ, self.proxy_header), user_agent(environ)))
        return self._show(environ, key)

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
