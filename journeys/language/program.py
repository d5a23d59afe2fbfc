"""A journey laid flat, so that the executor looks up where a contact goes and never walks the tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from journeys.language.steps import (
    Branch,
    Email,
    Exit,
    Journey,
    Repeat,
    SendOptions,
    Sms,
    Split,
    Step,
    WaitFor,
    effective,
)


@dataclass(frozen=True, slots=True)
class Program:
    """Step ids to steps and to where a contact goes next; None is the end of the journey.

    - `following`: after the step, and after the last step of its paths. The last step of a `repeat` leads back to it.
    - `paths`: the first step of each path, arm, wait rule or loop body, in the file's order. An empty `do` is
      already the following step.
    - `timeout`, `fallback`: the first step of these, of `wait_for` and of sends that have one; an empty one is the
      following step.
    - `leaves`: steps after which the entry is exited, not completed: `exit`, `exit: true`, and the last steps inside
      a step with `exit: true`.
    - `parent`: the step that a step stands in; absent for those at the top.
    - `sends`: the options in force at each send.
    - `looping`: every `repeat` and all steps inside one: those that an entry reaches several times.
    - `kept`: what decisions have worked out of a step, for whoever comes by later.
    """

    journey: Journey
    first: str | None
    steps: dict[str, Step] = field(default_factory=dict)
    following: dict[str, str | None] = field(default_factory=dict)
    paths: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    timeout: dict[str, str | None] = field(default_factory=dict)
    fallback: dict[str, str | None] = field(default_factory=dict)
    parent: dict[str, str] = field(default_factory=dict)
    leaves: set[str] = field(default_factory=set)
    looping: set[str] = field(default_factory=set)
    sends: dict[str, SendOptions] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def program(journey: Journey) -> Program:
    """Lay `journey` flat. Linear in the number of steps."""
    flat = Program(journey, journey.steps[0].id if journey.steps else None)
    _lay(flat, journey.steps, None, False, None)
    return flat


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, parents before children, in the file's order."""
    for step in steps:
        yield step
        for inner in children(step):
            yield from walk(inner)


def children(step: Step) -> list[tuple[Step, ...]]:
    """The lists of steps inside `step`, in the file's order: paths, then timeout or fallback."""
    if isinstance(step, WaitFor):
        return [*(rule.do for rule in step.rules), step.timeout]
    if isinstance(step, Branch):
        return [path.do for path in step.paths]
    if isinstance(step, Split):
        return [arm.do for arm in step.paths]
    if isinstance(step, Repeat):
        return [step.do]
    return [step.send.fallback] if isinstance(step, Email | Sms) else []


def _lay(flat: Program, steps: tuple[Step, ...], after: str | None, leaves: bool, parent: str | None) -> None:
    """Lay one list; `after` is where its last step leads, and `leaves` whether that is an exit."""
    for index, step in enumerate(steps):
        last = index + 1 == len(steps)
        follower = after if last else steps[index + 1].id
        ends = step.exit or isinstance(step, Exit) or (last and leaves)
        flat.steps[step.id] = step
        if isinstance(step, Email | Sms):
            flat.sends[step.id] = effective(flat.journey, step)
        flat.following[step.id] = None if ends else follower
        if ends:
            flat.leaves.add(step.id)
        if parent is not None:
            flat.parent[step.id] = parent
        if isinstance(step, Repeat) or parent in flat.looping:
            flat.looping.add(step.id)
        _lay_inside(flat, step, flat.following[step.id], ends)


def _lay_inside(flat: Program, step: Step, follower: str | None, leaves: bool) -> None:
    inner = children(step)
    back, ends = (step.id, False) if isinstance(step, Repeat) else (follower, leaves)
    entries = [steps[0].id if steps else back for steps in inner]
    if isinstance(step, WaitFor):
        flat.timeout[step.id] = entries.pop()
    elif isinstance(step, Email | Sms):
        fallback = entries.pop()
        if step.send.fallback:
            flat.fallback[step.id] = fallback
    if entries:
        flat.paths[step.id] = tuple(entries)
    for steps in inner:
        _lay(flat, steps, back, ends, step.id)
