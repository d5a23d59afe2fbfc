"""Sign-up forms: what they ask for, and what a submission does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from engine.tracking import form_fields
from engine.tracking.confirmation import Request, ask
from engine.tracking.form_fields import Field, Refused
from engine.tracking.signups import Limited

PAGE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+([/?#][^\s\"'<>\\]{0,2000})?")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
REFUSED = text("""
select from consent_states where contact_id = :id and channel = :channel and state = 'unsubscribed'
    and topic = any(:topics) limit 1""")
KNOWN = text("select attributes, phone from contacts where lower(email) = lower(:email) and erased_at is null")
HOLDER = text("select from contacts where phone = :phone and erased_at is null limit 1")
ATTRIBUTES = text("select attributes from contacts where id = :id")
CHANNELS = ("email", "sms", "both")


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody sent, as text. `wording` is the version that they saw, `agreed` that they ticked its box.

    `addresses` are what was typed as `email` and as `phone`; `topics` what was chosen, where the form lets choose.
    """

    addresses: Mapping[str, str]
    answers: Mapping[str, str]
    agreed: bool
    wording: str = ""
    topics: Sequence[str] = ()
    ip: str | None = None
    user_agent: str | None = None
    languages: tuple[str | None, ...] = ()


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
    check(session, form, fields)
    for slug in form.lists:
        lists.create(session, slug)
    session.add(form)
    session.flush()


def check(session: Session, form: Form, fields: Sequence[Field]) -> None:
    """Give the form its fields, without storing it. Raises InvalidInput or NotFound for what it cannot be."""
    if not SLUG.fullmatch(form.slug) or not form.title.strip():
        raise InvalidInput("a form needs a slug of a-z, 0-9 and - and a title", form.slug)
    form.channel = form.channel or "email"
    if form.channel not in CHANNELS:
        raise InvalidInput("is no channel of a form", form.channel, f"There are {', '.join(CHANNELS)}.")
    for slug in form.topics:
        topics.find(session, slug)
    if form.wording:
        topics.wording(session, form.wording)
    form_fields.check(fields, form.slug)
    form.choose_topics = bool(form.choose_topics)
    if form.choose_topics and not form.topics:
        raise InvalidInput("lets people choose among no topics", form.slug, "Name its topics, or let nobody choose.")
    form.redirect = form.redirect or ""
    if form.redirect and not PAGE.fullmatch(form.redirect):
        raise InvalidInput("is no address of a page", form.redirect, "As in https://www.example.com/thanks.")
    for origin in form.origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            raise InvalidInput("is no origin", origin, "As in https://www.example.com, without a path.")
    form.fields = [dataclasses.asdict(field) for field in fields]


def wording_of(session: Session, form: Form) -> Wording | None:
    """What people agree to now."""
    return topics.wording(session, form.wording) if form.wording else None


def is_double(session: Session, form: Form) -> bool:
    """Whether a message asks whoever signs up for a confirmation: the form says so, or one of its topics."""
    wanting = select(Topic.slug).where(Topic.slug.in_(form.topics), Topic.double_opt_in)
    return form.double_opt_in or session.execute(wanting.limit(1)).first() is not None


def submit(session: Session, form: Form, sent: Submission, now: dt.datetime) -> None:
    """Do what the form is for. Raises Refused, and Limited where no text may go.

    Anybody may type anybody's address, so a contact who is known already only gets answers that were missing, and with
    double opt-in, and for who has unsubscribed, lists and consent wait for the confirmation. Each address is asked by
    itself. Nothing that is returned or raised tells what is known of an address.
    """
    email = _address(sent.addresses.get("email", "")) if form.channel != "sms" else ""
    typed = sent.addresses.get("phone", "").strip()
    number = _number(typed) if form.channel == "sms" or (form.channel == "both" and typed) else ""
    seen, answers = _seen(session, form, sent), form_fields.answers(fields_of(form), sent.answers)
    topics_ = _topics(form, sent)
    double = is_double(session, form)
    for channel, contact_id in _contacts(session, email, number, answers, now).items():
        one = _One(channel, email if channel == "email" else number, contact_id, topics_, seen)
        if double:
            _ask(session, form, one, sent, now)
        elif _has_refused(session, one):
            with suppress(Limited):  # what is raised here would tell that somebody has refused
                _ask(session, form, one, sent, now)
        else:
            _subscribe(session, form, one, sent, now)


@dataclass(frozen=True, slots=True)
class _One:
    """A contact who subscribes to topics (none: all) of a channel, and the wording that they saw."""

    channel: str
    address: str
    contact_id: int
    topics: tuple[str, ...]
    seen: Wording | None


def _contacts(
    session: Session, email: str, number: str, answers: Mapping[str, Any], now: dt.datetime
) -> dict[str, int]:
    """The contact of each channel. A number joins an address only in a contact whom this form makes: else whoever types
    somebody's address and a number of their own would get what is written to that person."""
    if not email:
        return {"sms": _by_number(session, number, answers, now)}
    known = session.execute(KNOWN, {"email": email}).first()
    joins = bool(number) and (known.phone == number if known else not _is_taken(session, number))
    fresh = _missing(answers, known.attributes if known else {})
    by_email = identify(session, [Profile(email=email, phone=number if joins else None, attributes=fresh)], now)[0]
    if not number:
        return {"email": by_email}
    return {"email": by_email, "sms": by_email if joins else contact_of(session, Profile(phone=number), now)}


def _is_taken(session: Session, number: str) -> bool:
    return session.execute(HOLDER, {"phone": number}).first() is not None


def _by_number(session: Session, number: str, answers: Mapping[str, Any], now: dt.datetime) -> int:
    contact_id = contact_of(session, Profile(phone=number), now)
    known = session.execute(ATTRIBUTES, {"id": contact_id}).scalar_one()
    if fresh := _missing(answers, known):
        set_attributes(session, {contact_id: fresh}, now)
    return contact_id


def _missing(answers: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if known.get(name) is None}


def _topics(form: Form, sent: Submission) -> tuple[str, ...]:
    """Those of the form; where people choose, what they chose of them."""
    if not form.choose_topics:
        return tuple(form.topics)
    chosen = tuple(slug for slug in form.topics if slug in sent.topics)
    if not chosen:
        raise Refused("Please choose at least one topic.", "topics")
    return chosen


def _source(form: Form) -> str:
    return f"form {form.slug}"


def _has_refused(session: Session, one: _One) -> bool:
    """Whether the contact has left what is subscribed to, or somebody erased had: nobody else may undo that."""
    asked = {"id": one.contact_id, "channel": one.channel, "topics": [CHANNEL_WIDE, *one.topics]}
    left = session.execute(REFUSED, asked).first() is not None
    return left or bool(suppressed(session, one.channel, [one.address]))


def _subscribe(session: Session, form: Form, one: _One, sent: Submission, now: dt.datetime) -> None:
    changes = [
        change_of(one.contact_id, one.channel, "subscribed", _source(form), topic, basis="consent", wording=one.seen)
        for topic in one.topics or (CHANNEL_WIDE,)
    ]
    said = [dataclasses.replace(change, ip=sent.ip, user_agent=sent.user_agent) for change in changes]
    record_consent(session, said, now)
    lists.put_on(session, form.lists, [one.contact_id], now)


def _ask(session: Session, form: Form, one: _One, sent: Submission, now: dt.datetime) -> None:
    seen = one.seen
    request = Request(
        one.contact_id, one.topics, _source(form), tuple(form.lists),
        f"{seen.slug}@{seen.version}" if seen else None, seen.hash if seen else None, sent.ip, sent.user_agent,
        sent.languages, one.channel,
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
