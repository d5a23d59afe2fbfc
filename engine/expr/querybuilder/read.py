"""From the builder's JSON to the tree. What arrives is a stranger's: every shape is checked, errors name the place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, cast, get_args

from engine.errors import InvalidInput, LanguageError
from engine.expr import ast, literals
from engine.expr.parse import parse, parse_value
from engine.expr.querybuilder.write import CHIP, OPERATORS
from engine.expr.unparse import unparse

_OURS = {theirs: ours for ours, theirs in OPERATORS.items()}
_DEEPEST = 100


def from_builder(
    group: Any, aliases: Iterable[str] = ast.DEFAULT_ALIASES, types: Mapping[str, str] | None = None
) -> ast.Node:
    """The rule of a group. `types`: the known types of fields, for values that carry none.

    Raises InvalidInput whose `where` is the place in the JSON, such as `rules[2].value`.
    """
    return _Reader(frozenset(aliases), types or {}).node(group, "", 0)


def _wrong(where: str, message: str, hint: str = "") -> NoReturn:
    raise InvalidInput(message, where or "the rule", hint)


@dataclass(frozen=True, slots=True)
class _Reader:
    aliases: frozenset[str]
    types: Mapping[str, str]

    def node(self, value: Any, where: str, depth: int) -> ast.Node:
        if depth > _DEEPEST:
            _wrong(where, f"groups are nested deeper than {_DEEPEST} levels", "save its parts as segments")
        if not isinstance(value, Mapping):
            _wrong(where, "this is neither a group nor a condition")
        if "combinator" in value or "rules" in value:
            return self._group(value, where, depth)
        return self._checked(self._condition(value, where, depth), where)

    def _group(self, value: Mapping[str, Any], where: str, depth: int) -> ast.Node:
        combinator, rules = str(value.get("combinator", "and")).lower(), value.get("rules")
        if combinator not in ("and", "or"):
            _wrong(where, f"there is no combinator “{combinator}”", "choose and, or")
        if not isinstance(rules, list) or not rules:
            _wrong(where, "the group is empty", "add a condition or remove the group")
        base = f"{where}." if where else ""
        items = tuple(self.node(item, f"{base}rules[{index}]", depth + 1) for index, item in enumerate(rules))
        whole = items[0] if len(items) == 1 else ast.And(items) if combinator == "and" else ast.Or(items)
        return ast.Not(whole) if value.get("not") is True else whole

    def _checked(self, node: ast.Node, where: str) -> ast.Node:
        """As the language reads it, so that its own limits hold here too."""
        try:
            return parse(unparse(node), self.aliases)
        except LanguageError as error:
            _wrong(where, error.message, error.hint)

    def _condition(self, rule: Mapping[str, Any], where: str, depth: int) -> ast.Node:
        field, operator, value = rule.get("field"), rule.get("operator"), rule.get("value")
        if not isinstance(field, str) or not isinstance(operator, str):
            _wrong(where, "a condition needs a field and an operator")
        if field == CHIP:
            return self._chip(value, where)
        if not field.startswith("@"):
            return self._comparison(rule, self._path(field, where), operator, where)
        verb = field[1:]
        if verb == "did" or verb in get_args(ast.Verb):
            return self._behaviour(verb, operator, _object(value, where), where, depth)
        text = _text(value, f"{where}.value")
        if verb == "in":
            return ast.Membership(cast(Any, _one_of(operator, ("segment", "list", "journey"), where)), text)
        if verb in ("subscribed", "consents"):
            return ast.Subscribed(text, operator) if verb == "subscribed" else ast.Consents(text)
        _wrong(where, f"there is no condition “{field}”")

    def _chip(self, value: Any, where: str) -> ast.Node:
        try:
            return parse(_text(value, where), self.aliases)
        except LanguageError as error:
            _wrong(where, error.message, error.hint)

    def _path(self, text: str, where: str) -> ast.Path:
        try:
            found = parse_value(text, self.aliases)
        except LanguageError:
            found = None
        if not isinstance(found, ast.Path):
            _wrong(where, f"“{text}” is no field")
        return found

    # What people did --------------------------------------------------------------------------------------------------

    def _behaviour(
        self, verb: str, operator: str, about: Mapping[str, Any], where: str, depth: int
    ) -> ast.Did | ast.Message:
        never, count = operator == "never", _count(operator, about.get("times"), where)
        window = _window(about.get("window"), f"{where}.value.window")
        if verb != "did":
            content, step = (_optional(about.get(key), f"{where}.value.{key}") for key in ("content", "step"))
            return ast.Message(cast(ast.Verb, verb), content, step, count, window, never)
        name = ast.EventName(_text(about.get("event"), f"{where}.value.event"), about.get("alias") is True)
        inner = about.get("where")
        condition = None if inner is None else self.node(inner, f"{where}.value.where", depth + 1)
        return ast.Did(name, condition, count, window, never)

    # Comparisons ------------------------------------------------------------------------------------------------------

    def _comparison(self, rule: Mapping[str, Any], path: ast.Path, operator: str, where: str) -> ast.Node:
        value, place = rule.get("value"), f"{where}.value"
        if operator in _OURS:
            sign = cast(ast.Operator, _OURS[operator])
            if rule.get("valueSource") == "field":
                return ast.Comparison(path, sign, self._path(_text(value, place), place))
            return ast.Comparison(path, sign, self._literal(rule, path, place))
        if operator in ("null", "notNull"):
            return ast.IsSet(path, operator == "null")
        if operator in ("in", "notIn"):
            return ast.InList(path, tuple(self._literals(value, path, place)), operator == "notIn")
        if operator in ("between", "notBetween"):
            ends = self._literals(value, path, place)
            if len(ends) != 2:
                _wrong(place, "between needs two values")
            return ast.Between(path, ends[0], ends[1], operator == "notBetween")
        made = _TIMED.get(operator)
        if made is None:
            _wrong(where, f"there is no operator “{operator}”")
        return made(path, _duration(value, place))

    def _literals(self, value: Any, path: ast.Path, where: str) -> list[ast.Literals]:
        """A list of literals; the library also gives `a,b` as one text."""
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list):
            _wrong(where, "this needs a list of values")
        wrapped = [item if isinstance(item, Mapping) else {"value": item} for item in items]
        return [self._literal(item, path, f"{where}[{index}]") for index, item in enumerate(wrapped)]

    def _literal(self, item: Mapping[str, Any], path: ast.Path, where: str) -> ast.Literals:
        value = item.get("value")
        kind = item.get("type") or _type_of(value, self.types.get(".".join(path.parts), ""))
        if isinstance(value, bool) and kind == "boolean":
            return ast.Boolean(value)
        text = _text(str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value, where)
        found = _read(str(kind), text.strip() if kind != "text" else text)
        if found is None:
            _wrong(where, f"“{text}” is no {kind}")
        return found


_TIMED: dict[str, Callable[[ast.Path, ast.Duration], ast.Node]] = {
    "withinNext": lambda path, duration: ast.IsWithin(path, "next", duration),
    "withinLast": lambda path, duration: ast.IsWithin(path, "last", duration),
    "notWithinNext": lambda path, duration: ast.IsWithin(path, "next", duration, True),
    "notWithinLast": lambda path, duration: ast.IsWithin(path, "last", duration, True),
    "moreThanAgo": lambda path, duration: ast.Ago(path, "more", duration),
    "lessThanAgo": lambda path, duration: ast.Ago(path, "less", duration),
}


def _type_of(value: Any, known: str) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return known if known in ("number", "boolean", "date", "datetime") else "text"


def _read(kind: str, text: str) -> ast.Literals | None:
    """A literal of that type, None if the text is none."""
    if kind == "text":
        return ast.Text(text)
    if kind == "boolean":
        return {"true": ast.Boolean(True), "false": ast.Boolean(False)}.get(text.lower())
    if kind in ("date", "datetime"):
        return literals.read_date(text)
    try:
        number = Decimal(text) if kind == "number" and len(text) <= 100 else Decimal("NaN")
    except InvalidOperation:
        return None
    return ast.Number(number) if number.is_finite() and abs(number.adjusted()) <= 100 else None


def _count(operator: str, times: Any, where: str) -> ast.Count | None:
    if operator in ("ever", "never"):
        return None
    bound = _one_of(operator, get_args(ast.Bound), where)
    return ast.Count(cast(ast.Bound, bound), _whole(times, f"{where}.value.times"))


_FIXED: dict[str, ast.Window] = {"entry": ast.SinceEntry(), "step": ast.SinceStep(), "ever": ast.Ever()}


def _window(value: Any, where: str) -> ast.Window | None:
    if value is None:
        return None
    window = _object(value, where)
    kind = _one_of(window.get("kind"), ("last", "since", "before", "between", "entry", "step", "ever"), where)
    if kind == "last":
        return ast.Last(_duration(window, where))
    if kind in _FIXED:
        return _FIXED[kind]
    date = _date(window.get("date"), f"{where}.date")
    if kind == "between":
        return ast.BetweenDates(date, _date(window.get("until"), f"{where}.until"))
    return ast.Since(date) if kind == "since" else ast.Before(date)


def _date(value: Any, where: str) -> ast.DateValue:
    found = literals.read_date(_text(value, where))
    if found is None:
        _wrong(where, f"“{value}” is no date", "write 2026-01-31")
    return found


def _duration(value: Any, where: str) -> ast.Duration:
    parts = _object(value, where)
    unit = _one_of(parts.get("unit"), get_args(ast.Unit), f"{where}.unit")
    return ast.Duration(_whole(parts.get("amount"), f"{where}.amount"), cast(ast.Unit, unit))


def _whole(value: Any, where: str) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        _wrong(where, "this needs a whole number from 0 up")
    return int(text)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _wrong(where, "this needs an object")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        _wrong(where, "this needs a text")
    return value


def _optional(value: Any, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _one_of(value: Any, known: tuple[str, ...], where: str) -> str:
    if value not in known:
        _wrong(where, f"“{value}” is not one of {', '.join(known)}")
    return cast(str, value)
