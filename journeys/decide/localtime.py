"""Local times of day. A time that a clock change skips is moved forward; one that comes twice counts the first time.

The people of a batch live in few zones, so answers are kept: a batch asks with one `now`.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.quiet import Hours, over_at
from journeys.language.steps import LocalTime, Quiet

DAY = dt.timedelta(days=1)


@lru_cache(maxsize=1024)
def next_time(wanted: LocalTime, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """The first instant at or after `now` at which it is `wanted` in `zone`, in UTC."""
    day = now.astimezone(zone).date()
    for _ in range(9):
        instant = dt.datetime.combine(day, wanted.time, zone).astimezone(dt.UTC)
        if instant >= now and (not wanted.weekdays or day.weekday() in wanted.weekdays):
            return instant
        day += DAY
    raise AssertionError("each weekday comes within nine days")


def quiet_until(quiet: Quiet, zones: tuple[ZoneInfo, ...], now: dt.datetime) -> dt.datetime | None:
    """The end of quiet hours that hold at `now` in any of `zones`, as `engine.quiet.over_at` has it."""
    return over_at(Hours(quiet.start, quiet.end), zones, now)
