"""`branch`, `split` and `exit`, and the holdout's draw."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.decide import decide, needs
from journeys.decide.split import is_held_out
from tests.journeys.decide.deciding import NOW, flat, one, row

BRANCH = """\
- branch: size
  id: size
  paths:
    - when: seats > 10
      do:
        - exit: big
          id: big
    - when: seats > 5
      do:
        - exit: middle
          id: middle
{otherwise}
- exit: true
  id: after
"""
ELSE = "    - else:\n      do:\n        - exit: small\n          id: small"
SPLIT = """\
- split: story
  id: {id}
  paths:
    - share: {a}
      do:
        - exit: a
          id: on-a
    - share: {b}
      do:
        - exit: b
          id: on-b
"""


@pytest.mark.parametrize(
    ("truths", "to"), [((True, True), "big"), ((True, False), "big"), ((False, True), "middle"), ((False, False), None)]
)
def test_a_branch_takes_the_first_path_that_is_true(truths: tuple[bool, bool], to: str | None) -> None:
    without, with_else = BRANCH.format(otherwise=""), BRANCH.format(otherwise=ELSE)
    assert one(without, row(truths=truths)).to == (to or "after")
    assert one(with_else, row(truths=truths)).to == (to or "small")


def test_a_branch_logs_its_path() -> None:
    assert one(BRANCH.format(otherwise=ELSE), row(truths=(False, False))).detail == {"path": "else"}
    assert one(BRANCH.format(otherwise=""), row(truths=(False, False))).detail == {"path": None}


def test_a_branch_asks_for_its_rules_in_order_and_not_for_else() -> None:
    laid = flat(BRANCH.format(otherwise=ELSE))
    assert [rule.text for rule in needs(laid, laid.steps["size"]).rules] == ["seats > 10", "seats > 5"]


def arms(count: int, a: str = "50%", b: str = "50%", id: str = "story") -> list[str | None]:
    laid = flat(SPLIT.format(id=id, a=a, b=b))
    return [outcome.arm for outcome in decide(laid, laid.steps[id], [row(n) for n in range(1, count + 1)], NOW)]


@pytest.mark.parametrize(("a", "b", "share"), [("50%", "50%", 0.5), ("10%", "90%", 0.1), ("99%", "1%", 0.99)])
def test_a_split_draws_its_shares(a: str, b: str, share: float) -> None:
    drawn = Counter(arms(20_000, a, b))
    assert abs(drawn["a"] - 20_000 * share) < 4.5 * math.sqrt(20_000 * share * (1 - share))
    assert drawn["a"] + drawn["b"] == 20_000


def test_a_share_of_everything_and_one_of_nothing_are_exact() -> None:
    assert set(arms(3000, "100%", "0%")) == {"a"}
    assert set(arms(3000, "0%", "100%")) == {"b"}


def test_a_split_draws_the_same_arm_again_and_leads_there() -> None:
    assert arms(500) == arms(500)
    laid = flat(SPLIT.format(id="story", a="50%", b="50%"))
    for outcome in decide(laid, laid.steps["story"], [row(n) for n in range(50)], NOW):
        assert (outcome.log, outcome.to, outcome.detail) == ("split", f"on-{outcome.arm}", {"path": outcome.arm})


def test_two_splits_and_the_holdout_draw_independently() -> None:
    """Of four equally likely pairs each is drawn about equally often."""
    first, held = arms(4000), [is_held_out("test", n, Fraction(1, 2)) for n in range(1, 4001)]
    for other in (arms(4000, id="other"), held):
        pairs = Counter(zip(first, other, strict=True))
        assert len(pairs) == 4
        assert all(abs(count - 1000) < 4.5 * math.sqrt(4000 * 0.25 * 0.75) for count in pairs.values())


@given(st.integers(1, 2**62), st.fractions(0, 1), st.fractions(0, 1))
def test_a_greater_holdout_keeps_those_of_a_smaller_one(contact: int, one_share: Fraction, other: Fraction) -> None:
    small, great = sorted((one_share, other))
    assert not is_held_out("test", contact, small) or is_held_out("test", contact, great)


def test_no_holdout_holds_nobody_and_a_whole_one_everybody() -> None:
    assert not any(is_held_out("test", n, Fraction(0)) for n in range(1000))
    assert all(is_held_out("test", n, Fraction(1)) for n in range(1000))


@pytest.mark.parametrize(("reason", "detail"), [("no reply", {"reason": "no reply"}), ("true", None)])
def test_exit_ends_the_entry_with_its_reason(reason: str, detail: dict[str, str] | None) -> None:
    outcome = one(f"- exit: {reason}\n  id: out\n- exit: true\n  id: after", row())
    assert (outcome.log, outcome.to, outcome.phase, outcome.detail) == ("exited", None, None, detail)
