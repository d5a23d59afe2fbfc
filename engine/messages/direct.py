"""One message to one contact because a program says so: a receipt, a new password. It answers what the contact did.

It needs no consent and knows no cap; an address that does not exist, or from where a complaint came, gets nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions
from engine.contacts.numbers import called
from engine.errors import InvalidInput, NotFound
from engine.events.encoding import encode
from engine.identities import store as identities

KEY_LENGTH = 150
AHEAD = dt.timedelta(days=366)
"""How far ahead a message may be queued."""

CONTENT = text("select id, channel from contents where slug = :slug and current_version_id is not null")
SENT = text("select token, fingerprint from direct_sends where key = :key")
# The key is taken first: whoever comes second waits for the first one's commit, and then sends nothing.
QUEUE = text("""
with taken as (
    insert into direct_sends (message_id, origin_at, key, token, event, fingerprint)
    values (nextval('messages_id_seq'), :now, :key, :token, cast(:event as jsonb), :fingerprint)
    on conflict (key) do nothing returning message_id)
insert into messages (id, origin_at, contact_id, content_id, channel, transactional, token, queued_at, send_after,
    expires_at, sender)
select message_id, :now, :contact_id, :content_id, :channel, true, :token, :now, :send_after, :expires_at,
    cast(:sender as text) from taken
returning id""")
STATE = text("""
select m.token, c.slug as content, m.channel, m.state, m.reason, m.queued_at, m.send_after, m.expires_at, m.attempts,
    m.accepted_at, m.delivered_at, m.ended_at, m.first_open_at, m.first_click_at
from direct_sends d join messages m on m.id = d.message_id and m.origin_at = d.origin_at
join contents c on c.id = m.content_id where d.token = :token""")


@dataclass(frozen=True, slots=True)
class Order:
    """What a program asks for, from the identity `sender`.

    `key` makes it one; `properties` are what the content reads as `event.`.

    One of `user_id`, `email` and `phone` names the contact, who is made if need be; what else is given is written.
    """

    content: str
    key: str
    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    properties: Mapping[str, Any] | None = None
    send_at: dt.datetime | None = None
    expires: dt.datetime | None = None
    sender: str = ""


class KeyTaken(InvalidInput):
    """The key stands for another message already; this one is not sent."""


def send(session: Session, order: Order, now: dt.datetime) -> str:
    """Queue the message; its token. The same order with the same key again changes nothing and gives the same token.

    Raises InvalidInput, KeyTaken for another order with that key, NotFound for a content that is not there. Call it
    first in a transaction, as `identify`.
    """
    if not 0 < len(order.key) <= KEY_LENGTH:
        raise InvalidInput(f"has 1 to {KEY_LENGTH} characters", where="messageId", hint="Shorten it.")
    event = encode({"properties": dict(order.properties or {})}, "properties").decode()
    send_after, expires_at = _times(order, now)
    fingerprint = _fingerprint(order)
    if (sent := _sent(session, order.key, fingerprint)) is not None:
        return sent
    contact_id = called(session, order.user_id, order.email, order.phone, now, "to.")
    content = session.execute(CONTENT, {"slug": order.content}).first()
    if content is None:
        raise NotFound("content", order.content, "`cairn content list` shows those that there are.")
    identities.expect(session, order.sender)
    partitions.ensure(session, "messages", [now])
    token = uuid.uuid4().hex
    values = {
        "now": now, "key": order.key, "token": token, "event": event, "contact_id": contact_id,
        "content_id": content.id, "channel": content.channel, "send_after": send_after, "expires_at": expires_at,
        "sender": order.sender or None if content.channel == "email" else None, "fingerprint": fingerprint,
    }  # fmt: skip
    if session.execute(QUEUE, values).first() is not None:
        return token
    sent = _sent(session, order.key, fingerprint)
    assert sent is not None
    return sent


def _fingerprint(order: Order) -> bytes:
    """SHA-256 of all that the order says but its key."""
    said = dataclasses.asdict(order) | {"key": "", "properties": dict(order.properties or {})}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode("utf-8", "replace")).digest()


def _sent(session: Session, key: str, fingerprint: bytes) -> str | None:
    """The token of the message that the key stands for. Raises KeyTaken if that is another one.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ section 2.6.
    """
    row = session.execute(SENT, {"key": key}).first()
    if row is None:
        return None
    if row.fingerprint is not None and bytes(row.fingerprint) != fingerprint:
        hint = "Repeat a call as it was, and give each message a key of its own."
        raise KeyTaken("was used for a call that said something else", where=f"the key “{key}”", hint=hint)
    return str(row.token)


def state(session: Session, token: str) -> dict[str, Any]:
    """What became of a message sent so: names, state, reason and instants as ISO 8601. Raises NotFound."""
    row = session.execute(STATE, {"token": token.replace("\0", "")}).mappings().first()
    if row is None:
        raise NotFound("message", token, "It is the token that sending it gave.")
    return {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in row.items()}


def _times(order: Order, now: dt.datetime) -> tuple[dt.datetime, dt.datetime | None]:
    send_after = max(order.send_at or now, now)
    if send_after > now + AHEAD:
        raise InvalidInput("is more than a year ahead", where="send_at", hint="Call again later.")
    if order.expires is not None and order.expires <= send_after:
        raise InvalidInput("is over before the message may go", where="expires", hint="Name a later instant.")
    return send_after, order.expires
