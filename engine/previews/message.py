"""One content for one contact, or for sample values, by the code that sends; tracked by nothing and stored nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.content.store import Renderer, load_renderer
from engine.content.trial import sample_context
from engine.content.variants import chosen
from engine.errors import NotFound
from engine.feeds.choose import choose
from engine.identities import store as identities
from engine.identities.values import House, sending_as
from engine.messages import blocks
from engine.messages.compose import context, full_name, plain_site
from engine.messages.handed import Candidate
from engine.previews import sample
from engine.rendering import bodies
from engine.rendering import email as emails
from engine.rendering import sms as texts
from engine.rendering.envelope import Envelope, RenderedEmail, RenderedSms
from engine.rendering.errors import RenderError
from engine.rendering.room import Room, measure
from engine.rendering.when import name_of
from engine.signing import BRIEF_LENGTH
from engine.urls import BRIEF
from engine.workspace import Workspace

CONTENT = text("""
select c.slug, c.channel, v.id as version_id, v.number, v.source, v.compiled, v.warnings, v.created_at, v.language,
    c.variants
from contents c left join content_versions v
    on v.id = coalesce(cast(c.variants ->> :language as bigint), c.current_version_id)
where c.slug = :slug
""")
# What the contact's newest entry into a journey began with: contents read it as `event`.
CONTACT = text("""
select c.id, c.public_id, c.attributes, c.email, c.phone, c.external_id, c.timezone, c.locale,
    e.id as enrolment_id, e.trigger_event as event
from contacts c left join lateral (
    select id, trigger_event from enrolments where contact_id = c.id order by id desc limit 1) e on true
