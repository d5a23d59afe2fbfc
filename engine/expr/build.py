"""From the parser's reductions to the tree. Runs while parsing, so depth costs no stack."""

from __future__ import annotations

from collections.abc import Sequence as Many
from decimal import Decimal
from typing import Any, cast

from lark import Token, Transformer

from engine.errors import LanguageError
from engine.expr import ast, literals
from engine.expr.durations import too_long
from engine.expr.patterns import check_pattern

_WORDS = {
    "AT_LEAST": "at least", "AT_MOST": "at most", "EXACTLY": "exactly", "ONCE": 1, "TWICE": 2,
    "CONTAINS": "contains", "MATCHES": "matches", "STARTS_WITH": "starts with", "ENDS_WITH": "ends with",
}  # fmt: skip
_OPERATORS = {"=": "is", "!=": "is not"}
_NOT_NUMBERS = {"nan", "inf", "infinity"}

Children = Many[Any]


def at(child: Any) -> ast.Position:
    """Where a token or a part stands."""
    if isinstance(child, Token):
        return ast.Position(child.line or 1, child.column or 1)
    return cast(ast.Part, child).at


def refuse(child: Any, message: str, hint: str = "", expected: tuple[str, ...] = ()) -> LanguageError:
    """The error to raise about a token or part."""
    place = at(child)
    return LanguageError(message, place.line, place.column, expected, hint)


def _split(children: Children) -> tuple[list[str], list[Any]]:
    """Token types, and the rest."""
    return [c.type for c in children if isinstance(c, Token)], [c for c in children if not isinstance(c, Token)]


_KINDS = {"where": "where", "count": "count", "window": "window of time"}


class Clauses:
    """`where`, count and window of a behaviour, each at most once, in any order."""

    def __init__(self, parts: Children, allowed: tuple[type, ...], of: str) -> None:
        self.where: ast.Node | None = None
        self.count: ast.Count | None = None
        self.window: ast.Window | None = None
        self.open_where = False
        for part in parts:
            self._take(part, allowed, of)

    def _take(self, part: Any, allowed: tuple[type, ...], of: str) -> None:
        name = "where" if isinstance(part, Where) else "count" if isinstance(part, ast.Count) else "window"
        if not isinstance(part, allowed):
            raise refuse(part, f"there can be no {_KINDS[name]} {of}")
        if getattr(self, name) is not None:
            both = "join two conditions with where (a and b)" if name == "where" else "keep one of the two"
            raise refuse(part, f"there is a second {_KINDS[name]}", both)
        setattr(self, name, part.condition if isinstance(part, Where) else part)
        self.open_where = isinstance(part, Where) and not part.bracketed


class Where:
    """A `where` clause on its way into its behaviour."""

    def __init__(self, condition: ast.Node, place: ast.Position, bracketed: bool) -> None:
        self.condition, self.at, self.bracketed = condition, place, bracketed


class Link:
    """`within d` of a sequence on its way."""

    def __init__(self, duration: ast.Duration, place: ast.Position) -> None:
        self.duration, self.at = duration, place


WINDOWS = (ast.Last, ast.Since, ast.Before, ast.BetweenDates, ast.SinceEntry, ast.SinceStep, ast.Ever)
_COMPARING = (ast.Comparison, ast.Between, ast.InList, ast.IsSet, ast.IsWithin, ast.Ago, ast.AnyItem)


def only_comparisons(node: ast.Node, of: str) -> None:
    """Raise unless the condition of a `where` or `any` looks at fields alone."""
    stack: list[ast.Node] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, (ast.And, ast.Or)):
            stack.extend(item.items)
        elif isinstance(item, ast.Not):
            stack.append(item.item)
        elif not isinstance(item, _COMPARING):
            hint = f"write {of} (a and b), and put what people did outside"
            raise refuse(item, f"only comparisons of fields can stand inside {of}", hint)
        else:
            _refuse_aggregates(item, of)


def _refuse_aggregates(item: ast.Comparing, of: str) -> None:
    operands = {
        ast.Comparison: ("left", "right"), ast.Between: ("value", "low", "high"), ast.AnyItem: (),
    }.get(type(item), ("value",))  # fmt: skip
    for name in operands:
        value = getattr(item, name)
        if isinstance(value, ast.Aggregate):
            raise refuse(value, f"{value.function} of … cannot stand inside {of}", f"compare it outside {of}")


