"""Take rows through steps until each is parked or at its end, then write everything back in bulk."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.orm import Session

from engine.contacts.identify import set_attributes
from journeys.decide import Outcome, decide, needs
from journeys.language.program import Program
from journeys.language.steps import Email, Set, Sms, Step, WaitFor
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry
from journeys.runtime.waiting import changes_at

MOST_STEPS = 1000


class Ended(NamedTuple):
    """An entry that is over."""

    status: str
    reason: str | None = None


@dataclass
class Moves:
    """What one run changes: where rows stand now, their log, and the messages they asked for."""

    parked: list[tuple[Entry, Outcome]] = field(default_factory=list)
    ended: list[tuple[Entry, Ended]] = field(default_factory=list)
    log: list[tuple[Entry, str, Outcome]] = field(default_factory=list)
    messages: list[tuple[Entry, Email | Sms]] = field(default_factory=list)


Answer = Callable[[str, Step, Sequence[Entry]], None]
Apply = Callable[[Set, Sequence[Entry]], None]


def run(session: Session, catalogue: Catalogue, version: Version, rows: Sequence[Entry], now: dt.datetime) -> Moves:
    """Move `rows`, all of `version` and locked, as far as they go at `now`. Nothing is written but attributes set."""

    def answer(step_id: str, step: Step, at_step: Sequence[Entry]) -> None:
        wanted = needs(version.program, step)
        if wanted.rules or wanted.dates or wanted.zone:
            ask.answer(session, catalogue, version, step_id, wanted, at_step, now)
        if isinstance(step, WaitFor) and version.listening.steps[step_id].time:
            changes_at(session, catalogue, version, step, at_step, now)

    def apply(step: Set, at_step: Sequence[Entry]) -> None:
        set_attributes(session, {row.contact_id: dict(step.values) for row in at_step}, now)

    return move(version.program, rows, now, answer, apply)


def move(program: Program, rows: Sequence[Entry], now: dt.datetime, answer: Answer, apply: Apply) -> Moves:
    """The waves themselves: all rows at one step are answered and decided at once, then go on together."""
    moves = Moves()
    waves: dict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        waves[row.step_id].append(row)
    while waves:
        step_id, at_step = waves.popitem()
        step = program.steps[step_id]
        answer(step_id, step, at_step)
        outcomes = decide(program, step, at_step, now)
        if isinstance(step, Set):
            apply(step, at_step)
        for row, outcome in zip(at_step, outcomes, strict=True):
            _take(program, moves, waves, row, step, outcome, now)
    return moves


def _take(
    program: Program,
    moves: Moves,
    waves: dict[str, list[Entry]],
    row: Entry,
    step: Step,
    outcome: Outcome,
    now: dt.datetime,
) -> None:
    """Carry out one outcome in memory."""
    if not (outcome.phase is not None and row.phase == outcome.phase):
        moves.log.append((row, step.id, outcome))
    if outcome.phase is not None:
        if row.phase == "ready":
            row.arrived_at = now
        moves.parked.append((row, outcome))
        return
    row.taken += 1
    if outcome.send and isinstance(step, Email | Sms):
        moves.messages.append((row, step))
    if outcome.arm is not None:
        row.arms[step.id] = outcome.arm
    if outcome.to is None:
        moves.ended.append((row, Ended("exited" if step.id in program.leaves else "completed", step.id)))
    elif row.taken >= MOST_STEPS:
        moves.ended.append((row, Ended("failed", f"took {MOST_STEPS} steps in one entry")))
    else:
        row.step_id, row.phase, row.deadline, row.arrived_at = outcome.to, "ready", None, now
        waves[outcome.to].append(row)
