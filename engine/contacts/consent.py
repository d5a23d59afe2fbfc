"""Consent as an append-only history with its fold, and addresses that must never be sent to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.changes import announce
from engine.db import copy_rows, int_array
from engine.signing import signer

CHANNEL_WIDE = ""
ACTIONS = ("subscribed", "unsubscribed")

FOLD = text("""
insert into consent_states (contact_id, channel, topic, state, changed_at)
select distinct on (contact_id, channel, topic) contact_id, channel, topic, state, at
from unnest(cast(:contacts as bigint[]), cast(:channels as text[]), cast(:topics as text[]), cast(:states as text[]),
            cast(:moments as timestamptz[])) with ordinality said(contact_id, channel, topic, state, at, position)
order by contact_id, channel, topic, at desc, position desc
on conflict (contact_id, channel, topic) do update set state = excluded.state, changed_at = excluded.changed_at
where excluded.changed_at >= consent_states.changed_at and excluded.state <> consent_states.state
returning contact_id, channel, topic""")
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
on conflict do nothing returning address_hmac""")


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A contact's word on a channel (email, sms) and a topic; topic "" speaks of the whole channel."""

    contact_id: int
    channel: str
    action: str  # subscribed, unsubscribed
    source: str  # import, form, link, one-click, api, person
    topic: str = CHANNEL_WIDE
    occurred_at: dt.datetime | None = None  # `now` when None
    lawful_basis: str | None = None
    wording: str | None = None
    ip: str | None = None
    user_agent: str | None = None


def record_consent(session: Session, given: Sequence[ConsentChange], now: dt.datetime) -> set[int]:
    """Append every word to the history; where it is the last word and a new one, change the state and announce it.

    Returns the contacts whose state changed. A word older than the state's is kept in the history only.
    """
    if not given:
        return set()
    _append(session, given, now)
    changed = session.execute(
        FOLD,
        {
            "contacts": [c.contact_id for c in given],
            "channels": [c.channel for c in given],
            "topics": [c.topic for c in given],
            "states": [c.action for c in given],
            "moments": [c.occurred_at or now for c in given],
        },
    ).all()
    announce(session, _by_contact((contact_id, topic) for contact_id, _, topic in changed), now)
    return {contact_id for contact_id, _, _ in changed}


def subscribe_wordless(session: Session, ids: Iterable[int], channel: str, source: str, now: dt.datetime) -> None:
    """Subscribe those of the contacts to the channel who have never said a word on it, and announce it."""
    values = {"ids": int_array(ids), "channel": channel, "source": source, "now": now}
    changed = session.execute(SUBSCRIBE, values).scalars()
    announce(session, ((contact_id, "consent", (CHANNEL_WIDE,)) for contact_id in changed), now)


def _append(session: Session, given: Sequence[ConsentChange], now: dt.datetime) -> None:
    columns = "contact_id, channel, topic, action, source, lawful_basis, wording, ip, user_agent, occurred_at"
    rows = (
        (c.contact_id, c.channel, c.topic, c.action, c.source, c.lawful_basis, c.wording, c.ip, c.user_agent,
         c.occurred_at or now)
        for c in given
    )  # fmt: skip
    copy_rows(session, f"consent_events({columns})", ("int8", *("text",) * 8, "timestamptz"), rows)


def _by_contact(changed: Iterable[tuple[int, str]]) -> list[tuple[int, str, list[str]]]:
    topics: dict[int, set[str]] = {}
    for contact_id, topic in changed:
        topics.setdefault(contact_id, set()).add(topic)
    return [(contact_id, "consent", sorted(names)) for contact_id, names in sorted(topics.items())]


def suppress(session: Session, channel: str, addresses: Iterable[str], reason: str, now: dt.datetime) -> int:
    """Never send to these addresses again. Returns how many were not suppressed before.

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
