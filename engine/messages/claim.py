"""Claiming queued messages: lock, look again, decide, mark as `sending`; all in the caller's transaction.

Locking is one statement and reading another, whose snapshot is later than the locks: what was committed between (a
suppression, another message under the same cap) is seen. A claim takes one message a contact and locks the contact.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engine.messages import cap, gate
from engine.messages.handed import Candidate
from engine.reports import rollup
from engine.signing import Signer

ExitCheck = Callable[[Session, Sequence[Candidate], dt.datetime], set[int]]

lock_due = text("""
    select m.id, m.origin_at, m.contact_id, m.cap, case when :channel = 'email' then c.email else c.phone end as address
    from messages m join contacts c on c.id = m.contact_id
    where m.channel = :channel and m.state = 'queued' and m.send_after <= :now
      and (m.journey_id is null or m.journey_id not in (select j.id from journeys j where j.state = 'paused'))
    order by m.send_after, m.id
    limit :limit
    for update of m skip locked
    for no key update of c skip locked
""")

read_facts = text("""
    select m.id, m.origin_at, m.journey_id, m.step_id, m.channel, m.attempts, m.queued_at, m.contact_id, m.enrolment_id,
        m.version_id, m.visit, m.campaign_id, m.topic, m.token, m.cap, m.expires_at, u.address,
        c.email, c.phone, c.external_id, c.timezone, c.locale, c.attributes,
        t.slug as content_slug, t.current_version_id, j.slug as journey_slug, j.state as journey_state,
        e.trigger_event, whole.state as channel_state, part.state as topic_state, topics.default_state as topic_default,
        s.address_hmac is not null as suppressed, coalesce(sent.count, 0) as cap_count
    from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:addresses as text[]),
        cast(:hmacs as bytea[]), cast(:since as timestamptz[])) as u(id, origin_at, address, hmac, since)
    join messages m on m.id = u.id and m.origin_at = u.origin_at
    join contacts c on c.id = m.contact_id
    left join contents t on t.id = m.content_id
    left join journeys j on j.id = m.journey_id
    left join enrolments e on e.id = m.enrolment_id
    left join consent_states whole on whole.contact_id = c.id and whole.channel = m.channel and whole.topic = ''
    left join consent_states part on part.contact_id = c.id and part.channel = m.channel
        and part.topic = m.topic and m.topic <> ''
    left join topics on topics.slug = m.topic
    left join suppressions s on s.address_hmac = u.hmac and s.channel = m.channel
    left join lateral (
        select count(*) from messages other
        where u.since is not null and other.contact_id = m.contact_id and (other.accepted_at > u.since
            or other.accepted_at is null and other.state in ('sending', 'unknown') and other.claimed_at > u.since)
    ) sent on true
    order by m.send_after, m.id
""")

mark_sending = text("""
    update messages m
    set state = 'sending', reason = null, reply = null, claimed_at = :now, journal = :journal,
        attempts = m.attempts + 1, recipient = u.recipient, content_version_id = u.version
    from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:recipients as text[]),
        cast(:versions as bigint[])) as u(id, origin_at, recipient, version)
    where m.id = u.id and m.origin_at = u.origin_at and m.state = 'queued'
    returning m.id
