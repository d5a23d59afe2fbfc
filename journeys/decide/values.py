"""What a decision sees and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from engine.habits.estimate import UNKNOWN, By
from journeys.decide.effects import Effect
from journeys.language.program import Program
from journeys.language.steps import RuleText, Step

T = TypeVar("T")
S = TypeVar("S", bound=Step)


class Needs(NamedTuple):
    """What a step has to know of each contact before it can decide."""

    rules: tuple[RuleText, ...] = ()
    dates: tuple[str, ...] = ()  # dotted paths of attributes that hold a date
    zone: bool = False
    winner: bool = False  # the arm of the split that was chosen for everybody
    habits: bool = False  # at which hours the contact opens, for rows that arrive
    fate: bool = False  # what became of the message of the step, for rows that wait for that


NOTHING = Needs()

Visits: TypeAlias = Mapping[str, int]
"""By step: how often an entry has reached it. Only steps that can be reached again are in it."""
NO_VISITS: Visits = MappingProxyType({})


class Row:
    """One enrolment at a step.

    phase: `ready` when it has just arrived, `waiting`, `held` or `sending` when it was parked here before. `truths` and
    `dates` answer the step's `Needs`, in their order. `zones` are the contact's possible time zones: one, unless only a
    phone number tells. `habits` are the hours at which it opens. `changes_at` is the first instant at which time alone
    may change a truth, None if it never does. `fate` is what became of the step's message: `under_way`, `unreachable`
    (no address, a suppressed one, or one that does not exist), or `settled` in any other way. `visit` is how often the
    entry has reached the step, with this time. `winner` is the arm that everybody takes at a split, None before one is
    chosen.
    """

    __slots__ = (
        *(
            "changes_at",
            "contact_id",
            "dates",
            "deadline",
            "fate",
            "habits",
            "id",
            "phase",
            "truths",
            "visit",
            "winner",
            "zones",
        ),
    )

    def __init__(self, id: int, contact_id: int, phase: str = "ready", deadline: dt.datetime | None = None) -> None:
        self.id = id
        self.contact_id = contact_id
        self.phase = phase
        self.deadline = deadline
        self.truths: tuple[bool, ...] = ()
        self.dates: tuple[dt.datetime | None, ...] = ()
        self.zones: tuple[ZoneInfo, ...] = ()
        self.habits = UNKNOWN
        self.changes_at: dt.datetime | None = None
        self.fate = "under_way"
        self.visit = 1
        self.winner: str | None = None


class Outcome(NamedTuple):
    """What becomes of a row: it goes on to the step `to` (None: the end), or is parked in `phase` until `wake_at`.

    `log` is the outcome in the step log. `send` asks for a message, `effect` for something else to be done in the same
    commit; `arm` is a drawn path.
    """

    log: str
    to: str | None = None
    phase: str | None = None
    wake_at: dt.datetime | None = None
    deadline: dt.datetime | None = None
    send: bool = False
    arm: str | None = None
    effect: Effect | None = None
    detail: dict[str, Any] | None = None


def kept(program: Program, step: S, make: Callable[[Program, S], T]) -> T:
    """What `make` says of a step: the same for everybody at every time, so it is asked once a program."""
    found: T | None = program.kept.get(step.id)
    if found is None:
        found = program.kept[step.id] = make(program, step)
    return found


@lru_cache(maxsize=10_000)
def parked(phase: str, wake_at: dt.datetime, deadline: dt.datetime | None = None) -> Outcome:
    """A row stays at its step. Rows that wake together get the same object, so that the executor moves them as one."""
    return Outcome(phase, phase=phase, wake_at=wake_at, deadline=deadline)


@lru_cache(maxsize=10_000)
def held(gate: str, until: dt.datetime, by: By | None = None) -> Outcome:
    """A send is held by `gate`, `at` or `quiet`. One object for everybody whom it holds until then, as above.

    `by` says whose history chose the hour, if it is the contact's best.
    """
    detail = {"gate": gate, "until": until.astimezone(dt.UTC).isoformat()} | ({"best_hour": by} if by else {})
    return Outcome("held", phase="held", wake_at=until, deadline=until, detail=detail)


def skipped(to: str | None, rule: RuleText | None) -> Outcome:
    """A step that is left out for who does not meet its `if`."""
    return Outcome("skipped", to, detail={"gate": "if", "rule": rule.text} if rule else None)
