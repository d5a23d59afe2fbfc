"""When time reaches or passes an instant, as SQL; the same reasoning as `engine.expr.durations`, which see."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import FromClause, Interval, case, func, literal, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import DateTime

from engine.expr import ast
from engine.expr.compile_sql.operands import Column, instant, shifted
from engine.expr.durations import exact

TICK = literal(dt.timedelta(microseconds=1), Interval)
NEAR = literal(dt.timedelta(days=6), Interval)
EARLY = literal(dt.timedelta(days=5), Interval)
DAY = literal(dt.timedelta(days=1), Interval)
END_OF_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
REACH = ast.Duration(10, "day")
"""Calendar steps jump back at the end of a month, so an event that left a window less than this ago may come back."""


def flips(moment: Column, now: Column, *, strict: bool) -> Column:
    """When time reaches `moment`, or passes it if strict; NULL if that is behind `now`.

    Written so that `moment`, which may be a look at the events, is worked out once. `greatest` and `least` skip NULL.
    """
    if strict:
        return func.nullif(func.greatest(moment, now - TICK), now - TICK) + TICK
    return func.nullif(func.greatest(moment, now), now)


def crossing(moment: Column, now: Column, duration: ast.Duration, sign: int, *, strict: bool) -> Column:
    """When `n` plus (sign 1) or minus (sign -1) the duration, for n later than `now`, next reaches or passes `moment`.

    NULL: never. For months and years it may come days early.
    """
    goal = shifted(moment, duration, -sign)
    if exact(duration) is not None:
        return flips(goal, now, strict=strict)
    midnight = func.date_trunc("day", now, "UTC", type_=DateTime(timezone=True)) + DAY
    today = flips(moment - (shifted(now, duration, sign) - now), now, strict=strict)
    return case((goal - now > NEAR, goal - EARLY), (now - goal <= NEAR, func.least(midnight, today)), else_=None)


def crossing_once(moment: Column, now: Column, duration: ast.Duration, sign: int, *, strict: bool) -> Column:
    """As `crossing`, working `moment` out once: it may be a look at the events, or a text to be read."""
    if exact(duration) is not None:
        return crossing(moment, now, duration, sign, strict=strict)
    found = once(moment)
    crossed = crossing(found.c.moment, now, duration, sign, strict=strict)
    return select(crossed).select_from(found).correlate_except(found).scalar_subquery()


def once(moment: Column) -> FromClause:
    """One row that holds the instant as `moment`, worked out once however often it is read."""
    return func.unnest(array([moment]), type_=DateTime(timezone=True)).table_valued("moment").render_derived()


def start_of(window: ast.Last, now: Column) -> Column:
    """From where on an event may matter to the window, now or when time has passed."""
    start = shifted(now, window.duration, -1)
    return start if exact(window.duration) is not None else shifted(start, REACH, -1)


def in_time(at: Column) -> Column:
    """Without instants that no calendar of Python holds; nobody waits for them."""
    return func.nullif(func.least(at, instant(END_OF_TIME)), instant(END_OF_TIME))
