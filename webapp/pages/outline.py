"""A journey as a tree to read: its steps, what leads into each list of steps, and the counts beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from journeys.language import steps as model
from journeys.language.durations import Duration
from journeys.language.steps import Step

SENDS = frozenset({"email", "sms", "webhook", "notify"})
TIMES = frozenset({"wait", "wait_for"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A list of steps inside a step, and the words that lead into it."""

    label: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One step. `group` is send, time or flow, and chooses its colour."""

    id: str
    kind: str
    group: str
    title: str
    line: int
    branches: tuple[Branch, ...]


def outline(steps: tuple[Step, ...]) -> tuple[Node, ...]:
    """The steps as nodes, in the file's order."""
    return tuple(_node(step) for step in steps)


def _node(step: Step) -> Node:
    group = "send" if step.kind in SENDS else "time" if step.kind in TIMES else "flow"
    return Node(step.id, step.kind, group, step.title or title(step), step.line, _branches(step))


def title(step: Step) -> str:
    """What the step does, in a few words."""
    describe = TITLES.get(step.kind)
    return describe(step) if describe else step.kind.replace("_", " ").capitalize()


TITLES: dict[str, Callable[[Any], str]] = {
    "email": lambda step: f"Email “{step.content}”",
    "sms": lambda step: f"SMS “{step.content}”",
    "webhook": lambda step: f"Call webhook “{step.webhook}”",
    "wait": lambda step: f"Wait {until(step.until)}",
    "wait_for": lambda step: f"Wait for {_rules(step)}, up to {until(step.up_to)}",
    "branch": lambda step: f"Branch in {len(step.paths)} paths",
    "split": lambda step: f"Split in {len(step.paths)} arms",
    "set": lambda step: "Set " + ", ".join(name for name, _ in step.values),
    "score": lambda step: f"Add {step.points:+d} to {step.name}",
    "list": lambda step: _lists(step),
    "exit": lambda step: f"Exit: {step.reason}" if step.reason else "Exit",
    "event": lambda step: f"Record “{step.event}”",
    "journey": lambda step: f"Start journey “{step.journey}”",
    "repeat": lambda step: f"Repeat {step.times} times",
    "notify": lambda step: f"Notify {step.to}",
}


def _lists(step: model.ListStep) -> str:
    said = [("Put on", step.add), ("Take off", step.remove)]
    return ", ".join(f"{verb} {', '.join(f'“{name}”' for name in names)}" for verb, names in said if names)


def until(value: Duration | model.LocalTime | model.DateOffset) -> str:
    """The end of a wait in words."""
    if isinstance(value, model.LocalTime):
        days = ", ".join(WEEKDAYS[day] for day in value.weekdays)
        return f"until {days + ' ' if days else ''}{value.time:%H:%M} ({value.zone})"
    if isinstance(value, model.DateOffset):
        offset = f"{value.duration} {'before' if value.before else 'after'} " if value.duration else ""
        return f"{offset}{value.path}"
    return str(value)


def entrance(journey: model.Journey | None) -> str:
    """Who enters, in a few words."""
    if journey is None:
        return ""
    enter = journey.enter
    match enter.kind:
        case "event":
            return f"Enters on “{enter.event}”"
        case "segment":
            return f"Enters on joining segment “{enter.segment}”"
        case "schedule":
            return f"Enters {enter.schedule}"
        case "date" if enter.date:
            return f"Enters {until(enter.date)}"
    return "Enters by call of the API"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _rules(step: model.WaitFor) -> str:
    return step.rules[0].when.text if len(step.rules) == 1 else f"the first of {len(step.rules)} rules"


def _branches(step: Step) -> tuple[Branch, ...]:
    found: list[tuple[str, tuple[Step, ...]]] = []
    match step:
        case model.WaitFor():
            found = [(f"When {rule.when.text}", rule.do) for rule in step.rules if rule.do or len(step.rules) > 1]
            found += [("On timeout", step.timeout)] if step.timeout else []
        case model.Branch():
            found = [(f"If {path.when.text}" if path.when else "Else", path.do) for path in step.paths]
        case model.Split():
            found = [(f"{float(arm.share):.0%} · arm {arm.name}", arm.do) for arm in step.paths]
        case model.Repeat():
            found = [("Each time", step.do)]
        case model.Email() | model.Sms() if step.send.fallback:
            found = [("If it cannot be sent", step.send.fallback)]
    return tuple(Branch(label, outline(steps)) for label, steps in found)
