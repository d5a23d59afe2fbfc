"""`wait`: a length of time, a local time, or a date of the contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from journeys.decide.localtime import next_time
from journeys.decide.values import NOTHING, Needs, Outcome, Row, kept, parked
from journeys.language.durations import Duration
from journeys.language.program import Program
from journeys.language.steps import DateOffset, LocalTime, Wait


def needs(program: Program, step: Wait) -> Needs:  # noqa: ARG001
    """The contact's zone for a local time, the attribute for a date."""
    if isinstance(step.until, DateOffset):
        return Needs(dates=(step.until.path,))
    return Needs(zone=True) if isinstance(step.until, LocalTime) else NOTHING


def decide(program: Program, step: Wait, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:
    """Park those who arrive, pass those whose time has come. A missing or past date passes now."""
    passed = kept(program, step, _passed)
    if isinstance(step.until, Duration):
        arriving = any(row.phase != "waiting" for row in rows)
        fresh = (arriving and _park(step.until.after(now), now)) or passed
        return [passed if _is_over(row, now) else _stay(row) if row.phase == "waiting" else fresh for row in rows]
    if isinstance(step.until, DateOffset):
        return [_park(_date(step.until, row), now) or passed for row in rows]
    until = step.until
    return [
        passed if _is_over(row, now) else _stay(row) if row.phase == "waiting" else _local(until, row, now) or passed
        for row in rows
    ]


def _passed(program: Program, step: Wait) -> Outcome:
    return Outcome("passed", program.following[step.id])


def _is_over(row: Row, now: dt.datetime) -> bool:
    return row.phase == "waiting" and row.deadline is not None and row.deadline <= now


def _stay(row: Row) -> Outcome:
    """Something else woke the row before its time."""
    assert row.deadline is not None
    return parked("waiting", row.deadline, row.deadline)


def _date(until: DateOffset, row: Row) -> dt.datetime | None:
    return until.at(row.dates[0]) if row.dates[0] is not None else None


def _local(until: LocalTime, row: Row, now: dt.datetime) -> Outcome | None:
    named = until.zone
    zone = row.zones[0] if named == "contact" else row.zones[-1] if named == "workspace" else ZoneInfo(named)
    return _park(next_time(until, zone, now), now)


def _park(moment: dt.datetime | None, now: dt.datetime) -> Outcome | None:
    if moment is None or moment <= now:
        return None
    return parked("waiting", moment, moment)
