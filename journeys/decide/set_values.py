"""`set`: attributes take literals; the steps after it see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.values import NOTHING, Needs, Outcome, Row
from journeys.language.program import Program
from journeys.language.steps import Set


def needs(program: Program, step: Set) -> Needs:  # noqa: ARG001
    """Nothing."""
    return NOTHING


def decide(program: Program, step: Set, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """The same for all."""
    return [Outcome("passed", program.following[step.id], values=step.values)] * len(rows)
