"""`exit`: the entry ends here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.values import NOTHING, Needs, Outcome, Row
from journeys.language.program import Program
from journeys.language.steps import Exit


def needs(program: Program, step: Exit) -> Needs:  # noqa: ARG001
    """Nothing."""
    return NOTHING


def decide(program: Program, step: Exit, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """The same for all; the author's reason goes into the log."""
    return [Outcome("exited", None, detail={"reason": step.reason} if step.reason else None)] * len(rows)
