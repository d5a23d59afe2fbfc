"""`wait_for`: the first rule to come true wins; else, at the deadline, the timeout."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.values import Needs, Outcome, Row, kept, parked
from journeys.language.durations import Duration
from journeys.language.program import Program
from journeys.language.steps import DateOffset, WaitFor


def needs(program: Program, step: WaitFor) -> Needs:  # noqa: ARG001
    """All rules, and the attribute that the deadline is counted from."""
    dates = (step.up_to.path,) if isinstance(step.up_to, DateOffset) else ()
    return Needs(tuple(rule.when for rule in step.rules), dates)


def decide(program: Program, step: WaitFor, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:
    """Truths are those as of `min(now, deadline)`, so a rule met by the deadline wins over the timeout."""
    *met, timed_out = kept(program, step, _ways)
    fresh = None
    outcomes = []
    for row in rows:
        if True in row.truths:
            outcomes.append(met[row.truths.index(True)])
            continue
        if fresh is None and row.phase != "waiting" and isinstance(step.up_to, Duration):
            fresh = step.up_to.after(now)
        deadline = _deadline(step, row, fresh)
        if deadline is None or deadline <= now:
            outcomes.append(timed_out)
        else:
            wake_at = deadline if row.changes_at is None else min(deadline, row.changes_at)
            outcomes.append(parked("waiting", wake_at, deadline))
    return outcomes


def _ways(program: Program, step: WaitFor) -> list[Outcome]:
    """By rule, and last that of the timeout."""
    met = [
        Outcome("met", to, detail={"rule": rule.when.text})
        for rule, to in zip(step.rules, program.paths[step.id], strict=True)
    ]
    return [*met, Outcome("timed_out", program.timeout[step.id])]


def _deadline(step: WaitFor, row: Row, fresh: dt.datetime | None) -> dt.datetime | None:
    """A length of time counts from arrival; a date follows the attribute, and none at all times out now."""
    if isinstance(step.up_to, DateOffset):
        return step.up_to.at(row.dates[0]) if row.dates[0] is not None else None
    return row.deadline if row.phase == "waiting" else fresh
