"""What a simulation is about: a draft, the workspace that it would run in, and the span of history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.errors import InvalidInput
from engine.expr import Dependencies, ast, dependencies
from engine.expr.schema import Schema
from engine.expr.walk import nodes, values
from engine.messages.cap import Cap
from engine.messages.cap import parse as parse_cap
from engine.messages.limits import NO_LIMITS, Limits
from engine.quiet import Hours
from engine.workspace import Workspace
from journeys.decide import needs
from journeys.language import steps as language
from journeys.language.check import with_journey
from journeys.language.parse import parse
from journeys.language.program import Program, program
from journeys.runtime.ask import quiet_hours
from journeys.runtime.listening import Listening, listening


@dataclass(frozen=True, slots=True)
class Reads:
    """What the draft looks at, so that nothing else is loaded.

    `properties`: those of events; `past`: events before the span; `messages`: what contacts were sent. Rules look at
    such messages only if `told`, at the arrival at a step only if `step`, the trigger's rule at its event only if
    `trigger`.
    """

    events: frozenset[str]
    any_event: bool
    properties: bool
    past: bool
    messages: bool
    told: bool
    step: bool
    trigger: bool


class Asked(NamedTuple):
    """What a step asks of its contact, ready for the evaluator. `time`: it minds when a verdict may change.

    `quiet` are the workspace's quiet hours for what the step sends, where the best hour is asked for.
    """

    rules: tuple[ast.Node, ...]
    dates: tuple[ast.Path, ...]
    zone: bool
    phone: bool
    winner: bool
    time: bool
    habits: bool = False
    quiet: Hours | None = None


class Pressure(NamedTuple):
    """Limits on what a step sends: its own cap, and the workspace's caps and quiet hours. `counts`: to those caps."""

    own: Cap | None
    caps: tuple[tuple[str, Cap], ...]
    quiet: Hours | None
    topic: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A draft with all that is the same for everybody. The span is [start, end).

    `asked`: by step, of those that ask; `pressure`: of those that send. `limits` are the workspace's. `winners`: by
    split, the arm that everybody takes from an instant on. `heard`: the names of the events that matter as they happen,
    None if all do. `choosing`: the splits that choose a winner.
    """

    program: Program
    listening: Listening
    workspace: Workspace
    schema: Schema
    start: dt.datetime
    end: dt.datetime
    reads: Reads
    asked: Mapping[str, Asked] = field(default_factory=dict)
    pressure: Mapping[str, Pressure] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    winners: Mapping[str, tuple[dt.datetime, str]] = field(default_factory=dict)
    heard: frozenset[str] | None = None
    choosing: Mapping[str, language.Split] = field(default_factory=dict)

    @property
    def journey(self) -> language.Journey:
        """The draft as read."""
        return self.program.journey


def plan(
    source: str, schema: Schema, workspace: Workspace, start: dt.datetime, end: dt.datetime, *, given: bool = False
) -> Plan:
    """Read the draft. Raises LanguageError for one that does not read, InvalidInput for what cannot be replayed.
    `given`: entries by call are those of the people replayed.
    """
    if end <= start:
        raise InvalidInput("the span ends before it begins", "--to", "Give an instant after --from.")
    flat = program(parse(source, schema.aliases))
    enter = flat.journey.enter
    if enter.kind == "api" and not given:
        raise InvalidInput(
            "a journey that programs let people into has no history to replay", "enter", "Use another trigger."
        )
    known = with_journey(schema, flat.journey)
    limits = Limits.of(workspace)
    pressure = {id_: _pressure(flat, id_, limits) for id_ in flat.sends}
    reads = _reads(flat, known, workspace, any(one.own or one.caps for one in pressure.values()))
    ears = listening(flat, known.aliases)
    asked = {id_: one for id_ in flat.steps if any(one := _asked(flat, ears, id_, workspace))}
    heard = None if ears.any_event else ears.all_events | {enter.event}
    choosing = {split.id: split for split in splits(flat)}
    return Plan(
        flat, ears, workspace, known, start, end, reads, asked, pressure, limits, heard=heard, choosing=choosing
    )


def _pressure(flat: Program, step_id: str, limits: Limits) -> Pressure:
    send, channel = flat.sends[step_id], flat.steps[step_id].kind
    own, topic = send.cap, send.topic or None
    return Pressure(
        parse_cap(f"{own.count} per {own.per}") if own else None,
        tuple(limits.caps_on(channel, topic)),
        limits.hours_of(channel, topic),
        topic,
        topic not in limits.unlimited,
    )


def _asked(flat: Program, ears: Listening, step_id: str, workspace: Workspace) -> Asked:
    step = flat.steps[step_id]
    wanted = needs(flat, step)
    rules, dates = [rule.node for rule in wanted.rules], [ast.Path(tuple(path.split("."))) for path in wanted.dates]
    time = isinstance(step, language.WaitFor) and ears.steps[step_id].time
    by_phone = wanted.zone and step.kind == "sms"
    quiet = quiet_hours(workspace, flat, step_id) if wanted.habits else None
    return Asked(tuple(rules), tuple(dates), wanted.zone, by_phone, wanted.winner, time, wanted.habits, quiet)


def rules_of(flat: Program) -> Iterator[ast.Node]:
    """Every rule of the draft: of its trigger, exits, goal and steps."""
    journey = flat.journey
    every = [*journey.exits, *([journey.enter.where] if journey.enter.where else [])]
    every += [journey.goal.when] if journey.goal else []
    for step in flat.steps.values():
        every += needs(flat, step).rules
    return (rule.node for rule in every)


def splits(flat: Program) -> list[language.Split]:
    """Those that choose a winner."""
    return [step for step in flat.steps.values() if isinstance(step, language.Split) and step.winner is not None]


def _reads(flat: Program, schema: Schema, workspace: Workspace, capped: bool) -> Reads:
    rules = list(rules_of(flat))
    found = [dependencies(rule, schema.aliases) for rule in rules]
    names = {name for one in found for name in one.events} | {flat.journey.enter.event} - {""}
    earning = any(split.winner and split.winner.measure == "revenue" for split in splits(flat))
    names |= set(workspace.revenue_events) if earning else set()
    return Reads(
        frozenset(names),
        any(one.any_event for one in found),
        earning or _reads_properties(flat, rules, found),
        any(_reads_past(node) for rule in rules for node in nodes(rule)) or any(one.any_event for one in found),
        capped or any(one.messages for one in found),
        any(one.messages for one in found),
        any(isinstance(window, ast.SinceStep) for rule in rules for node in nodes(rule) for window in _windows(node)),
        flat.journey.enter.where is not None and _reads_event(flat.journey.enter.where.node),
    )


def _reads_properties(flat: Program, rules: list[ast.Node], found: list[Dependencies]) -> bool:
    journey = flat.journey
    if journey.enter.again.kind == "per" or journey.goal is not None or any(one.contents | one.steps for one in found):
        return True
    every = [node for rule in rules for node in nodes(rule)]
    paths = [value for node in every for value in values(node)]
    reads_event = any(_reads_event(rule) for rule in rules)
    inside = any((isinstance(node, ast.Did) and node.where) or isinstance(node, ast.Sequence) for node in every)
    return bool(inside) or reads_event or any(isinstance(value, ast.Aggregate) for value in paths)


def _reads_event(rule: ast.Node) -> bool:
    """Whether it speaks of the event that the contact entered by."""
    return any(getattr(value, "root", "") == "event" for node in nodes(rule) for value in values(node))


def _reads_past(node: ast.Node) -> bool:
    """Whether a condition may look at what was before the entry."""
    return any(not isinstance(window, ast.SinceEntry | ast.SinceStep) for window in _windows(node))


def _windows(node: ast.Node) -> list[ast.Window | None]:
    """The spans in which a condition looks; None: all of them."""
    windows = [value.window for value in values(node) if isinstance(value, ast.Aggregate)]
    if isinstance(node, ast.Did | ast.Message | ast.Sequence):
        windows.append(node.window)
    return windows
