"""Double opt-in: a subscription holds once its owner has confirmed it by the link in a message, or by texting back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions, translation
from engine.contacts import lists
from engine.contacts.consent import CHANNEL_WIDE, ConsentChange, lift, record_consent
from engine.content import store
from engine.signing import Signer
from engine.tracking import signups
from engine.tracking.links import MessageKey

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "system" / "confirm.mjml"
SLUG = "confirm-subscription-"
TEXT_SLUG = "confirm-text-"
VALID_DAYS = 7
MOST_A_DAY = 3
"""Messages to one contact: nobody can have a stranger flooded."""

PEOPLE = text("""
select c.id, c.phone, c.locale, c.attributes ->> 'language' as language,
    (select count(*) from consent_requests r where r.contact_id = c.id and r.requested_at > :since) as asked
from contacts c where c.id = any(:ids) and case :channel when 'sms' then c.phone else c.email end is not null
    and c.erased_at is null order by c.id for update""")
CONTENT = text("select id from contents where slug = :slug")
QUEUE = text("""
insert into messages (origin_at, contact_id, content_id, channel, transactional, queued_at, send_after, expires_at)
select :now, contact_id, content_id, :channel, true, :now, :now, :until
from unnest(cast(:contacts as bigint[]), cast(:contents as bigint[])) as asked(contact_id, content_id)
order by contact_id returning id, contact_id""")
STORE = text("""
insert into consent_requests (message_id, contact_id, channel, topics, lists, source, wording, wording_hash, ip,
    user_agent, requested_at, expires_at)
values (:message_id, :contact_id, :channel, :topics, :lists, :source, :wording, :wording_hash, :ip, :user_agent, :now,
    :until)
""")
READ = text("""
select r.*, case r.channel when 'sms' then c.phone else c.email end as address, c.locale,
    c.attributes ->> 'language' as language, w.text as words,
    array(select t.name from topics t where t.slug = any(r.topics) order by t.position, t.name) as names,
    coalesce((select s.state from consent_states s
        where s.contact_id = r.contact_id and s.channel = r.channel and s.topic = ''), '') as channel_state
from consent_requests r join contacts c on c.id = r.contact_id and c.erased_at is null
left join wordings w on w.slug || '@' || w.version = r.wording
where r.message_id = any(:ids)""")
SILENT = text("""
select c.id, t.slug from unnest(cast(:ids as bigint[])) as c(id) cross join topics t
where t.default_state = 'subscribed' and not exists (select from consent_states s
    where s.contact_id = c.id and s.channel = 'email' and s.topic = t.slug)""")
OPEN = text("""
select message_id, requested_at from consent_requests where contact_id = any(:ids) and channel = 'sms'
    and confirmed_at is null and expires_at > :now order by message_id""")
CONFIRM = text("update consent_requests set confirmed_at = :now where message_id = any(:ids)")


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody subscribes a contact to topics (none: the whole channel) and lists; `wording` is SLUG@VERSION."""

    contact_id: int
    topics: tuple[str, ...]
    source: str
    lists: tuple[str, ...] = ()
    wording: str | None = None
    wording_hash: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    languages: tuple[str | None, ...] = ()
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody confirms what a message asked: by its link, or by the words that they texted back."""

    key: MessageKey
    ip: str | None = None
    user_agent: str | None = None
    texted: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its page shows it. state: open, confirmed, expired."""

    state: str
    address: str
    topics: tuple[str, ...]
    wording: str | None
    languages: tuple[str | None, ...]


