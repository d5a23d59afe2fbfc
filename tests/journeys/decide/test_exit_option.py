"""`exit: true` beside a step of any kind ends the entry after it, also after the last of its inner steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from journeys.language.steps import Step
from journeys.runtime.entry import Entry
from journeys.runtime.run import Ended, move
from tests.journeys.decide.deciding import NOW, flat

INNER = "[{set: {a: 1}, id: inner}]"
STEPS = {
    "email": "email: hello",
    "wait": "wait: until trial_ends_at",
    "wait_for": "wait_for: plan is set\n  up_to: 1 day",
    "any": f"wait_for:\n  up_to: 1 day\n  any: [{{when: plan is set, do: {INNER}}}]",
    "branch": f"branch: x\n  paths: [{{when: plan is set, do: {INNER}}}]",
    "split": f"split: x\n  paths: [{{share: 100%, do: {INNER}}}]",
    "set": "set: {a: 1}",
    "score": "score: 1",
    "list": "list: {add: vip}",
    "event": "event: Nudged",
    "journey": "journey: other",
    "repeat": f"repeat: 2 times\n  do: {INNER}",
    "webhook": "webhook: crm/task",
    "notify": "notify: sales@x.example",
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("leaves", [True, False])
def test_the_entry_ends_behind_the_step(kind: str, leaves: bool) -> None:
    option = "\n  exit: true" if leaves else ""
    laid = flat(f"- {STEPS[kind]}\n  id: first{option}\n- set: {{b: 1}}\n  id: after")

    def answer(_: str, __: Step, rows: Sequence[Entry]) -> None:
        for row in rows:
            row.truths, row.dates = (True,), (NOW - dt.timedelta(days=1),)

    row = Entry(1, 1, "first", "ready", None, None, NOW, 0, True, 1, None)
    [party] = move(laid, [row], NOW, answer, lambda *_: None)
    assert isinstance(party.stays, Ended)
    assert party.stays.status == ("exited" if leaves else "completed")
    assert [passage.step_id for passage in party.log][-1] != ("after" if leaves else "first")
