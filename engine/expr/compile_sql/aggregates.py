"""Aggregates over event properties, as operands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Numeric, case, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from engine.expr import ast
from engine.expr.compile_sql import among
from engine.expr.compile_sql.behaviour import Source, event_source
from engine.expr.compile_sql.operands import Column, Operand, from_json
from engine.expr.compile_sql.places import Json, dig
from engine.expr.compile_sql.scope import Context


def aggregate(node: ast.Aggregate, context: Context) -> Operand:
    """sum, average, min and max take numbers only; count, first and last take whatever is there."""
    source = event_source(node.event, node.where, node.window, context)
    value = dig(source.table.c.properties, node.path.parts)
    if node.function in ("first", "last"):
        return from_json(_read(source, _end(node, source, value), context), context.zone.key)
    total = _total(source, node, _numeric(node.function, value), context)
    if node.function in ("sum", "count"):
        total = func.coalesce(total, cast(literal(0), Numeric))
    return Operand({"number": total})


def _total(source: Source, node: ast.Aggregate, total: Column, context: Context) -> Column:
    if among.applies(node, context):
        first = func.min(source.table.c.occurred_at)
        return among.look(node, source, {"total": total, "first": first}, context).c.total
    return _read(source, total, context)


def _numeric(function: str, value: Json) -> Column:
    number = case((func.jsonb_typeof(value) == "number", cast(value, Numeric)))
    if function == "count":
        return func.count().filter(func.jsonb_typeof(value) != "null")
    if function == "average":
        total = func.sum(number) + cast(literal("0." + "0" * 30), Numeric)
        return func.round(total / func.nullif(func.count(number), 0), 12)
    return getattr(func, function)(number)  # type: ignore[no-any-return]


def _end(node: ast.Aggregate, source: Source, value: Json) -> Column:
    """The value at the earliest or latest event that has one, in the order of events."""
    order = [source.table.c.occurred_at, source.table.c.received_at, source.table.c.message_id]
    if node.function == "last":
        order = [column.desc() for column in order]
    array = func.jsonb_agg(aggregate_order_by(value, *order)).filter(func.jsonb_typeof(value) != "null")
    return array.op("->", return_type=JSONB())(literal(0))


def _read(source: Source, expression: Any, context: Context) -> Column:
    """One value per contact: correlated in row mode, joined in set mode."""
    if context.mode == "row" or context.bare is not None:
        return source.of(context.scope.contact.c.id, expression).correlate_except(source.table).scalar_subquery()
    grouped = source.rows(source.owner.label("contact_id"), expression.label("value")).group_by(source.owner)
    return context.join(grouped).c.value
