"""Steps that do one thing to everybody."""

from __future__ import annotations

import pytest

from journeys.decide import DECISIONS, Effect, Outcome, decide
from journeys.decide.effects import AddPoints, ChangeLists, SetAttributes
from journeys.language.kinds import KINDS
from tests.journeys.decide.deciding import NOW, flat, row


@pytest.mark.parametrize(
    ("step", "effect"),
    [
        (
            "set: {plan: pro, company.seats: 5, gone: null}",
            SetAttributes((("plan", "pro"), ("company.seats", 5), ("gone", None))),
        ),
        ("score: -5", AddPoints("score", -5)),
        ("score: 5\n  name: fit", AddPoints("fit", 5)),
        ("list: {add: vip, remove: [trial, old]}", ChangeLists(("vip",), ("trial", "old"))),
    ],
)
def test_a_step_that_acts_does_the_same_to_everybody_and_goes_on(step: str, effect: Effect) -> None:
    laid = flat(f"- {step}\n  id: act\n- exit: true\n  id: out")
    outcomes = decide(laid, laid.steps["act"], [row(1), row(2)], NOW)
    assert outcomes == [Outcome("passed", "out", effect=effect)] * 2


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_loop_goes_round_as_often_as_it_says_and_again_when_an_outer_one_comes_back(rounds: int) -> None:
    laid = flat("- repeat: 3 times\n  id: loop\n  do: [{set: {a: 1}, id: inner}]\n- exit: true\n  id: out")
    taken = []
    for visit in range(1, 4 * rounds + 1):
        at = row()
        at.visit = visit
        [outcome] = decide(laid, laid.steps["loop"], [at], NOW)
        taken.append(outcome.to)
    assert taken == ["inner", "inner", "inner", "out"] * rounds
    assert laid.following["inner"] == "loop"


def test_every_kind_that_reads_is_decided() -> None:
    assert set(DECISIONS) == set(KINDS)
