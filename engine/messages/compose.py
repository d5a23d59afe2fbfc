"""From a claimed message to what a provider takes: its content's renderer, the context, the envelope, the addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.channels.dkim import Dkim
from engine.channels.provider import Outgoing, Rendered, RenderFailure
from engine.contacts.tracking import is_tracked
from engine.content import store
from engine.errors import CairnError
from engine.identities.values import TOKEN, House, Identity
from engine.messages.handed import Candidate
from engine.receipts.verp import ReturnPath
from engine.rendering import email, honeypot, quoted_printable, sms
from engine.rendering.envelope import Envelope
from engine.signing import Signer
from engine.urls import MessageUrls, origin_us
from engine.workspace import Workspace

trigger_events = text("select id, trigger_event from enrolments where id = any(cast(:ids as bigint[]))")
sent_events = text("select message_id, event from direct_sends where message_id = any(cast(:ids as bigint[]))")

Renderers = Mapping[int, store.Renderer | str]


class Composed(NamedTuple):
    """What rendering told besides the bytes: dynamic links by position, names without a value, chargeable parts, and
    whether the message has neither pixel nor tracked links."""

    links: Mapping[int, str] = MappingProxyType({})
    missing: tuple[str, ...] = ()
    parts: int = 1
    untracked: bool = False


def load_renderers(session: Session, versions: Iterable[int | None]) -> Renderers:
    """The renderers of these content versions; for one that does not load the reason, which fails its messages."""
    return {version: _loaded(session, version) for version in set(versions) if version is not None}


def load_events(session: Session, messages: Iterable[Candidate], renderers: Renderers) -> None:
    """Fill in the trigger event of the messages whose content reads it, or what a call gave; neither ever changes."""
    reading = {version for version, each in renderers.items() if not isinstance(each, str) and "event" in each.names}
    asking = [each for each in messages if each.content_version_id in reading] if reading else []
    of = {each.enrolment_id: each for each in asking if each.enrolment_id}
    direct = {each.id: each for each in asking if not each.enrolment_id and each.campaign_id is None}
    for known, query in ((of, trigger_events), (direct, sent_events)):
        for id_, event in session.execute(query, {"ids": literal(known)}) if known else ():
            known[id_].event = event or {}


def _loaded(session: Session, version: int) -> store.Renderer | str:
    try:
        return store.load_renderer(session, version)
    except SQLAlchemyError:
        raise
    except Exception as error:  # whatever is wrong with a stored version must not stop other contents
        return f"the content does not load: {error}"


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes the messages of one batch. `site` is the base of all addresses; `now` becomes the Date.

    Email is signed where there is a `dkim`, and comes back to `bounces`, or where its identity says.
    """

    workspace: Workspace
    renderers: Renderers
    signer: Signer
    site: str
    now: dt.datetime
    dkim: Dkim | None = None
    bounces: ReturnPath | None = None
    composed: dict[int, Composed] = field(default_factory=dict)
    own: Identity = field(init=False)

    def __post_init__(self) -> None:
        """What names no identity is from the workspace's own sender."""
        object.__setattr__(self, "own", House(self.site, dkim=self.dkim).identity(self.workspace))

    def outgoing(self, message: Candidate) -> Outgoing:
        """The message for a provider; rendered when the provider asks for it."""
        return Outgoing(
            id=message.id,
            attempt=message.attempt,
            sender=self._sender(message),
            recipient=message.recipient,
            render=lambda: self._render(message),
            token=message.token,
            origin_at=message.origin_at,
        )

    def view(self, message: Candidate) -> bytes:
        """The email as it was sent, but for what would count that somebody looks. Raises RenderFailure."""
        renderer = self._renderer(message)
        if not isinstance(renderer, email.Renderer):
            raise RenderFailure("only email can be viewed")
        urls = self._urls(message, tuple(renderer.static))
        envelope = self._envelope(message, urls)
        envelope.view_url, envelope.open_url, envelope.plain_urls = urls.view(), "", False
        if envelope.click_urls is not None:
            envelope.click_urls = lambda positions: [
                "" if position == honeypot.POSITION else urls.click(position) for position in positions
            ]
        try:
            return renderer.render(context(message, self.workspace), envelope).data
        except CairnError as error:
            raise RenderFailure(getattr(error, "message", "") or str(error)) from error

    def _sender(self, message: Candidate) -> str:
        """The return path names the message; without a domain for bounces it is the author's address."""
        if message.channel != "email":
            return self.workspace.name
        bounces = self._identity(message).bounces or self.bounces
        if bounces is not None:
            return bounces.of(self.signer, message.id, origin_us(message.origin_at))
        renderer = self.renderers.get(message.content_version_id or 0)
        own = renderer.sender if isinstance(renderer, email.Renderer) and not message.sender else None
        return own[1] if own else self._identity(message).address

    def _identity(self, message: Candidate) -> Identity:
        return message.identity or self.own

    def _urls(self, message: Candidate, links: tuple[int, ...]) -> MessageUrls:
        return MessageUrls(self._identity(message).site, self.signer, message.id, message.origin_at, links)

    def _renderer(self, message: Candidate) -> store.Renderer:
        renderer = self.renderers.get(message.content_version_id or 0, "the content has no saved version")
        if isinstance(renderer, str):
            raise RenderFailure(renderer)
        return renderer

    def _render(self, message: Candidate) -> Rendered:
        renderer = self._renderer(message)
        static = tuple(renderer.static) if isinstance(renderer, email.Renderer) else ()
        urls = self._urls(message, static)
        try:
            if isinstance(renderer, email.Renderer):
                envelope = self._envelope(message, urls)
                if renderer.views:
                    envelope.view_url = urls.view()
                mail = renderer.render(context(message, self.workspace), envelope)
                untracked = envelope.click_urls is None or not renderer.tracking
                if mail.dynamic_links or mail.missing or untracked:
                    self.composed[message.id] = Composed(mail.dynamic_links, mail.missing, untracked=untracked)
                dkim = self._identity(message).dkim
                data = dkim.sign(mail.data) if dkim else mail.data
                return Rendered(data, mail.dynamic_links, clean=not mail.smtputf8, untracked=untracked)
            own = links_of(message, urls) | self._tracked(message, renderer, urls)
            made = renderer.render(context(message, self.workspace), own)
        except CairnError as error:
            raise RenderFailure(getattr(error, "message", "") or str(error)) from error
        self.composed[message.id] = Composed(missing=made.missing, parts=made.parts)
        return Rendered(made.text.encode(), parts=made.parts)

    def _tracked(self, message: Candidate, renderer: sms.SmsRenderer, urls: MessageUrls) -> dict[str, str]:
        """The links of a text whose clicks are counted."""
        if not renderer.tracked or not is_tracked(
            message.tracking, message.contact, self.workspace.untracked_countries
        ):
            return {}
        return {sms.placed(position): urls.brief(position) for position in renderer.tracked}

    def _envelope(self, message: Candidate, urls: MessageUrls) -> Envelope:
        workspace, identity = self.workspace, self._identity(message)
        tracked = is_tracked(message.tracking, message.contact, workspace.untracked_countries)
        return Envelope(
            token=message.token,
            from_address=identity.address,
            from_name=identity.name,
            from_wins=bool(message.sender),
            reply_to=self._reply_to(message, identity),
            to_address=message.recipient,
            to_name=full_name(message.contact),
            date=self.now,
            message_domain=identity.address.rpartition("@")[2] or "localhost",
            unsubscribe_url=urls.unsubscribe(),
            preferences_url=urls.preferences(),
            confirm_url=urls.confirm() if message.transactional else "",
            open_url=urls.open() if tracked else "",
            click_urls=urls.clicks if tracked else None,
            plain_urls=plain_site(identity.site),
            postal_address=identity.postal_address,
            feedback_id=feedback_id(message, workspace),
            transactional=message.transactional,
        )

    def _reply_to(self, message: Candidate, identity: Identity) -> str:
        """With the name of the message in the place of TOKEN, so that an answer tells what it answers."""
        given = identity.reply_to
        if TOKEN not in given:
            return given
        return given.replace(TOKEN, self.signer.reply(message.id, origin_us(message.origin_at)))


