"""What the messages are like: each variant is rendered, by the code that sends, for a sample of the audience."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition
from engine.campaigns.preflight import links, variables
from engine.campaigns.preflight.findings import Finding
from engine.content.compile import html_warning
from engine.content.store import load_renderer
from engine.content.variants import Variants
from engine.content.visible import shown
from engine.errors import CairnError
from engine.messages import blocks
from engine.messages.compose import context, plain_site
from engine.messages.handed import Candidate
from engine.rendering import bodies
from engine.rendering import email as emails
from engine.rendering.envelope import Envelope
from engine.signing import Signer
from engine.workspace import Workspace

VERSIONS = text("""
select c.slug, v.id, v.compiled, c.current_version_id, c.variants from contents c
join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
where c.slug = any(:slugs) order by c.slug, v.id
""")
NOBODY = "somebody@unknown.invalid"
UNSUBSCRIBE = "https://unsubscribe.invalid/u"
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
    return dict(contact["attributes"]) | {
        name: contact[name] for name in variables.COLUMNS if contact[name] is not None
    }


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
    session: Session, definition: Definition, known: Workspace, seen: Sequence[Seen], site: str, now: dt.datetime
) -> Iterator[Finding]:
    """About the contents."""
    yield from _broken(seen)
    whole = [one for one in seen if not one.error]
    if definition.channel == "email":
        yield from _legal(whole, known)
        yield from _size(whole)
    yield from _links(session, definition, whole, known, site)
    yield from variables.findings(session, definition, now)


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
    place = " ".join(known.postal_address.split())
    for content in sorted({one.content for one in seen}):
        own = [one for one in seen if one.content == content]
        pages = [(shown(one.html), " ".join(one.text.split())) for one in own]
        if any(UNSUBSCRIBE not in page.links or UNSUBSCRIBE not in plain for page, plain in pages):
            hidden = any(UNSUBSCRIBE in page.addresses - page.links for page, _ in pages)
            what = "an unsubscribe link that nobody can see" if hidden else "no unsubscribe link for everybody"
            hint = "Write {{ unsubscribe_url }} outside of conditions, or leave it out and Cairn adds a footer."
            yield Finding("error", "unsubscribe", f"“{content}” has {what}.", hint)
        if place and any(place not in page.words or place not in plain for page, plain in pages):
            hint = "Write {{ postal_address }} in it, where it can be read."
            yield Finding("error", "postal", f"“{content}” does not show the postal address.", hint)


def _size(seen: Sequence[Seen]) -> Iterator[Finding]:
    for content, size in sorted({one.content: one.size for one in sorted(seen, key=lambda s: s.size)}.items()):
        if size > html_warning:
            message = f"“{content}” has {size / 1000:.0f} kB of HTML; Gmail cuts mail off at 102 kB."
            yield Finding("warning", "size", message, "Make it shorter: the unsubscribe link would be cut off too.")


def _links(
    session: Session, definition: Definition, seen: Sequence[Seen], known: Workspace, site: str
) -> Iterator[Finding]:
    addresses = {each for one in seen for each in shown(one.html).addresses if one.html}
    addresses |= {each.rstrip(".,;:!?") for one in seen for each in links.HERE.findall(one.text)}
    ours = frozenset(each for each in addresses if each == UNSUBSCRIBE or each.startswith(site.rstrip("/") + "/"))
    slugs = sorted({one.content for one in definition.variants})
    written = [link for row in session.execute(VERSIONS, {"slugs": slugs}) for link in row.compiled.get("links", ())]
    own = known.sender_address.rpartition("@")[2].lower() if definition.channel == "email" else ""
    yield from links.findings(addresses, written, own, definition.channel, ours)
