"""Take what people text: STOP, START and HELP first, then the event that journeys hear; each text once.

Texts are taken one by one in the order in which they come: a START after a STOP means something else than before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.channels.sms.keywords import Keyword, confirms, keyword
from engine.contacts.consent import ConsentChange, record_consent, suppress
from engine.events.record import NewEvent, record
from engine.expr.ast import VERB_EVENTS
from engine.signing import signer
from engine.tracking.confirmation import confirm_by_text, has_open
from engine.tracking.unsubscribe import Wish, unsubscribe

RECEIVED = "SMS Received"
REPLIED = VERB_EVENTS["replied"]
SOURCE = "text"
LONGEST = 2000
REPLY_WITHIN = dt.timedelta(days=14)
"""A text is taken for an answer to the last message that its number got in this time."""

STORE = text("""
insert into incoming_texts (gateway, reference, sender, recipient, body, keyword, received_at)
values (:gateway, :reference, :sender, :recipient, :body, :keyword, :now)
on conflict (gateway, reference) do nothing returning id""")
PEOPLE = text("""
select c.id, coalesce(s.state, '') as state from contacts c
left join consent_states s on s.contact_id = c.id and s.channel = 'sms' and s.topic = ''
where c.phone = :number and c.erased_at is null order by c.id""")
LAST_MESSAGES = text("""
select distinct on (m.contact_id) m.contact_id, m.id, m.origin_at, m.token, coalesce(c.slug, '') as content,
    m.step_id as step, j.slug as journey
from messages m left join contents c on c.id = m.content_id left join journeys j on j.id = m.journey_id
where m.contact_id = any(cast(:ids as bigint[])) and m.channel = 'sms' and m.accepted_at > :since
order by m.contact_id, m.accepted_at desc""")
LIFT = text("""
delete from suppressions where channel = 'sms' and reason in ('unsubscribed', 'hard_bounce', 'soft_bounce')
    and address_hmac = :key returning true""")
NOTE = text("update incoming_texts set answer = :answer, contact_id = :contact_id where id = :id")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text as a gateway delivered it. `reference` is the gateway's own name for it: a repeat changes nothing.

    `sender` and `recipient` are numbers, in E.164 as far as they are telephones'. `understood` is a wish that the
    gateway itself has recognised and answered: it is obeyed, and nothing is texted back.
    """

    reference: str
    sender: str
    recipient: str
    body: str
    understood: Keyword | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """A text with the wish in it, the contacts who have its number, and the last message that each got."""

    text: Incoming
    wish: Keyword | None
    people: Sequence[Any]
    last: dict[int, Any]


def take(session: Session, gateway: str, incoming: Incoming, now: dt.datetime) -> str:
    """Record a text and do what it asks. Returns what to text back, "" for nothing.

    STOP holds for the number, whoever it belongs to later, and is confirmed once; START takes back what STOP and
    bounces did, not a complaint; HELP is always answered; YES confirms what a text has asked to subscribe to. Each
    text becomes the event "SMS Received" of the contacts with this number, and if it asks none of these an answer to
    the last message that they got.
    """
    people = session.execute(PEOPLE, {"number": incoming.sender}).all()
    wish = incoming.understood or _wish(session, incoming.body, [one.id for one in people], now)
    body = incoming.body[:LONGEST]
    values = {"gateway": gateway, "reference": incoming.reference, "sender": incoming.sender, "body": body}
    row = session.execute(STORE, values | {"recipient": incoming.recipient, "keyword": wish, "now": now}).scalar()
    if row is None:
        return ""
    heard = _Heard(incoming, wish, people, _last_messages(session, [one.id for one in people], now))
    _record(session, heard, now)
    said = _obey(session, heard, now)
    answer = "" if incoming.understood else said
    named = people[0].id if people else None
    session.execute(NOTE, {"answer": answer or None, "contact_id": named, "id": row})
    return answer


def _wish(session: Session, body: str, people: Sequence[int], now: dt.datetime) -> Keyword | None:
    """What a text asks. A yes answers the text that asked whether to subscribe, where there is one."""
    return "confirm" if confirms(body) and has_open(session, people, now) else keyword(body)


def _obey(session: Session, heard: _Heard, now: dt.datetime) -> str:
    """Do what a text asks; what to text back."""
    said = workspace.load(session)
    if heard.wish == "help":
        return said.sms_help.replace("{name}", said.name)
    if heard.wish == "stop" and _stop(session, heard, now):
        return said.sms_stopped.replace("{name}", said.name)
    if heard.wish == "start" and _start(session, heard, now):
        return said.sms_started.replace("{name}", said.name)
    if heard.wish == "confirm":
        ids, words = [one.id for one in heard.people], heard.text.body[:LONGEST]
        confirm_by_text(session, ids, words, now, signer())
        return said.sms_confirmed.replace("{name}", said.name)
    return ""


def _stop(session: Session, heard: _Heard, now: dt.datetime) -> bool:
    """Whether it was news. Who got a message lately is counted as unsubscribing by it."""
    news, last = suppress(session, "sms", [heard.text.sender], "unsubscribed", now), heard.last
    staying = [one.id for one in heard.people if one.state != "unsubscribed"]
    counted = [Wish((last[id_].id, last[id_].origin_at), "channel", SOURCE) for id_ in staying if id_ in last]
    unsubscribe(session, counted, now)
    others = [ConsentChange(id_, "sms", "unsubscribed", SOURCE) for id_ in staying if id_ not in last]
    record_consent(session, others, now)
    return bool(news or staying)


def _start(session: Session, heard: _Heard, now: dt.datetime) -> bool:
    """Whether it was news. The word itself is the proof of consent."""
    lifted = session.execute(LIFT, {"key": signer().address_hmac("sms", heard.text.sender)}).first() is not None
    proof = heard.text.body[:LONGEST]
    changes = [
        ConsentChange(one.id, "sms", "subscribed", SOURCE, lawful_basis="consent", wording=proof)
        for one in heard.people
    ]
    return bool(record_consent(session, changes, now)) or lifted


def _last_messages(session: Session, ids: Sequence[int], now: dt.datetime) -> dict[int, Any]:
    if not ids:
        return {}
    rows = session.execute(LAST_MESSAGES, {"ids": literal(ids), "since": now - REPLY_WITHIN})
    return {row.contact_id: row for row in rows}


def _record(session: Session, heard: _Heard, now: dt.datetime) -> None:
    told = {"text": heard.text.body[:LONGEST], "keyword": heard.wish, "to": heard.text.recipient}
    events = []
    for one in heard.people:
        key = f"text-{one.id}-{heard.text.reference}"[:150]
        events.append(NewEvent(one.id, RECEIVED, now, key, told, source="sms"))
        if heard.wish is None and (message := heard.last.get(one.id)):
            events.append(NewEvent(one.id, REPLIED, now, f"reply-{key}", _of(message) | told, source="sms"))
    record(session, events, now)


def _of(message: Any) -> dict[str, Any]:
    return {"content": message.content, "step": message.step, "journey": message.journey, "message": message.token}
