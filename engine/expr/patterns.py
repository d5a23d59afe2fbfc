"""The patterns of `matches`: the part of regular expressions that PostgreSQL and Python read alike, in linear time.

Literal characters, `.`, classes in brackets, `\\d \\w \\s` (ASCII) and their negations, `^`, `$`, groups, `|`, and the
repeats `* + ? {m,n}` that are not inside each other. Refused: back references, look-around, lazy and possessive
repeats, `\\b`, flags. A pattern is searched anywhere in the text unless `^` and `$` bind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.errors import LanguageError
from engine.expr import ast
from engine.expr.automaton import Automaton, Branches, Edge, Klass, Part, Repeat, Series

MAX_PATTERN = 500
MAX_REPEAT = 100
MAX_SIZE = 2_000
_CLASSES = {
    "d": (("0", "9"),),
    "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    "s": (("\t", "\r"), (" ", " ")),
}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_SPECIAL = ".^$*+?{}[]()|\\"


class PatternError(ValueError):
    """The pattern is not of the subset; `offset` counts characters of the pattern."""

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.hint = message, offset, hint


def check_pattern(value: ast.Value) -> None:
    """Raise LanguageError unless the right side of `matches` is a pattern of the subset."""
    if not isinstance(value, ast.Text):
        hint = 'write matches "^A[0-9]+$"'
        raise LanguageError("matches takes a quoted pattern", value.at.line, value.at.column, ("a quoted text",), hint)
    try:
        read_pattern(value.value)
    except PatternError as error:
        column = value.at.column + 1 + error.offset
        raise LanguageError(f"in the pattern: {error.message}", value.at.line, column, (), error.hint) from None


def found(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """Whether the pattern occurs in the text; linear in the text. Ignoring case folds both sides."""
    from engine.expr.values import fold

    return _automaton(pattern, ignore_case).found(fold(text) if ignore_case else text)


def to_postgres(pattern: str, ignore_case: bool = False) -> str:
    """The pattern in PostgreSQL's syntax, written anew from what was understood."""
    return _write(_read(pattern, ignore_case))


@lru_cache(maxsize=512)
def _automaton(pattern: str, ignore_case: bool) -> Automaton:
    return Automaton(_read(pattern, ignore_case))


@lru_cache(maxsize=512)
def _read(pattern: str, ignore_case: bool) -> Part:
    return read_pattern(pattern, ignore_case)


