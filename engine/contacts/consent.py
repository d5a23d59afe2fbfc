"""Consent as an append-only history with its fold, and addresses that must never be sent to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.changes import announce
from engine.db import copy_rows, int_array
from engine.errors import InvalidInput
from engine.model import ConsentState, Wording
from engine.signing import Signer, signer

CHANNEL_WIDE = ""
CHANNELS = ("email", "sms", "tracking")
ACTIONS = ("subscribed", "unsubscribed")
BASES = ("consent", "implied", "legitimate_interest", "contract")
STATES = {"subscribed": "subscribed", "unsubscribed": "unsubscribed", "requested": "pending", "expired": "expired"}
"""What each action makes of the state; other actions are history only."""

FOLD = text("""
insert into consent_states (contact_id, channel, topic, state, changed_at, expires_at)
select distinct on (contact_id, channel, topic) contact_id, channel, topic, state, at, expires
from unnest(cast(:contacts as bigint[]), cast(:channels as text[]), cast(:topics as text[]), cast(:states as text[]),
            cast(:moments as timestamptz[]), cast(:expiries as timestamptz[]), cast(:weak as boolean[]))
    with ordinality said(contact_id, channel, topic, state, at, expires, weak, position)
order by contact_id, channel, topic, weak, at desc, position desc
on conflict (contact_id, channel, topic) do update
set state = excluded.state, changed_at = excluded.changed_at, expires_at = excluded.expires_at
where excluded.changed_at >= consent_states.changed_at
    and (excluded.state <> consent_states.state or excluded.expires_at is distinct from consent_states.expires_at)
returning contact_id, channel, topic""")
WEAK = text("""
select said.position from unnest(cast(:contacts as bigint[]), cast(:channels as text[]), cast(:topics as text[]),
    cast(:states as text[]), cast(:expiries as timestamptz[]))
    with ordinality said(contact_id, channel, topic, state, expires, position)
left join consent_states held
    on held.contact_id = said.contact_id and held.channel = said.channel and held.topic = said.topic
where held.state is null or held.state = 'expired' or said.state = 'subscribed'
    and held.state = 'subscribed' and held.expires_at < coalesce(said.expires, 'infinity')
order by said.position""")
"""What nobody said expressly, and what is not confirmed yet, never undoes a refusal nor shortens a consent."""
EXPIRED = text("""
with due as (
    select contact_id, channel, topic, expires_at from consent_states
    where expires_at <= :now and state = 'subscribed' order by expires_at limit :limit for update skip locked),
over as (
    update consent_states s set state = 'expired', changed_at = :now, expires_at = null from due d
    where s.contact_id = d.contact_id and s.channel = d.channel and s.topic = d.topic)
insert into consent_events (contact_id, channel, topic, action, source, occurred_at)
select contact_id, channel, topic, 'expired', 'expiry', :now from due returning contact_id, topic""")
SUBSCRIBE = text("""
with wordless as (
    select distinct id from unnest(cast(:ids as bigint[])) as given(id) where not exists (
        select from consent_states s where s.contact_id = given.id and s.channel = :channel and s.topic = '')),
states as (
    insert into consent_states (contact_id, channel, topic, state, changed_at)
    select id, :channel, '', 'subscribed', :now from wordless order by id
    on conflict do nothing returning contact_id)
insert into consent_events (contact_id, channel, topic, action, source, occurred_at)
select contact_id, :channel, '', 'subscribed', :source, :now from states order by contact_id returning contact_id""")
SUPPRESS = text("""
insert into suppressions (address_hmac, channel, reason, created_at)
select address, :channel, :reason, :now from unnest(cast(:addresses as bytea[])) as given(address) order by address
on conflict (address_hmac, channel) do update set reason = excluded.reason, created_at = excluded.created_at
where suppressions.reason = 'unsubscribed' and excluded.reason <> 'unsubscribed'
returning address_hmac""")
"""What its owner may take back gives way to what they may not: a bounce, a complaint, a colleague's word."""