def context(message: Candidate, workspace: Workspace) -> dict[str, Any]:
    """The names that a template may read: the contact's fields bare and under `contact`, `event`, `workspace`; and
    what was decided on its blocks."""
    own = {"name": workspace.name, "currency": workspace.currency, "postal_address": workspace.postal_address}
    properties = message.event.get("properties", message.event)
    names = {**message.contact, "contact": message.contact, "event": properties, "workspace": own}
    return names | message.blocks if message.blocks else names


def links_of(message: Candidate, urls: MessageUrls) -> dict[str, str]:
    """The addresses that a text message may hold."""
    links = {"unsubscribe_url": urls.unsubscribe(), "preferences_url": urls.preferences()}
    return links | {"confirm_url": urls.confirm()} if message.transactional else links


def full_name(contact: Mapping[str, Any]) -> str:
    """First and last name, as far as they are text."""
    names = (contact.get("first_name"), contact.get("last_name"))
    return " ".join([name.strip() for name in names if isinstance(name, str) and name.strip()])


def feedback_id(message: Candidate, workspace: Workspace) -> str:
    """`campaign:journey:stream:sender` for the complaint reports of large mailbox providers; nothing per recipient."""
    first = message.campaign_slug or message.content_slug
    return _feedback_id(first, message.journey_slug or "", message.topic or "general", workspace.name)


@lru_cache(maxsize=16)
def plain_site(site: str) -> bool:
    """Whether the addresses of this site need no encoding, as their tokens do not."""
    return site.startswith(("https://", "http://")) and bool(quoted_printable.address(site)) and "&" not in site


@lru_cache(maxsize=256)
def _feedback_id(*parts: str) -> str:
    return ":".join("".join(c if c.isascii() and c.isalnum() else "-" for c in part) for part in parts)
