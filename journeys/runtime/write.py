"""Write a run back: one statement moves enrolments and adds their log and messages; counters beside it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import driver, int_array
from engine.reports import rollup
from journeys.language.steps import Email, Sms
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry
from journeys.runtime.run import Ended, Party

# People of a batch share few fates and fewer ways to them, so each carries only the number of a fate, and everything
# else is spelled out in the database. A way is unnested beside its row, so that log lines and messages get their ids in
# its order: under a cap it is the first message of a run that goes. Who draws at a split once more stays counted in the
# arm of their first draw.
WRITE = """
with moved as (
    update enrolments e
    set status = f.status, reason = f.reason, step_id = f.step_id, phase = f.phase, wake_at = f.wake_at,
        deadline = f.deadline, arrived_at = coalesce(f.arrived_at, e.arrived_at), ended_at = f.ended_at,
        visit = f.visit, visits = coalesce(f.visits, e.visits),
        steps_taken = e.steps_taken + f.taken, arms = case when f.arms is null then e.arms else f.arms || e.arms end
    from unnest(%(ids)s::int8[], %(fates)s::int4[]) as u(id, fate)
    join unnest(%(number)s::int4[], %(way)s::int4[], %(status)s::text[], %(reason)s::text[], %(step_id)s::text[],
                %(phase)s::text[], %(wake_at)s::timestamptz[], %(deadline)s::timestamptz[],
                %(arrived_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(taken)s::int8[], %(arms)s::jsonb[],
                %(visit)s::int2[], %(visits)s::jsonb[])
        as f(number, way, status, reason, step_id, phase, wake_at, deadline, arrived_at, ended_at, taken, arms, visit,
             visits)
        on f.number = u.fate
    where e.id = u.id
    returning e.id, e.contact_id, e.entered_at, f.way
), ways as materialized (
    select way, array_agg(step order by number) as steps, array_agg(outcome order by number) as outcomes,
        array_agg(detail order by number) as details, array_agg(visit order by number) as visits
    from unnest(%(line_way)s::int4[], %(line_step)s::text[], %(line_outcome)s::text[], %(line_detail)s::jsonb[],
                %(line_visit)s::int2[])
        with ordinality as line(way, step, outcome, detail, visit, number)
    group by way
), logged as (
    insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)
    select %(now)s, m.id, m.contact_id, %(version_id)s, unnest(steps), unnest(visits), unnest(outcomes),
        unnest(details)
    from moved m join ways using (way)
), sends as materialized (
    select way, array_agg(step_id order by number) as steps, array_agg(content_id order by number) as contents,
        array_agg(channel order by number) as channels, array_agg(topic order by number) as topics,
        array_agg(cap order by number) as caps, array_agg(expires_at order by number) as expiries,
        array_agg(fallback order by number) as fallbacks, array_agg(visit order by number) as visits,
        array_agg(sender order by number) as senders
    from unnest(%(send_way)s::int4[], %(send_step)s::text[], %(content_id)s::int8[], %(channel)s::text[],
                %(topic)s::text[], %(cap)s::text[], %(expires_at)s::timestamptz[], %(fallback)s::bool[],
                %(send_visit)s::int2[], %(sender)s::text[])
        with ordinality
        as send(way, step_id, content_id, channel, topic, cap, expires_at, fallback, visit, sender, number)
    group by way
)
insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id, channel,
    topic, cap, queued_at, send_after, expires_at, fallback, sender)
select m.entered_at, m.id, s.step_id, s.visit, m.contact_id, %(journey_id)s, %(version_id)s, s.content_id, s.channel,
    s.topic, s.cap, %(now)s, %(now)s, s.expires_at, s.fallback, s.sender
from moved m join sends using (way)
cross join lateral unnest(steps, contents, channels, topics, caps, expiries, fallbacks, visits, senders)
    as s(step_id, content_id, channel, topic, cap, expires_at, fallback, visit, sender)
