"""The invariants I1 to I6 as queries: what must hold after every commit, whatever died or came twice.

The oracle for what was sent is the SMTP receiver's own record: how often it accepted each message, by the token in the
message's Message-ID (`token_of`). Every check returns what it found wrong, in words; `violations` makes them all. They
only read, so that they may run while workers work, but for what says "at rest".

`watch` has the database write down every change of a message's state, which I3 judges.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import ledger

LATTICE = {
    ("", "queued"),
    ("queued", "sending"),
    *(("queued", state) for state in ("suppressed", "expired", "cancelled")),
    *(("sending", state) for state in ("accepted", "queued", "failed", "unknown")),
    *(("accepted", state) for state in ("delivered", "bounced", "complained")),
    *(("delivered", state) for state in ("bounced", "complained")),
    *(("unknown", state) for state in ("accepted", "bounced", "failed")),
}
"""Every step that a message may take; '' is before it was written. A message is never deleted."""

MESSAGE_ID = re.compile(rb"^message-id:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)


def token_of(raw: bytes) -> str:
    """The token of a message as it was received. Raises ValueError if it names none."""
    found = MESSAGE_ID.search(raw)
    if found is None:
        raise ValueError("the message has no Message-ID")
    return found[1].decode()


@dataclass(frozen=True)
class Ban:
    """A contact who may not be written to any more, and the tries that were under way when that was committed.

    `tries` maps tokens to the attempt that had begun.
    """

    contact_id: int
    tries: Mapping[str, int]


BEGUN = text("""
with free as materialized (
    select id from messages where contact_id = :id and state = 'queued' for update skip locked)
select token, attempts + (state = 'queued')::int as attempts from messages
where contact_id = :id and id not in (select id from free)
""")


def ban(session: Session, contact_id: int) -> Ban:
    """To be read right after the commit of a suppression: what had left the queue by then may still arrive, and so may
    what a claim under way has locked, which had its answer before."""
    rows = session.execute(BEGUN, {"id": contact_id})
    return Ban(contact_id, {row.token: row.attempts for row in rows})


# I1 -------------------------------------------------------------------------------------------------------------------

KNOWN = text("""
select m.token, m.state, m.contact_id, m.attempts, m.enrolment_id, m.step_id, m.visit, m.campaign_id from messages m
where m.channel = 'email' and (m.token = any(:tokens) or m.state in ('accepted', 'delivered', 'complained'))
""")
MAY_HAVE_ARRIVED = {"sending", "accepted", "delivered", "bounced", "complained", "unknown"}
TWINS = text("""
select 'enrolment ' || enrolment_id || ' step ' || step_id || ' visit ' || visit || ': ' || count(*) || ' messages'
from messages where enrolment_id is not null group by enrolment_id, step_id, visit having count(*) > 1
union all
select 'campaign ' || campaign_id || ' contact ' || contact_id || ': ' || count(*) || ' messages'
from messages where campaign_id is not null group by campaign_id, contact_id having count(*) > 1
""")


def accepted_once(session: Session, accepted: Mapping[str, int]) -> list[str]:
    """I1: the receiver accepted at most one message per (enrolment, step, visit) or (campaign, contact).

    And the ledger agrees with the receiver: nothing arrived that it does not know or holds for unsent, nothing is
    missing that it calls accepted.
    """
    rows = {row.token: row for row in session.execute(KNOWN, {"tokens": list(accepted)})}
    found = [f"I1 message {token} was accepted {count} times" for token, count in accepted.items() if count > 1]
    found += [f"I1 message {token} was accepted and is not in the ledger" for token in accepted.keys() - rows.keys()]
    slots = Counter(_slot(rows[token]) for token in accepted if token in rows)
    found += [f"I1 {slot} was accepted as {count} messages" for slot, count in slots.items() if count > 1]
    found += [
        f"I1 message {token} was accepted and its state is {rows[token].state}"
        for token in accepted.keys() & rows.keys()
        if rows[token].state not in MAY_HAVE_ARRIVED
    ]
    found += [
        f"I1 message {token} is {row.state} and was never received"
        for token, row in rows.items()
        if row.state in ("accepted", "delivered", "complained") and not accepted.get(token)
    ]
    return found + [f"I1 {line}" for line in session.execute(TWINS).scalars()]


def _slot(row: Any) -> tuple[Any, ...]:
    if row.enrolment_id is not None:
        return ("enrolment", row.enrolment_id, row.step_id, row.visit)
    return ("campaign", row.campaign_id, row.contact_id) if row.campaign_id is not None else ("message", row.token)


# I2 -------------------------------------------------------------------------------------------------------------------

SLEEPERS = text("""
select 'enrolment ' || id || ' is ' || status || ' in phase ' || coalesce(phase, 'none') || ', wakes at '
    || coalesce(wake_at::text, 'never') || ', deadline ' || coalesce(deadline::text, 'none')
