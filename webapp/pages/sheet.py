"""The publish sheet: a plan in the words of marketers, with a choice for every group of people who are waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InvalidInput
from engine.expr.load import load as load_schema
from engine.model import Contact, Journey
from journeys import plan as planning
from journeys.decide.timed import next_slot
from journeys.language.choice import EVERY, STAY, Choice, choice_of, read_choice
from journeys.language.difference import AROUND
from journeys.language.parse import parse
from journeys.language.program import walk
from journeys.language.steps import Enter, Step
from journeys.plan import Plan, Touched
from journeys.runtime import admit
from webapp.pages.outline import title
from webapp.pages.rule_check import count_matching
from webapp.pages.work import Work

FIELD = "choice-"
"""What the name of a step's form field begins with."""
PLAIN = {"stay": "Stay on their version", "reschedule": "Go along to the new version", "exit": "Leave the journey"}
PARTS = dict(
    zip(AROUND, ("Who enters", "Held out for comparison", "Goal", "Exit rules", "How messages are sent"), strict=True)
)
DRIFT = 0.1
"""How far the people whom a choice touches may change between look and deed: in a busy journey they always do."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice for the people at a step."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A change, or a step that is as it was and holds people. `plain` and `moves` are empty where nobody is."""

    one: Touched
    kind: str
    title: str
    plain: tuple[Option, ...]
    moves: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who enters because of a publish: `count` people, None if counting takes too long. kind: `existing` (the members
    of `segment`, at once), `schedule` (at `at`, and whoever fits by then)."""

    kind: str
    count: int | None
    segment: str = ""
    at: Any = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page shows. `version` is the number of an earlier version whose text is published again, or None.

    `stale` tells what has changed since the publisher looked; `seen` is what they have looked at now.
    """

    plan: Plan
    state: str
    rows: tuple[Row, ...]
    idle: tuple[Row, ...]
    crowd: Crowd | None
    version: int | None
    stale: tuple[str, ...]
    seen: str

    @property
    def along(self) -> int:
        """How many people come to the new version."""
        return self._count("reschedule", "move")

    @property
    def leaving(self) -> int:
        """How many entries end."""
        return self._count("exit")

    @property
    def staying(self) -> int:
        """How many people stay on the version that they entered."""
        return self._count("stay")

    @property
    def does_something(self) -> bool:
        """Whether publishing would change anything: a journey that is held or stopped also starts by it."""
        return self.plan.changes or self.state != "live"

    def _count(self, *what: str) -> int:
        return sum(one.count for one in self.plan.steps if one.choice.what in what)


def sheet_of(opened: Work, source: str, version: int | None, form: Mapping[str, str]) -> Sheet:
    """The sheet for a text, with the choices of the form. Raises Refused for a text with an error."""
    [bare] = planning.plans(opened.session, [source], {})
    text = parse(source, load_schema(opened.session).aliases)
    steps = {step.id: step for step in walk(text.steps)}
    rows = tuple(_rows(bare, steps))
    plan = planning.chosen(bare, dict(_choices(rows, form)))
    rows = tuple(_rows(plan, steps))
    journey = opened.session.execute(select(Journey).where(Journey.slug == plan.slug)).scalar_one_or_none()
    crowd = _crowd(opened, text.enter, journey)
    changed = tuple(row for row in rows if row.one.change.kind)
    idle = tuple(row for row in rows if not row.one.change.kind)
    state = journey.state if journey is not None else "draft"
    stale = tuple(_stale(plan, crowd, form.get("seen", "")))
    return Sheet(plan, state, changed, idle, crowd, version, stale, json.dumps(_seen(plan, crowd)))


# Choices --------------------------------------------------------------------------------------------------------------


def _rows(plan: Plan, steps: Mapping[str, Step]) -> Iterator[Row]:
    moves = tuple(Option(f"move:{id_}", f"{title(step)} ({id_})") for id_, step in steps.items())
    for one in plan.steps:
        step = steps.get(one.change.id or "")
        kind = one.change.kind or (step.kind if step else "")
        named = PARTS.get(kind) or (title(step) if step else kind.replace("_", " ").capitalize())
        yield Row(one, kind, named, tuple(_plain(plan, one)) if one.people else (), moves if one.people else ())


def _plain(plan: Plan, one: Touched) -> Iterator[Option]:
    """Going along is offered to those for whom there is another version to go to."""
    along = bool(one.targets) and (plan.rewritten or any(number != plan.live for number in one.people))
    return (Option(what, label) for what, label in PLAIN.items() if what != "reschedule" or along)


def _choices(rows: Sequence[Row], form: Mapping[str, str]) -> Iterator[tuple[str, Choice]]:
    """What the form chooses, as far as it is still offered. `all` chooses for every step that can do it."""
    every = {EVERY: read_choice(form["all"])} if form.get("all") in PLAIN else {}
    for row in rows:
        if not row.one.people:
            continue
        values = {option.value for option in (*row.plain, *row.moves)}
        wanted = choice_of(row.one.step, row.one.targets, every) if every else None
        given = str(wanted) if wanted else form.get(FIELD + row.one.step, "")
        if given in values:
            yield row.one.step, read_choice(given)


# Who enters -----------------------------------------------------------------------------------------------------------


def _crowd(opened: Work, enter: Enter, journey: Journey | None) -> Crowd | None:
    if enter.existing and (journey is None or journey.live_version_id is None):
        return Crowd("existing", admit.members(opened.session, enter.segment), enter.segment)
    if enter.slots is None:
        return None
    at = next_slot(enter.slots, opened.workspace.zone, opened.now)
    return Crowd("schedule", _fitting(opened, enter), at=at)


def _fitting(opened: Work, enter: Enter) -> int | None:
    if enter.where is None:
        return _everybody(opened.session)
    return count_matching(opened, enter.where.node, load_schema(opened.session))


def _everybody(session: Session) -> int:
    return int(session.execute(select(func.count()).where(Contact.erased_at.is_(None))).scalar_one())


# What the publisher has seen ------------------------------------------------------------------------------------------


def _seen(plan: Plan, crowd: Crowd | None) -> dict[str, Any]:
    people = {one.step: one.count for one in plan.steps if one.people}
    return {"was": plan.was, "people": people, "enter": crowd.count if crowd else 0}


def _stale(plan: Plan, crowd: Crowd | None, seen: str) -> Iterator[str]:
    """What differs from the last look so that it has to be shown again before it is done."""
    if not seen:
        return
    before = read_seen(seen)
    if before["was"] != plan.was:
        yield f"Somebody else has published meanwhile: version {plan.live} is live now."
        return
    for one in plan.steps:
        was = before["people"].get(one.step, 0)
        if one.people and one.choice != STAY and _differs(was, one.count):
            yield f"People have moved: {one.count:,} are at “{one.step}” now, {was:,} were when you looked."
    if crowd and crowd.kind == "existing" and _differs(before["enter"] or 0, crowd.count or 0):
        yield f"The segment has changed: {crowd.count or 0:,} people would enter now."


def _differs(was: int, count: int) -> bool:
    return abs(count - was) > DRIFT * was


def read_seen(text: str) -> dict[str, Any]:
    """What a form says that its sender saw. Raises InvalidInput for what no sheet of ours has written."""
    try:
        found = json.loads(text)
        people = {str(step): int(count) for step, count in found["people"].items()}
        return {"was": str(found["was"]), "people": people, "enter": int(found["enter"] or 0)}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidInput("this form is not one of this page", "seen", "Open the plan again.") from error
