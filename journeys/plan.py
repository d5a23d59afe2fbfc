"""What publishing texts would do: the difference with what is live, and the people whom each choice touches."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Conflict, InvalidInput
from engine.expr.load import load as load_schema
from engine.model import Journey, JourneyVersion
from journeys import publish as publishing
from journeys.language.choice import Choice, Choices, choice_of, read_choice
from journeys.language.difference import Change, Difference, difference
from journeys.language.parse import parse, read
from journeys.language.problems import Problem
from journeys.language.program import walk
from journeys.language.steps import Journey as Text
from journeys.language.steps import StartJourney
from journeys.publish import Published, Refused, publish
from journeys.runtime.inside import Standing, standing

FORMAT = "cairn journeys plan 1"


@dataclass(frozen=True, slots=True)
class Touched:
    """A change, or (without one) a step that is as it was; who is at it, by version number; what becomes of them."""

    change: Change
    people: dict[int, int]
    choice: Choice

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.people.values())

    @property
    def step(self) -> str:
        """What the step is called where people stand."""
        return self.change.was or self.change.id or ""

    @property
    def targets(self) -> dict[str, str]:
        """Where `reschedule` leads: empty for a step that is gone."""
        return {self.step: self.change.id} if self.change.id else {}


@dataclass(frozen=True, slots=True)
class Plan:
    """For one journey: the text to be published over version `live` (0: none), whose text has the hash `was`.

    `steps` are the changes, and every other step at which people are. `rewritten`: the text differs, if only in
    notation.
    """

    slug: str
    source: str
    live: int
    was: str
    choices: Choices
    steps: tuple[Touched, ...]
    rewritten: bool
    warnings: tuple[Problem, ...] = ()

    @property
    def next(self) -> int:
        """The number that a new version would have: what is live is the newest."""
        return self.live + 1

    @property
    def changes(self) -> bool:
        """Whether carrying it out would change anything."""
        return self.rewritten or any(one.choice.what != "stay" and one.people for one in self.steps)


def plans(session: Session, sources: Sequence[str], choices: dict[str, Choices]) -> list[Plan]:
    """A plan for each text, in their order; `choices` by the journey's name. Raises Refused for a text with an error,
    InvalidInput for a choice that cannot be carried out and for two texts of one journey."""
    beside = named(sources)
    found = [(source, checked(session, source, beside)) for source in sources]
    aliases = load_schema(session).aliases
    texts = [parse(source, aliases) for source in sources]
    for slug, count in Counter(text.slug for text in texts).items():
        if count > 1:
            raise InvalidInput(f"{count} texts are of the journey `{slug}`", hint="Give one of them.")
    query = select(Journey).where(Journey.slug.in_([text.slug for text in texts]))
    rows = {row.slug: row for row in session.execute(query).scalars()}
    inside = standing(session, [row.id for row in rows.values()])
    return [
        _plan(session, source, text, rows.get(text.slug), inside, choices.get(text.slug, {}), warnings)
        for (source, warnings), text in zip(found, texts, strict=True)
    ]


def named(sources: Iterable[str]) -> frozenset[str]:
    """The journeys that these texts are of, as far as they read."""
    return frozenset(text.slug for source in sources if (text := read(source).partial))


def in_turn(sources: Iterable[str]) -> tuple[frozenset[str], ...]:
    """The journeys of texts that are published together, in groups that are one transaction each, behind those that
    they start. A group is one journey, or those that start each other in a ring."""
    texts = [text for source in sources if (text := read(source).partial)]
    starts = {
        text.slug: {step.journey for step in walk(text.steps) if isinstance(step, StartJourney)} for text in texts
    }
    reach = {slug: _reached(slug, starts) for slug in starts}
    group = {slug: frozenset({slug} | {one for one in ahead if slug in reach[one]}) for slug, ahead in reach.items()}
    graph = {
        one: {group[ahead] for slug in one for ahead in starts[slug] if ahead in group} - {one}
        for one in group.values()
    }
    return tuple(TopologicalSorter(graph).static_order())


def _reached(slug: str, starts: Mapping[str, set[str]]) -> set[str]:
    """The journeys among `starts` that `slug` leads to, by one start or many."""
    found: set[str] = set()
    coming = starts[slug] & starts.keys()
    while coming:
        found |= coming
        coming = {one for reached in coming for one in starts[reached] & starts.keys()} - found
    return found


def checked(session: Session, source: str, beside: frozenset[str] = frozenset()) -> tuple[Problem, ...]:
    """The warnings about a text, planned together with journeys `beside` it. Raises Refused if it has errors."""
    found = publishing.check(session, source, beside)
    if errors := [problem for problem in found if problem.severity == "error"]:
        raise Refused(errors)
    return tuple(found)


def _plan(
    session: Session,
    source: str,
    text: Text,
    row: Journey | None,
    inside: Sequence[Standing],
    choices: Choices,
    warnings: tuple[Problem, ...],
) -> Plan:
    version = session.get(JourneyVersion, row.live_version_id) if row is not None and row.live_version_id else None
    if row is not None:
        publishing.refuse_choices(session, row, text, choices)
    aliases = load_schema(session).aliases
    live = parse(version.source, aliases) if version is not None else None
    edit = difference(live, text) if live is not None else None
    groups = [group for group in inside if row is not None and group.journey_id == row.id]
    older = {group.number: difference(parse(group.source, aliases), text) for group in groups}
    steps = tuple(_touched(edit, older, groups, choices))
    was = version.source if version is not None else ""
    number = version.number if version is not None else 0
    return Plan(text.slug, source, number, hash_of(was), choices, steps, was != source, warnings)


def _touched(
    edit: Difference | None, older: dict[int, Difference], groups: Sequence[Standing], choices: Choices
) -> Iterable[Touched]:
    """The changes since the live version, then the other steps at which people are."""
    people: dict[str, dict[int, int]] = {}
    for group in groups:
        for step_id, count in group.steps.items():
            people.setdefault(step_id, {})[group.number] = count
    for change in edit.changes if edit is not None else ():
        there = people.pop(change.was, {}) if change.was else {}
        yield Touched(change, there, _choice(change.was or "", older, there, choices))
    for step_id, there in people.items():
        changes = [found for number in there if (found := older[number].steps.get(step_id))]
        change = changes[0] if changes else Change("", step_id, step_id)
        yield Touched(change, there, _choice(step_id, older, there, choices))


def _choice(step_id: str, older: dict[int, Difference], there: Iterable[int], choices: Choices) -> Choice:
    targets = {was: to for number in there for was, to in older[number].targets.items()}
    return choice_of(step_id, targets, choices)


def chosen(plan: Plan, choices: Choices) -> Plan:
    """The plan with these choices instead of its own, as far as somebody is at the step and it leads somewhere."""
    steps = tuple(
        replace(one, choice=choice_of(one.step, one.targets, choices)) if one.people else one for one in plan.steps
    )
    told = {one.step: one.choice for one in steps if one.people and one.choice != choice_of(one.step, one.targets, {})}
    return replace(plan, choices=told, steps=steps)


def carry_out(
    session: Session, plan: Plan, now: dt.datetime, actor: str, beside: frozenset[str] = frozenset()
) -> Published:
    """Publish it, with its choices; the journeys `beside` it are published in the same transaction.

    Raises Conflict if another version is live than the one that it was made for.
    """
    row = session.execute(select(Journey).where(Journey.slug == plan.slug)).scalar_one_or_none()
    version = session.get(JourneyVersion, row.live_version_id) if row is not None and row.live_version_id else None
    if hash_of(version.source if version is not None else "") != plan.was:
        raise Conflict(f"the live text of `{plan.slug}` is not the one that the plan was made for", "Make a new plan.")
    return publish(session, plan.source, now, actor, plan.choices, plan.live, beside)


def hash_of(source: str) -> str:
    """What a text is recognised by."""
    return hashlib.sha256(source.encode()).hexdigest()


# In words -------------------------------------------------------------------------------------------------------------

SIGNS = {"added": "+", "removed": "-"}


def lines(plan: Plan) -> list[str]:
    """The plan for people: a line a change, with those whom it touches."""
    if not plan.changes:
        return [f"{plan.slug}: no change"]
    head = f"{plan.slug}: version {plan.live} -> {plan.next}" if plan.live else f"{plan.slug}: new"
    if not plan.rewritten:
        head = f"{plan.slug}: no change of the text"
    idle = [one for one in plan.steps if not one.change.kind and one.choice.what == "stay"]
    told = [f"  {_line(one)}" for one in plan.steps if one not in idle]
    if plan.live and plan.rewritten and not any(one.change.kind for one in plan.steps):
        told.append("  ~ only comments, order of keys, layout or tests")
    if staying := sum(one.count for one in idle):
        told.append(f"  = {staying:,} at unchanged steps, stay")
    return [head, *told]


def _line(one: Touched) -> str:
    change = one.change
    sign = SIGNS.get(change.what, "~") if change.kind else "="
    words = [sign, change.kind.replace("exits", "exit"), change.id or change.was or ""]
    if change.what == "renamed":
        words.append(f"(was {change.was})")
    if change.moved:
        words.append("moved")
    single = len(change.fields) == 1 and bool(change.was)
    fields = [
        f"{'' if single else field.name + ' '}{field.was or 'none'} -> {field.now or 'none'}" for field in change.fields
    ]
    words.append(", ".join(fields))
    return " ".join(word for word in words if word) + _people(one)


def _people(one: Touched) -> str:
    if not one.people:
        return ""
    versions = ", ".join(f"version {number}: {count:,}" for number, count in one.people.items())
    return f": {one.count:,} waiting{f' ({versions})' if len(one.people) > 1 else ''}, {one.choice}"


# As data --------------------------------------------------------------------------------------------------------------


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan for programs, and all that `from_json` needs to make it again."""
    return {
        "journey": plan.slug,
        "live": plan.live,
        "live_sha256": plan.was,
        "changed": plan.changes,
        "choices": {step_id: str(choice) for step_id, choice in plan.choices.items()},
        "steps": [_step_json(one) for one in plan.steps],
        "text": plan.source,
    }