where c.id = :id and c.erased_at is null
""")
COLUMNS = ("email", "phone", "external_id", "timezone", "locale")
NOBODY = "alex@example.com"
UNSUBSCRIBE, PREFERENCES = "/u/preview", "/p/preview"


@dataclass(frozen=True)
class Content:
    """A content with its current version in one language; `compiled` is the artefact.

    `languages` are all that it has by their versions, none if it has one file only.
    """

    slug: str
    channel: str
    version_id: int
    number: int
    source: str
    compiled: Mapping[str, Any]
    warnings: tuple[Mapping[str, Any], ...]
    saved_at: dt.datetime
    language: str = ""
    languages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """For whom a preview is: `names` are what templates read. `sample` says that the values are made up.

    `blocks` are the verdicts of the content's rules, as `engine.messages.blocks` gives them.
    """

    names: Mapping[str, Any]
    event: Mapping[str, Any] = field(default_factory=dict)
    sample: bool = False
    id: int = 0
    enrolment_id: int | None = None
    blocks: dict[str, Any] | None = None


@dataclass(frozen=True)
class Preview:
    """A message as it would go out. `error` says why there is none. `size` is that of the HTML in bytes.

    `headers` are in order; `parts` are those of a text message, `room` what they hold and `price` what they cost;
    `raw` are the bytes of the email. `rules` are those of the content's blocks, each with its verdict.
    """

    error: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    size: int = 0
    parts: int = 0
    room: Room | None = None
    price: Decimal = Decimal()
    raw: bytes = b""
    rules: tuple[tuple[str, bool], ...] = ()


def find(session: Session, slug: str, language: str = "") -> Content:
    """The content of this name, in a language or in its default one.

    Raises NotFound, also for a content that has no saved version, and for a language that it does not have.
    """
    row = session.execute(CONTENT, {"slug": slug.replace("\0", ""), "language": language.replace("\0", "")}).first()
    if row is None:
        raise NotFound("content", slug, "`cairn content list` names them all.")
    if row.version_id is None:
        raise NotFound("saved version of", slug, "Publish it with `cairn content publish FILE`.")
    if language and language != row.language:
        raise NotFound(f"variant of {slug}", language, f"It has {', '.join(row.variants or ()) or 'one language'}.")
    return Content(
        row.slug,
        row.channel,
        row.version_id,
        row.number,
        row.source,
        row.compiled,
        tuple(row.warnings),
        row.created_at,
        row.language,
        row.variants or {},
    )


def spoken(session: Session, content: Content, who: Person) -> Content:
    """The content in the language that `who` gets."""
    if who.sample or not content.languages:
        return content
    return find(session, content.slug, chosen(who.names, content.languages, content.version_id))


def contact(session: Session, contact_id: int) -> Person:
    """A contact as messages know it. Raises NotFound."""
    row = session.execute(CONTACT, {"id": contact_id}).mappings().first()
    if row is None:
        raise NotFound("contact", str(contact_id))
    names = dict(row["attributes"]) | {name: row[name] for name in COLUMNS if row[name] is not None}
    return Person(names, row["event"] or {}, id=contact_id, enrolment_id=row["enrolment_id"])


def nobody(content: Content) -> Person:
    """Sample values for all that a content reads."""
    return _sample(sample.context(content.compiled["variables"]))


def _sample(found: dict[str, Any]) -> Person:
    own = found.pop("contact", {})
    event = found.pop("event", {})
    found.pop("workspace", None)
    names = found | (own if isinstance(own, dict) else {})
    return Person(names, event if isinstance(event, dict) else {}, sample=True)


def render(
    session: Session,
    content: Content,
    who: Person,
    known: Workspace,
    site: str,
    now: dt.datetime,
    renderer: Renderer | None = None,
) -> Preview:
    """What `who` would get now; what a template does wrong is the preview's `error`.

    `renderer` is given for a text that is not saved.
    """
    renderer = renderer or load_renderer(session, content.version_id)
    senders = identities.load(session, known, House(site))
    known = sending_as(known, senders.by_slug.get(content.compiled.get("identity") or "", senders.default))
    try:
        who = decided(session, content.version_id, renderer, who, now)
        return made(renderer, who, known, site, now)
    except RenderError as error:
        if not who.sample:
            return Preview(error=error.message)
    try:  # a variable that is counted with needs numbers, whatever its name
        counting = replace(_sample(sample_context(content.compiled["variables"])), blocks=who.blocks)
        return made(renderer, counting, known, site, now)
    except RenderError as error:
        return Preview(error=error.message)


def decided(session: Session, version_id: int, renderer: Renderer, who: Person, now: dt.datetime) -> Person:
    """The person with what the rules of this content say of them; sample values get every block. Raises RenderError."""
    if who.sample:
        return replace(who, blocks=_every_block(session, renderer, now))
    message = candidate(who, now)
    message.content_version_id = version_id
    found = blocks.decide(session, [message], {version_id: renderer}, now)[version_id]
    if isinstance(found, str):
        raise RenderError(found)
    return replace(who, blocks=message.blocks)


def _every_block(session: Session, renderer: Renderer, now: dt.datetime) -> dict[str, Any]:
    shown = choose(session, dict.fromkeys(renderer.products, (0,)), now, sample=True) if renderer.products else {}
    products = {name_of(n, "products"): shown[one][0] for n, one in enumerate(renderer.products, 1)}
    return {name_of(number): True for number, _ in enumerate(renderer.rules, 1)} | products


def made(renderer: Renderer, who: Person, known: Workspace, site: str, now: dt.datetime) -> Preview:
    """The message, taken apart. Raises RenderError."""
    names = context(candidate(who, now), known)
    rules = tuple((rule, name_of(n) in (who.blocks or ())) for n, rule in enumerate(renderer.rules, 1))
    if isinstance(renderer, emails.Renderer):
        return replace(of_email(renderer.render(names, envelope(who, known, site, now))), rules=rules)
    links = {"unsubscribe_url": site + UNSUBSCRIBE, "preferences_url": site + PREFERENCES}
    each = known.price("sms", str(who.names.get("phone") or ""))
    links |= {texts.placed(position): f"{site}{BRIEF}{'x' * BRIEF_LENGTH}" for position in renderer.tracked}
    return replace(of_sms(renderer.render(names, links), each), rules=rules)


def marked(renderer: emails.Renderer, mark: str) -> emails.Renderer:
    """The renderer with `mark` before each subject."""
    own = renderer.subject
    return replace(renderer, subject=lambda values: f"{mark} {own(values)}")


def candidate(who: Person, now: dt.datetime) -> Candidate:
    """What the code that sends would hold of a message to this person."""
    names = dict(who.names)
    found = Candidate(
        0, now, None, None, "", "", 1, now, who.id, None, None, None, None, 0, None, "", None, None, names
    )
    found.enrolment_id, found.event, found.blocks = who.enrolment_id, who.event, who.blocks
    return found


def envelope(who: Person, known: Workspace, site: str, now: dt.datetime, to: str = "") -> Envelope:
    """As the sender's, without what tracks; its addresses belong to no message. `to` gets it in place of `who`."""
    return Envelope(
        token="preview",
        from_address=known.sender_address,
        from_name=known.sender_name,
        to_address=to or str(who.names.get("email") or NOBODY),
        to_name="" if to else full_name(who.names),
        date=now,
        message_domain=known.sender_address.rpartition("@")[2] or "localhost",
        unsubscribe_url=site + UNSUBSCRIBE,
        preferences_url=site + PREFERENCES,
        plain_urls=plain_site(site),
        postal_address=known.postal_address,
    )


def of_email(mail: RenderedEmail) -> Preview:
    """An email taken apart."""
    message = bodies.read(mail.data)
    html = bodies.body(message, "html")
    headers = tuple((name, " ".join(str(value).split())) for name, value in message.items())
    return Preview(
        subject=mail.subject,
        html=html,
        text=bodies.body(message, "plain"),
        headers=headers,
        missing=mail.missing,
        size=len(html.encode()),
        raw=mail.data,
    )


def of_sms(sms: RenderedSms, price: Decimal) -> Preview:
    """A text message; `price` is that of a part."""
    room, size = measure(sms.text), len(sms.text.encode())
    return Preview(text=sms.text, missing=sms.missing, parts=sms.parts, room=room, price=price * sms.parts, size=size)
