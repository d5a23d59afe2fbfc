"""What a contact chooses on the page that a message leads to: topics and channels, a break, tracking."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.contacts import consent, tracking
from engine.contacts.consent import CHANNEL_WIDE, ConsentChange
from engine.contacts.sharing import others_leaving
from engine.signing import Signer
from engine.tracking import unsubscribe
from engine.tracking.links import MessageKey
from engine.tracking.outcomes import TrackedMessage
from engine.workspace import Workspace

SOURCE = "preferences"
BREAKS = (30, 60, 90)  # days
CHANNELS = ("email", "sms")

CONTACTS = text("""
select id, email, phone, locale, attributes ->> 'language' as language, attributes from contacts
where id = any(:ids) and erased_at is null""")
STATES = text("""
select contact_id, channel, topic, case when expires_at <= :now then 'expired' else state end
from consent_states where contact_id = any(:ids)""")
TOPICS = text("""
select slug, name, description, default_state from topics where public and archived_at is null
order by position, name, slug""")
PAUSES = text(
    "select contact_id, max(until) from consent_pauses where contact_id = any(:ids) and until > :now group by 1"
)
SUPPRESSED = text("select address_hmac, channel, reason from suppressions where address_hmac = any(:keys)")
PAUSE = text("""
insert into consent_pauses (contact_id, channel, until)
select id, channel, until from unnest(cast(:ids as bigint[]), cast(:untils as timestamptz[])) as asked(id, until)
cross join unnest(cast(:channels as text[])) as known(channel) order by id, channel
on conflict (contact_id, channel) do update set until = excluded.until""")
RESUME = text("delete from consent_pauses where contact_id = any(:ids)")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be switched on and off. `topic` "" is everything that has no topic on the channel."""

    channel: str
    topic: str
    name: str
    description: str
    on: bool

    @property
    def key(self) -> str:
        """Its name in the form."""
        return f"{self.channel}:{self.topic}"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Where the contact of a message stands.

    `refused` are channels that were left as a whole, `barred` maps channels to the reason why nothing goes to the
    address. `languages` are the contact's own, as tags.
    """

    message: TrackedMessage
    recipient: str | None
    addresses: Mapping[str, str]
    languages: tuple[str | None, ...]
    choices: tuple[Choice, ...]
    refused: frozenset[str]
    barred: Mapping[str, str]
    tracked: bool
    break_until: dt.datetime | None

    @property
    def left(self) -> bool:
        """Whether everything is switched off."""
        return not any(choice.on for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: `act` is save, leave, pause or resume.

    `on` are the keys that are switched on among those `shown`; `days` is how long a break shall last.
    """

    key: MessageKey
    act: str
    shown: frozenset[str] = frozenset()
    on: frozenset[str] = frozenset()
    days: int = BREAKS[0]
    ip: str | None = None
    user_agent: str | None = None


class _Known(NamedTuple):
    states: dict[int, dict[tuple[str, str], str]]
    contacts: dict[int, Any]
    topics: Sequence[Any]
    pauses: dict[int, dt.datetime]
    suppressed: dict[tuple[bytes, str], str]
    workspace: Workspace


def read(
    session: Session, keys: Iterable[MessageKey], now: dt.datetime, signer: Signer
) -> dict[MessageKey, Preferences]:
    """Where the contacts of these messages stand; messages and contacts that are gone are left out."""
    held = unsubscribe.read(session, keys)
    known = _read(session, sorted({one.message.contact_id for one in held.values()}), now, signer)
    return {
        key: _preferences(one, known, signer) for key, one in held.items() if one.message.contact_id in known.contacts
    }


def apply(session: Session, wishes: Sequence[Wish], now: dt.datetime, signer: Signer) -> list[Preferences | None]:
    """Do what was asked for and return where each contact then stands, None where the message is gone.

    What changes nothing writes nothing. Who comes back lifts what they had refused themselves, but never a suppression
    for a bounce, a complaint or by a colleague.
    """
    keys = [wish.key for wish in wishes]
    before = read(session, keys, now, signer)
    asked = [(wish, before[wish.key]) for wish in wishes if wish.key in before]
    said = [(change, held.addresses.get(change.channel)) for wish, held in asked for change in _changes(wish, held)]
    changes = [change for change, _ in said]
    consent.record_consent(session, [*changes, *others_leaving(session, said), *_breaks(asked, now)], now)
    _rest(session, asked, now)
    _lift(session, asked, changes, signer)
    left = {change.contact_id for change in changes if change.action == "unsubscribed" and change.channel in CHANNELS}
    unsubscribe.tell(session, [held.message for _, held in asked if held.message.contact_id in left], now)
    after = read(session, keys, now, signer)
    return [after.get(key) for key in keys]


def _read(session: Session, ids: list[int], now: dt.datetime, signer: Signer) -> _Known:
    values = {"ids": ids, "now": now}
    states: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for contact_id, channel, topic, state in session.execute(STATES, values):
        states[contact_id][channel, topic] = state
    contacts = {row.id: row for row in session.execute(CONTACTS, {"ids": ids})}
    hmacs = [signer.address_hmac(*pair) for row in contacts.values() for pair in _addresses(row).items()]
    found = session.execute(SUPPRESSED, {"keys": hmacs}).all() if hmacs else []
    pauses = {row[0]: row[1] for row in session.execute(PAUSES, values)}
    suppressed = {(bytes(hmac), channel): reason for hmac, channel, reason in found}
    return _Known(states, contacts, session.execute(TOPICS).all(), pauses, suppressed, workspace.load(session))


def _addresses(row: Any) -> dict[str, str]:
    return {channel: address for channel, address in (("email", row.email), ("sms", row.phone)) if address}