""")

mark_ended = text("""
    update messages m set state = u.state, reason = u.reason, ended_at = :now
    from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:states as text[]),
        cast(:reasons as text[])) as u(id, origin_at, state, reason)
    where m.id = u.id and m.origin_at = u.origin_at and m.state = 'queued'
    returning m.id
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim brought: messages now `sending`, and how many ended at the gate, by reason. `locked` counts all."""

    messages: list[Candidate]
    ended: Counter[str]
    locked: int


def claim(
    session: Session,
    channel: str,
    now: dt.datetime,
    *,
    limit: int,
    journal: str,
    signer: Signer,
    needs_consent: bool,
    exit_check: ExitCheck | None = None,
) -> Claim:
    """Take up to `limit` due messages of a channel and mark those that may go as `sending` under `journal`.

    `exit_check` names the messages whose entry must end instead. The caller commits before anything is sent.
    """
    locked = _one_per_contact(session.execute(lock_due, {"channel": channel, "now": now, "limit": limit}).all())
    if not locked:
        return Claim([], Counter(), 0)
    rows = session.execute(read_facts, _keys(locked, channel, now, signer)).all()
    candidates = [_candidate(row) for row in rows]
    leaving = exit_check(session, candidates, now) if exit_check else set()
    verdicts = [gate.decide(_facts(row, row.id in leaving, needs_consent), now) for row in rows]
    going = [each for each, verdict in zip(candidates, verdicts, strict=True) if verdict.action == "send"]
    ended = [pair for pair in zip(candidates, verdicts, strict=True) if pair[1].action not in ("send", "hold")]
    going = _mark_sending(session, going, now, journal)
    _mark_ended(session, ended, now)
    return Claim(going, Counter(verdict.reason or verdict.action for _, verdict in ended), len(locked))


def _one_per_contact(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    first: dict[int, Row[Any]] = {}
    for row in rows:
        first.setdefault(row.contact_id, row)
    return list(first.values())


def _keys(rows: list[Row[Any]], channel: str, now: dt.datetime, signer: Signer) -> dict[str, list[Any]]:
    caps = [cap.parse(row.cap) for row in rows]
    return {
        "ids": [row.id for row in rows],
        "origins": [row.origin_at for row in rows],
        "addresses": [row.address for row in rows],
        "hmacs": [signer.address_hmac(channel, row.address) if row.address else None for row in rows],
        "since": [each.since(now) if each else None for each in caps],
    }


def _candidate(row: Row[Any]) -> Candidate:
    contact = {name: getattr(row, name) for name in ("email", "phone", "external_id", "timezone", "locale")}
    return Candidate(
        id=row.id,
        origin_at=row.origin_at,
        journey_id=row.journey_id,
        step_id=row.step_id,
        channel=row.channel,
        recipient=(row.address or "").strip(),
        attempt=row.attempts + 1,
        queued_at=row.queued_at,
        contact_id=row.contact_id,
        enrolment_id=row.enrolment_id,
        version_id=row.version_id,
        visit=row.visit,
        campaign_id=row.campaign_id,
        content_version_id=row.current_version_id,
        content_slug=row.content_slug or "",
        journey_slug=row.journey_slug,
        topic=row.topic,
        token=row.token,
        contact={**row.attributes, **{name: value for name, value in contact.items() if value is not None}},
        event=row.trigger_event or {},
    )


def _facts(row: Row[Any], leaving: bool, needs_consent: bool) -> gate.Facts:
    return gate.Facts(
        channel=row.channel,
        address=(row.address or "").strip(),
        channel_state=row.channel_state,
        topic_state=row.topic_state,
        topic_default=row.topic_default,
        suppressed=row.suppressed,
        needs_consent=needs_consent,
        journey_state=row.journey_state,
        leaving=leaving,
        expires_at=row.expires_at,
        cap=cap.parse(row.cap),
        cap_count=row.cap_count,
    )


def _mark_sending(session: Session, going: list[Candidate], now: dt.datetime, journal: str) -> list[Candidate]:
    """Mark them; gives those that were still queued, as an exit in this transaction may have cancelled others."""
    if not going:
        return []
    values = {
        "ids": [each.id for each in going],
        "origins": [each.origin_at for each in going],
        "recipients": [each.recipient for each in going],
        "versions": [each.content_version_id for each in going],
    }
    marked = set(session.execute(mark_sending, values | {"now": now, "journal": journal}).scalars())
    return [each for each in going if each.id in marked]


def _mark_ended(session: Session, ended: list[tuple[Candidate, gate.Verdict]], now: dt.datetime) -> None:
    if not ended:
        return
    values = {
        "ids": [each.id for each, _ in ended],
        "origins": [each.origin_at for each, _ in ended],
        "states": [verdict.action for _, verdict in ended],
        "reasons": [verdict.reason for _, verdict in ended],
    }
    marked = set(session.execute(mark_ended, values | {"now": now}).scalars())
    day = now.astimezone(dt.UTC).date()
    rollup.messages(
        session,
        [
            rollup.MessageDelta(each.journey_id or 0, each.step_id or "", each.channel, day, {"undelivered": 1})
            for each, _ in ended
            if each.id in marked  # the exit check may have cancelled it already, and counted it
        ],
    )
