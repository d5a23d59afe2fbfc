"""The tests that journey files carry."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from engine.errors import InvalidInput, LanguageError
from engine.expr import Schema
from engine.workspace import Workspace
from journeys.simulate import plan
from journeys.simulate.testing import START, run_tests

DAY = dt.timedelta(days=1)
LIBRARY = Path(__file__).parents[3] / "journeys" / "library"
JOURNEY = """\
journey: hello
enter: {on: Signed Up}
steps:
  - email: hello
    id: hello
  - wait: 2 days
    id: pause
  - email: later
    id: later
    if: never purchased
tests:
"""


def differences(test: str) -> list[tuple[str, ...]]:
    return [result.differences for result in run_tests(JOURNEY + test)]


def test_a_test_passes_when_path_and_messages_are_as_expected() -> None:
    assert differences("""\
  - name: all of it
    events: [{at: start, event: Signed Up}]
    expect: {path: [hello, pause, later], messages: [hello, later]}
  - name: without the last
    events:
      - {at: start, event: Signed Up}
      - {at: 2 days, event: Order Completed}
    expect: {messages: [hello]}
""") == [(), ()]


def test_a_test_fails_with_what_was_there() -> None:
    assert differences("""\
  - name: wrong
    events: [{at: 2026-03-01T10:00:00Z, event: Signed Up}]
    expect: {path: [hello], messages: []}
""") == [("path: expected hello, but was hello, pause, later", "messages: expected nothing, but was hello, later")]


def test_what_is_not_said_is_not_compared() -> None:
    assert differences("  - name: nothing\n    events: [{at: start, event: Signed Up}]\n    expect: {}\n") == [()]


@pytest.mark.parametrize("name", ["welcome", "win-back"])
def test_stock_journeys_carry_tests_that_pass(name: str) -> None:
    results = run_tests((LIBRARY / f"{name}.yaml").read_text())
    assert len(results) >= 2
    assert [result.differences for result in results] == [()] * len(results)


def test_a_draft_that_cannot_be_replayed_is_refused() -> None:
    unread = "journey: a\nenter: {on: A}\nsteps:\n  - webhok: x\n    id: x\n"
    with pytest.raises(LanguageError, match="webhok"):
        plan(unread, Schema(), Workspace(), START, START + DAY)
    called = "journey: a\nenter: {api: true}\nsteps:\n  - wait: 1 day\n    id: x\n"
    with pytest.raises(InvalidInput, match="no history to replay"):
        plan(called, Schema(), Workspace(), START, START + DAY)
    short = "journey: a\nenter: {on: A}\nsteps:\n  - wait: 1 day\n    id: x\n"
    with pytest.raises(InvalidInput, match="ends before it begins"):
        plan(short, Schema(), Workspace(), START, START)


def test_a_fallback_can_be_tested_with_a_contact_without_an_address() -> None:
    source = JOURNEY.replace(
        "    id: hello\n", "    id: hello\n    fallback: [{set: {reached: false}, id: instead}]\n", 1
    )
    results = run_tests(
        source
        + """\
  - name: nobody to write to
    contact: {email: null}
    events: [{at: start, event: Signed Up}]
    expect: {path: [hello, instead, pause, later], messages: []}
  - name: reached
    events: [{at: start, event: Signed Up}]
    expect: {path: [hello, pause, later], messages: [hello, later]}
"""
    )
    assert [result.differences for result in results] == [(), ()]