LIFT = text("""
delete from suppressions where channel = :channel and address_hmac = any(:keys) and reason = 'unsubscribed'
returning address_hmac""")
ADDRESSES = {
    channel: text(f"select {column} from contacts where id = any(:ids) and {column} is not null")
    for channel, column in (("email", "email"), ("sms", "phone"))
}


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A contact's word on a channel (email, sms, tracking) and a topic; topic "" speaks of the whole channel.

    `action` and `lawful_basis` are as in `engine.model.ConsentEvent`, None meaning consent; `wording` is SLUG@VERSION.
    """

    contact_id: int
    channel: str
    action: str
    source: str  # import, form, link, one-click, api, person, preferences, confirmation, expiry
    topic: str = CHANNEL_WIDE
    occurred_at: dt.datetime | None = None  # `now` when None
    lawful_basis: str | None = None
    wording: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    wording_hash: str | None = None
    expires_at: dt.datetime | None = None
    proof: Mapping[str, Any] | None = None

    @property
    def weak(self) -> bool:
        """Whether the contact has not said so expressly, or nobody but the author of a file says that they did."""
        if self.action == "subscribed":
            return self.source == "import" or self.lawful_basis in BASES[1:]
        return self.action in ("requested", "expired")


def change_of(
    contact_id: int,
    channel: str,
    action: str,
    source: str,
    topic: str = CHANNEL_WIDE,
    *,
    basis: str | None = None,
    expires: dt.datetime | None = None,
    wording: Wording | None = None,
) -> ConsentChange:
    """A word as a person or a program gives it, checked. Raises InvalidInput."""
    for name, value, known in (("channel", channel, CHANNELS), ("action", action, ACTIONS), ("basis", basis, BASES)):
        if value is not None and value not in known:
            raise InvalidInput(f"“{value}” is none", name, f"Known are {', '.join(known)}.")
    if basis == "implied" and expires is None and action == "subscribed":
        raise InvalidInput("implied consent needs the day on which it ends", "expires", "As in 2026-12-31.")
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=dt.UTC)
    words = f"{wording.slug}@{wording.version}" if wording else None
    return ConsentChange(
        contact_id, channel, action, source, topic, lawful_basis=basis, wording=words,
        wording_hash=wording.hash if wording else None, expires_at=expires if action == "subscribed" else None,
    )  # fmt: skip


def state_of(session: Session, contact_id: int, channel: str, topic: str) -> str:
    """The last word, or `no word yet`."""
    said = session.get(ConsentState, (contact_id, channel, topic), populate_existing=True)
    return said.state if said else "no word yet"


def record_consent(session: Session, given: Sequence[ConsentChange], now: dt.datetime) -> set[int]:
    """Append every word to the history; where it is the last word and a new one, change the state and announce it.

    Returns the contacts whose state changed. A word older than the state's is kept in the history only, as is one that
    is not express and would undo a refusal.
    """
    if not given:
        return set()
    _append(session, given, now)
    folding = _folding(session, [c for c in given if c.action in STATES], now)
    changed = session.execute(FOLD, folding).all() if folding["contacts"] else []
    announce(session, _by_contact((contact_id, topic) for contact_id, _, topic in changed), now)
    return {contact_id for contact_id, _, _ in changed}


def _folding(session: Session, given: Sequence[ConsentChange], now: dt.datetime) -> dict[str, Sequence[Any]]:
    """The arrays that are folded, without weak words against what holds."""
    weak = [c for c in given if c.weak]
    if weak:
        counting = {position - 1 for position in session.execute(WEAK, _arrays(weak, now)).scalars()}
        refused = {id(c) for position, c in enumerate(weak) if position not in counting}
        given = [c for c in given if id(c) not in refused]
    return _arrays(given, now)


def _arrays(given: Sequence[ConsentChange], now: dt.datetime) -> dict[str, Sequence[Any]]:
    return {
        "contacts": [c.contact_id for c in given],
        "channels": [c.channel for c in given],
        "topics": [c.topic for c in given],
        "states": [STATES[c.action] for c in given],
        "moments": [c.occurred_at or now for c in given],
        "expiries": [c.expires_at for c in given],
        "weak": [c.weak for c in given],
    }


def expire(session: Session, now: dt.datetime, limit: int = 10_000) -> int:
    """End consent that was only implied and whose time is over, and announce it. Returns how much.

    The gate looks at the instant itself; this is for rules and segments, which so need not know of it.
    """
    over = session.execute(EXPIRED, {"now": now, "limit": limit}).all()
    announce(session, _by_contact((contact_id, topic) for contact_id, topic in over), now)
    return len(over)


def subscribe_wordless(session: Session, ids: Iterable[int], channel: str, source: str, now: dt.datetime) -> None:
    """Subscribe those of the contacts to the channel who have never said a word on it, and announce it."""
    values = {"ids": int_array(ids), "channel": channel, "source": source, "now": now}
    changed = session.execute(SUBSCRIBE, values).scalars()
    announce(session, ((contact_id, "consent", (CHANNEL_WIDE,)) for contact_id in changed), now)


def _append(session: Session, given: Sequence[ConsentChange], now: dt.datetime) -> None:
    columns = (
        "contact_id, channel, topic, action, source, lawful_basis, wording, ip, user_agent, wording_hash, occurred_at, "
        "expires_at, proof"
    )
    rows = (
        (c.contact_id, c.channel, c.topic, c.action, c.source, c.lawful_basis, c.wording, c.ip, c.user_agent,
         c.wording_hash, c.occurred_at or now, c.expires_at, Jsonb(dict(c.proof)) if c.proof else None)
        for c in given
    )  # fmt: skip
    copy_rows(
        session, f"consent_events({columns})", ("int8", *("text",) * 9, "timestamptz", "timestamptz", "jsonb"), rows
    )


def _by_contact(changed: Iterable[tuple[int, str]]) -> list[tuple[int, str, list[str]]]:
    topics: dict[int, set[str]] = {}
    for contact_id, topic in changed:
        topics.setdefault(contact_id, set()).add(topic)
    return [(contact_id, "consent", sorted(names)) for contact_id, names in sorted(topics.items())]


def suppress(session: Session, channel: str, addresses: Iterable[str], reason: str, now: dt.datetime) -> int:
    """Never send to these addresses again. Returns how many were not suppressed before, or only as unsubscribed.

    `reason`: unsubscribed, hard_bounce, complaint, manual. Only an HMAC of the address is kept.
    """
    keys = sorted({signer().address_hmac(channel, address) for address in addresses})
    rows = session.execute(SUPPRESS, {"addresses": keys, "channel": channel, "reason": reason, "now": now})
    return len(rows.all())


def suppressed(session: Session, channel: str, addresses: Sequence[str]) -> set[str]:
    """Those of the addresses that are suppressed."""
    keys = {address: signer().address_hmac(channel, address) for address in addresses}
    found = session.execute(
        text("select address_hmac from suppressions where channel = :channel and address_hmac = any(:keys)"),
        {"channel": channel, "keys": list(set(keys.values()))},
    )
    known = {bytes(row) for row in found.scalars()}
    return {address for address, key in keys.items() if key in known}


def lift(session: Session, channel: str, addresses: Iterable[str], keyed: Signer) -> int:
    """The owners of these addresses are back: what was suppressed because they unsubscribed is not so any more.

    Bounces, complaints and what a colleague suppressed by hand stay. Returns how many were lifted.
    """
    keys = sorted({keyed.address_hmac(channel, address) for address in addresses})
    return len(session.execute(LIFT, {"channel": channel, "keys": keys}).all())


def welcome_back(session: Session, said: Sequence[ConsentChange], keyed: Signer) -> int:
    """Lift (as `lift` does) what holds for the addresses of contacts who expressly subscribed. Returns how many."""
    back: dict[str, list[int]] = {}
    for change in said:
        if change.action == "subscribed" and not change.weak and change.channel in ADDRESSES:
            back.setdefault(change.channel, []).append(change.contact_id)
    return sum(
        lift(session, channel, session.scalars(ADDRESSES[channel], {"ids": ids}), keyed)
        for channel, ids in sorted(back.items())
    )
