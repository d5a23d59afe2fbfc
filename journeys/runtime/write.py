"""Write a run back: enrolments by one UPDATE, log and messages by binary COPY, counters beside them."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

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
PARK = """
update enrolments e
set step_id = u.step_id, phase = u.phase, wake_at = u.wake_at, deadline = u.deadline, arrived_at = u.arrived_at,
    steps_taken = u.taken, arms = case when u.arms is null then e.arms else e.arms || u.arms end
from unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
            %s::jsonb[]) as u(id, step_id, phase, wake_at, deadline, arrived_at, taken, arms)
where e.id = u.id
"""
END = """
update enrolments e
set status = u.status, reason = u.reason, step_id = u.step_id, steps_taken = u.taken, phase = null, wake_at = null,
    deadline = null, ended_at = %s, arms = case when u.arms is null then e.arms else e.arms || u.arms end
from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::jsonb[])
     as u(id, status, reason, step_id, taken, arms)
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
    copy_rows(
        session,
        LOG_TARGET,
        LOG_TYPES,
        (
            (now, id_, contact_id, version.id, step_id, 1, outcome, None if detail is None else json.dumps(detail))
            for id_, contact_id, step_id, outcome, detail in lines
        ),
    )
    counts = Counter((step_id, outcome) for _, _, step_id, outcome, _ in lines)
    rollup.steps(session, version.journey_id, now.date(), counts)


def _why(reason: str | None) -> dict[str, Any] | None:
    return {"reason": reason} if reason else None


def _arms(row: Entry) -> str | None:
    return json.dumps(row.arms) if row.arms else None


def _park(session: Session, moves: Moves) -> None:
    columns: list[list[Any]] = [[] for _ in range(8)]
    for row, outcome in moves.parked:
        values = (
            *(row.id, row.step_id, outcome.phase, outcome.wake_at, outcome.deadline),
            *(row.arrived_at, row.taken, _arms(row)),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    driver(session).execute(PARK, columns)


def _end(session: Session, moves: Moves, now: dt.datetime) -> None:
    columns: list[list[Any]] = [[] for _ in range(6)]
    for row, ended in moves.ended:
        values = (row.id, ended.status, ended.reason, row.step_id, row.taken, _arms(row))
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    driver(session).execute(END, [now, *columns])


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
    options = {step.id: effective(version.program.journey, step) for _, step in asked}
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
