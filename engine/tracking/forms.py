"""Sign-up forms: what they ask for, and what a submission does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.contacts import lists, topics
from engine.contacts.consent import CHANNEL_WIDE, change_of, record_consent, suppressed
from engine.contacts.identify import identify, set_attributes
from engine.contacts.normal import email as email_address
from engine.contacts.normal import phone as phone_number
from engine.contacts.numbers import contact_of
from engine.contacts.profile import Profile
from engine.errors import InvalidInput, NotFound
from engine.model import Form, Topic, Wording
from engine.tracking.confirmation import Request, ask

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
RESERVED = frozenset({"email", "agree", "wording", "website", "id", "external_id", "phone", "created_at", "language"})
LONGEST = 500
MOST_FIELDS = 20
REFUSED = text("""
select from consent_states where contact_id = :id and channel = :channel and state = 'unsubscribed'
    and topic = any(:topics) limit 1""")
KNOWN = text("select attributes from contacts where lower(email) = lower(:email) and erased_at is null")
ATTRIBUTES = text("select attributes from contacts where id = :id")
CHANNELS = ("email", "sms")


@dataclass(frozen=True, slots=True)
class Field:
    """A question besides the address: the attribute that takes the answer, and what people read."""

    name: str
    label: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody sent, as text. `wording` is the version that they saw, `agreed` that they ticked its box.

    `address` is what the form's channel asks for: an email address or a telephone number.
    """

    address: str
    answers: Mapping[str, str]
    agreed: bool
    wording: str = ""
    ip: str | None = None
    user_agent: str | None = None
    languages: tuple[str | None, ...] = ()


class Refused(InvalidInput):
    """What the person has to put right; `where` names the field."""


def find(session: Session, slug: str) -> Form:
    """A form that is in use. Raises NotFound."""
    found = session.get(Form, slug) if SLUG.fullmatch(slug) else None
    if found is None or found.archived_at is not None:
        raise NotFound("form", slug, "`cairn forms list` lists those that there are.")
    return found


def listed(session: Session) -> Sequence[Form]:
    """Every form, archived ones last."""
    return session.scalars(select(Form).order_by(Form.archived_at.is_not(None), Form.slug)).all()


def fields_of(form: Form) -> list[Field]:
    """Its questions in order."""
    return [Field(**field) for field in form.fields]


def save(session: Session, form: Form, fields: Sequence[Field]) -> None:
    """Store a form, new or changed. Raises InvalidInput or NotFound for what it cannot be."""
    if not SLUG.fullmatch(form.slug) or not form.title.strip():
        raise InvalidInput("a form needs a slug of a-z, 0-9 and - and a title", form.slug)
    form.channel = form.channel or "email"
    if form.channel not in CHANNELS:
        raise InvalidInput("is no channel of a form", form.channel, "There are email and sms.")
    for slug in form.topics:
        topics.find(session, slug)
    if form.wording:
        topics.wording(session, form.wording)
    for field in fields:
        if not ATTRIBUTE.fullmatch(field.name) or field.name in RESERVED:
            raise InvalidInput("cannot be a field", field.name, "Use letters, digits and _; names of Cairn are taken.")
    if len(fields) > MOST_FIELDS:
        raise InvalidInput(f"has more than {MOST_FIELDS} fields", form.slug, "Ask for less; people leave long forms.")
    for origin in form.origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            raise InvalidInput("is no origin", origin, "As in https://www.example.com, without a path.")
    form.fields = [dataclasses.asdict(field) for field in fields]
    for slug in form.lists:
        lists.create(session, slug)
    session.add(form)
    session.flush()


def wording_of(session: Session, form: Form) -> Wording | None:
    """What people agree to now."""
    return topics.wording(session, form.wording) if form.wording else None


