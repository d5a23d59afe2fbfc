"""Claiming queued messages: lock, look again, decide, mark as `sending`; all in the caller's transaction.

Locking is one statement; what else the gate looks at is read by others, whose snapshots are later than the locks
(`engine.messages.facts`). A claim takes one message a contact and locks the contact.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.channels.allowed import Allowed
from engine.contacts.changes import announce_settled
from engine.messages import claims, departures, facts, gate, limits, rates
from engine.messages.handed import Candidate
from engine.messages.limits import NO_LIMITS, Held, Limits
from engine.receipts import streams
from engine.reports import rollup
from engine.signing import Signer

ExitCheck = Callable[[Session, Sequence[Candidate], dt.datetime], set[int]]

lock_due = text("""
    select m.id, m.origin_at, m.journey_id, m.step_id, m.channel,
        case when :channel = 'email' then c.email else c.phone end, m.attempts + 1, m.queued_at, m.contact_id,
        m.enrolment_id, m.version_id, m.visit, m.campaign_id, m.content_id, m.topic, m.token, m.cap, m.expires_at,
        c.attributes, c.email, c.phone, c.external_id, c.timezone, c.locale, m.transactional, m.sender
    from messages m join contacts c on c.id = m.contact_id
    where m.channel = :channel and m.state = 'queued' and m.claimed_at is null and m.ended_at is null
      and m.send_after <= :now
      and (m.journey_id is null or m.journey_id not in (select j.id from journeys j where j.state = 'paused'))
    order by m.send_after, m.id
    limit :limit
    for update of m skip locked
    for no key update of c skip locked
""")
own_fields = ("email", "phone", "external_id", "timezone", "locale")

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
    update messages m set state = u.state, reason = u.reason, ended_at = :now, seen = cast(u.seen as jsonb)
    from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:states as text[]),
        cast(:reasons as text[]), cast(:seen as text[])) as u(id, origin_at, state, reason, seen)
    where m.id = u.id and m.origin_at = u.origin_at and m.state = 'queued'
    returning m.id, m.fallback
""")


class Refused(NamedTuple):
    """A message that ends at the gate, and what the gate looked at."""

    message: Candidate
    verdict: gate.Verdict
    facts: gate.Facts


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim brought: messages now `sending`, and how many ended at the gate, by reason. `locked` counts all.

    `parts` are the messages by the way they take, each under the name that `claims.end` wants.
    """

    messages: list[Candidate]
    ended: Counter[str]
    locked: int
    parts: tuple[tuple[int, list[Candidate]], ...] = ()


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
    pressure: Limits = NO_LIMITS,
    allowed: Allowed | None = None,
    pace: rates.Pace | None = None,
    departing: departures.Departures | None = None,
) -> Claim:
    """Take up to `limit` due messages of a channel and mark those that may go as `sending` under `journal`.

    `exit_check` names the messages whose entry must end instead; nobody but `allowed` gets one. What `pressure` holds
    in quiet hours comes due when they end, and what is over the `pace` when its turn comes. `departing` says who the
    mail is from. The caller commits before anything is sent.
    """
    rows = session.execute(lock_due, {"channel": channel, "now": now, "limit": limit}).all()
    candidates = _one_per_contact(rows)
    if not candidates:
        return Claim([], Counter(), 0)
    known = facts.read(session, channel, candidates, now, signer, pressure)
    known.allowed = allowed
    if departing is not None:
        departing.name(candidates)
    waiting = streams.put_aside(session, candidates)
    leaving = exit_check(session, candidates, now) if exit_check else set()
    going: list[Candidate] = []
    ended: list[Refused] = []
    held: list[Held] = []
    for each in candidates:
        if each.id in waiting:
            continue
        looked_at = known.of(each, leaving=each.id in leaving, needs_consent=needs_consent)
        verdict = gate.decide(looked_at, now)
        if verdict.action == "send":
            going.append(each)
        elif looked_at.quiet and looked_at.quiet_until and verdict.reason == "quiet":
            held.append(Held(each, looked_at.quiet_until, looked_at.quiet.length))
        elif verdict.action != "hold":
            ended.append(Refused(each, verdict, looked_at))
    if departing is not None:
        going = departing.divide(session, going, now)
    going, later = rates.keep_pace(session, going, pace, now)
    if departing is not None:
        going = departing.keep_warm_up(session, going, now)
    going = _mark_sending(session, going, now, journal)
    _mark_ended(session, ended, now)
    limits.hold(session, held)
    limits.hold(session, later, "rate")
    counts = Counter(each.verdict.reason or each.verdict.action for each in ended)
    parts = ((claims.begin(session, part, journal, now), part) for part in departures.by_way(going))
    return Claim(going, counts, len(candidates), tuple(parts))


def _one_per_contact(rows: Sequence[Any]) -> list[Candidate]:
    first: dict[int, Candidate] = {}
    for row in rows:
        if row[8] not in first:
            first[row[8]] = candidate(row)
    return list(first.values())


def candidate(row: Any) -> Candidate:
    """A message with its contact, of a row whose columns begin as those of `lock_due`."""
    found = Candidate(*row[:18])
    found.recipient = (found.recipient or "").strip()
    if found.channel == "sms":
        found.recipient = gate.dialable(found.recipient)
    contact = found.contact = row[18]
    found.transactional, found.sender = row[24], row[25]
    for name, value in zip(own_fields, row[19:24], strict=True):
        if value is not None:
            contact[name] = value
    return found


def _mark_sending(session: Session, going: list[Candidate], now: dt.datetime, journal: str) -> list[Candidate]:
    """Mark them; gives those that were still queued, as an exit in this transaction may have cancelled others."""
    if not going:
        return []
    values = {
        "ids": literal([each.id for each in going]),
        "origins": literal([each.origin_at for each in going]),
        "recipients": literal([each.recipient for each in going]),
        "versions": literal([each.content_version_id for each in going]),
    }
    marked = set(session.execute(mark_sending, values | {"now": now, "journal": journal}).scalars())
    return [each for each in going if each.id in marked]


def _mark_ended(session: Session, refused: list[Refused], now: dt.datetime) -> None:
    if not refused:
        return
    ended = [each.message for each in refused]
    values = {
        "ids": literal([each.id for each in ended]),
        "origins": literal([each.origin_at for each in ended]),
        "states": literal([each.verdict.action for each in refused]),
        "reasons": literal([each.verdict.reason for each in refused]),
        "seen": literal([json.dumps(gate.seen(each.facts)) for each in refused]),
    }
    marked = {row[0]: row[1] for row in session.execute(mark_ended, values | {"now": now})}
    announce_settled(session, [(each.id, each.origin_at) for each in ended if marked.get(each.id)], now)
    day = now.astimezone(dt.UTC).date()
    rollup.messages(
        session,
        [
            rollup.MessageDelta(each.journey_id or 0, each.step_id or "", each.channel, day, {"undelivered": 1})
            for each in ended
            if each.id in marked  # the exit check may have cancelled it already, and counted it
        ],
    )
    reasons = Counter(
        (each.message.journey_id or 0, each.message.step_id or "", each.message.channel, day, each.verdict.reason or "")
        for each in refused
        if each.message.id in marked and each.verdict.action in ("suppressed", "expired")
    )
    rollup.withheld(session, reasons)
