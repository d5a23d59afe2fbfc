"""Unsubscribing by the link in a message (RFC 2369) or the mail program's button (RFC 8058)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import CHANNEL_WIDE, ConsentChange, record_consent
from engine.contacts.sharing import others_leaving
from engine.reports import rollup
from engine.tracking import facts
from engine.tracking.links import MessageKey
from engine.tracking.outcomes import TrackedEvent, TrackedMessage

UNSUBSCRIBED = "Unsubscribed"

READ = text("""
select m.id, m.origin_at, m.contact_id, m.token, m.channel, coalesce(c.slug, '') as content, m.journey_id,
  j.slug as journey, m.step_id as step, m.accepted_at, m.ended_at,
  m.topic, t.name as topic_name, m.recipient, p.attributes ->> 'language' as language, p.locale,
  coalesce(channelwide.state = 'unsubscribed', false) as left_channel,
  coalesce(topical.state = 'unsubscribed', false) as left_topic
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as wanted(id, origin_at)
join messages m on m.id = wanted.id and m.origin_at = wanted.origin_at
join contacts p on p.id = m.contact_id and p.erased_at is null
left join contents c on c.id = m.content_id
left join journeys j on j.id = m.journey_id
left join topics t on t.slug = m.topic
left join consent_states channelwide
  on channelwide.contact_id = m.contact_id and channelwide.channel = m.channel and channelwide.topic = ''
left join consent_states topical
  on topical.contact_id = m.contact_id and topical.channel = m.channel and topical.topic = m.topic and m.topic <> ''""")

OWN = ("topic", "topic_name", "recipient", "left_channel", "left_topic", "language", "locale")


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where the contact of a message stands. `topic` is '' for a message without one."""

    message: TrackedMessage
    topic: str
    topic_name: str
    recipient: str | None
    left_channel: bool
    left_topic: bool
    language: str | None = None
    locale: str | None = None

    def left(self, scope: str) -> bool:
        """Whether nothing is left to unsubscribe from."""
        return self.left_channel or (scope == "topic" and self.left_topic)


@dataclass(frozen=True, slots=True)
class Wish:
    """Someone unsubscribes. `scope`: topic (the message's, the channel where it has none) or channel.

    `source` goes into the consent history: one-click, link.
    """

    key: MessageKey
    scope: str
    source: str
    ip: str | None = None
    user_agent: str | None = None


def read(session: Session, keys: Iterable[MessageKey]) -> dict[MessageKey, Subscription]:
    """Where the contacts of these messages stand; messages and contacts that are gone are left out."""
    wanted = sorted(set(keys))
    rows = session.execute(READ, {"ids": [key[0] for key in wanted], "origins": [key[1] for key in wanted]})
    found: dict[MessageKey, Subscription] = {}
    for row in rows:
        values = row._asdict()
        own = {name: values.pop(name) for name in OWN}
        topic = own.pop("topic") or CHANNEL_WIDE
        name = own.pop("topic_name") or topic
        found[row.id, row.origin_at] = Subscription(TrackedMessage(**values), topic, name, **own)
    return found


def unsubscribe(session: Session, wishes: Sequence[Wish], now: dt.datetime) -> list[Subscription | None]:
    """Record each wish: consent with its history, the event "Unsubscribed", the counter.

    Returns where each contact stands afterwards, None where the message is gone. A wish that changes nothing writes
    nothing, so the same request may come any number of times. Topic messages lose their topic only: that is the list
    that the header speaks of (RFC 8058 §1), and the page offers the rest. Other records with the address leave too.
    """
    standing = read(session, (wish.key for wish in wishes))
    effective: dict[tuple[int, str, str], Wish] = {}
    for wish in wishes:
        held = standing.get(wish.key)
        if held is not None and not held.left(wish.scope):
            effective.setdefault((held.message.contact_id, held.message.channel, _topic(held, wish)), wish)
    changes = [_change(contact_id, channel, topic, wish) for (contact_id, channel, topic), wish in effective.items()]
    read_by = [standing[wish.key].recipient for wish in effective.values()]
    changes += others_leaving(session, list(zip(changes, read_by, strict=True)))
    changed = record_consent(session, changes, now)
    tell(session, [standing[wish.key].message for key, wish in effective.items() if key[0] in changed], now)
    return [_after(standing.get(wish.key), wish) for wish in wishes]


def _topic(held: Subscription, wish: Wish) -> str:
    return held.topic if wish.scope == "topic" else CHANNEL_WIDE


def _change(contact_id: int, channel: str, topic: str, wish: Wish) -> ConsentChange:
    return ConsentChange(
        contact_id, channel, "unsubscribed", wish.source, topic, ip=wish.ip, user_agent=wish.user_agent
    )


def tell(session: Session, left: Sequence[TrackedMessage], now: dt.datetime) -> None:
    """The event and the counter of messages whose contacts left something.

    The event's id holds the instant: after a new subscription the same message may unsubscribe once more.
    """
    stamp = int(now.timestamp() * 1_000_000)
    messages = {message.id: message for message in left}
    events = [(it, TrackedEvent(UNSUBSCRIBED, f"unsubscribe-{it.id}-{stamp}", now)) for it in messages.values()]
    facts.record_events(session, events, now)
    rollup.messages(session, [facts.delta(message, {"unsubscribes": 1}, now) for message in messages.values()])


def _after(held: Subscription | None, wish: Wish) -> Subscription | None:
    if held is None:
        return None
    if wish.scope == "topic" and held.topic:
        return dataclasses.replace(held, left_topic=True)
    return dataclasses.replace(held, left_channel=True)