"""


FATE = (
    *("number", "way", "status", "reason", "step_id", "phase", "wake_at", "deadline", "arrived_at", "ended_at"),
    *("taken", "arms", "visit", "visits"),
)
LINE = ("line_way", "line_step", "line_outcome", "line_detail", "line_visit")
SEND = (
    "send_way",
    "send_step",
    "content_id",
    "channel",
    "topic",
    "cap",
    "expires_at",
    "fallback",
    "sender",
    "send_visit",
)


class Line(NamedTuple):
    """A line of the step log, but for whom; `detail` is JSON."""

    step_id: str
    outcome: str
    detail: str | None
    visit: int = 1


class Way(NamedTuple):
    """What is written for everybody who went this way: log lines, and the steps, with their visit, whose messages they
    get."""

    lines: tuple[Line, ...]
    sends: tuple[tuple[str, int], ...]


MET = text("""
select e.id, (select coalesce(sum(c.value), 0) from conversions c where c.enrolment_id = e.id and c.kind = 'goal')
from enrolments e where e.id = any(:ids) and e.goal_at is not null
""")


def write(session: Session, catalogue: Catalogue, version: Version, parties: Sequence[Party], now: dt.datetime) -> None:
    """Everything that a run decided, in the caller's transaction."""
    partitions.ensure(session, "step_log", [now])
    ways: dict[Way, int] = {}
    chosen = [ways.setdefault(_way(party), len(ways)) for party in parties]
    fates = [(number, way, *_fate(party, now)) for number, (way, party) in enumerate(zip(chosen, parties, strict=True))]
    lines = [(number, *line) for way, number in ways.items() for line in way.lines]
    sends = [
        (number, *_message(catalogue, version, step_id, now), visit)
        for way, number in ways.items()
        for step_id, visit in way.sends
    ]
    moved = sorted((row.id, number) for number, party in enumerate(parties) for row in party.rows)
    values = {
        "ids": int_array(id_ for id_, _ in moved),
        "fates": int_array(number for _, number in moved),
        "now": now,
        "version_id": version.id,
        "journey_id": version.journey_id,
    }
    driver(session).execute(WRITE, values | _columns(FATE, fates) | _columns(LINE, lines) | _columns(SEND, sends))
    _count(session, version, parties, now)


def _way(party: Party) -> Way:
    lines = [Line(step_id, outcome.log, _json(outcome.detail), visit) for step_id, outcome, visit in party.log]
    if isinstance(party.stays, Ended):
        lines.append(Line("", party.stays.status, _json(_why(party.stays.reason))))
    return Way(tuple(lines), tuple((step_id, visit) for step_id, outcome, visit in party.log if outcome.send))


def _fate(party: Party, now: dt.datetime) -> tuple[Any, ...]:
    """All of `FATE` but its number and way."""
    arms = _json({step_id: outcome.arm for step_id, outcome, _ in party.log if outcome.arm is not None} or None)
    beside = (party.taken, arms, party.visit, _json(dict(party.visits) or None))
    if isinstance(party.stays, Ended):
        return (*party.stays, party.step_id, None, None, None, None, now, *beside)
    assert party.stays is not None
    parked = (party.stays.phase, party.stays.wake_at, party.stays.deadline, now if party.arrived else None, None)
    return ("active", None, party.step_id, *parked, *beside)


def _message(catalogue: Catalogue, version: Version, step_id: str, now: dt.datetime) -> tuple[Any, ...]:
    """All of `SEND` but its way and visit."""
    step = version.program.steps[step_id]
    assert isinstance(step, Email | Sms)
    options = version.program.sends[step.id]
    content_id, _ = catalogue.contents[step.content]
    cap = f"{options.cap.count} per {options.cap.per}" if options.cap else None
    expires_at = options.expires.after(now) if options.expires else None
    sender = options.from_ or None if isinstance(step, Email) else None
    return (step_id, content_id, step.kind, options.topic or None, cap, expires_at, bool(options.fallback), sender)


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in names}


def _count(session: Session, version: Version, parties: Sequence[Party], now: dt.datetime) -> None:
    """Log lines by step and outcome, and those who were drawn into an arm, once an entry, by the day of their entry."""
    counts: Counter[tuple[str, str]] = Counter()
    drawn: list[tuple[str, str, Entry]] = []
    for party in parties:
        for step_id, outcome, visit in party.log:
            counts[step_id, outcome.log] += len(party.rows)
            if outcome.arm is not None and visit == 1:
                drawn += [(step_id, outcome.arm, row) for row in party.rows]
        if isinstance(party.stays, Ended):
            counts["", party.stays.status] += len(party.rows)
    rollup.steps(session, version.journey_id, now.date(), counts)
    deltas = [rollup.EntryDelta(split, arm, row.entered_at.date(), row.first) for split, arm, row in drawn]
    rollup.entries(session, version.journey_id, deltas + _met_before(session, drawn))


def _met_before(session: Session, drawn: Sequence[tuple[str, str, Entry]]) -> list[rollup.EntryDelta]:
    """Goals that were met before the draw: a goal that lets people stay counts in each arm that they come to."""
    if not drawn:
        return []
    ids = int_array({row.id for _, _, row in drawn})
    worth = {row[0]: row[1] for row in session.execute(MET, {"ids": ids})}
    return [
        rollup.EntryDelta(split, arm, row.entered_at.date(), row.first, worth[row.id])
        for split, arm, row in drawn
        if row.id in worth
    ]


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _why(reason: str | None) -> dict[str, Any] | None:
    return {"reason": reason} if reason else None