class Values(Transformer[Token, Any]):
    """Literals, fields, durations, windows, counts."""

    def text(self, c: Children) -> ast.Text:
        return ast.Text(literals.read_text(c[0]), at=at(c[0]))

    def number(self, c: Children) -> ast.Number:
        if len(c[0]) > 100:
            raise refuse(c[0], "the number has more than 100 digits")
        return ast.Number(Decimal(str(c[0])), at=at(c[0]))

    def boolean(self, c: Children) -> ast.Boolean:
        return ast.Boolean(c[0].type == "TRUE", at=at(c[0]))

    def date(self, c: Children) -> ast.DateValue:
        value = literals.read_date(str(c[0]))
        if value is None:
            raise refuse(c[0], f"{c[0]} is no date", "write 2026-01-31 or 2026-01-31T10:00:00Z", ("a date",))
        return type(value)(value.value, at=at(c[0]))  # type: ignore[arg-type]

    def path(self, c: Children) -> ast.Path:
        parts = literals.read_path(c[0])
        if parts[0].lower() in _NOT_NUMBERS:
            raise refuse(c[0], f"{c[0]} is no number", expected=("a number", "a text", "a name"))
        root = parts[0] if len(parts) > 1 and parts[0] in ("event", "contact") and c[0][0] != "`" else ""
        return ast.Path(parts[1:] if root else parts, cast(ast.Root, root), at=at(c[0]))

    def list(self, c: Children) -> tuple[ast.Literals, ...]:
        return tuple(c)

    def duration(self, c: Children) -> ast.Duration:
        unit = c[-1].lower().rstrip("s")
        amount = int(c[0]) if len(c) == 2 and len(c[0]) < 10 else 1 if len(c) == 1 else 10**9
        value = ast.Duration(amount, unit, at=at(c[0]))
        if too_long(value):
            raise refuse(c[0], "a length of time is at most 200 years", "leave it out for all time")
        return value

    def count(self, c: Children) -> ast.Count:
        words = [_WORDS[t.type] for t in c if t.type in _WORDS]
        numbers: list[Any] = [int(t) if len(t) < 10 else 10**9 for t in c if t.type == "INTEGER"] or [words.pop()]
        bound = words[0] if words else "exactly"
        return ast.Count(cast(ast.Bound, bound), numbers[0], at=at(c[0]))

    def window_last(self, c: Children) -> ast.Last:
        return ast.Last(c[1], at=at(c[0]))

    def window_entry(self, c: Children) -> ast.SinceEntry:
        return ast.SinceEntry(at=at(c[0]))

    def window_step(self, c: Children) -> ast.SinceStep:
        return ast.SinceStep(at=at(c[0]))

    def window_since(self, c: Children) -> ast.Since:
        return ast.Since(c[1], at=at(c[0]))

    def window_before(self, c: Children) -> ast.Before:
        return ast.Before(c[1], at=at(c[0]))

    def window_between(self, c: Children) -> ast.BetweenDates:
        return ast.BetweenDates(c[1], c[3], at=at(c[0]))

    def window_ever(self, c: Children) -> ast.Ever:
        return ast.Ever(at=at(c[0]))