def ask(session: Session, requests: Sequence[Request], now: dt.datetime) -> set[int]:
    """Queue a message to each contact that asks for the confirmation; at most one request a contact in a call.

    Returns the contacts asked. Who has no address, or was asked three times within a day, is not. All requests of a
    call are of the same channel. Raises Limited where a text may not be sent.
    """
    since = now - dt.timedelta(days=1)
    by_contact = {request.contact_id: request for request in requests}
    channel = next((request.channel for request in requests), "email")
    people = session.execute(PEOPLE, {"ids": sorted(by_contact), "since": since, "channel": channel}).all()
    able = {row.id: row for row in people if row.asked < MOST_A_DAY}
    if not able:
        return set()
    if channel == "sms":
        signups.admit(session, [row.phone for row in people], now)
    partitions.ensure(session, "messages", [now])
    spoken = {
        id_: translation.choose([row.language, row.locale, *by_contact[id_].languages]) for id_, row in able.items()
    }
    contents = {language: _content(session, channel, language, now) for language in sorted(set(spoken.values()))}
    until = now + dt.timedelta(days=VALID_DAYS)
    values = {"contacts": list(able), "contents": [contents[spoken[id_]] for id_ in able], "now": now, "until": until}
    queued = session.execute(QUEUE, values | {"channel": channel}).all()
    session.execute(STORE, [_row(by_contact[id_], message_id, now, until) for message_id, id_ in queued])
    record_consent(session, [change for id_ in able for change in _requested(by_contact[id_])], now)
    return set(able)


def _row(request: Request, message_id: int, now: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "contact_id": request.contact_id,
        "channel": request.channel,
        "topics": list(request.topics),
        "lists": list(request.lists),
        "source": request.source,
        "wording": request.wording,
        "wording_hash": request.wording_hash,
        "ip": request.ip,
        "user_agent": request.user_agent,
        "now": now,
        "until": until,
    }


def _requested(request: Request) -> list[ConsentChange]:
    return [
        ConsentChange(
            request.contact_id, request.channel, "requested", request.source, topic, lawful_basis="consent",
            wording=request.wording, wording_hash=request.wording_hash, ip=request.ip, user_agent=request.user_agent,
        )
        for topic in request.topics or (CHANNEL_WIDE,)
    ]  # fmt: skip


def _content(session: Session, channel: str, language: str, now: dt.datetime) -> int:
    """The content in a language; made on first use, and a marketer's to edit from then on."""
    slug, made = (TEXT_SLUG, text_source) if channel == "sms" else (SLUG, source)
    found = session.execute(CONTENT, {"slug": slug + language}).scalar()
    if found is None:
        found = store.save(session, made(language), slug + language, channel, now, ours=True).content_id
    return int(found)


def text_source(language: str) -> str:
    """The content file of the text in a language."""
    t = translation.translator(language)
    sender, link = "{{ workspace.name }}", "{{ confirm_url }}"
    said = t("{sender}: reply YES to get our texts, or confirm here: {link} STOP ends them.", sender=sender, link=link)
    return f"---\nlanguage: {language}\n---\n{said}\n"


def source(language: str) -> str:
    """The content file of the message in a language."""
    t = translation.translator(language)
    sender = "{{ workspace.name }}"
    words = {
        "language": language,
        "title": t("Please confirm your subscription"),
        "asked": t("You asked {sender} for messages. Nothing is sent to you before you confirm that.", sender=sender),
        "button": t("Yes, subscribe me"),
        "nothing": t("If this was not you, do nothing: without a click nothing is sent to you."),
        "days": t("The link works for {days} days.", days=VALID_DAYS),
        "unsubscribe": t("Unsubscribe"),
    }
    found = TEMPLATE.read_text(encoding="utf-8")
    for name, said in words.items():
        found = found.replace(f"@{name}@", said)
    return found


def read(session: Session, keys: Iterable[MessageKey], now: dt.datetime) -> dict[MessageKey, Asked]:
    """The requests that these messages carry; what is gone is left out."""
    known = _rows(session, keys)
    return {key: _asked(row, now) for key, row in known.items()}


def _rows(session: Session, keys: Iterable[MessageKey]) -> dict[MessageKey, Any]:
    wanted = {key[0]: key for key in keys}
    rows = session.execute(READ, {"ids": sorted(wanted)})
    return {wanted[row.message_id]: row for row in rows}


