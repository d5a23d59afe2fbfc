"""Comparisons about one contact; the same meaning as `compile_sql.compare`."""

from __future__ import annotations

import datetime as dt
import operator as op
from collections.abc import Callable
from typing import Any

from engine.expr import ast, literals, patterns
from engine.expr.durations import flips_at, next_crossing, shift
from engine.expr.facts import Verdict
from engine.expr.values import BOOLEAN, NUMBER, TEXT, Operand, View, fold, literal

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {"is": op.eq, ">": op.gt, ">=": op.ge, "<": op.lt, "<=": op.le}
_FLIPPED = {"is": "is", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_DATES = {"is before": "<", "is after": ">"}


def earliest(*moments: dt.datetime | None) -> dt.datetime | None:
    """The first of the instants that there are."""
    return min((moment for moment in moments if moment is not None), default=None)


def comparison(left: Operand, operator: str, right: Operand, view: View) -> Verdict:
    """`left operator right`."""
    changes_at = earliest(left.changes_at, right.changes_at)
    if operator == "is not":
        return Verdict(not signed(left, "is", right, view), changes_at)
    if operator in _DATES:
        return Verdict(_by_date(left, _DATES[operator], right, view), changes_at)
    if operator in _SIGNS:
        return Verdict(signed(left, operator, right, view), changes_at)
    return Verdict(_text_condition(left, operator, right), changes_at)


def signed(left: Operand, sign: str, right: Operand, view: View) -> bool:
    """In whichever type both can be read as; two JSON texts compare as texts, and truth has no order."""
    if left.date is not None or right.date is not None:
        return _by_date(left, sign, right, view)
    shared = left.kinds & right.kinds
    pairs: list[tuple[Any, Any]] = []
    if "text" in shared:
        pairs.append(_folded(left, right))
    if "number" in shared:
        pairs.append((left.number(), right.number()))
    if "boolean" in shared and sign == "is":
        pairs.append((left.boolean(), right.boolean()))
    if "instant" in shared and not (left.json and right.json):
        pairs.append((left.instant(), right.instant()))
    return any(a is not None and b is not None and _SIGNS[sign](a, b) for a, b in pairs)


def _folded(left: Operand, right: Operand) -> tuple[str | None, str | None]:
    a, b = left.text(), right.text()
    if left.folds or right.folds:
        return (None if a is None else fold(a)), (None if b is None else fold(b))
    return a, b


def _by_date(left: Operand, sign: str, right: Operand, view: View) -> bool:
    if left.date is not None and right.date is not None:
        return _against(literals.bounds(left.date, view.zone)[0], sign, right.date, view)
    if left.date is not None:
        return _by_date(right, _FLIPPED[sign], left, view)
    if right.date is not None:
        moment = left.instant(view.zone if isinstance(right.date, ast.Date) else dt.UTC)
        return moment is not None and _against(moment, sign, right.date, view)
    a, b = left.instant(), right.instant()
    return a is not None and b is not None and _SIGNS[sign](a, b)


def _against(moment: dt.datetime, sign: str, date: ast.DateValue, view: View) -> bool:
    start, end = literals.bounds(date, view.zone)
    if sign == "is":
        return start <= moment < end
    return {"<": moment < start, "<=": moment < end, ">": moment >= end, ">=": moment >= start}[sign]


def between(value: Operand, low: Operand, high: Operand, negated: bool, view: View) -> Verdict:
    """Both ends included; `not between` is false of what cannot be compared."""
    changes_at = earliest(value.changes_at, low.changes_at, high.changes_at)
    lower, upper = signed(value, ">=", low, view), signed(value, "<=", high, view)
    if not negated:
        return Verdict(lower and upper, changes_at)
    below, above = signed(value, "<", low, view), signed(value, ">", high, view)
    return Verdict((below and upper) or (above and lower) or (below and above), changes_at)


def in_list(value: Operand, items: tuple[ast.Literals, ...], view: View) -> bool:
    """Whether some item of the same type is equal."""
    return any(signed(value, "is", literal(item), view) for item in items)


def _text_condition(left: Operand, operator: str, right: Operand) -> bool:
    negated = operator.startswith("not ")
    verb = operator.removeprefix("not ")
    found = _text_test(verb, left, right)
    if found is None and verb == "contains":
        found = _list_contains(left, right)
    return found is not None and found is not negated


def _text_test(verb: str, left: Operand, right: Operand) -> bool | None:
    """None where a side is no text."""
    if verb == "matches":
        text = left.text()
        return None if text is None else patterns.found(right.raw, text, ignore_case=left.folds)
    a, b = _folded(left, right)
    if a is None or b is None or "text" not in left.kinds & right.kinds:
        return None
    return {"contains": b in a, "starts with": a.startswith(b), "ends with": a.endswith(b)}[verb]


def _list_contains(left: Operand, right: Operand) -> bool | None:
    """None where the left side is no list or the right no single value."""
    if not isinstance(left.raw, (list, tuple)) or not left.json:
        return None
    for kinds, read in ((TEXT, Operand.text), (NUMBER, Operand.number), (BOOLEAN, Operand.boolean)):
        wanted = read(right) if kinds <= right.kinds else None
        if wanted is not None:
            return any(read(Operand(item, kinds)) == wanted for item in left.raw)
    return None


def is_within(value: Operand, node: ast.IsWithin, view: View) -> Verdict:
    """Now up to d ahead, or from d back up to now, ends included."""
    moment, now = value.instant(), view.now
    if moment is None or "instant" not in value.kinds:
        return Verdict(False, value.changes_at)
    if node.direction == "next":
        inside = now <= moment <= shift(now, node.duration, 1)
        edges = next_crossing(moment, now, node.duration, 1, False), flips_at(moment, now, True)
    else:
        inside = shift(now, node.duration, -1) <= moment <= now
        edges = next_crossing(moment, now, node.duration, -1, True), flips_at(moment, now, False)
    return Verdict(inside is not node.negated, earliest(value.changes_at, *edges))


def ago(value: Operand, node: ast.Ago, view: View) -> Verdict:
    """More than d back, or from d back up to now."""
    moment, now = value.instant(), view.now
    if moment is None or "instant" not in value.kinds:
        return Verdict(False, value.changes_at)
    edge = shift(now, node.duration, -1)
    holds = moment < edge if node.bound == "more" else edge <= moment <= now
    passing = next_crossing(moment, now, node.duration, -1, True)
    arriving = flips_at(moment, now, False) if node.bound == "less" else None
    return Verdict(holds, earliest(value.changes_at, passing, arriving))
