"""Aggregates over the events of one contact."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.expr import ast
from engine.expr.comparing import earliest
from engine.expr.facts import EventFact, Verdict
from engine.expr.values import JSON, NUMBER, Operand, dig, to_number

_EXACT = decimal.Context(prec=2000)
_HALF_UP = decimal.Context(prec=2000, rounding=decimal.ROUND_HALF_UP)


def aggregate(node: ast.Aggregate, facts: Sequence[EventFact], verdicts: Sequence[Verdict]) -> Operand:
    """sum, average, min and max take numbers only; count, first and last take whatever is there."""
    changes_at = earliest(*(verdict.changes_at for verdict in verdicts))
    chosen = [fact for fact, verdict in zip(facts, verdicts, strict=True) if verdict.value]
    if node.function in ("first", "last"):
        return Operand(_end(node, chosen), JSON, json=True, changes_at=changes_at)
    values = [dig(fact.properties, node.path.parts) for fact in chosen]
    if node.function == "count":
        return Operand(Decimal(sum(value is not None for value in values)), NUMBER, changes_at=changes_at)
    numbers = [number for value in values if (number := to_number(value)) is not None]
    return Operand(_reduce(node.function, numbers), NUMBER, changes_at=changes_at)


def _end(node: ast.Aggregate, chosen: list[EventFact]) -> Any:
    """The value at the earliest or latest event that has one."""
    ordered = sorted(chosen, key=lambda fact: fact.key, reverse=node.function == "last")
    values = (dig(fact.properties, node.path.parts) for fact in ordered)
    return next((value for value in values if value is not None), None)


def _reduce(function: str, numbers: list[Decimal]) -> Decimal | None:
    if function == "sum":
        return _sum(numbers)
    if not numbers:
        return None
    if function == "average":
        return _average(numbers)
    return min(numbers) if function == "min" else max(numbers)


def _sum(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def _average(numbers: list[Decimal]) -> Decimal:
    """Rounded to 12 decimal places, half away from zero."""
    mean = _EXACT.divide(_sum(numbers), Decimal(len(numbers)))
    return mean.quantize(Decimal("1e-12"), context=_HALF_UP)
