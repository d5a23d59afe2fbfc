"""Write a run back: enrolments by one UPDATE, log and messages by binary COPY, counters beside them."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import copy_rows, driver
from engine.reports import rollup
from journeys.language.steps import Email, SendOptions, Sms, effective
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry
from journeys.runtime.run import Moves

LOG_TARGET = "step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)"
LOG_TYPES = ("timestamptz", "int8", "int8", "int8", "text", "int2", "text", "jsonb")
MESSAGE_TARGET = (
    "messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id, channel, "
    "topic, cap, queued_at, send_after, expires_at)"
)
MESSAGE_TYPES = (
    *("timestamptz", "int8", "text", "int2", "int8", "int8", "int8", "int8", "text", "text"),
    *("text", "timestamptz", "timestamptz", "timestamptz"),
)
# People of a batch share few fates (the same step, phase and instants), so each row carries the number of its fate.
PARK = """
update enrolments e
set step_id = f.step_id, phase = f.phase, wake_at = f.wake_at, deadline = f.deadline, arrived_at = f.arrived_at,
    steps_taken = f.taken, arms = case when f.arms is null then e.arms else e.arms || f.arms end
from unnest(%s::int8[], %s::int4[]) as u(id, fate)
join unnest(%s::int4[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int8[],
            %s::jsonb[]) as f(number, step_id, phase, wake_at, deadline, arrived_at, taken, arms) on f.number = u.fate
where e.id = u.id
"""
END = """
update enrolments e
set status = f.status, reason = f.reason, step_id = f.step_id, steps_taken = f.taken, phase = null, wake_at = null,
    deadline = null, ended_at = f.ended_at, arms = case when f.arms is null then e.arms else e.arms || f.arms end
from unnest(%s::int8[], %s::int4[]) as u(id, fate)
join unnest(%s::int4[], %s::text[], %s::text[], %s::text[], %s::int8[], %s::timestamptz[], %s::jsonb[])
     as f(number, status, reason, step_id, taken, ended_at, arms) on f.number = u.fate
where e.id = u.id
"""


def write(session: Session, catalogue: Catalogue, version: Version, moves: Moves, now: dt.datetime) -> None:
    """Everything that `moves` says, in the caller's transaction."""
    if moves.parked:
        _park(session, moves)
    if moves.ended:
        _end(session, moves, now)
    lines = [(row.id, row.contact_id, step_id, outcome.log, outcome.detail) for row, step_id, outcome in moves.log] + [
        (row.id, row.contact_id, "", ended.status, _why(ended.reason)) for row, ended in moves.ended
    ]
    log(session, version, lines, now)
    _draw(session, version, moves)
    if moves.messages:
        _queue(session, catalogue, version, moves.messages, now)


def log(
    session: Session,
    version: Version,
    lines: Sequence[tuple[int, int, str, str, dict[str, Any] | None]],
    now: dt.datetime,
) -> None:
    """Append (enrolment, contact, step, outcome, detail) to the step log, and count them."""
    if not lines:
        return
    partitions.ensure(session, "step_log", [now])
    shared = {id(line[4]): line[4] for line in lines}
    details = {key: None if detail is None else _encoded(detail) for key, detail in shared.items()}
    copy_rows(
        session,
        LOG_TARGET,
        LOG_TYPES,
        (
            (now, id_, contact_id, version.id, step_id, 1, outcome, details[id(detail)])
            for id_, contact_id, step_id, outcome, detail in lines
        ),
    )
    counts = Counter((step_id, outcome) for _, _, step_id, outcome, _ in lines)
    rollup.steps(session, version.journey_id, now.date(), counts)


def _encoded(detail: dict[str, Any]) -> Jsonb:
    """Encoded once for all the lines that share it."""
    text = json.dumps(detail)
    return Jsonb(detail, dumps=lambda _: text)


def _why(reason: str | None) -> dict[str, Any] | None:
    return {"reason": reason} if reason else None


def _arms(row: Entry) -> str | None:
    return json.dumps(row.arms) if row.arms else None


def _park(session: Session, moves: Moves) -> None:
    fates = [
        (row.step_id, outcome.phase, outcome.wake_at, outcome.deadline, row.arrived_at, row.taken, _arms(row))
        for row, outcome in moves.parked
    ]
    _update(session, PARK, [row.id for row, _ in moves.parked], fates)


def _end(session: Session, moves: Moves, now: dt.datetime) -> None:
    fates = [(ended.status, ended.reason, row.step_id, row.taken, now, _arms(row)) for row, ended in moves.ended]
    _update(session, END, [row.id for row, _ in moves.ended], fates)


def _update(session: Session, statement: str, ids: Sequence[int], fates: Sequence[tuple[Any, ...]]) -> None:
    """One UPDATE for all `ids`; equal fates are sent once."""
    numbers: dict[tuple[Any, ...], int] = {}
    chosen = [numbers.setdefault(fate, len(numbers)) for fate in fates]
    columns = [list(column) for column in zip(*numbers, strict=True)]
    driver(session).execute(statement, [list(ids), chosen, list(numbers.values()), *columns])


def _draw(session: Session, version: Version, moves: Moves) -> None:
    """Count who was drawn into which arm, by the day of entry."""
    drawn = [
        rollup.EntryDelta(step_id, outcome.arm, row.entered_at.date(), row.first)
        for row, step_id, outcome in moves.log
        if outcome.arm is not None
    ]
    rollup.entries(session, version.journey_id, drawn)


def _queue(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    asked: Sequence[tuple[Entry, Email | Sms]],
    now: dt.datetime,
) -> None:
    steps = {step.id: step for _, step in asked}
    options = {id_: effective(version.program.journey, step) for id_, step in steps.items()}
    copy_rows(
        session,
        MESSAGE_TARGET,
        MESSAGE_TYPES,
        (_message(catalogue, version, row, step, options[step.id], now) for row, step in asked),
    )


def _message(
    catalogue: Catalogue, version: Version, row: Entry, step: Email | Sms, options: SendOptions, now: dt.datetime
) -> tuple[Any, ...]:
    content_id, _ = catalogue.contents[step.content]
    return (
        *(row.entered_at, row.id, step.id, 1, row.contact_id, version.journey_id, version.id, content_id, step.kind),
        options.topic or None,
        f"{options.cap.count} per {options.cap.per}" if options.cap else None,
        *(now, now, options.expires.after(now) if options.expires else None),
    )
