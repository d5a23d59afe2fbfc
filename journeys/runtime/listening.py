"""What each wait, goal and exit of a version listens to, so that an event asks only those that it can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engine.expr import Dependencies, dependencies
from journeys.language.program import Program
from journeys.language.steps import DateOffset, RuleText, Wait, WaitFor

Kind = Literal["event", "attribute", "consent", "list", "segment"]


class Fact(NamedTuple):
    """Something that became true of a contact: an event, or a change of named attributes, topics, lists, segments."""

    kind: Kind
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ears:
    """The names, by kind, that can change some rules; `any_event` when every event can. `time` when time alone can."""

    events: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    consent: bool = False
    lists: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    any_event: bool = False
    time: bool = False

    def hears(self, fact: Fact) -> bool:
        """Whether `fact` can change a verdict."""
        if fact.kind == "event":
            return self.any_event or not self.events.isdisjoint(fact.names)
        if fact.kind == "consent":
            return self.consent
        wanted = {"attribute": self.attributes, "list": self.lists, "segment": self.segments}[fact.kind]
        return not wanted.isdisjoint(fact.names)


@dataclass(frozen=True, slots=True)
class Listening:
    """The ears of a version's parked steps, its exits and its goal."""

    steps: dict[str, Ears] = field(default_factory=dict)
    exits: Ears = field(default_factory=Ears)
    goal: Ears = field(default_factory=Ears)
    all_events: frozenset[str] = frozenset()
    any_event: bool = False


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
    exits = ears(list(journey.exits), aliases)
    goal = ears([journey.goal.when] if journey.goal else [], aliases)
    every = [*steps.values(), exits, goal]
    names = frozenset(name for one in every for name in one.events)
    return Listening(steps, exits, goal, names, any(one.any_event for one in every))


def ears(rules: list[RuleText], aliases: Mapping[str, str], date_paths: tuple[str, ...] = ()) -> Ears:
    """What can change any of `rules`, or a deadline counted from the attributes `date_paths`."""
    found: list[Dependencies] = [dependencies(rule.node, aliases) for rule in rules]
    attributes = {name.split(".")[0] for one in found for name in one.attributes}
    return Ears(
        events=frozenset(name for one in found for name in one.events),
        attributes=frozenset(attributes | {path.split(".")[0] for path in date_paths}),
        consent=any(one.topics or one.channels for one in found),
        lists=frozenset(name for one in found for name in one.lists),
        segments=frozenset(name for one in found for name in one.segments),
        any_event=any(one.any_event for one in found),
        time=any(one.time for one in found),
    )