from enrolments
where case status
    when 'active' then wake_at is null or step_id is null
        or coalesce(phase, '') not in ('ready', 'waiting', 'held', 'sending')
        or (phase = 'waiting' and deadline is not null and wake_at > deadline)
    else wake_at is not null or phase is not null or (status <> 'held_out' and ended_at is null) end
""")


def one_wake_up(session: Session) -> list[str]:
    """I2: an active enrolment has one instant at which it goes on, not after its wait's end; the others have none."""
    return [f"I2 {line}" for line in session.execute(SLEEPERS).scalars()]


# I3 -------------------------------------------------------------------------------------------------------------------

WATCH = (
    """
create table message_transitions (
    id bigint generated always as identity primary key, message_id bigint, token text, was text, became text)
""",
    """
create function watch_message() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        insert into message_transitions (message_id, token, was, became)
        values (old.id, old.token, old.state, 'deleted');
    elsif tg_op = 'INSERT' then
        insert into message_transitions (message_id, token, was, became)
        values (new.id, new.token, '', new.state);
    elsif new.state <> old.state then
        insert into message_transitions (message_id, token, was, became)
        values (new.id, new.token, old.state, new.state);
    end if;
    return null;
end $$
""",
    """
create trigger watch_message after insert or update of state or delete on messages
for each row execute function watch_message()
""",
)
TRANSITIONS = text("select was, became, min(token), count(*) from message_transitions group by was, became")
MIXED = text("""
select 'message ' || token || ' is ' || state || case when accepted_at is null then '' else ', has accepted_at' end
    || case when ended_at is null then '' else ', has ended_at' end
    || case when claimed_at is null then '' else ', has claimed_at' end || ', attempts ' || attempts
from messages
where case
    when state = 'queued'
        then accepted_at is not null or ended_at is not null or claimed_at is not null or journal is not null
    when state = 'sending'
        then accepted_at is not null or ended_at is not null or claimed_at is null or journal is null or attempts < 1
    when state in ('accepted', 'delivered', 'complained') then accepted_at is null
    when state = 'unknown' then accepted_at is not null or ended_at is null
    when state in ('suppressed', 'expired', 'cancelled', 'failed') then accepted_at is not null or ended_at is null
    else state <> 'bounced' end
""")
UNLOGGED = text("""
select 'enrolment ' || coalesce(l.enrolment_id, m.enrolment_id) || ' step ' || coalesce(l.step_id, m.step_id) || ': '
    || coalesce(l.count, 0) || ' times queued, ' || coalesce(m.count, 0) || ' messages'
from (select enrolment_id, step_id, count(*) from step_log where outcome = 'queued' group by 1, 2) l
full join (select enrolment_id, step_id, count(*) from messages where enrolment_id is not null group by 1, 2) m
    on m.enrolment_id = l.enrolment_id and m.step_id = l.step_id
where l.count is distinct from m.count
""")


def watch(session: Session) -> None:
    """Write down every change of a message's state from now on, in the commit that makes it."""
    for statement in WATCH:
        session.execute(text(statement))


def one_state(session: Session) -> list[str]:
    """I3: a message is in one state, wholly, and came there along the lattice (`watch` must have been called); each
    step of an entry that asked for a message has it."""
    found = [
        f"I3 {count} messages went from {was or 'nothing'} to {became}, such as {token}"
        for was, became, token, count in session.execute(TRANSITIONS)
        if (was, became) not in LATTICE
    ]
    found += [f"I3 {line}" for line in session.execute(MIXED).scalars()]
    return found + [f"I3 {line}" for line in session.execute(UNLOGGED).scalars()]


# I4 -------------------------------------------------------------------------------------------------------------------

