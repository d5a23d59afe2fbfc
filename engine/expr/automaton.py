"""Pattern search in linear time: Thompson's construction, made deterministic as the text is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Klass:
    """One character of some ranges, or, negated, of none of them."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def holds(self, char: str) -> bool:
        """Whether the character is of the class."""
        return any(low <= char <= high for low, high in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class Edge:
    """`^` or `$`: the start or the end of the whole text."""

    sign: str


@dataclass(frozen=True, slots=True)
class Series:
    """One part after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Branches:
    """One part or another."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part `low` to `high` times; None is without end."""

    part: Part
    low: int
    high: int | None


Part: TypeAlias = Klass | Edge | Series | Branches | Repeat
States: TypeAlias = frozenset[int]


@dataclass
class _State:
    """`klass` leads to `target`; `free` moves need no character; `edge` moves only at the start or end of the text."""

    free: list[int] = field(default_factory=list)
    klass: Klass | None = None
    edge: str = ""
    target: int = -1


class Automaton:
    """Searches texts for a pattern. Sets of states are remembered, up to a number, per character."""

    def __init__(self, part: Part) -> None:
        self._states: list[_State] = []
        self._accept = self._new()
        self._start = self._build(part, self._accept)
        self._moves: dict[tuple[States, str], States] = {}

    def found(self, text: str) -> bool:
        """Whether some part of the text matches."""
        current = self._close({self._start}, "^" if text else "^$")
        restart = self._close({self._start}, "")
        for place, char in enumerate(text):
            if self._accept in current:
                return True
            last = place == len(text) - 1
            current = self._move(current, char) if not last else self._step(current, char, "$")
            current = current | (self._close({self._start}, "$") if last else restart)
        return self._accept in current

    def _move(self, current: States, char: str) -> States:
        known = self._moves.get((current, char))
        if known is None:
            if len(self._moves) > 5_000:
                self._moves.clear()
            known = self._moves[current, char] = self._step(current, char, "")
        return known

    def _step(self, current: States, char: str, edges: str) -> States:
        states = (self._states[number] for number in current)
        return self._close({state.target for state in states if state.klass and state.klass.holds(char)}, edges)

    def _close(self, seeds: set[int], edges: str) -> States:
        closed, pending = set(seeds), list(seeds)
        while pending:
            state = self._states[pending.pop()]
            reached = [*state.free, *([state.target] if state.edge and state.edge in edges else [])]
            pending += [number for number in reached if number not in closed]
            closed.update(reached)
        return frozenset(closed)

    def _new(self) -> int:
        self._states.append(_State())
        return len(self._states) - 1

    def _build(self, part: Part, then: int) -> int:
        match part:
            case Series(parts):
                for item in reversed(parts):
                    then = self._build(item, then)
                return then
            case Branches(parts):
                entry = self._new()
                self._states[entry].free = [self._build(item, then) for item in parts]
                return entry
            case Repeat(item, low, high):
                return self._repeat(item, low, high, then)
            case Klass() | Edge():
                return self._leaf(part, then)

    def _leaf(self, part: Klass | Edge, then: int) -> int:
        entry = self._new()
        state = self._states[entry]
        state.target = then
        if isinstance(part, Klass):
            state.klass = part
        else:
            state.edge = part.sign
        return entry

    def _repeat(self, item: Part, low: int, high: int | None, then: int) -> int:
        if high is None:
            loop = self._new()
            self._states[loop].free = [self._build(item, loop), then]
            then = loop
        for _ in range((high or low) - low if high is not None else 0):
            entry = self._new()
            self._states[entry].free = [self._build(item, then), then]
            then = entry
        for _ in range(low):
            then = self._build(item, then)
        return then
