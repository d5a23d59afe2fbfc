"""Who the mail comes from: large mailbox providers refuse senders that do not prove themselves."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding, Severity
from engine.settings import settings
from engine.workspace import Workspace

SENDERS = text("""
select distinct lower(v.compiled #>> '{from,address}') from contents c
join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number where c.slug = any(:slugs)
""")
RESERVED = (".example", ".test", ".invalid", ".localhost", "example.com", "example.org", "example.net")
LOCAL = ("127.0.0.1", "localhost", "::1", "")


def findings(session: Session, definition: Definition, known: Workspace, site: str) -> Iterator[Finding]:
    """About sender, postal address and the address of links; text messages need none of it."""
    if (urlsplit(site).hostname or "") in LOCAL:
        hint = "Set CAIRN_PUBLIC_URL to the address under which this site is reached."
        yield Finding(
            "warning", "links", f"Links in the messages lead to {site}, which only this machine reaches.", hint
        )
    if definition.channel != "email":
        return
    if not known.postal_address.strip():
        hint = 'Set it: cairn workspace set postal_address "…"'
        yield Finding("error", "postal", "There is no postal address, which laws on marketing email ask for.", hint)
    slugs = [one.content for one in definition.variants]
    own = known.sender_address.lower()
    for address in sorted({one or own for one in session.execute(SENDERS, {"slugs": slugs}).scalars()} or {own}):
        yield from _sender(address)


def _sender(address: str) -> Iterator[Finding]:
    domain, own = address.rpartition("@")[2], settings()
    if not domain or domain.endswith(RESERVED):
        hint = "Set one of your own: cairn workspace set sender_address …"
        severity: Severity = "warning" if domain and own.mail_stays_here else "error"
        yield Finding(severity, "sender", f"The sender {address} is a placeholder, and nobody can answer it.", hint)
        return
    signed = (own.dkim_domain or "").lower()
    if not signed or not own.dkim_keys:
        hint = (
            "If your mail server signs with DKIM, and SPF and DMARC are published, go on; else see docs/operations.md."
        )
        yield Finding(
            "warning", "dkim", f"Cairn does not sign mail from {domain}; not checked whether anybody does.", hint
        )
    elif domain != signed and not domain.endswith("." + signed) and not signed.endswith("." + domain):
        hint = "Send from an address of the domain that signs."
        yield Finding(
            "error", "dkim", f"Mail from {domain} is signed by {signed}, which proves nothing to receivers.", hint
        )
