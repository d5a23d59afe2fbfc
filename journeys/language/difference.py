"""What an edit does to a journey: steps added, removed, changed, moved and renamed, and what changed around them."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.expr import unparse
from journeys.language.describe import describe_time
from journeys.language.durations import Duration
from journeys.language.program import children, walk
from journeys.language.steps import (
    Arm,
    BestHour,
    Cap,
    DateOffset,
    Journey,
    LocalTime,
    Path,
    Quiet,
    RuleText,
    Step,
    ValueText,
    WaitRule,
)

AROUND = ("enter", "holdout", "goal", "exits", "send")


@dataclass(frozen=True, slots=True)
class Field:
    """What a field said and says, as text; '' where it was or is not given."""

    name: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Change:
    """One step, or one part around the steps (then `kind` is of `AROUND` and both ids are '').

    `was` is its id before (None: it is new), `id` its id after (None: it is gone). `fields` are those of its own, not
    those of the steps inside it. `moved`: it stands at another place among the steps that were there before.
    """

    kind: str
    was: str | None
    id: str | None
    fields: tuple[Field, ...] = ()
    moved: bool = False

    @property
    def what(self) -> str:
        """`added`, `removed`, `renamed`, `changed` or `moved`: the one that matters most."""
        if self.was is None:
            return "added"
        if self.id is None:
            return "removed"
        if self.was != self.id:
            return "renamed"
        return "changed" if self.fields else "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """`changes` in the order of the new text, then what is gone. `targets` says where each old step went: its id in the
    new text, by its rename if there is one."""

    changes: tuple[Change, ...]
    targets: Mapping[str, str]

    @property
    def steps(self) -> dict[str, Change]:
        """The changes of steps that were there before, by their id then."""
        return {change.was: change for change in self.changes if change.was}


def difference(old: Journey, new: Journey) -> Difference:
    """What makes `new` out of `old`. Notation does not count: rules are compared as they read."""
    before = {step.id: step for step in walk(old.steps)}
    after = {step.id: step for step in walk(new.steps)}
    targets = {id_: id_ for id_ in before if id_ in after}
    targets |= {one.source: one.to for one in new.moved if one.source in before and one.to in after}
    displaced = _displaced(old, new, targets)
    found: dict[str, list[Change]] = {id_: [] for id_ in after}
    for was, id_ in targets.items():
        fields = _fields(own(before[was]), own(after[id_]))
        if fields or was != id_ or was in displaced:
            found[id_].append(Change(after[id_].kind, was, id_, fields, was in displaced))
    for id_, step in after.items():
        if id_ not in targets.values():
            found[id_].append(Change(step.kind, None, id_))
    gone = [Change(step.kind, id_, None) for id_, step in before.items() if id_ not in targets]
    steps = [change for changes in found.values() for change in changes]
    return Difference((*_around(old, new), *steps, *gone), targets)


def _around(old: Journey, new: Journey) -> Iterator[Change]:
    for part in AROUND:
        fields = _fields(_parts(part, getattr(old, part)), _parts(part, getattr(new, part)))
        if fields:
            yield Change(part, "", "", fields)


def _fields(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> tuple[Field, ...]:
    nothing = ("", "")
    return tuple(
        Field(name, before.get(name, nothing)[1], after.get(name, nothing)[1])
        for name in dict.fromkeys([*before, *after])
        if before.get(name, nothing)[0] != after.get(name, nothing)[0]
    )


def own(step: Step) -> dict[str, tuple[str, str]]:
    """The fields of a step without those of the steps inside it: name -> how it reads, and how it was written.

    Options of sends stand among the fields; what is as it would be if it were not given is left out.
    """
    found = {"kind": (step.kind, step.kind)}
    for name, value in _given(step):
        if name == "send":
            found |= _parts("", value)
        elif name != "id":
            found[name.rstrip("_")] = (_told(value, False), _told(value, True))
    return found


def _parts(name: str, value: Any) -> dict[str, tuple[str, str]]:
    """The fields of a part around the steps, or of send options."""
    if value is None:
        return {}
    if not dataclasses.is_dataclass(value):
        return {name: (_told(value, False), _told(value, True))} if value else {}
    return {inner.rstrip("_"): (_told(one, False), _told(one, True)) for inner, one in _given(value)}


def _given(value: Any) -> Iterator[tuple[str, Any]]:
    """Fields that are compared and differ from their defaults, without lists of steps."""
    for field in dataclasses.fields(value):
        one = getattr(value, field.name)
        inner = isinstance(one, tuple) and bool(one) and isinstance(one[0], Step)
        if field.compare and one != field.default and not inner:
            yield field.name, one


def _told(value: Any, shown: bool) -> str:
    """A value as text: as the author wrote it if it is to be shown, else as it reads."""
    match value:
        case RuleText():
            return value.text if shown else unparse(value.node)
        case ValueText():
            return value.text
        case Duration() | LocalTime() | DateOffset():
            return describe_time(value)
        case BestHour():
            return "best"
        case bool():
            return "true" if value else "false"
        case Fraction():
            return f"{float(value * 100):g}%"
        case Cap(count, per):
            return f"{count} per {per.unit if per.count == 1 else per}"
        case Quiet(start, end, zone):
            return f"{start:%H:%M}-{end:%H:%M} {zone}"
        case WaitRule(when, _, name):
            return _told(when, shown) if shown else f"{name}: {_told(when, shown)}"
        case Path(when, _, name):
            return f"{name}: {_told(when, shown)}" if when is not None else name
        case Arm(share, _, name):
            return f"{name}: {_told(share, shown)}"
        case tuple() | frozenset():
            items = sorted(value) if isinstance(value, frozenset) else value
            return ", ".join(_told(item, shown) for item in items)
        case _ if dataclasses.is_dataclass(value):
            return " ".join(_told(one, shown) for _, one in _given(value))
    return str(value)


def _displaced(old: Journey, new: Journey, targets: Mapping[str, str]) -> set[str]:
    """Ids of old steps that are still there, in another list of steps or behind others of their list."""
    before = {id_: place for id_, place in _places(old) if id_ in targets}
    renamed = {id_: (targets.get(parent, parent), slot) for id_, (parent, slot) in before.items()}
    after = dict(_places(new))
    order = {id_: index for index, id_ in enumerate(after)}
    found = {id_ for id_ in before if renamed[id_] != after[targets[id_]]}
    lanes: dict[tuple[str, int], list[str]] = {}
    for id_ in before:
        if id_ not in found:
            lanes.setdefault(before[id_], []).append(id_)
    for lane in lanes.values():
        kept = _longest_rise([order[targets[id_]] for id_ in lane])
        found |= {id_ for index, id_ in enumerate(lane) if index not in kept}
    return found


def _places(journey: Journey) -> Iterator[tuple[str, tuple[str, int]]]:
    """Each step's id with its place: the step it stands in ('' at the top), and in which of its lists."""
    yield from ((step.id, ("", 0)) for step in journey.steps)
    for outer in walk(journey.steps):
        for slot, inner in enumerate(children(outer)):
            yield from ((step.id, (outer.id, slot)) for step in inner)


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Indexes of the most numbers that rise from left to right: those that need not move (patience sorting)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        place = bisect_left(tails, number)
        before.append(ends[place - 1] if place else -1)
        tails[place:], ends[place:] = [number, *tails[place + 1 :]], [index, *ends[place + 1 :]]
    kept: set[int] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept
