"""One pure decision a step kind: `(program, step, rows, now) -> outcomes`. To add one, see docs/architecture.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from journeys.decide import acting, branch, calling, leave, repeat, send, split, wait, wait_for
from journeys.decide.effects import Effect
from journeys.decide.values import NOTHING, Needs, Outcome, Row
from journeys.language.program import Program
from journeys.language.steps import Step

DECISIONS: dict[str, Any] = {
    "email": send,
    "sms": send,
    "wait": wait,
    "wait_for": wait_for,
    "branch": branch,
    "split": split,
    "set": acting,
    "score": acting,
    "list": acting,
    "event": acting,
    "journey": acting,
    "repeat": repeat,
    "webhook": calling,
    "notify": calling,
    "exit": leave,
}


def needs(program: Program, step: Step) -> Needs:
    """What `decide` must know of each row at `step`."""
    found: Needs = DECISIONS[step.kind].needs(program, step)
    return found


def decide(program: Program, step: Step, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:
    """One outcome for each row, in their order. Pure: the same input gives the same output."""
    outcomes: list[Outcome] = DECISIONS[step.kind].decide(program, step, rows, now)
    return outcomes


__all__ = ["DECISIONS", "NOTHING", "Effect", "Needs", "Outcome", "Row", "decide", "needs"]
