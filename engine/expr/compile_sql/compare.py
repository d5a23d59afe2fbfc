"""Comparisons as SQL. Each yields true or false, never NULL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    column,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from engine.expr import ast, literals
from engine.expr.compile_sql.operands import Column, Kind, Operand, instant, operand, shifted
from engine.expr.compile_sql.places import Place, only_text
from engine.expr.compile_sql.scope import Condition, Context
from engine.expr.patterns import to_postgres

Compare = Callable[[Any, Any], Any]
_SIGNS: dict[str, Compare] = {
    "is": lambda a, b: a == b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
}  # fmt: skip
_FLIPPED = {"is": "is", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_DATES = {"is before": "<", "is after": ">"}


def never_null(condition: Any) -> Condition:
    """`… IS TRUE`: the planner still sees that NULL fails, so outer joins below it become inner ones."""
    return cast(Condition, condition.is_(true()))


def compare(node: ast.Comparing, context: Context) -> Condition:
    """Any comparison."""
    match node:
        case ast.Comparison(left, "is not", right):
            return not_(signed(operand(left, context), "is", operand(right, context), context))
        case ast.Comparison():
            return _comparison(node, context)
        case ast.Between(value, low, high, negated):
            return _between(operand(value, context), operand(low, context), operand(high, context), negated, context)
        case ast.InList(value, items, negated):
            found = in_list(operand(value, context), items, context)
            return not_(found) if negated else found
        case ast.IsSet(value, negated):
            present = cast(Condition, operand(value, context).present)
            return not_(present) if negated else present
        case ast.IsWithin() | ast.Ago():
            return _relative(node, context)
        case ast.AnyItem(path, condition):
            return _any(path, condition, context)


def _comparison(node: ast.Comparison, context: Context) -> Condition:
    left, right = operand(node.left, context), operand(node.right, context)
    if node.operator in _DATES:
        return _by_date(left, _DATES[node.operator], right, context)
    if node.operator in _SIGNS:
        return signed(left, node.operator, right, context)
    return text_condition(left, node.operator, right, node.right)


def signed(left: Operand, sign: str, right: Operand, context: Context) -> Condition:
    """`left sign right` in whichever type both can be read as."""
    if left.date is not None or right.date is not None:
        return _by_date(left, sign, right, context)
    if left.place is not None and (quick := _in_place(left.place, sign, right)) is not None:
        return never_null(quick)
    if sign == "is" and left.json is not None and right.constant and not left.constant:
        return never_null(left.json == right.json)
    shared = [kind for kind in left.readings if kind in right.readings and _fits(kind, sign, left, right)]
    if not shared:
        return false()
    return or_(*(never_null(_signed_as(kind, left, sign, right)) for kind in shared))


def _in_place(place: Place, sign: str, right: Operand) -> ColumnElement[bool] | None:
    """Without digging the value out, where that says the same."""
    match right.constant:
        case ast.Text(text) if sign == "is" and only_text(text):
            return place.text == right.readings["text"]
        case ast.Number(number):
            return place.compares(sign, number)
    return None


def _fits(kind: Kind, sign: str, left: Operand, right: Operand) -> bool:
    """Two JSON texts compare as texts, and truth has no order."""
    both_json = left.json is not None and right.json is not None
    return not (kind == "instant" and both_json) and (kind != "boolean" or sign == "is")


def _signed_as(kind: Kind, left: Operand, sign: str, right: Operand) -> Any:
    a, b = left.readings[kind], right.readings[kind]
    if kind == "text":
        a, b = (func.lower(a), func.lower(b)) if left.folds or right.folds else (a, b)
        a = a if sign == "is" else sql_cast(a, Text).collate("C")
    return _SIGNS[sign](a, b)


def _by_date(left: Operand, sign: str, right: Operand, context: Context) -> Condition:
    if right.date is not None and left.date is not None:
        return true() if _literal_dates(left.date, sign, right.date, context) else false()
    if left.date is not None:
        return _by_date(right, _FLIPPED[sign], left, context)
    if right.date is not None:
        return _against_date(left, sign, right.date, context)
    a, b = left.readings.get("instant"), right.readings.get("instant")
    return false() if a is None or b is None else never_null(_SIGNS[sign](a, b))


def _literal_dates(left: ast.DateValue, sign: str, right: ast.DateValue, context: Context) -> bool:
    moment = literals.bounds(left, context.zone)[0]
    start, end = literals.bounds(right, context.zone)
    if sign == "is":
        return start <= moment < end
    return bool(_SIGNS[sign](moment, start if sign in ("<", ">=") else end))


def _against_date(left: Operand, sign: str, date: ast.DateValue, context: Context) -> Condition:
    moment = (
        left.day_instant
        if left.day_instant is not None and isinstance(date, ast.Date)
        else left.readings.get("instant")
    )
    if moment is None:
        return false()
    first, after = (instant(edge) for edge in literals.bounds(date, context.zone))
    edges: dict[str, Any] = {
        "is": _lies_in(moment, first, after, "[)"), "<": moment < first, "<=": moment < after,
        ">": moment >= after, ">=": moment >= first,
    }  # fmt: skip
    return never_null(edges[sign])


def _between(value: Operand, low: Operand, high: Operand, negated: bool, context: Context) -> Condition:
    """`not between` is false of what cannot be compared, as all negated forms but `is not` and `not in`."""
    lower, upper = signed(value, ">=", low, context), signed(value, "<=", high, context)
    if not negated:
        return and_(lower, upper)
    below, above = signed(value, "<", low, context), signed(value, ">", high, context)
    return or_(and_(below, signed(value, "<=", high, context)), and_(above, lower), and_(below, above))


def in_list(value: Operand, items: tuple[ast.Literals, ...], context: Context) -> Condition:
    """One array per type, so that long lists stay one parameter."""
    texts = [item.value for item in items if isinstance(item, ast.Text)]
    numbers = [item.value for item in items if isinstance(item, ast.Number)]
    found: list[Condition] = []
    if texts and "text" in value.readings:
        found.append(_in_texts(value, texts))
    if numbers and "number" in value.readings:
        found.append(never_null(value.readings["number"] == func.any(literal(numbers, ARRAY(Numeric())))))
    others = [item for item in items if not isinstance(item, (ast.Text, ast.Number))]
    found += [signed(value, "is", operand(item, context), context) for item in others]
    return or_(*found) if found else false()


def _in_texts(value: Operand, texts: list[str]) -> Condition:
    array = literal(texts, ARRAY(Text))
    quick = value.place is not None and all(map(only_text, texts))
    text = value.place.text if value.place is not None and quick else value.readings["text"]
    if not value.folds:
        return never_null(text == func.any(array))
    wanted = func.unnest(array, type_=Text).column_valued("item")
    return never_null(func.lower(text).in_(select(func.lower(wanted))))


def text_condition(left: Operand, operator: str, right: Operand, written: ast.Value) -> Condition:
    """contains, starts with, ends with, matches and their negations, which are false of a missing text."""
    negated = operator.startswith("not ")
    verb = operator.removeprefix("not ")
    a, b = left.readings.get("text"), right.readings.get("text")
    tests: list[Any] = []
    if a is not None and b is not None:
        tests.append(_text_test(verb, a, b, left.folds or right.folds, written))
    item = _as_json(right)
    if verb == "contains" and left.json is not None and item is not None:
        tests.append(_list_contains(left.json, item))
    verdicts = [test.is_(false()) if negated else test.is_(true()) for test in tests]
    return or_(*verdicts) if verdicts else false()


def _text_test(verb: str, a: Column, b: Column, folds: bool, written: ast.Value) -> Any:
    if verb == "matches":
        pattern = to_postgres(cast(ast.Text, written).value, ignore_case=folds)
        return (func.lower(a) if folds else a).op("~", return_type=Boolean())(pattern)
    a, b = (func.lower(a), func.lower(b)) if folds else (a, b)
    if verb == "contains":
        return func.strpos(a, b) > 0
    return (func.left(a, func.length(b)) if verb == "starts with" else func.right(a, func.length(b))) == b


def _list_contains(document: Column, item: Column) -> Any:
    """A list contains an equal item of the same type; NULL where the left side is no list or the right no scalar."""
    scalar = func.jsonb_typeof(item).in_(["string", "number", "boolean"])
    found = document.op("@>", return_type=Boolean())(item)
    return case((and_(func.jsonb_typeof(document) == "array", scalar), found))


def _as_json(right: Operand) -> ColumnElement[Any] | None:
    if right.json is not None:
        return right.json
    known = [column for kind, column in right.readings.items() if kind != "instant"]
    return func.to_jsonb(known[0], type_=JSONB) if known else None


def _relative(node: ast.IsWithin | ast.Ago, context: Context) -> Condition:
    moment = operand(node.value, context).readings.get("instant")
    if moment is None:
        return false()
    now = context.scope.now
    if isinstance(node, ast.Ago):
        edge = shifted(now, node.duration, -1)
        return never_null(moment < edge if node.bound == "more" else _lies_in(moment, edge, now, "[]"))
    first, last = (
        (now, shifted(now, node.duration, 1)) if node.direction == "next" else (shifted(now, node.duration, -1), now)
    )
    inside = _lies_in(moment, first, last, "[]")
    return cast(Condition, inside.is_(false()) if node.negated else inside.is_(true()))


def _lies_in(moment: Column, first: Any, last: Any, bounds: str) -> Any:
    """A range, so that a costly `moment` is worked out once."""
    return func.tstzrange(first, last, literal(bounds, Text)).op("@>", return_type=Boolean())(moment)


def _any(path: ast.Path, condition: ast.Node, context: Context) -> Condition:
    from engine.expr.compile_sql.walk import walk

    document = operand(path, context).json
    if document is None:
        return false()
    array = case((func.jsonb_typeof(document) == "array", document), else_=sql_cast(literal("[]"), JSONB))
    items = func.jsonb_array_elements(array, type_=JSONB).table_valued(column("value", JSONB))
    inner = context.inside(items.c.value)
    return select(literal(1)).select_from(items).where(walk(condition, inner)).correlate_except(items).exists()