def submit(session: Session, form: Form, sent: Submission, now: dt.datetime) -> bool:
    """Do what the form is for; whether a message asks for a confirmation. Raises Refused.

    Anybody may type anybody's address, so a contact who is known already only gets answers that were missing, and with
    double opt-in, and for who has unsubscribed, lists and consent wait for the confirmation.
    """
    address = _number(sent.address) if form.channel == "sms" else _address(sent.address)
    seen = _seen(session, form, sent)
    answers = _answers(form, sent)
    named = _by_number if form.channel == "sms" else _by_address
    contact_id = named(session, address, answers, now)
    if _is_double(session, form) or _has_refused(session, form, contact_id, address):
        _ask(session, form, contact_id, sent, seen, now)
        return True
    changes = [
        change_of(contact_id, form.channel, "subscribed", _source(form), topic, basis="consent", wording=seen)
        for topic in form.topics or (CHANNEL_WIDE,)
    ]
    said = [dataclasses.replace(change, ip=sent.ip, user_agent=sent.user_agent) for change in changes]
    record_consent(session, said, now)
    lists.put_on(session, form.lists, [contact_id], now)
    return False


def _by_address(session: Session, address: str, answers: Mapping[str, str], now: dt.datetime) -> int:
    known = session.execute(KNOWN, {"email": address}).scalars().first()
    return identify(session, [Profile(email=address, attributes=_missing(answers, known or {}))], now)[0]


def _by_number(session: Session, number: str, answers: Mapping[str, str], now: dt.datetime) -> int:
    contact_id = contact_of(session, Profile(phone=number), now)
    known = session.execute(ATTRIBUTES, {"id": contact_id}).scalar_one()
    if fresh := _missing(answers, known):
        set_attributes(session, {contact_id: fresh}, now)
    return contact_id


def _missing(answers: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in answers.items() if known.get(name) is None}


def _source(form: Form) -> str:
    return f"form {form.slug}"


def _has_refused(session: Session, form: Form, contact_id: int, address: str) -> bool:
    """Whether the contact has left what the form subscribes to, or somebody erased had: nobody else may undo that."""
    asked = {"id": contact_id, "channel": form.channel, "topics": [CHANNEL_WIDE, *form.topics]}
    left = session.execute(REFUSED, asked).first() is not None
    return left or bool(suppressed(session, form.channel, [address]))


def _is_double(session: Session, form: Form) -> bool:
    wanting = select(Topic.slug).where(Topic.slug.in_(form.topics), Topic.double_opt_in)
    return form.double_opt_in or session.execute(wanting.limit(1)).first() is not None


def _ask(
    session: Session, form: Form, contact_id: int, sent: Submission, seen: Wording | None, now: dt.datetime
) -> None:
    request = Request(
        contact_id, tuple(form.topics), _source(form), tuple(form.lists),
        f"{seen.slug}@{seen.version}" if seen else None, seen.hash if seen else None, sent.ip, sent.user_agent,
        sent.languages, form.channel,
    )  # fmt: skip
    ask(session, [request], now)


def _address(given: str) -> str:
    try:
        return email_address(given)
    except InvalidInput as error:
        raise Refused("This is no email address.", "email") from error


def _number(given: str) -> str:
    try:
        return phone_number(given)
    except InvalidInput as error:
        raise Refused("Please write the number with its country code, like +14155552671.", "phone") from error


def _seen(session: Session, form: Form, sent: Submission) -> Wording | None:
    """The version that the person saw: what is stored is what was shown, even if a newer one came up meanwhile."""
    if not form.wording:
        return None
    if not sent.agreed:
        raise Refused("Please agree first.", "agree")
    try:
        seen = topics.wording(session, sent.wording or form.wording)
    except NotFound:
        seen = topics.wording(session, form.wording)
    return seen if seen.slug == form.wording else topics.wording(session, form.wording)


def _answers(form: Form, sent: Submission) -> dict[str, str]:
    found = {}
    for field in fields_of(form):
        value = sent.answers.get(field.name, "").replace("\0", "").strip()[:LONGEST]
        if field.required and not value:
            raise Refused("Please fill in this field.", field.name)
        if value:
            found[field.name] = value
    return found
