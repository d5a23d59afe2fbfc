"""What the messages are like: each variant is rendered, by the code that sends, for a sample of the audience."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.campaigns import audience
from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding
from engine.content.compile import html_warning
from engine.content.store import load_renderer
from engine.content.variants import Variants
from engine.errors import CairnError
from engine.messages import blocks
from engine.messages.compose import context, plain_site
from engine.messages.handed import Candidate
from engine.model import Contact
from engine.rendering import bodies
from engine.rendering import email as emails
from engine.rendering.envelope import Envelope
from engine.segments import planning
from engine.segments.planning import planned
from engine.signing import Signer
from engine.workspace import Workspace

VERSIONS = text("""
select c.slug, v.id, v.compiled, c.current_version_id, c.variants from contents c
join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
where c.slug = any(:slugs) order by c.slug, v.id
""")
COLUMNS = ("email", "phone", "external_id", "timezone", "locale")
OURS = frozenset({"unsubscribe_url", "preferences_url", "view_url", "postal_address", "workspace", "contact", "now"})
NOBODY = "somebody@unknown.invalid"
UNSUBSCRIBE = "https://unsubscribe.invalid/u"
LINK = re.compile(r"""(?:href|src)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
HERE = re.compile(r"https?://[^\s<>\"')]+")
MOST_SAMPLES = 5


class Seen(NamedTuple):
    """A message as a contact of the sample would get it, or the reason why not."""

    content: str
    contact: str
    error: str = ""
    html: str = ""
    text: str = ""
    size: int = 0
    parts: int = 0
    missing: tuple[str, ...] = ()


def rendered(
    session: Session,
    definition: Definition,
    known: Workspace,
    signer: Signer,  # noqa: ARG001 - addresses of a preview carry no token
    site: str,
    sample: Sequence[Any],
    now: dt.datetime,
) -> list[Seen]:
    """Each variant for each contact of the sample, in their language."""
    slugs = sorted({one.content for one in definition.variants})
    found = []
    for slug, version_id, _, default, languages in session.execute(VERSIONS, {"slugs": slugs}).all():
        renderer, spoken = load_renderer(session, version_id), Variants(languages or {}, default)
        own = [contact for contact in sample if spoken.of(_values(contact)) == version_id]
        chosen = own or sample[:1]  # a language that nobody of the sample speaks is looked at all the same
        messages = [_message(contact, version_id, now) for contact in chosen]
        told = blocks.decide(session, messages, {version_id: renderer}, now)[version_id]
        for contact, message in zip(chosen, messages, strict=True):
            found.append(_seen(slug, told, contact, message, known, site, now))
    return found


def _values(contact: Any) -> dict[str, Any]:
    return dict(contact["attributes"]) | {name: contact[name] for name in COLUMNS if contact[name] is not None}


def _message(contact: Any, version_id: int, now: dt.datetime) -> Candidate:
    """What the code that sends would hold of a message to this contact."""
    values, id_ = _values(contact), contact["id"]
    found = Candidate(0, now, None, None, "", "", 1, now, id_, None, None, None, 0, 0, None, "", None, None, values)
    found.content_version_id = version_id
    return found


def _seen(
    slug: str, renderer: Any, contact: Any, message: Candidate, known: Workspace, site: str, now: dt.datetime
) -> Seen:
    who, values = contact["public_id"], message.contact
    names = context(message, known)
    if isinstance(renderer, str):
        return Seen(slug, who, renderer)
    try:
        if isinstance(renderer, emails.Renderer):
            mail = renderer.render(names, _envelope(values.get("email") or NOBODY, known, site, now))
            read = bodies.read(mail.data)
            html, plain = bodies.body(read, "html"), bodies.body(read, "plain")
            return Seen(slug, who, "", html, plain, len(html.encode()), 0, tuple(mail.missing))
        sms = renderer.render(names, {"unsubscribe_url": UNSUBSCRIBE})
        return Seen(slug, who, "", "", sms.text, 0, sms.parts, tuple(sms.missing))
    except CairnError as error:
        return Seen(slug, who, str(error))


def _envelope(address: str, known: Workspace, site: str, now: dt.datetime) -> Envelope:
    return Envelope(
        token="preflight",
        from_address=known.sender_address,
        from_name=known.sender_name,
        to_address=address,
        date=now,
        message_domain="preflight.invalid",
        unsubscribe_url=UNSUBSCRIBE,
        plain_urls=plain_site(site),
        postal_address=known.postal_address,
    )


