"""Until when a verdict holds, as SQL: the first instant at which time alone, with no new fact, may change it.

It may come early and never late, as that of `engine.expr.evaluate`, though not always equally early: who looks again
then finds the next one. NULL: only a new fact changes the verdict. An event after `now` is a new fact, since the inbox
gives it out when it occurs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, column, func, literal, not_, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from engine.expr import ast
from engine.expr.compile_sql import among
from engine.expr.compile_sql.among import is_timed
from engine.expr.compile_sql.behaviour import Source, event_source, message_source, ranks
from engine.expr.compile_sql.crossing import crossing, crossing_once, flips, once, start_of
from engine.expr.compile_sql.operands import Column, operand, shifted
from engine.expr.compile_sql.scope import Context
from engine.expr.compile_sql.walk import walk
from engine.expr.compile_sql.windows import received_since
from engine.expr.dependencies import reads_contact
from engine.expr.durations import exact
from engine.expr.walk import asks, values
from engine.model import Contact

Expiry = Column | None


def expiry(node: ast.Node, context: Context) -> Expiry:
    """When time alone may change the verdict on `context.scope.contact`, later than `now`. None: time never does."""
    match node:
        case ast.And(items) | ast.Or(items):
            return _of_items(items, context, every=isinstance(node, ast.And))
        case ast.Not(item):
            return expiry(item, context)
        case ast.Did(event, where, count, window, never):
            if is_timed(where):
                return _of_each(event, where, window, context)
            if isinstance(window, ast.Last) and (looked := among.found(node, context)) is not None:
                return earliest(_exit(looked.c[f"latest_{n}"], window, context) for n in ranks(count, never))
            return _of_count(_events(event, where, window, context), ranks(count, never), window, context)
        case ast.Message(count=count, window=window, never=never):
            return _of_count(_messages(node, context), ranks(count, never), window, context)
        case ast.Sequence():
            return _of_sequence(node, context)
        case ast.Membership() | ast.Subscribed() | ast.Consents():
            return None
    return _of_comparison(node, context)


def earliest(moments: Iterable[Expiry]) -> Expiry:
    """The first of the instants that there are."""
    known = [moment for moment in moments if moment is not None]
    return func.least(*known) if len(known) > 1 else known[0] if known else None


def _of_items(items: tuple[ast.Node, ...], context: Context, *, every: bool) -> Expiry:
    """What time does not change decides whether the rest matters."""
    first = earliest(expiry(item, context) for item in items if is_timed(item))
    fixed = [item for item in items if not is_timed(item)]
    quick = [walk(item, context) for item in fixed if not asks(item)]
    slow = [walk(item, context) for item in fixed if asks(item)]
    if first is not None and quick:
        first = case((and_(*quick) if every else not_(or_(*quick)), first), else_=None)
    if first is None or not slow:
        return first
    matters = and_(*slow) if every else not_(or_(*slow))
    return _where(first, matters) if _is_correlated(context) else case((matters, first), else_=None)


def _where(moment: Column, matters: ColumnElement[bool]) -> Column:
    """The instant, if it matters: most contacts have none, and are not asked. As a condition of the select what matters
    would be asked first."""
    first = once(moment)
    found = select(case((first.c.moment.is_(None), None), (matters, first.c.moment)))
    return found.correlate_except(first).scalar_subquery()


# What people did ------------------------------------------------------------------------------------------------------


class _Rows:
    """Rows of what happened, each at `moment`."""

    def __init__(self, source: Source, moment: Column):
        self.source, self.moment = source, moment


def _events(event: ast.EventName, where: ast.Node | None, window: ast.Window | None, context: Context) -> _Rows:
    """Events that are in the window, or may come back into it."""
    if not isinstance(window, ast.Last) or exact(window.duration) is not None:
        source = event_source(event, where, window, context)
        return _Rows(source, source.table.c.occurred_at)
    source, start = event_source(event, where, None, context), start_of(window, context.scope.now)
    source.conditions += [source.table.c.occurred_at >= start, received_since(source.table, start)]
    return _Rows(source, source.table.c.occurred_at)


def _messages(node: ast.Message, context: Context) -> _Rows:
    """As `_events`, of messages or of events about them."""
    last = isinstance(node.window, ast.Last)
    source = message_source(replace(node, window=None) if last else node, context)
    moment = source.table.c.accepted_at if node.verb == "received" else source.table.c.occurred_at
    if isinstance(node.window, ast.Last):
        start = start_of(node.window, context.scope.now)
        source.conditions.append(moment >= start)
        source.conditions += [received_since(source.table, start)] if node.verb != "received" else []
    return _Rows(source, moment)


def _of_count(rows: _Rows, wanted: list[int], window: ast.Window | None, context: Context) -> Expiry:
    """At least n rows are in the window as long as the n-th latest of all is."""
    if not isinstance(window, ast.Last):
        return None
    return earliest(_leaving(rows, rank, window, context) for rank in wanted)


def _leaving(rows: _Rows, rank: int, window: ast.Last, context: Context) -> Column:
    source, moment = rows.source, rows.moment
    if _is_correlated(context):
        found = source.of(context.scope.contact.c.id, _exit(moment, window, context))
        nth = found.order_by(moment.desc()).offset(rank - 1).limit(1)
        return nth.correlate_except(source.table).scalar_subquery()
    latest: Any = func.max(moment)
    if rank > 1:
        latest = func.array_agg(aggregate_order_by(moment, moment.desc()), type_=ARRAY(moment.type))[rank]
    return _exit(_per_contact(source, latest, context), window, context)


def _exit(moment: Column, window: ast.Last, context: Context) -> Column:
    return crossing(moment, context.scope.now, window.duration, -1, strict=True)


def _of_each(event: ast.EventName, where: ast.Node | None, window: ast.Window | None, context: Context) -> Expiry:
    """The first instant at which some row comes to count or stops to."""
    rows = _events(event, None if is_timed(where) else where, window, context)
    changes = [_exit(rows.moment, window, context)] if isinstance(window, ast.Last) else []
    source = rows.source
    if where is not None and is_timed(where):
        contact = Contact.__table__.alias() if context.mode == "set" and reads_contact(where) else None
        source.contact = contact
        inner = context if contact is None else context.with_contact(contact)
        changes += [at for at in [expiry(where, inner.inside(source.table.c.properties))] if at is not None]
    first = earliest(changes)
    return None if first is None else _first(source, first, context)


def _of_sequence(node: ast.Sequence, context: Context) -> Expiry:
    wheres = (node.first, node.window), (node.second, None)
    inside = [_of_each(side.event, side.where, window, context) for side, window in wheres if is_timed(side.where)]
    rows = _events(node.first.event, node.first.where, node.window, context)
    met, end = _followed(node, rows, context), shifted(rows.moment, node.within, 1)
    window = node.window if isinstance(node.window, ast.Last) else None
    if node.link == "then":
        rows.source.conditions.append(met)
        return earliest([*inside, _leaving(rows, 1, window, context) if window else None])
    rows.source.conditions.append(not_(met))
    now = context.scope.now
    held = func.max(rows.moment).filter(end <= now)
    pending = func.min(end).filter(end > now)
    always: Any = case((held.is_(None), pending), else_=None)
    first = func.least(_exit(held, window, context), pending) if window else always
    return earliest([*inside, _per_contact(rows.source, first, context)])


def _followed(node: ast.Sequence, rows: _Rows, context: Context) -> ColumnElement[bool]:
    """Whether the second event has followed each of the rows in time."""
    second = event_source(node.second.event, node.second.where, None, context)
    after, end = second.table.c.occurred_at, shifted(rows.moment, node.within, 1)
    found = second.rows(literal(1)).where(
        second.owner == rows.source.owner, after > rows.moment, after <= end, received_since(second.table, rows.moment)
    )
    own = [second.table] if second.contact is None else [second.table, second.contact]
    return found.correlate_except(*own).exists()


# Comparisons ----------------------------------------------------------------------------------------------------------


def _of_comparison(node: ast.Comparing, context: Context) -> Expiry:
    if isinstance(node, ast.AnyItem):
        return _of_items_of(node, context)
    found = [_of_value(value, context) for value in values(node)]
    if isinstance(node, ast.IsWithin | ast.Ago):
        found += _edges(node, context)
    return earliest(found)


def _of_value(value: ast.Value, context: Context) -> Expiry:
    if not isinstance(value, ast.Aggregate):
        return None
    if isinstance(value.window, ast.Last) and (looked := among.found(value, context)) is not None:
        return _exit(looked.c.first, value.window, context)
    return _of_each(value.event, value.where, value.window, context)


def _edges(node: ast.IsWithin | ast.Ago, context: Context) -> list[Expiry]:
    """When the value comes into the span around `now`, and when it leaves it."""
    moment, now = operand(node.value, context).readings.get("instant"), context.scope.now
    if moment is None:
        return []
    if isinstance(node, ast.IsWithin) and node.direction == "next":
        return [crossing_once(moment, now, node.duration, 1, strict=False), flips(moment, now, strict=True)]
    leaves = crossing_once(moment, now, node.duration, -1, strict=True)
    if isinstance(node, ast.Ago) and node.bound == "more":
        return [leaves]
    return [leaves, flips(moment, now, strict=False)]


def _of_items_of(node: ast.AnyItem, context: Context) -> Expiry:
    document = operand(node.path, context).json
    if document is None or not is_timed(node.condition):
        return None
    array = case((func.jsonb_typeof(document) == "array", document), else_=sql_cast(literal("[]"), JSONB))
    items = func.jsonb_array_elements(array, type_=JSONB).table_valued(column("value", JSONB))
    first: Any = expiry(node.condition, context.inside(items.c.value))
    if first is None:
        return None
    return select(first).select_from(items).order_by(first).limit(1).correlate_except(items).scalar_subquery()


# Reading --------------------------------------------------------------------------------------------------------------


def _is_correlated(context: Context) -> bool:
    return context.mode == "row" or context.bare is not None


def _first(source: Source, moment: Column, context: Context) -> Column:
    """The smallest among the contact's rows. Correlated, `min` of what lies outside the rows would be taken for an
    aggregate of the enclosing select."""
    if not _is_correlated(context):
        return _per_contact(source, func.min(moment), context)
    found = source.of(context.scope.contact.c.id, moment).order_by(moment).limit(1)
    return found.correlate_except(source.table).scalar_subquery()


def _per_contact(source: Source, expression: Any, context: Context) -> Column:
    """An aggregate over the contact's rows: correlated in row mode, joined in set mode."""
    if _is_correlated(context):
        found = source.of(context.scope.contact.c.id, expression)
        return found.correlate_except(source.table).scalar_subquery()
    grouped = source.rows(source.owner.label("contact_id"), expression.label("value")).group_by(source.owner)
    return cast(Column, context.join(grouped).c.value)
