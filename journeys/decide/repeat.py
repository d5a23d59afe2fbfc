"""`repeat`: its steps so many times, then on. Their last step leads back here, so the visits of this step count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.values import NOTHING, Needs, Outcome, Row
from journeys.language.program import Program
from journeys.language.steps import Repeat


def needs(program: Program, step: Repeat) -> Needs:  # noqa: ARG001
    """Nothing but the visit."""
    return NOTHING


def decide(program: Program, step: Repeat, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """Once more until it was `times`. Inside another loop the count begins anew each time that the loop comes round."""
    again = Outcome("repeated", program.paths[step.id][0])
    over = Outcome("passed", program.following[step.id])
    return [again if (row.visit - 1) % (step.times + 1) < step.times else over for row in rows]