def _preferences(held: unsubscribe.Subscription, known: _Known, signer: Signer) -> Preferences:
    row = known.contacts[held.message.contact_id]
    states, addresses = known.states[row.id], _addresses(row)
    barred = {
        channel: known.suppressed[signer.address_hmac(channel, address), channel]
        for channel, address in addresses.items()
        if (signer.address_hmac(channel, address), channel) in known.suppressed
    }
    needed = {"email": False, "sms": known.workspace.sms_needs_consent}
    choices = tuple(
        choice for channel in addresses for choice in _choices(channel, states, known.topics, needed[channel], barred)
    )
    return Preferences(
        message=held.message,
        recipient=held.recipient,
        addresses=addresses,
        languages=(row.language, row.locale),
        choices=choices,
        refused=frozenset(channel for channel in CHANNELS if states.get((channel, "")) == "unsubscribed"),
        barred={channel: reason for channel, reason in barred.items() if reason != "unsubscribed"},
        tracked=tracking.is_tracked(
            states.get((tracking.CHANNEL, "")), row.attributes, known.workspace.untracked_countries
        ),
        break_until=known.pauses.get(row.id),
    )


def _choices(
    channel: str,
    states: Mapping[tuple[str, str], str],
    topics: Sequence[Any],
    needed: bool,
    barred: Mapping[str, str],
) -> list[Choice]:
    """The topics, or the channel alone where there are none; on is what the gate would let through."""
    whole = states.get((channel, CHANNEL_WIDE), "" if needed else "subscribed") == "subscribed"
    whole = whole and barred.get(channel) != "unsubscribed"
    if not topics:
        return [Choice(channel, CHANNEL_WIDE, "", "", whole)]
    silent = {row.slug: row.default_state if channel == "email" else "subscribed" for row in topics}
    return [
        Choice(
            channel, row.slug, row.name, row.description,
            whole and states.get((channel, row.slug), silent[row.slug]) == "subscribed",
        )
        for row in topics
    ]  # fmt: skip


def _changes(wish: Wish, held: Preferences) -> list[ConsentChange]:
    if wish.act == "leave":
        channels = [channel for channel in CHANNELS if channel in held.addresses and channel not in held.refused]
        return [_change(wish, held, channel, CHANNEL_WIDE, on=False) for channel in channels]
    if wish.act != "save":
        return []
    found = [change for channel in held.addresses for change in _chosen(wish, held, channel)]
    wanted = f"{tracking.CHANNEL}:"
    if wanted in wish.shown and (wanted in wish.on) != held.tracked:
        found.append(_change(wish, held, tracking.CHANNEL, CHANNEL_WIDE, on=not held.tracked))
    return found


def _chosen(wish: Wish, held: Preferences, channel: str) -> list[ConsentChange]:
    """The changes of a channel. Coming back to one that was left, every topic that is not wanted is refused by name."""
    offered = [choice for choice in held.choices if choice.channel == channel and choice.key in wish.shown]
    wanted = [choice for choice in offered if choice.key in wish.on]
    changed = [choice for choice in offered if (choice in wanted) != choice.on]
    opens = any(not choice.on for choice in wanted) and not any(
        choice.on for choice in held.choices if choice.channel == channel
    )
    if opens:
        changed = [choice for choice in offered if choice.topic]
        return [_change(wish, held, channel, CHANNEL_WIDE, on=True)] + [
            _change(wish, held, channel, choice.topic, on=choice in wanted) for choice in changed
        ]
    return [_change(wish, held, channel, choice.topic, on=choice in wanted) for choice in changed]


def _change(wish: Wish, held: Preferences, channel: str, topic: str, *, on: bool) -> ConsentChange:
    return ConsentChange(
        held.message.contact_id, channel, "subscribed" if on else "unsubscribed", SOURCE, topic,
        lawful_basis="consent" if on else None, ip=wish.ip, user_agent=wish.user_agent,
    )  # fmt: skip


def _until(wish: Wish, now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(days=wish.days if wish.days in BREAKS else BREAKS[0])


def _breaks(asked: Sequence[tuple[Wish, Preferences]], now: dt.datetime) -> list[ConsentChange]:
    """Breaks and their ends, for the history."""
    return [
        ConsentChange(
            held.message.contact_id, channel, "snoozed" if wish.act == "pause" else "resumed", SOURCE,
            ip=wish.ip, user_agent=wish.user_agent, expires_at=_until(wish, now) if wish.act == "pause" else None,
        )
        for wish, held in asked if wish.act == "pause" or (wish.act == "resume" and held.break_until)
        for channel in held.addresses
    ]  # fmt: skip


def _rest(session: Session, asked: Sequence[tuple[Wish, Preferences]], now: dt.datetime) -> None:
    untils = {held.message.contact_id: _until(wish, now) for wish, held in asked if wish.act == "pause"}
    if untils:
        values = {"ids": list(untils), "untils": list(untils.values()), "channels": list(CHANNELS)}
        session.execute(PAUSE, values)
    ended = [held.message.contact_id for wish, held in asked if wish.act == "resume" and held.break_until]
    if ended:
        session.execute(RESUME, {"ids": ended})


def _lift(
    session: Session, asked: Sequence[tuple[Wish, Preferences]], changes: Sequence[ConsentChange], signer: Signer
) -> None:
    back = {(change.contact_id, change.channel) for change in changes if change.action == "subscribed"}
    for channel in CHANNELS:
        addresses = [
            held.addresses[channel] for _, held in asked
            if (held.message.contact_id, channel) in back and channel in held.addresses
        ]  # fmt: skip
        if addresses:
            consent.lift(session, channel, addresses, signer)