def findings(
    session: Session, definition: Definition, known: Workspace, seen: Sequence[Seen], now: dt.datetime
) -> Iterator[Finding]:
    """About the contents."""
    yield from _broken(seen)
    whole = [one for one in seen if not one.error]
    if definition.channel == "email":
        yield from _legal(whole, known)
        yield from _size(whole)
        yield from _links(whole, known)
    yield from _missing(session, definition, now)


def _broken(seen: Sequence[Seen]) -> Iterator[Finding]:
    for content in sorted({one.content for one in seen}):
        tried = [one for one in seen if one.content == content]
        failed = [one for one in tried if one.error]
        if failed:
            [(reason, _)] = Counter(one.error for one in failed).most_common(1)
            message = f"“{content}” fails for {len(failed)} of {len(tried)} contacts tried: {reason}"
            who = tuple(one.contact for one in failed[:MOST_SAMPLES])
            yield Finding("error", "variable", message, "Give the variable a default in the content.", len(failed), who)


def _legal(seen: Sequence[Seen], known: Workspace) -> Iterator[Finding]:
    """Both parts name the way out, and the postal address is read by whoever reads either."""
    for content in sorted({one.content for one in seen}):
        own = [one for one in seen if one.content == content]
        if any(UNSUBSCRIBE not in part for one in own for part in (one.html, one.text)):
            hint = "Write {{ unsubscribe_url }} outside of conditions, or leave it out and Cairn adds a footer."
            yield Finding("error", "unsubscribe", f"“{content}” has no unsubscribe link for everybody.", hint)
        place = known.postal_address.strip()
        if place and any(not _holds(place, part) for one in own for part in (one.html, one.text)):
            yield Finding(
                "error", "postal", f"“{content}” does not show the postal address.", "Write {{ postal_address }} in it."
            )


def _holds(place: str, part: str) -> bool:
    import html

    return " ".join(place.split()) in " ".join(html.unescape(part).split())


def _size(seen: Sequence[Seen]) -> Iterator[Finding]:
    for content, size in sorted({one.content: one.size for one in sorted(seen, key=lambda s: s.size)}.items()):
        if size > html_warning:
            message = f"“{content}” has {size / 1000:.0f} kB of HTML; Gmail cuts mail off at 102 kB."
            yield Finding("warning", "size", message, "Make it shorter: the unsubscribe link would be cut off too.")


def _links(seen: Sequence[Seen], known: Workspace) -> Iterator[Finding]:
    own = known.sender_address.rpartition("@")[2].lower()
    plain, others = set(), set()
    for link in {link for one in seen for link in LINK.findall(one.html)}:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
        if parts.scheme == "http":
            plain.add(link)
        if (
            host
            and link != UNSUBSCRIBE
            and host != own
            and not host.endswith("." + own)
            and not own.endswith("." + host)
        ):
            others.add(host)
    if plain:
        message = f"{len(plain)} links or images are not encrypted (http), such as {min(plain)[:100]}."
        yield Finding("warning", "http", message, "Use https.")
    if others:
        message = f"Links lead to other hosts than {own}: {', '.join(sorted(others)[:8])}."
        yield Finding(
            "warning", "hosts", message, "Make sure that these are meant; filters judge mail by where it leads."
        )


def _missing(session: Session, definition: Definition, now: dt.datetime) -> Iterator[Finding]:
    """Attributes that contents read without a default, asked of the whole audience in one statement."""
    slugs = sorted({one.content for one in definition.variants})
    wanted = {
        name
        for row in session.execute(VERSIONS, {"slugs": slugs})
        for compiled in [row.compiled]
        for name in compiled["names"]
        if name not in OURS and not name.startswith("cairn_") and name not in compiled["defaults"]
    }
    contact: Any = Contact.__table__
    if "event" in wanted:
        hint = "A campaign has no event: take it out of the content."
        yield Finding("error", "variable", "A content reads `event`, which only journeys have.", hint)
    names = sorted(wanted - {"event"})
    if not names:
        return
    ids = audience.contacts(session, definition, now).subquery()
    values = [contact.c[name] if name in COLUMNS else contact.c.attributes.op("->>")(name) for name in names]
    absent = [func.coalesce(func.btrim(value), "") == "" for value in values]
    columns = [each for one in absent for each in (func.count().filter(one), func.min(contact.c.public_id).filter(one))]
    with planned(session, planning.ALL):
        row = session.execute(select(*columns).select_from(ids).join(contact, contact.c.id == ids.c.id)).one()
    for place, name in enumerate(names):
        count, who = row[2 * place], row[2 * place + 1]
        if count:
            message = f"`{name}` is not known of {count:,} contacts, and has no default."
            yield Finding("warning", "variable", message, f"Add defaults: {{{name}: …}} to the content.", count, (who,))
