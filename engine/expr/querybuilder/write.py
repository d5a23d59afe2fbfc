"""From the tree to the builder's JSON."""

from __future__ import annotations

from typing import Any

from engine.expr import ast, literals
from engine.expr.unparse import unparse, write_value

CHIP = "@rule"
OPERATORS = {
    "is": "=", "is not": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<=", "contains": "contains",
    "not contains": "doesNotContain", "starts with": "beginsWith", "not starts with": "doesNotBeginWith",
    "ends with": "endsWith", "not ends with": "doesNotEndWith", "matches": "matches", "not matches": "doesNotMatch",
    "is before": "before", "is after": "after",
}  # fmt: skip
"""Ours and the library's; the last four are additions to its list."""
TYPES: dict[type, str] = {
    ast.Text: "text", ast.Number: "number", ast.Boolean: "boolean", ast.Date: "date", ast.Moment: "datetime",
}  # fmt: skip
Json = dict[str, Any]


def to_builder(node: ast.Node) -> Json:
    """The rule as a group."""
    drawn = _drawn(node)
    return drawn if "combinator" in drawn else {"combinator": "and", "rules": [drawn]}


def _drawn(node: ast.Node) -> Json:
    match node:
        case ast.And(items):
            return {"combinator": "and", "rules": [_drawn(item) for item in items]}
        case ast.Or(items):
            return {"combinator": "or", "rules": [_drawn(item) for item in items]}
        case ast.Not(item):
            inner = _drawn(item)
            plain = "combinator" in inner and "not" not in inner
            return {**(inner if plain else {"combinator": "and", "rules": [inner]}), "not": True}
        case ast.Did(event, where, count, window, never):
            about = {"event": event.name, "alias": event.alias, "where": to_builder(where) if where else None}
            return _counted("@did", about, count, window, never)
        case ast.Message(verb, content, step, count, window, never):
            return _counted(f"@{verb}", {"content": content, "step": step}, count, window, never)
        case ast.Membership(kind, slug):
            return _condition("@in", kind, slug)
        case ast.Subscribed(topic, channel):
            return _condition("@subscribed", channel, topic)
        case ast.Consents(channel):
            return _condition("@consents", "to", channel)
    return _compared(node) or _condition(CHIP, "=", unparse(node))


def _condition(field: str, operator: str, value: Any, **more: Any) -> Json:
    return {"field": field, "operator": operator, "value": value, **more}


def _counted(field: str, about: Json, count: ast.Count | None, window: ast.Window | None, never: bool) -> Json:
    operator = "never" if never else count.bound if count else "ever"
    times = count.times if count else None
    return _condition(field, operator, {**about, "times": times, "window": _window(window)})


def _window(window: ast.Window | None) -> Json | None:
    match window:
        case ast.Last(duration):
            return {"kind": "last", **_duration(duration)}
        case ast.Since(date):
            return {"kind": "since", "date": literals.write_date(date)}
        case ast.Before(date):
            return {"kind": "before", "date": literals.write_date(date)}
        case ast.BetweenDates(first, last):
            return {"kind": "between", "date": literals.write_date(first), "until": literals.write_date(last)}
        case ast.SinceEntry():
            return {"kind": "entry"}
        case ast.SinceStep():
            return {"kind": "step"}
        case ast.Ever():
            return {"kind": "ever"}
    return None


def _duration(duration: ast.Duration) -> Json:
    return {"amount": duration.amount, "unit": duration.unit}


def _compared(node: ast.Node) -> Json | None:
    """A comparison of a field, None if it is of another shape."""
    match node:
        case ast.Comparison(ast.Path() as field, operator, ast.Path() as other):
            return _condition(write_value(field), OPERATORS[operator], write_value(other), valueSource="field")
        case ast.Comparison(ast.Path() as field, operator, right) if type(right) in TYPES:
            return _condition(write_value(field), OPERATORS[operator], **_literal(right))
        case ast.Between(ast.Path() as field, low, high, negated) if {type(low), type(high)} <= TYPES.keys():
            ends = [_literal(low), _literal(high)]
            return _condition(write_value(field), "notBetween" if negated else "between", ends)
        case ast.InList(ast.Path() as field, items, negated):
            return _condition(write_value(field), "notIn" if negated else "in", [_literal(item) for item in items])
        case ast.IsSet(ast.Path() as field, negated):
            return _condition(write_value(field), "null" if negated else "notNull", None)
        case ast.IsWithin(ast.Path() as field, direction, duration, negated):
            verb = "notWithin" if negated else "within"
            return _condition(write_value(field), verb + direction.title(), _duration(duration))
        case ast.Ago(ast.Path() as field, bound, duration):
            return _condition(write_value(field), f"{bound}ThanAgo", _duration(duration))
    return None


def _literal(value: ast.Value) -> Json:
    return {"value": value.value if isinstance(value, ast.Text | ast.Boolean) else write_value(value),
            "type": TYPES[type(value)]}  # fmt: skip
