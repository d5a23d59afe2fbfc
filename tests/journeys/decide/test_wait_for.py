"""`wait_for`: rules met, deadlines, timeouts."""

from __future__ import annotations

import datetime as dt

import pytest

from journeys.decide import decide
from tests.journeys.decide.deciding import NOW, flat, instant, one, row

STEPS = """\
- wait_for:
  id: answer
  any:
    - when: did "A"
      do:
        - exit: a
          id: on-a
    - when: did "B"
      do:
        - exit: b
          id: on-b
  up_to: {up_to}
  timeout:
    - exit: silence
      id: on-timeout
"""
HOURS, DATE = STEPS.replace("{up_to}", "3 hours"), STEPS.replace("{up_to}", "1 day before ends_at")
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("truths", "to", "rule"),
    [((True, False), "on-a", 'did "A"'), ((False, True), "on-b", 'did "B"'), ((True, True), "on-a", 'did "A"')],
)
def test_the_first_rule_that_is_true_wins(truths: tuple[bool, bool], to: str, rule: str) -> None:
    for phase, deadline in (("ready", None), ("waiting", NOW + HOUR), ("waiting", NOW)):
        outcome = one(HOURS, row(truths=truths, phase=phase, deadline=deadline))
        assert (outcome.log, outcome.to, outcome.phase, outcome.detail) == ("met", to, None, {"rule": rule})


def test_who_arrives_waits_for_the_whole_length() -> None:
    outcome = one(HOURS, row(truths=(False, False)))
    assert (outcome.log, outcome.wake_at, outcome.deadline) == ("waiting", NOW + 3 * HOUR, NOW + 3 * HOUR)


@pytest.mark.parametrize(("deadline", "log"), [(NOW + HOUR, "waiting"), (NOW, "timed_out"), (NOW - HOUR, "timed_out")])
def test_who_waits_keeps_the_deadline_of_the_arrival(deadline: dt.datetime, log: str) -> None:
    outcome = one(HOURS, row(truths=(False, False), phase="waiting", deadline=deadline))
    assert outcome.log == log
    assert outcome.wake_at == (deadline if log == "waiting" else None)
    assert outcome.to == ("on-timeout" if log == "timed_out" else None)


@pytest.mark.parametrize(
    ("date", "deadline"),
    [("2026-03-10 08:00", "2026-03-09 08:00"), ("2026-03-03 12:00", None), ("2026-01-01 00:00", None), (None, None)],
)
def test_a_deadline_by_date_follows_the_attribute(date: str | None, deadline: str | None) -> None:
    given = [instant(date) if date else None]
    for parked in ({}, {"phase": "waiting", "deadline": instant("2026-03-05 00:00")}):
        outcome = one(DATE, row(truths=(False, False), dates=given, **parked))
        assert outcome.log == ("waiting" if deadline else "timed_out")
        assert outcome.deadline == (instant(deadline) if deadline else None)


def test_time_that_can_meet_a_rule_wakes_before_the_deadline() -> None:
    soon = one(HOURS, row(truths=(False, False), changes_at=NOW + HOUR))
    assert (soon.wake_at, soon.deadline) == (NOW + HOUR, NOW + 3 * HOUR)
    assert one(HOURS, row(truths=(False, False), changes_at=NOW + 9 * HOUR)).wake_at == NOW + 3 * HOUR


def test_a_single_rule_is_named_in_the_log() -> None:
    outcome = one('- wait_for: did "A"\n  id: answer\n  up_to: 1 day', row(truths=(True,)))
    assert (outcome.log, outcome.to, outcome.detail) == ("met", None, {"rule": 'did "A"'})


def test_without_timeout_steps_the_contact_goes_on_behind_the_wait() -> None:
    steps = '- wait_for: did "A"\n  id: answer\n  up_to: 1 day\n- exit: true\n  id: after'
    assert one(steps, row(truths=(False,), phase="waiting", deadline=NOW)).to == "after"
    assert one(steps, row(truths=(True,))).to == "after"


def test_rows_that_wake_together_share_one_outcome() -> None:
    """The executor tells outcomes apart by identity: a wave of equal ones is one party."""
    laid = flat(HOURS)
    assert laid.first is not None
    rows = [row(n, truths=[False, False]) for n in range(3)]
    assert len({id(outcome) for outcome in decide(laid, laid.steps[laid.first], rows, NOW)}) == 1
