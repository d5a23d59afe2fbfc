"""Who the mail comes from: large mailbox providers refuse senders that do not prove themselves."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding, Severity
from engine.channels.addresses import stays_here
from engine.identities import store
from engine.identities.checks import Check, check, related
from engine.identities.dns import Dns
from engine.identities.house import house
from engine.identities.values import OWN, Identity
from engine.receipts.verp import return_path
from engine.settings import settings
from engine.workspace import Workspace

SENDERS = text("""
select distinct c.sender, v.compiled #>> '{from,name}' as name, v.compiled #>> '{from,address}' as address
from contents c join content_versions v on v.id = c.current_version_id where c.slug = any(:slugs)
""")
RESERVED = (".example", ".test", ".invalid", ".localhost", "example.com", "example.org", "example.net")
LOCAL = ("127.0.0.1", "localhost", "::1", "")
KEPT_SECONDS = 30


def findings(session: Session, definition: Definition, known: Workspace, site: str) -> Iterator[Finding]:
    """About sender, postal address and the address of links; text messages need none of it."""
    if (urlsplit(site).hostname or "") in LOCAL:
        hint = "Set CAIRN_PUBLIC_URL to the address under which this site is reached."
        yield Finding(
            "warning", "links", f"Links in the messages lead to {site}, which only this machine reaches.", hint
        )
    if definition.channel != "email":
        return
    senders = senders_of(session, definition, known)
    if not all(each.postal_address.strip() for each in senders):
        hint = 'Set it: cairn workspace set postal_address "…"'
        yield Finding("error", "postal", "There is no postal address, which laws on marketing email ask for.", hint)
    for each in senders:
        yield from _sender(each)


def senders_of(session: Session, definition: Definition, known: Workspace) -> list[Identity]:
    """Who the campaign's messages are from, by address."""
    senders = store.load(session, known, house())
    found: dict[str, Identity] = {}
    for row in session.execute(SENDERS, {"slugs": [one.content for one in definition.variants]}):
        identity = senders.of(definition.sender or row.sender) or senders.default
        if row.address and not definition.sender:
            identity = replace(identity, address=row.address, name=row.name or identity.name)
        found[identity.address.lower()] = identity
    return [found[address] for address in sorted(found)] or [senders.default]


def _sender(identity: Identity) -> Iterator[Finding]:
    domain, setting = identity.domain, identity.relays or settings().smtp_url
    here = stays_here(setting) or (not identity.relays and settings().mail_stays_here)
    if not domain or domain.endswith(RESERVED):
        hint = "Set one of your own: cairn workspace set sender_address …"
        severity: Severity = "warning" if domain and here else "error"
        yield Finding(
            severity, "sender", f"The sender {identity.address} is a placeholder, and nobody can answer it.", hint
        )
    elif here:
        yield from _unsigned(identity)
        message = f"DNS is not asked about {domain}, as its mail goes to a server on this machine."
        yield Finding("note", "dns", message, "See cairn identities check.")
    else:
        yield from _judged(identity)


def _unsigned(identity: Identity) -> Iterator[Finding]:
    if identity.dkim is None:
        hint = "If your mail server signs with DKIM, go on; else see docs/operations.md."
        yield Finding("warning", "dkim", f"Cairn does not sign mail from {identity.domain}.", hint)
    elif not related(identity.dkim.domain, identity.domain):
        message = f"Mail from {identity.domain} is signed by {identity.dkim.domain}, which proves nothing to receivers."
        yield Finding("error", "dkim", message, "Send from an address of the domain that signs.")


def _judged(identity: Identity) -> Iterator[Finding]:
    """What is against it stops the campaign, unless somebody has said that it may send unverified."""
    own, when = settings(), int(time.monotonic() / KEPT_SECONDS)
    found = _checked(identity, own.dns_server, own.bounce_domain, own.site_url, own.smtp_url or "", when)
    for one in found:
        if one.state == "unknown":
            yield Finding("warning", one.kind, one.message, one.hint)
        elif not one.stands:
            severity: Severity = "warning" if identity.unverified else "error"
            override = "" if identity.unverified else f" Or let it send unverified: {_override(identity)}."
            yield Finding(severity, one.kind, one.message, one.hint + override)
    if all(one.state == "verified" for one in found):
        yield Finding("note", "verified", f"{identity.address} is verified: DNS says what receivers want to know.")


def _override(identity: Identity) -> str:
    if identity.slug == OWN:
        return "cairn workspace set send_unverified true"
    return f"cairn identities add {identity.slug} {identity.address} … --unverified"


@functools.lru_cache(maxsize=64)
def _checked(
    identity: Identity, server: str | None, bounces: str | None, site: str, relays: str, _: int
) -> tuple[Check, ...]:
    """Kept for half a minute, as a page, its check and the start ask one after the other."""
    return tuple(check(identity, Dns(server), return_path(bounces), site, relays))
