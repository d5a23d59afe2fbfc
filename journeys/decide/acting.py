"""Steps that do one thing to everybody who comes by: the steps after them see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeAlias

from journeys.decide.effects import AddPoints, ChangeLists, Effect, EmitEvent, SetAttributes, StartJourney
from journeys.decide.values import NOTHING, Needs, Outcome, Row, kept
from journeys.language import steps
from journeys.language.program import Program

Acting: TypeAlias = steps.Set | steps.Score | steps.ListStep | steps.Emit | steps.StartJourney


def needs(program: Program, step: Acting) -> Needs:  # noqa: ARG001
    """Nothing."""
    return NOTHING


def decide(program: Program, step: Acting, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """The same for all."""
    return [kept(program, step, _done)] * len(rows)


def _done(program: Program, step: Acting) -> Outcome:
    return Outcome("passed", program.following[step.id], effect=effect(step))


def effect(step: Acting) -> Effect:
    """What the step does."""
    match step:
        case steps.Set():
            return SetAttributes(step.values)
        case steps.Score():
            return AddPoints(step.name, step.points)
        case steps.ListStep():
            return ChangeLists(step.add, step.remove)
        case steps.Emit():
            return EmitEvent(step.event, step.properties)
        case steps.StartJourney():
            return StartJourney(step.journey)