def _asked(row: Any, now: dt.datetime) -> Asked:
    state = "confirmed" if row.confirmed_at else "expired" if row.expires_at <= now else "open"
    return Asked(state, row.address or "", tuple(row.names), row.words, (row.language, row.locale))


def confirm(session: Session, clicks: Sequence[Click], now: dt.datetime, signer: Signer) -> list[Asked | None]:
    """Confirm what is still open; the history holds the proof of both steps. Returns how each request then stands."""
    rows = _rows(session, [click.key for click in clicks])
    first = {click.key: click for click in reversed(clicks)}
    still_open = {key for key, row in rows.items() if _asked(row, now).state == "open"}
    fresh = [(click, rows[key]) for key, click in first.items() if key in still_open]
    returning = [row.contact_id for _, row in fresh if row.channel_state == "unsubscribed" and row.channel == "email"]
    silent = session.execute(SILENT, {"ids": returning}).all() if returning else []
    changes = [change for click, row in fresh for change in _confirmed(click, row, silent, now)]
    record_consent(session, changes, now)
    if fresh:
        session.execute(CONFIRM, {"ids": [row.message_id for _, row in fresh], "now": now})
        for channel in {row.channel for _, row in fresh}:
            owners = [row.address for _, row in fresh if row.channel == channel and row.address]
            lift(session, channel, owners, signer)
    together: dict[tuple[str, ...], list[int]] = {}
    for _, row in fresh:
        together.setdefault(tuple(row.lists), []).append(row.contact_id)
    for slugs, contacts in together.items():
        lists.put_on(session, slugs, contacts, now)
    after = read(session, [click.key for click in clicks], now)
    return [after.get(click.key) for click in clicks]


def confirm_by_text(session: Session, people: Sequence[int], words: str, now: dt.datetime, signer: Signer) -> bool:
    """Confirm what texts have asked these contacts, as one of them has texted back; whether anything was open."""
    found = session.execute(OPEN, {"ids": list(people), "now": now}).all() if people else []
    confirm(session, [Click((id_, origin_at), texted=words) for id_, origin_at in found], now, signer)
    return bool(found)


def has_open(session: Session, people: Sequence[int], now: dt.datetime) -> bool:
    """Whether a text waits for the answer of one of these contacts."""
    return bool(people) and session.execute(OPEN, {"ids": list(people), "now": now}).first() is not None


def _confirmed(click: Click, row: Any, silent: Sequence[Any], now: dt.datetime) -> list[ConsentChange]:
    """The topics; the channel too where it was refused, pending or over, but then no topic that nobody asked for."""
    proof = {
        "requested_at": row.requested_at.isoformat(), "requested_ip": row.ip, "requested_user_agent": row.user_agent,
        "requested_by": row.source, "confirmed_at": now.isoformat(),
        "confirmed_by": "link" if click.texted is None else "text",
    } | ({} if click.texted is None else {"texted": click.texted})  # fmt: skip

    def change(topic: str, action: str) -> ConsentChange:
        return ConsentChange(
            row.contact_id, row.channel, action, "confirmation", topic, lawful_basis="consent", wording=row.wording,
            wording_hash=row.wording_hash, ip=click.ip, user_agent=click.user_agent, proof=proof,
        )  # fmt: skip

    if not row.topics:
        return [change(CHANNEL_WIDE, "subscribed")]
    found = [change(topic, "subscribed") for topic in row.topics]
    if row.channel == "sms":  # texts need a yes for the channel, and no topic of theirs holds without one
        return found if row.channel_state == "subscribed" else [change(CHANNEL_WIDE, "subscribed"), *found]
    if row.channel_state in ("", "subscribed"):
        return found
    others = [slug for contact_id, slug in silent if contact_id == row.contact_id and slug not in row.topics]
    return [change(CHANNEL_WIDE, "subscribed"), *found, *(change(topic, "unsubscribed") for topic in others)]
