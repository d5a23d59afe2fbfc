"""What each wait, goal and exit of a version listens to, so that an event asks only those that it can change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from engine.contacts.changes import NEW_CONTACT
from engine.expr import Dependencies, dependencies
from engine.expr.schema import Schema
from journeys.language.program import Program
from journeys.language.steps import DateOffset, RuleText, Wait, WaitFor, Webhook
from journeys.runtime.where import ALWAYS, Where, occurrences, where

Kind = Literal["event", "attribute", "consent", "list", "segment", "message", "settled"]


class Fact(NamedTuple):
    """Something that became true of a contact: an event, a change of named attributes, topics, lists, segments, a
    message that was accepted, or the fate (`settled`) of one whose entry waits for it."""

    kind: Kind
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ears:
    """The names, by kind, that can change some rules; `any_event` when every event can. `time` when time alone can.
    `settled`: a send waits here for the fate of its message.

    `wheres` tells of each event's name which conditions one of them must fit to matter.
    """

    wheres: Mapping[str, tuple[Where, ...]] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()
    consent: bool = False
    lists: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    messages: bool = False
    settled: bool = False
    any_event: bool = False
    time: bool = False

    @property
    def events(self) -> frozenset[str]:
        """The names of the events."""
        return frozenset(self.wheres)

    def hears(self, fact: Fact) -> bool:
        """Whether `fact` can change a verdict."""
        match fact.kind:
            case "event":
                return self.any_event or not self.wheres.keys().isdisjoint(fact.names)
            case "consent":
                return self.consent
            case "message":
                return self.messages
            case "settled":
                return self.settled
            case "attribute" if NEW_CONTACT in fact.names:
                return self != Ears()  # everything about the contact may be new: it took another one in
        wanted = {"attribute": self.attributes, "list": self.lists, "segment": self.segments}[fact.kind]
        return not wanted.isdisjoint(fact.names)

    def minds(self, name: str, properties: Mapping[str, Any], schema: Schema, now: dt.datetime) -> bool:
        """Whether an event of this name and these properties can change a verdict."""
        if self.any_event:
            return True
        for one in self.wheres.get(name, ()):
            verdict = one.verdict(properties, schema, now)
            if verdict.value or verdict.changes_at is not None:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Listening:
    """The ears of a version's parked steps, its exits and its goal; `start` is the `where` of its trigger."""

    steps: dict[str, Ears] = field(default_factory=dict)
    exits: Ears = field(default_factory=Ears)
    goal: Ears = field(default_factory=Ears)
    start: Where = ALWAYS

    @property
    def ears(self) -> Sequence[Ears]:
        """All of them."""
        return [*self.steps.values(), self.exits, self.goal]

    @property
    def all_events(self) -> frozenset[str]:
        """The names of events that any of them hears."""
        return frozenset(name for ears in self.ears for name in ears.wheres)

    @property
    def any_event(self) -> bool:
        """Whether every event matters."""
        return any(ears.any_event for ears in self.ears)


def listening(program: Program, aliases: Mapping[str, str]) -> Listening:
    """Collect what `program` listens to."""
    journey = program.journey
    steps: dict[str, Ears] = {}
    for step in program.steps.values():
        if isinstance(step, WaitFor):
            dates = (step.up_to.path,) if isinstance(step.up_to, DateOffset) else ()
            steps[step.id] = ears([rule.when for rule in step.rules], aliases, dates)
        elif isinstance(step, Wait) and isinstance(step.until, DateOffset):
            steps[step.id] = ears([], aliases, (step.until.path,))
        elif step.id in program.fallback or (isinstance(step, Webhook) and step.store):
            steps[step.id] = Ears(settled=True)
    exits = ears(list(journey.exits), aliases)
    goal = ears([journey.goal.when] if journey.goal else [], aliases)
    start = where(journey.enter.where.node if journey.enter.where else None, aliases)
    return Listening(steps, exits, goal, start)


def ears(rules: list[RuleText], aliases: Mapping[str, str], date_paths: tuple[str, ...] = ()) -> Ears:
    """What can change any of `rules`, or a deadline counted from the attributes `date_paths`."""
    found: list[Dependencies] = [dependencies(rule.node, aliases) for rule in rules]
    attributes = {name.split(".")[0] for one in found for name in one.attributes}
    wheres: dict[str, tuple[Where, ...]] = {}
    for rule in rules:
        for name, conditions in occurrences(rule.node, aliases).items():
            wheres[name] = wheres.get(name, ()) + conditions
    return Ears(
        wheres=wheres,
        attributes=frozenset(attributes | {path.split(".")[0] for path in date_paths}),
        consent=any(one.topics or one.channels for one in found),
        lists=frozenset(name for one in found for name in one.lists),
        segments=frozenset(name for one in found for name in one.segments),
        messages=any(one.messages for one in found),
        any_event=any(one.any_event for one in found),
        time=any(one.time for one in found),
    )