class Builder(Values):
    """Conditions. `aliases` tells `purchased between A and B` from `signed_up_on between A and B`."""

    def __init__(self, aliases: frozenset[str]) -> None:
        super().__init__()
        self.aliases = aliases

    def rule(self, c: Children) -> Any:
        return c[0]

    value_rule = rule

    def group(self, c: Children) -> Any:
        return c[1]

    def disjunction(self, c: Children) -> ast.Or:
        return ast.Or(tuple(_split(c)[1]), at=at(c[0]))

    def conjunction(self, c: Children) -> ast.And:
        return ast.And(tuple(_split(c)[1]), at=at(c[0]))

    def negation(self, c: Children) -> ast.Not:
        return ast.Not(c[1], at=at(c[0]))

    def event(self, c: Children) -> ast.EventName:
        name = literals.read_text(c[0]) if c[0].type == "STRING" else ".".join(literals.read_path(c[0]))
        if not name:
            raise refuse(c[0], "the event has no name", 'write did "Signed Up"')
        return ast.EventName(name, c[0].type == "PATH" and name in self.aliases, at=at(c[0]))

    def alias(self, c: Children) -> ast.EventName:
        return ast.EventName(str(c[0]), True, at=at(c[0]))

    def target(self, c: Children) -> ast.EventName:
        return cast(ast.EventName, c[-1])

    def where(self, c: Children) -> Where:
        only_comparisons(c[1], "where")
        return Where(c[1], at(c[0]), bracketed=False)

    def where_group(self, c: Children) -> Where:
        only_comparisons(c[1], "where")
        return Where(c[1], at(c[0]), bracketed=True)

    def within(self, c: Children) -> Link:
        return Link(c[1], at(c[0]))

    def did(self, c: Children) -> ast.Node:
        words, (event, *parts) = _split(c)
        never = "NEVER" in words
        clauses = Clauses(parts, (Where, *WINDOWS) if never else (Where, ast.Count, *WINDOWS), "with never")
        chosen = clauses.where, clauses.count, clauses.window
        node = ast.Did(event, *chosen, never, open_where=clauses.open_where, at=at(c[0]))
        return self._dates_of_a_field(node) if event.alias and event.name not in self.aliases else node

    def _dates_of_a_field(self, node: ast.Did) -> ast.Node:
        """`trial_ends_at between A and B` reads like an alias with a window until the name is looked at."""
        window = node.window
        if isinstance(window, ast.BetweenDates) and not (node.never or node.where or node.count):
            place = node.event.at
            path = self.path([Token("PATH", node.event.name, line=place.line, column=place.column)])
            return ast.Between(path, window.first, window.last, at=node.at)
        return node

    def sequence(self, c: Children) -> ast.Sequence:
        middle = next(i for i, x in enumerate(c) if isinstance(x, Token) and x.type in ("THEN", "WITHOUT"))
        first, *before = _split(c[:middle])[1]
        second, *after = c[middle + 1 :]
        link = next(x for x in after if isinstance(x, Link))
        windows = [x for x in after if isinstance(x, WINDOWS)]
        one = Clauses([*before, *windows], (Where, *WINDOWS), "in a sequence")
        two = Clauses([x for x in after if x is not link and x not in windows], (Where,), "in a sequence")
        return ast.Sequence(
            ast.Occurrence(first, one.where, at=first.at), "then" if c[middle].type == "THEN" else "without",
            ast.Occurrence(second, two.where, at=second.at), link.duration, one.window, at=at(c[0]),
        )  # fmt: skip

    def message(self, c: Children) -> ast.Message:
        words, parts = _split(c)
        never = words[0] == "NEVER"
        clauses = Clauses(
            parts,
            WINDOWS if never else (ast.Count, *WINDOWS),
            "with never" if never else "in a condition about messages",
        )
        name = next((literals.read_text(t) for t in c if isinstance(t, Token) and t.type == "STRING"), None)
        verb = cast(ast.Verb, c[1 if never else 0].lower())
        content, step = (None, name) if "STEP" in words else (name, None)
        return ast.Message(verb, content, step, clauses.count, clauses.window, never, at=at(c[0]))

    def membership(self, c: Children) -> ast.Membership:
        return ast.Membership(c[1].type.lower(), literals.read_text(c[2]), at=at(c[0]))

    def subscribed(self, c: Children) -> ast.Subscribed:
        return ast.Subscribed(literals.read_text(c[2]), str(c[4]) if len(c) > 3 else "email", at=at(c[0]))

    def consents(self, c: Children) -> ast.Consents:
        return ast.Consents(str(c[2]), at=at(c[0]))

    def aggregate(self, c: Children) -> ast.Aggregate:
        _, (path, event, *parts) = _split(c)
        clauses = Clauses(parts, (Where, *WINDOWS), "in a sum or the like")
        if path.root:
            raise refuse(
                path, f"{c[0].lower()} of … reads a property of its own event", f"write {'.'.join(path.parts)}"
            )
        function = cast(ast.AggregateFunction, c[0].lower())
        return ast.Aggregate(function, path, event, clauses.where, clauses.window, at=at(c[0]))

    def _compare(self, left: Any, operator: str, right: Any) -> ast.Comparison:
        if operator.endswith("matches"):
            check_pattern(right)
        return ast.Comparison(left, cast(ast.Operator, operator), right, at=at(left))

    def compare_sign(self, c: Children) -> ast.Comparison:
        return self._compare(c[0], _OPERATORS.get(str(c[1]), str(c[1])), c[2])

    def compare_is(self, c: Children) -> ast.Comparison:
        return self._compare(c[0], "is", c[2])

    def compare_is_not(self, c: Children) -> ast.Comparison:
        return self._compare(c[0], "is not", c[3])

    def compare_date(self, c: Children) -> ast.Comparison:
        return self._compare(c[0], "is before" if c[2].type == "BEFORE" else "is after", c[3])

    def compare_text(self, c: Children) -> ast.Comparison:
        prefix = "not " if c[1].type == "NOT" else ""
        return self._compare(c[0], prefix + cast(str, _WORDS[c[-2].type]), c[-1])

    def between(self, c: Children) -> ast.Between:
        words, (value, low, high) = _split(c)
        return ast.Between(value, low, high, "NOT" in words, at=at(value))

    def in_list(self, c: Children) -> ast.InList:
        words, (value, items) = _split(c)
        return ast.InList(value, items, "NOT" in words, at=at(value))

    def is_set(self, c: Children) -> ast.IsSet:
        return ast.IsSet(c[0], "NOT" in _split(c)[0], at=at(c[0]))

    def is_null(self, c: Children) -> ast.IsSet:
        return ast.IsSet(c[0], "NOT" not in _split(c)[0], at=at(c[0]))

    def is_within(self, c: Children) -> ast.IsWithin:
        words, (value, duration) = _split(c)
        return ast.IsWithin(value, "next" if "NEXT" in words else "last", duration, "NOT" in words, at=at(value))

    def ago(self, c: Children) -> ast.Ago:
        words, (value, duration) = _split(c)
        return ast.Ago(value, "more" if "MORE" in words else "less", duration, at=at(value))

    def any_item(self, c: Children) -> ast.AnyItem:
        only_comparisons(c[3], "any")
        return ast.AnyItem(c[0], c[3], at=at(c[0]))
