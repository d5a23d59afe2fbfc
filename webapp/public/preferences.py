"""`/p/TOKEN`: what the contact of a message wants to get. GET shows it, POST changes it; no login, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from sqlalchemy.orm import Session

from engine import clock, workspace
from engine.db import Database
from engine.signing import Signer
from engine.tracking import preferences
from engine.tracking.links import MessageKey
from engine.tracking.preferences import Preferences, Wish
from webapp.groupcommit import GroupCommit, Handler, Moment
from webapp.native import NOT_FOUND, Answer, Environ, client_ip, receive, user_agent
from webapp.public import page
from webapp.public.by_token import by_token

BODY_BYTES = 64 * 1024
MOST_FIELDS = 2000
ACTS = ("save", "leave", "pause", "resume")


def writer_of(signer: Signer) -> Handler:
    """What runs inside the shared commit."""

    def write(session: Session, wishes: Sequence[Wish], moment: Moment) -> list[Preferences | None]:
        return preferences.apply(session, wishes, moment.now, signer)

    return write


@dataclass(frozen=True, slots=True)
class PreferenceCentre:
    """What the address works with."""

    signer: Signer
    database: Database
    writer: GroupCommit
    proxy_header: str | None = None

    def answer(self, environ: Environ) -> Answer:
        """The page for GET; POST changes. The common 404 for a bad token, whatever the method."""
        return by_token(environ, self.signer, "preferences", lambda key: self._respond(environ, key))

    def _respond(self, environ: Environ, key: MessageKey) -> Answer:
        act = self._change(environ, key) if environ["REQUEST_METHOD"] == "POST" else ""
        return self._show(environ, key, act)

    def _change(self, environ: Environ, key: MessageKey) -> str:
        body = receive(environ, BODY_BYTES).decode("utf-8", "replace")
        try:
            fields = parse_qs(body, max_num_fields=MOST_FIELDS)
        except ValueError:
            return ""
        act, days = fields.get("act", [""])[0], fields.get("days", [""])[0]
        if act not in ACTS:
            return ""
        wish = Wish(
            key, act, frozenset(fields.get("shown", ())), frozenset(fields.get("on", ())),
            int(days) if days.isascii() and days.isdigit() and len(days) < 4 else preferences.BREAKS[0],
            client_ip(environ, self.proxy_header), user_agent(environ),
        )  # fmt: skip
        self.writer.submit("preferences", wish)
        return act

    def _show(self, environ: Environ, key: MessageKey, act: str) -> Answer:
        with self.database.transaction() as session:
            held = preferences.read(session, [key], clock.now(session), self.signer).get(key)
            loaded = workspace.load(session)
        if held is None:
            return NOT_FOUND
        return page.render(
            "preferences",
            page.language(environ, held.languages),
            held=held,
            act=act,
            breaks=preferences.BREAKS,
            sender=loaded.sender_name or loaded.name,
            contact=loaded.sender_address,
            masked={channel: page.masked(address) for channel, address in held.addresses.items()},
        )