def _step_json(one: Touched) -> dict[str, Any]:
    change = one.change
    return {
        "what": change.what if change.kind else "unchanged",
        "kind": change.kind,
        "id": change.id,
        "was": change.was,
        "moved": change.moved,
        "fields": [{"name": field.name, "was": field.was, "now": field.now} for field in change.fields],
        "waiting": one.count,
        "by_version": {str(number): count for number, count in one.people.items()},
        "choice": str(one.choice) if one.people else None,
    }


def written(made: Sequence[Plan], files: dict[str, str]) -> str:
    """The text of a plan file. `files` says by journey where its text was read."""
    journeys = [as_json(plan) | {"file": files.get(plan.slug, "")} for plan in made]
    return json.dumps({"format": FORMAT, "journeys": journeys}, indent=1, ensure_ascii=False) + "\n"


def read_plan(text: str) -> list[tuple[Plan, str]]:
    """The plans of a file that `written` made, each with the file of its text. Raises InvalidInput."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise InvalidInput(f"the file is not of the form “{FORMAT}”", hint="Make a new plan.")
        return [(_from_json(one), str(one["file"])) for one in found["journeys"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "Make one: cairn journeys plan FILES --out PLAN."
        raise InvalidInput(f"the file is no plan: {error!r}", hint=hint) from error


def _from_json(one: dict[str, Any]) -> Plan:
    choices = {str(step_id): read_choice(choice) for step_id, choice in one["choices"].items()}
    return Plan(one["journey"], one["text"], int(one["live"]), one["live_sha256"], choices, (), True)
