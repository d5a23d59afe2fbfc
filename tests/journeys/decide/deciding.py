"""Programs of a few steps, and rows to decide on."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.habits.estimate import UNKNOWN, Habits
from journeys.decide import Outcome, Row, decide
from journeys.language.parse import parse
from journeys.language.program import Program, program

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)  # a Monday
UTC = ZoneInfo("UTC")


def flat(steps: str, frame: str = "") -> Program:
    """A journey of these steps, laid flat; `frame` are further keys of the file."""
    body = textwrap.indent(textwrap.dedent(steps).strip(), "  ")
    return program(parse(f"journey: test\nenter: {{on: Signed Up}}\n{textwrap.dedent(frame)}steps:\n{body}\n"))


def row(
    id: int = 1,
    *,
    phase: str = "ready",
    deadline: dt.datetime | None = None,
    truths: Sequence[bool] = (),
    dates: Sequence[dt.datetime | None] = (),
    zones: Sequence[str] = (),
    changes_at: dt.datetime | None = None,
    fate: str = "under_way",
    habits: Habits = UNKNOWN,
) -> Row:
    """A row as the executor fills it; `zones` are the contact's, and the workspace is in UTC."""
    made = Row(id, id, phase, deadline)
    made.fate, made.habits = fate, habits
    made.truths, made.dates, made.changes_at = tuple(truths), tuple(dates), changes_at
    made.zones = (*(ZoneInfo(name) for name in zones or ("UTC",)), UTC)
    return made


def one(steps: str, given: Row, now: dt.datetime = NOW, frame: str = "") -> Outcome:
    """The outcome for one row at the first of `steps`."""
    laid = flat(steps, frame)
    assert laid.first is not None
    [outcome] = decide(laid, laid.steps[laid.first], [given], now)
    return outcome


def instant(written: str) -> dt.datetime:
    """An instant in UTC, from `2026-03-02 12:00`."""
    return dt.datetime.fromisoformat(written).replace(tzinfo=dt.UTC)
