"""`/u/TOKEN`: GET shows a page with a button and changes nothing; POST unsubscribes, without login or redirect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from sqlalchemy.orm import Session

from engine import clock, urls
from engine.db import Database
from engine.signing import Signer
from engine.tracking import leaving, preferences, unsubscribe
from engine.tracking.links import MessageKey
from engine.tracking.unsubscribe import Subscription, Wish
from webapp.groupcommit import GroupCommit, Moment
from webapp.native import NOT_FOUND, TEXT, Answer, Environ, client_ip, receive, user_agent
from webapp.persisting import persist
from webapp.public import page
from webapp.public.by_token import by_token

BODY_BYTES = 16 * 1024
MOST_FIELDS = 100
ONE_CLICK = b"List-Unsubscribe=One-Click"


def write_wishes(session: Session, wishes: Sequence[Wish], moment: Moment) -> list[Subscription | None]:
    """Run inside the shared commit."""
    return unsubscribe.unsubscribe(session, wishes, moment.now)


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """What the address works with."""

    signer: Signer
    database: Database
    writer: GroupCommit
    proxy_header: str | None = None

    def answer(self, environ: Environ) -> Answer:
        """The page for GET; POST unsubscribes. The common 404 for a bad token, whatever the method."""
        respond = self._accept if environ["REQUEST_METHOD"] == "POST" else self._show
        return by_token(environ, self.signer, "unsubscribe", lambda key: respond(environ, key))

    def _show(self, environ: Environ, key: MessageKey, *, told: bool = False) -> Answer:
        """The page. Link checkers fetch it, so it only reads (RFC 8058 §3.1 keeps GET for people)."""
        with self.database.transaction() as session:
            held = unsubscribe.read(session, [key]).get(key)
            sender = page.sender(session)
        if held is None:
            return NOT_FOUND
        choosing = urls.MessageUrls("", self.signer, *key).preferences() + page.wanted_language(environ)
        return _page(held, sender, page.language(environ, (held.language, held.locale)), choosing, told)

    def _accept(self, environ: Environ, key: MessageKey) -> Answer:
        """Unsubscribe, durably, and say so: in a line for mail programs, with the page for people.

        Every POST with a valid token counts, whatever its body: a refused wish is worse than one too many. The page's
        form sends `scope`, `topic` or `channel`; the header's POST (RFC 8058) leaves the message's topic.
        """
        body = receive(environ, BODY_BYTES)
        if reason := _field(body, "why"):
            return self._tell(environ, key, reason, _field(body, "words"))
        one_click = _is_one_click(body)
        scope, source = ("topic", "one-click") if one_click else (_scope(body), "link")
        wish = Wish(key, scope, source, client_ip(environ, self.proxy_header), user_agent(environ))
        held = self.writer.submit("unsubscribe", wish)
        if held is None:
            return NOT_FOUND
        return Answer(200, TEXT, b"You are unsubscribed.\n") if one_click else self._show(environ, key)

    def _tell(self, environ: Environ, key: MessageKey, reason: str, words: str) -> Answer:
        """Keep why somebody left; for who has not, the page as it is."""
        if reason not in leaving.REASONS:
            return self._show(environ, key)
        told = persist(self.database, lambda session: leaving.tell(session, key, reason, words, clock.now(session)))
        return self._show(environ, key, told=told)


def _is_one_click(body: bytes) -> bool:
    """Form-encoded or multipart (RFC 8058 §3.2 allows both)."""
    return ONE_CLICK in body or (b'name="List-Unsubscribe"' in body and b"One-Click" in body)


def _scope(body: bytes) -> str:
    return "channel" if _field(body, "scope") == "channel" else "topic"


def _field(body: bytes, name: str) -> str:
    """A field of the page's forms; empty for whatever is none of them."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS).get(name, [""])[0]
    except ValueError:
        return ""


def _page(held: Subscription, sender: str, language: str, choosing: str, told: bool) -> Answer:
    """The page that asks, or where nothing of the message's list is left to leave, the one that confirms."""
    return page.render(
        "unsubscribe",
        language,
        done=held.left("topic"),
        whole=held.left_channel or not held.topic,
        topic=held.topic_name,
        channel=held.message.channel,
        address=page.masked(held.recipient),
        sender=sender,
        choosing=choosing,
        reasons=leaving.REASONS,
        longest=leaving.LONGEST,
        told=told,
        breaks=preferences.BREAKS,
    )
