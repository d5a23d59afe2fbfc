"""Which arm of a split wins, and what that changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from journeys.decide import decide, needs
from journeys.decide.winner import Figure, best
from tests.journeys.decide.deciding import NOW, flat, row

SPLIT = """
- split: Story
  id: story
  winner: goal after 2 days
  paths:
    - share: 50%
      do: [{score: 1, id: one}]
    - share: 50%
      do: [{score: 1, id: two}]
"""


@pytest.mark.parametrize(
    ("a", "b", "wins"),
    [
        ((10, 3), (10, 4), "b"),
        ((10, 3), (5, 2), "b"),  # fewer, of fewer still
        ((10, "3.01"), (10, 3), "a"),
        ((10, 4), (5, 2), None),
        ((10, 0), (10, 0), None),
        ((0, 0), (3, 1), "b"),
        ((0, 0), (0, 0), None),
    ],
)
def test_the_arm_with_the_most_for_each_entry_wins(a: tuple[int, str], b: tuple[int, str], wins: str | None) -> None:
    figures = {name: Figure(entries, Decimal(gain)) for name, (entries, gain) in (("a", a), ("b", b))}
    assert best(figures) == wins


def test_the_winner_takes_all_and_before_it_is_chosen_each_keeps_their_own_arm() -> None:
    laid = flat(SPLIT)
    step = laid.steps["story"]
    rows = [row(number) for number in range(1, 50)]
    assert {outcome.arm for outcome in decide(laid, step, rows, NOW)} == {"a", "b"}
    for one in rows:
        one.winner = "b"
    assert {(outcome.arm, outcome.to) for outcome in decide(laid, step, rows, NOW)} == {("b", "two")}
    assert needs(laid, step).winner
    plain = flat(SPLIT.replace("  winner: goal after 2 days\n", ""))
    assert not needs(plain, plain.steps["story"]).winner
