"""A row taken through the steps alone goes the way that it goes as a party of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from journeys.decide import Effect, needs
from journeys.language.parse import parse
from journeys.language.program import program
from journeys.language.steps import Step
from journeys.runtime.entry import Entry
from journeys.runtime.run import MOST_STEPS, move, move_one

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SOURCE = """
journey: alone
enter: {on: Signed Up}
steps:
  - {set: {seen: true}, id: first}
  - repeat: 3 times
    id: again
    do:
      - branch: Plan
        id: plan
        paths:
          - when: plan is "pro"
            do: [{email: tips, id: tips}, {wait: 1 day, id: pause}]
          - else:
  - {exit: true, id: out}
"""


@pytest.mark.parametrize("pro", [True, False])
@pytest.mark.parametrize("taken", [0, MOST_STEPS - 3])
@pytest.mark.parametrize(("step_id", "phase"), [("first", "ready"), ("pause", "waiting"), ("out", "ready")])
def test_alone_or_as_a_party_of_one_is_the_same(pro: bool, taken: int, step_id: str, phase: str) -> None:
    flat = program(parse(SOURCE))
    told: list[list[object]] = [[], []]

    def entry() -> Entry:
        visits = {"again": 1, "plan": 1, "tips": 1} if phase == "waiting" else None
        return Entry(1, 2, step_id, phase, NOW if phase == "waiting" else None, NOW, NOW, taken, True, 1, visits)

    def world(heard: list[object]) -> tuple[object, object]:
        def answer(at: str, step: Step, rows: Sequence[Entry]) -> None:
            for row in rows:
                row.truths = (pro,) * len(needs(flat, step).rules)
            heard.append(("asked", at, [row.visit for row in rows]))

        def apply(at: str, effect: Effect, rows: Sequence[Entry]) -> None:
            heard.append(("done", at, effect, len(rows)))

        return answer, apply

    together, alone = entry(), entry()
    (party,) = move(flat, [together], NOW, *world(told[0]))  # type: ignore[arg-type]
    walk = move_one(flat, alone, NOW, *world(told[1]))  # type: ignore[arg-type]
    assert (walk.phase, walk.log, walk.arrived) == (party.phase, party.log, party.arrived)
    assert (walk.stays, walk.visit, dict(walk.visits)) == (party.stays, party.visit, dict(party.visits))
    assert walk.taken == party.taken
    assert told[0] == told[1] != []
    named = (together.step_id, together.phase, together.deadline, together.arrived_at, together.visit)
    assert named == (alone.step_id, alone.phase, alone.deadline, alone.arrived_at, alone.visit)


FORGETFUL = """
journey: forgetful
enter: {on: Signed Up}
steps:
  - email: hello
    id: hello
    if: plan is "pro"
  - email: offer
    id: offer
    fallback: [{set: {unreached: true}, id: unreached}]
"""


def test_what_one_step_was_told_is_not_held_against_the_contact_at_the_next() -> None:
    flat = program(parse(FORGETFUL))

    def answer(step_id: str, step: Step, rows: Sequence[Entry]) -> None:
        for row in rows:
            row.truths = (False,) if needs(flat, step).rules else row.truths

    def arrived() -> Entry:
        return Entry(1, 2, "hello", "ready", None, NOW, NOW, 0, True, 1, None)

    nothing = lambda *_: None  # noqa: E731
    (party,) = move(flat, [arrived()], NOW, answer, nothing)
    for end in (party, move_one(flat, arrived(), NOW, answer, nothing)):
        assert [(step_id, outcome.log) for step_id, outcome, _ in end.log] == [
            ("hello", "skipped"),
            ("offer", "queued"),
        ]
