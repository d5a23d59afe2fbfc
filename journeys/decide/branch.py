"""`branch`: the first path whose rule is true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.values import Needs, Outcome, Row, kept
from journeys.language.program import Program
from journeys.language.steps import Branch


def needs(program: Program, step: Branch) -> Needs:  # noqa: ARG001
    """The rule of each path, in order."""
    return Needs(tuple(path.when for path in step.paths if path.when is not None))


def decide(program: Program, step: Branch, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """Without a match and without `else`, the contact goes on after the branch."""
    outcomes = kept(program, step, _ways)
    return [outcomes[row.truths.index(True) if True in row.truths else -1] for row in rows]


def _ways(program: Program, step: Branch) -> list[Outcome]:
    """By path, and last where to go without a match."""
    found = [
        Outcome("branched", to, detail={"path": path.name})
        for path, to in zip(step.paths, program.paths[step.id], strict=True)
    ]
    if step.paths[-1].when is not None:
        found.append(Outcome("branched", program.following[step.id], detail={"path": None}))
    return found
