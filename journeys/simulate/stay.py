"""An entry of a replay."""

from __future__ import annotations

import datetime as dt

from engine.expr import Facts
from engine.expr.facts import EventKey
from journeys.runtime.enrol import Trigger
from journeys.runtime.entry import Entry
from journeys.simulate.plan import Plan

FIRST_ID = 10**17
"""Entries of a replay are numbered from here, far from those that its history knows."""


class Stay(Entry):
    """An entry of the replay: a row of the executor with what the enrolments table knows of it."""

    __slots__ = ("event", "goal_at", "goal_until", "held_out", "key", "known", "number", "status", "trigger", "wake_at")

    def __init__(
        self, number: int, trigger: Trigger, key: str, held_out: bool, first: bool, plan: Plan, now: dt.datetime
    ) -> None:
        super().__init__(
            FIRST_ID + number, trigger.contact_id, plan.program.first, "ready", None, None, now, 0, first, 1, None
        )
        self.trigger = EventKey(trigger.occurred_at, trigger.received_at, trigger.message_id)
        self.event = trigger.properties or {}
        self.key, self.held_out = key, held_out
        self.status = "held_out" if held_out else "active"
        self.wake_at: dt.datetime | None = None if held_out else now
        self.goal_until = plan.journey.goal.within.after(now) if plan.journey.goal else None
        self.goal_at: dt.datetime | None = None
        self.number = number
        self.known: tuple[Facts, dt.datetime | None, Facts] | None = None

    def hopes(self, now: dt.datetime) -> bool:
        """Whether anything may still come of the entry: a step, or its goal."""
        if self.status in ("active", "held_out"):
            return True
        return self.goal_at is None and self.goal_until is not None and now <= self.goal_until