def read_pattern(pattern: str, ignore_case: bool = False) -> Part:
    """The parts of a pattern. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"it is longer than {MAX_PATTERN} characters", 0)
    reader = _Reader(pattern, ignore_case)
    part = reader.branches()
    if reader.offset < len(pattern):
        raise PatternError("a closing bracket without an opening one", reader.offset, "write \\) for the sign itself")
    if _size(part) > MAX_SIZE:
        raise PatternError("it is too large once its repeats are written out", 0)
    return part


@dataclass
class _Reader:
    pattern: str
    ignore_case: bool
    offset: int = 0
    depth: int = 0

    def peek(self) -> str:
        return self.pattern[self.offset : self.offset + 1]

    def take(self) -> str:
        self.offset += 1
        return self.pattern[self.offset - 1]

    def branches(self) -> Part:
        options = [self.series()]
        while self.peek() == "|":
            self.take()
            options.append(self.series())
        return options[0] if len(options) == 1 else Branches(tuple(options))

    def series(self) -> Part:
        parts: list[Part] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return Series(tuple(parts))

    def repeated(self) -> Part:
        start = self.offset
        part = self.single()
        if self.peek() not in ("*", "+", "?", "{") or not self.peek():
            return part
        if isinstance(part, Edge):
            raise PatternError("^ and $ cannot repeat", start)
        at = self.offset
        low, high = self.bounds()
        if _repeats(part):
            raise PatternError("a repeat inside a repeat", at, "repeat a class such as [a-z0-9]+")
        if self.peek() and self.peek() in "*+?{":
            raise PatternError("lazy, possessive and double repeats are not supported", self.offset)
        return Repeat(part, low, high)

    def bounds(self) -> tuple[int, int | None]:
        sign, at = self.take(), self.offset - 1
        if sign != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        end = self.pattern.find("}", self.offset)
        low, comma, high = self.pattern[self.offset : end if end >= 0 else self.offset].partition(",")
        numbers = [number for number in (low, high) if number]
        if not low or not all(n.isascii() and n.isdigit() and len(n) < 4 and int(n) <= MAX_REPEAT for n in numbers):
            raise PatternError(f"a repeat is {{m}}, {{m,}} or {{m,n}} up to {MAX_REPEAT}", at, "write \\{ for the sign")
        self.offset = end + 1
        if high and int(high) < int(low):
            raise PatternError("the repeat ends before it begins", at)
        return int(low), (int(high) if high else None if comma else int(low))

    def single(self) -> Part:
        at, sign = self.offset, self.take()
        if sign in "^$":
            return Edge(sign)
        if sign == ".":
            return Klass((), negated=True)
        if sign == "(":
            return self.group(at)
        if sign == "[":
            return self.klass(at)
        if sign == "\\":
            return self.escape(at)
        if sign in "*+?{":
            raise PatternError(f"{sign} repeats nothing", at, f"write \\{sign} for the sign itself")
        return self.character(sign)

    def character(self, sign: str) -> Klass:
        from engine.expr.values import fold

        sign = fold(sign) if self.ignore_case else sign
        return Klass(((sign, sign),))

    def group(self, at: int) -> Part:
        if self.pattern.startswith("?:", self.offset):
            self.offset += 2
        elif self.peek() == "?":
            raise PatternError("look-around, named groups and flags are not supported", at, "use a plain group ( … )")
        self.depth += 1
        if self.depth > 20:
            raise PatternError("groups are nested deeper than 20", at)
        part = self.branches()
        self.depth -= 1
        if self.peek() != ")":
            raise PatternError("the group is not closed", at, "write \\( for the sign itself")
        self.take()
        return part

    def escape(self, at: int) -> Klass:
        sign = self.peek()
        if not sign:
            raise PatternError("it ends with a backslash", at, "write \\\\ for the sign itself")
        self.take()
        if sign.lower() in _CLASSES:
            return Klass(_CLASSES[sign.lower()], negated=sign.isupper())
        if sign in _CONTROL:
            return Klass(((_CONTROL[sign], _CONTROL[sign]),))
        if sign.isalnum() and sign.isascii():
            what = "back references are" if sign.isdigit() else f"\\{sign} is"
            raise PatternError(f"{what} not supported", at, "use classes such as [0-9], and ^ or $")
        return self.character(sign)

    def klass(self, at: int) -> Klass:
        negated = self.peek() == "^"
        self.offset += negated
        ranges: list[tuple[str, str]] = []
        while self.peek() != "]":
            if not self.peek() or self.pattern.startswith("[:", self.offset):
                raise PatternError("the class is not closed, or is a named one", at, "write [a-z], \\[ for the sign")
            ranges += self.range()
        self.take()
        if not ranges:
            raise PatternError("the class is empty", at)
        return Klass(tuple(ranges), negated)

    def range(self) -> tuple[tuple[str, str], ...]:
        at, first = self.offset, self.member()
        last = first
        after = self.pattern[self.offset + 1 : self.offset + 2]
        if len(first.ranges) == 1 and self.peek() == "-" and after not in ("]", ""):
            self.take()
            last = self.member()
        low, high = first.ranges[0][0], last.ranges[-1][1]
        if first.negated or last.negated or (last is not first and len(last.ranges) > 1):
            raise PatternError("a class such as \\D cannot stand in brackets", at)
        if last is first:
            return first.ranges
        if high < low:
            raise PatternError("the range runs backwards", at)
        return ((low, high),)

    def member(self) -> Klass:
        at, sign = self.offset, self.take()
        return self.escape(at) if sign == "\\" else self.character(sign)


def _repeats(part: Part) -> bool:
    match part:
        case Repeat():
            return True
        case Series(parts) | Branches(parts):
            return any(_repeats(item) for item in parts)
    return False


def _size(part: Part) -> int:
    match part:
        case Repeat(item, low, high):
            return _size(item) * max(low, high or low, 1) + 1
        case Series(parts) | Branches(parts):
            return sum(_size(item) for item in parts) + 1
    return 1


def _write(part: Part) -> str:
    match part:
        case Branches(parts):
            return "(?:" + "|".join(_write(item) for item in parts) + ")"
        case Series(parts):
            return "(?:" + "".join(_write(item) for item in parts) + ")"
        case Repeat(item, low, high):
            top = "" if high is None else str(high)
            return f"(?:{_write(item)}){{{low},{top}}}"
        case Edge(sign):
            return sign
        case Klass(ranges, negated):
            return _write_class(ranges, negated)


def _write_class(ranges: tuple[tuple[str, str], ...], negated: bool) -> str:
    if not ranges:
        return "."
    inner = "".join(_escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}" for low, high in ranges)
    return f"[{'^' * negated}{inner}]"


def _escaped(sign: str) -> str:
    return f"\\U{ord(sign):08X}"
