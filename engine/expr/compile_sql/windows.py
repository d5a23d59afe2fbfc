"""Which events and messages a behaviour looks at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, tuple_

from engine.expr import ast, literals
from engine.expr.compile_sql.operands import Column, instant, shifted
from engine.expr.compile_sql.scope import Context, Entry

CLOCK_SKEW = ast.Duration(5, "minute")
"""`occurred_at` is never later than `received_at` plus this, so a window's start bounds the partitions to read."""


def on_events(window: ast.Window | None, events: Any, context: Context) -> list[ColumnElement[bool]]:
    """Conditions on an alias of `events`; events after `now` never count."""
    conditions = [events.c.occurred_at <= context.scope.now]
    match window:
        case ast.SinceEntry():
            conditions += _since_entry(events, context)
        case ast.SinceStep():
            since = context.scope.step_since
            conditions += [false()] if since is None else [events.c.occurred_at > since, received_since(events, since)]
        case _:
            start, end = edges(window, context)
            conditions += [events.c.occurred_at < end] if end is not None else []
            conditions += [events.c.occurred_at >= start, received_since(events, start)] if start is not None else []
    return conditions


def _since_entry(events: Any, context: Context) -> list[ColumnElement[bool]]:
    """The order (occurred_at, received_at, message_id); the first two conditions serve index and partitions."""
    if context.scope.entry is None:
        return [false()]
    entry = Entry(*context.scope.entry)
    key = tuple_(events.c.occurred_at, events.c.received_at, events.c.message_id)
    return [
        events.c.occurred_at >= entry.occurred_at,
        received_since(events, entry.occurred_at),
        key > tuple_(entry.occurred_at, entry.received_at, entry.message_id),
    ]


def received_since(events: Any, start: Column) -> ColumnElement[bool]:
    """True of every event that occurred at `start` or later; it tells which partitions hold none."""
    return events.c.received_at >= shifted(start, CLOCK_SKEW, -1)  # type: ignore[no-any-return]


def on_accepted(window: ast.Window | None, accepted_at: Column, context: Context) -> list[ColumnElement[bool]]:
    """Conditions on when a message was accepted. What the entry itself sent counts, even in the same instant."""
    conditions = [accepted_at <= context.scope.now]
    match window:
        case ast.SinceEntry():
            entry = context.scope.entry
            conditions += [false()] if entry is None else [accepted_at >= entry[0]]
        case ast.SinceStep():
            since = context.scope.step_since
            conditions += [false()] if since is None else [accepted_at > since]
        case _:
            start, end = edges(window, context)
            conditions += [accepted_at < end] if end is not None else []
            conditions += [accepted_at >= start] if start is not None else []
    return conditions


def edges(window: ast.Window | None, context: Context) -> tuple[Column | None, Column | None]:
    """First instant inside and first instant after, where the window has them."""
    match window:
        case ast.Last(duration):
            return shifted(context.scope.now, duration, -1), None
        case ast.Since(date):
            return instant(literals.bounds(date, context.zone)[0]), None
        case ast.Before(date):
            return None, instant(literals.bounds(date, context.zone)[0])
        case ast.BetweenDates(first, last):
            return instant(literals.bounds(first, context.zone)[0]), instant(literals.bounds(last, context.zone)[1])
    return None, None
