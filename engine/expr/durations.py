"""Durations: minutes to weeks are exact, months and years are calendar steps in UTC, clamped to the month's end."""

from __future__ import annotations

import calendar
import datetime as dt

from engine.expr.ast import Duration

LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)
EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)

_EXACT: dict[str, dt.timedelta] = {
    "minute": dt.timedelta(minutes=1),
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(weeks=1),
}
_MONTHS: dict[str, int] = {"month": 1, "year": 12}
_LONGEST_MONTHS = 12 * 200


def too_long(duration: Duration) -> bool:
    """Whether it exceeds 200 years, beyond which instants leave the calendar."""
    if duration.unit in _MONTHS:
        return duration.amount * _MONTHS[duration.unit] > _LONGEST_MONTHS
    return duration.amount * _EXACT[duration.unit].total_seconds() > 200 * 366 * 86400


def exact(duration: Duration) -> dt.timedelta | None:
    """The length, or None for a calendar step."""
    step = _EXACT.get(duration.unit)
    return None if step is None else step * duration.amount


def months(duration: Duration) -> int:
    """The calendar step in months; 0 for exact durations."""
    return _MONTHS.get(duration.unit, 0) * duration.amount


def shift(moment: dt.datetime, duration: Duration, sign: int) -> dt.datetime:
    """`moment` plus (sign 1) or minus (sign -1) the duration, in UTC; stops at the ends of the calendar."""
    moment = moment.astimezone(dt.UTC)
    try:
        length = exact(duration)
        return moment + sign * length if length is not None else _step(moment, sign * months(duration))
    except (OverflowError, ValueError):
        return LATEST if sign > 0 else EARLIEST


def _step(moment: dt.datetime, count: int) -> dt.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def next_crossing(
    moment: dt.datetime, now: dt.datetime, duration: Duration, sign: int, strict: bool
) -> dt.datetime | None:
    """When `shift(n, duration, sign)`, for n later than `now`, next reaches `moment` (or passes it, if strict).

    None: never. For months and years this is a bound that may come days early, because clamping makes calendar steps
    jump back at the end of a month; it always lies after `now`.
    """
    if exact(duration) is not None:
        return flips_at(shift(moment, duration, -sign), now, strict)
    goal = shift(moment, duration, -sign)
    if goal - now > dt.timedelta(days=6):
        return goal - dt.timedelta(days=5)
    if now - goal > dt.timedelta(days=6):
        return None
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return min(midnight, flips_at(moment - (shift(now, duration, sign) - now), now, strict) or midnight)


def flips_at(moment: dt.datetime, now: dt.datetime, strict: bool) -> dt.datetime | None:
    """When time reaches `moment`, or passes it if strict; None if that is behind `now`."""
    if strict:
        return moment + dt.timedelta(microseconds=1) if now <= moment < LATEST else None
    return moment if moment > now else None
