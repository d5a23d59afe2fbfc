"""Test sends: a rendered content to colleagues, through the relay that messages take, past the ledger."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy.orm import Session

from engine.channels.allowed import Allowed
from engine.channels.dkim import Dkim
from engine.contacts import suppressions
from engine.content.store import load_renderer
from engine.errors import InvalidInput
from engine.identities import store as identities
from engine.identities.values import OWN, House, Identity, sending_as
from engine.messages.compose import context
from engine.model import AuditLog
from engine.previews.message import Content, Person, candidate, decided, envelope, marked
from engine.rendering import email as emails
from engine.rendering.envelope import RenderedEmail
from engine.signing import Signer
from engine.webhooks.mail import hand_over_one
from engine.workspace import Workspace

MOST = 10
MARK = "[Test]"


class Letter(NamedTuple):
    """One test message, ready to go. `sender` is its return path."""

    sender: str
    recipient: str
    data: bytes
    identity: Identity


class Handed(NamedTuple):
    """What became of one: `error` is empty when the relay took it."""

    recipient: str
    error: str


def addresses(given: Sequence[str]) -> list[str]:
    """Addresses as typed, each once. Raises InvalidInput for none, for too many, and for what is no address."""
    found = list(dict.fromkeys(each.strip() for each in given if each.strip()))
    if not found:
        raise InvalidInput("names nobody", where="to", hint="Give an email address.")
    if len(found) > MOST:
        raise InvalidInput(f"names {len(found)} addresses", where="to", hint=f"A test goes to {MOST} at most.")
    for each in found:
        name, at, domain = each.rpartition("@")
        if not name or not at or not domain or any(sign.isspace() for sign in each):
            raise InvalidInput("is no email address", where=each)
    return found


def prepare(
    session: Session,
    content: Content,
    who: Person,
    to: Sequence[str],
    known: Workspace,
    site: str,
    actor: str,
    now: dt.datetime,
    signer: Signer,
    *,
    allowed: Allowed | None,
) -> list[Letter]:
    """Render a test for each address and write the audit log; nothing is sent yet.

    Raises InvalidInput for a text message, for a bad list of addresses, for one that this installation may not write to
    (`allowed`), and for one that is suppressed: what a person or a server has refused is not tried again from here.
    Raises RenderError when the content fails.
    """
    renderer = load_renderer(session, content.version_id)
    if not isinstance(renderer, emails.Renderer):
        raise InvalidInput(
            "is a text message", where=content.slug, hint="Test sends are for email; look at its preview."
        )
    to = addresses(to)
    for each in to:
        if allowed and not allowed.lets(each):
            hint = f"This installation writes to {allowed.text} only (CAIRN_ALLOWED_RECIPIENTS)."
            raise InvalidInput("is an address that may not be written to from here", where=each, hint=hint)
        if any(one.channel == "email" for one in suppressions.find(session, each, signer)):
            hint = "`cairn suppressions list ADDRESS` tells why."
            raise InvalidInput("is an address that must not be written to", where=each, hint=hint)
    who = decided(session, content.version_id, renderer, who, now)
    senders = identities.load(session, known, House(site, signer.sealing_keys))
    identity = senders.of(content.compiled.get("identity")) or senders.default
    known = sending_as(known, identity)
    sender = renderer.sender[1] if renderer.sender else known.sender_address
    mails = [one(renderer, who, each, known, site, now) for each in to]
    detail = {"version": content.number, "to": [signer.address_hmac("email", each).hex() for each in to]}
    session.add(AuditLog(actor=actor, action="content tested", object=content.slug, detail=detail, at=now))
    return [Letter(sender, mail.recipient, mail.data, identity) for mail in mails]


def one(
    renderer: emails.Renderer, who: Person, to: str, known: Workspace, site: str, now: dt.datetime
) -> RenderedEmail:
    """The message for one address, with a mark before its subject and a name of its own."""
    own = replace(envelope(who, known, site, now, to), token="test-" + secrets.token_hex(8))
    return marked(renderer, MARK).render(context(candidate(who, now), known), own)


def hand_over(letters: Sequence[Letter], smtp_url: str, dkim: Dkim | None = None) -> list[Handed]:
    """Give letters to the relays of their identity, else to those of a setting; call it outside of a transaction.

    `dkim` signs for the workspace's own sender. Raises ConfigurationError.
    """
    posts = {setting: hand_over_one(setting or smtp_url) for setting in {each.identity.relays for each in letters}}
    found = []
    for each in letters:
        signing = dkim if each.identity.slug == OWN else each.identity.dkim
        data = signing.sign(each.data) if signing else each.data
        found.append(Handed(each.recipient, posts[each.identity.relays](each.sender, each.recipient, data)))
    return found
