"""From a claimed message to what a provider takes: its content's renderer, the context, the envelope, the addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.channels.provider import Outgoing, RenderFailure
from engine.errors import CairnError
from engine.messages.handed import Candidate
from engine.model import ContentVersion
from engine.rendering import email, sms
from engine.rendering.envelope import Envelope
from engine.signing import Signer
from engine.urls import MessageUrls
from engine.workspace import Workspace

AnyRenderer = email.Renderer | sms.SmsRenderer
most_renderers = 500


@dataclass(frozen=True, slots=True)
class Composed:
    """What rendering told besides the bytes: dynamic links by position, names without a value, chargeable parts."""

    links: Mapping[int, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    parts: int = 1


class Renderers:
    """The renderers of content versions, which never change, kept for the life of the process."""

    def __init__(self) -> None:
        self._ready: dict[int, AnyRenderer | str] = {}

    def load(self, session: Session, channel: str, versions: Iterable[int | None]) -> None:
        """Make the renderers of these versions ready. One that does not load fails its own messages only."""
        wanted = {version for version in versions if version is not None} - self._ready.keys()
        if not wanted:
            return
        if len(self._ready) > most_renderers:
            self._ready.clear()
        query = select(ContentVersion.id, ContentVersion.compiled).where(ContentVersion.id.in_(wanted))
        for version, compiled in session.execute(query):
            self._ready[version] = _loaded(channel, compiled)

    def get(self, version: int | None) -> AnyRenderer:
        """The renderer of a version made ready; raises `RenderFailure`."""
        renderer = self._ready.get(version) if version is not None else None
        if renderer is None:
            raise RenderFailure("the content has no saved version")
        if isinstance(renderer, str):
            raise RenderFailure(renderer)
        return renderer


def _loaded(channel: str, compiled: Mapping[str, Any]) -> AnyRenderer | str:
    try:
        return email.load(compiled) if channel == "email" else sms.load(compiled)
    except Exception as error:  # whatever is wrong with a stored version must not stop other contents
        return f"the content does not load: {error}"


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes the messages of one batch. `site` is the base of all addresses; `now` becomes the Date."""

    workspace: Workspace
    renderers: Renderers
    signer: Signer
    site: str
    now: dt.datetime
    composed: dict[int, Composed] = field(default_factory=dict)

    def outgoing(self, message: Candidate) -> Outgoing:
        """The message for a provider; rendered when the provider asks for it."""
        return Outgoing(
            id=message.id,
            attempt=message.attempt,
            sender=self._sender(message),
            recipient=message.recipient,
            render=lambda: self._render(message),
            token=message.token,
        )

    def _sender(self, message: Candidate) -> str:
        """The return path is the author's address, so that SPF is aligned with From."""
        if message.channel != "email":
            return self.workspace.name
        try:
            renderer = self.renderers.get(message.content_version_id)
        except RenderFailure:
            return self.workspace.sender_address
        own = renderer.sender if isinstance(renderer, email.Renderer) else None
        return own[1] if own else self.workspace.sender_address

    def _render(self, message: Candidate) -> bytes:
        renderer = self.renderers.get(message.content_version_id)
        urls = MessageUrls(self.site, self.signer, message.id, message.origin_at)
        try:
            if isinstance(renderer, email.Renderer):
                mail = renderer.render(context(message, self.workspace), self._envelope(message, urls))
                self.composed[message.id] = Composed(mail.dynamic_links, mail.missing)
                return mail.data
            text = renderer.render(context(message, self.workspace), {"unsubscribe_url": urls.unsubscribe()})
        except CairnError as error:
            raise RenderFailure(getattr(error, "message", "") or str(error)) from error
        self.composed[message.id] = Composed(missing=text.missing, parts=text.parts)
        return text.text.encode()

    def _envelope(self, message: Candidate, urls: MessageUrls) -> Envelope:
        workspace = self.workspace
        return Envelope(
            token=message.token,
            from_address=workspace.sender_address,
            from_name=workspace.sender_name,
            to_address=message.recipient,
            to_name=full_name(message.contact),
            date=self.now,
            message_domain=workspace.sender_address.rpartition("@")[2] or "localhost",
            unsubscribe_url=urls.unsubscribe(),
            open_url=urls.open(),
            click_url=urls.click,
            postal_address=workspace.postal_address,
            feedback_id=feedback_id(message, workspace),
        )


def context(message: Candidate, workspace: Workspace) -> dict[str, Any]:
    """The names that a template may read: the contact's fields bare and under `contact`, `event`, `workspace`."""
    own = {"name": workspace.name, "currency": workspace.currency, "postal_address": workspace.postal_address}
    properties = message.event.get("properties", message.event)
    return {**message.contact, "contact": message.contact, "event": properties, "workspace": own}


def full_name(contact: Mapping[str, Any]) -> str:
    """First and last name, as far as they are text."""
    names = (contact.get("first_name"), contact.get("last_name"))
    return " ".join(name.strip() for name in names if isinstance(name, str) and name.strip())


def feedback_id(message: Candidate, workspace: Workspace) -> str:
    """`campaign:journey:stream:sender` for the complaint reports of large mailbox providers; nothing per recipient."""
    parts = (message.content_slug, message.journey_slug or "", message.topic or "general", workspace.name)
    return ":".join("".join(c if c.isascii() and c.isalnum() else "-" for c in part) for part in parts)