COUNTERS = {
    "messages": (ledger.MESSAGE_ROLLUPS, ledger.MESSAGE_COUNTS),
    "steps": (ledger.STEP_ROLLUPS, ledger.STEP_COUNTS),
    "entries": (ledger.ENTRY_ROLLUPS, ledger.ENTRY_COUNTS),
}


def counters_equal_a_recount(session: Session) -> list[str]:
    """I4: the counters of messages, steps and entries are what counting their rows gives.

    The two readings are one snapshot only in a transaction that is `repeatable read`, or at rest.
    """
    found = []
    for name, (rollup, recount) in COUNTERS.items():
        counted, real = _counted(session, rollup), _counted(session, recount)
        found += [
            f"I4 {name} {key}: counted {counted.get(key)}, there are {real.get(key)}"
            for key in counted.keys() | real.keys()
            if counted.get(key) != real.get(key)
        ]
    return found


def _counted(session: Session, query: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows whose counters are all zero say the same as no row."""
    return {tuple(row[:4]): tuple(row[4:]) for row in session.execute(text(query)) if any(row[4:])}


# I5 -------------------------------------------------------------------------------------------------------------------

OF_BANNED = text("""
select m.contact_id, m.token, m.attempts from messages m where m.channel = 'email' and m.contact_id = any(:ids)
""")


def nothing_after_a_ban(session: Session, accepted: Mapping[str, int], bans: Iterable[Ban]) -> list[str]:
    """I5: of those who may not be written to, the receiver accepted nothing but tries that were under way."""
    known = {one.contact_id: one for one in bans}
    found = []
    for contact_id, token, attempts in session.execute(OF_BANNED, {"ids": list(known)}):
        begun = known[contact_id].tries.get(token, 0)
        if accepted.get(token) and attempts > begun:
            found.append(f"I5 message {token} was accepted: try {attempts}, and {begun} had begun before the ban")
    return found


# I6 -------------------------------------------------------------------------------------------------------------------

RESTLESS = text("""
select 'message ' || m.token || ' is ' || m.state from messages m left join journeys j on j.id = m.journey_id
where m.state = 'sending' or (m.state = 'queued' and coalesce(j.state, '') <> 'paused'
    and (m.send_after <= :now or m.send_after = 'infinity'
        and not exists (select from stream_pauses where resumed_at is null)))
union all
select 'event ' || message_id || ' waits' from event_inbox where available_at <= :now
union all
select 'event ' || message_id || ' was set aside: ' || coalesce(error, '') from event_inbox
where available_at = 'infinity'
union all
select 'change ' || id || ' of contact ' || contact_id || ' waits' from change_inbox
union all
select 'contact ' || i.contact_id || ' has not entered ' || j.slug || coalesce(': ' || i.error, '')
from entry_inbox i join journeys j on j.id = i.journey_id
where j.state = 'live' and (i.available_at <= :now or i.error is not null)
union all
select 'slot ' || next_entry_at || ' of ' || slug || ' was missed' from journeys
where state = 'live' and next_entry_at <= :now
union all
select 'enrolment ' || e.id || ' overslept ' || e.wake_at from enrolments e join journeys j on j.id = e.journey_id
where e.status = 'active' and (e.wake_at <= :now and j.state in ('live', 'draining') or j.state = 'stopped')
union all
select 'enrolment ' || id || ' failed: ' || coalesce(reason, '') from enrolments where status = 'failed'
union all
select 'campaign ' || slug || ' is ' || state || ', looked at next at ' || next_at from campaigns
where state in ('scheduled', 'sending') and next_at <= :now
union all
select 'hit ' || id || ' is not classified' from hits where classification is null and at <= :now - interval '1 minute'
""")


def quiet(session: Session, now: Any) -> list[str]:
    """I6, at rest: nothing that is due at `now` is left, and nothing was set aside as faulty."""
    return [f"I6 {line}" for line in session.execute(RESTLESS, {"now": now}).scalars()]


def violations(session: Session, accepted: Mapping[str, int], bans: Sequence[Ban] = ()) -> list[str]:
    """All of I1 to I5, in one snapshot. `accepted` must have been read before the transaction of `session` began,
    `bans` too, unless everything is at rest; the transaction must be new and becomes `repeatable read`."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return [
        *accepted_once(session, accepted),
        *one_wake_up(session),
        *one_state(session),
        *counters_equal_a_recount(session),
        *nothing_after_a_ban(session, accepted, bans),
    ]
