"""Comparisons that can never hold because of types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.expr import ast

TypeOf = Callable[[ast.Path], str | None]
_DATES = ("date", "datetime", "text")
_ARTICLES = {"text": "a text", "number": "a number", "boolean": "true or false", "datetime": "a date", "date": "a date"}


def clashes(node: ast.Comparing, type_of: TypeOf) -> Iterator[tuple[ast.Part, str, str]]:
    """Parts, messages and hints. `type_of` gives the type of a field, None or "" if it is not known."""
    match node:
        case ast.Comparison(left, operator, right):
            yield from _comparison(left, operator, right, type_of)
        case ast.Between(value, low, high):
            yield from _comparison(value, ">=", low, type_of)
            yield from _comparison(value, "<=", high, type_of)
        case ast.InList(value, items):
            if items and all(_apart(_kind(value, type_of), _kind(item, type_of)) for item in items):
                yield value, *_never(value, items[0], type_of)
        case ast.IsWithin(value) | ast.Ago(value):
            if _kind(value, type_of) not in ("", *_DATES):
                yield value, f"{_name(value)} is no date", ""
        case ast.AnyItem(path):
            if type_of(path) not in (None, "", "list"):
                yield path, f"{_name(path)} is no list", ""


def _comparison(
    left: ast.Value, operator: str, right: ast.Value, type_of: TypeOf
) -> Iterator[tuple[ast.Part, str, str]]:
    one, two = _kind(left, type_of), _kind(right, type_of)
    if operator in ("is before", "is after"):
        yield from (
            (v, f"{_name(v)} is no date", "") for v, kind in ((left, one), (right, two)) if kind not in ("", *_DATES)
        )
    elif operator.endswith(("contains", "with", "matches")):
        if one not in ("", "text", "list"):
            yield left, f"{_name(left)} is no text", "compare it by is, > or <"
    elif _apart(one, two):
        yield left, *_never(left, right, type_of)
    elif one == "boolean" and operator not in ("is", "is not"):
        yield left, f"{_name(left)} is true or false, which has no order", "write is true, or is false"


def _apart(one: str, two: str) -> bool:
    """Texts may hold dates."""
    if not one or not two or one == two:
        return False
    return not (one in _DATES and two in _DATES)


def _never(left: ast.Value, right: ast.Value, type_of: TypeOf) -> tuple[str, str]:
    one, two = _kind(left, type_of), _kind(right, type_of)
    what, other = _ARTICLES.get(one, f"a {one}"), _ARTICLES.get(two, f"a {two}")
    bare = isinstance(right, ast.Text) and one in ("number", "boolean")
    hint = "write the value without quotes" if bare else "write true or false" if one == "boolean" else ""
    return f"{_name(left)} is {what} and cannot be compared with {other}", hint


def _kind(value: ast.Value, type_of: TypeOf) -> str:
    match value:
        case ast.Path():
            return type_of(value) or ""
        case ast.Aggregate(function=function):
            return "" if function in ("first", "last") else "number"
        case ast.Text():
            return "text"
        case ast.Number():
            return "number"
        case ast.Boolean():
            return "boolean"
    return "datetime"


def _name(value: ast.Value) -> str:
    if isinstance(value, ast.Path):
        return f"“{'.'.join(value.parts)}”"
    return (
        f"the {value.function} of “{'.'.join(value.path.parts)}”" if isinstance(value, ast.Aggregate) else "this value"
    )
