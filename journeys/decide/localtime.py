"""Local times of day. A time that a clock change skips is moved forward; one that comes twice counts the first time.

The people of a batch live in few zones, so answers are kept: a batch asks with one `now`.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

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


@lru_cache(maxsize=1024)
def quiet_until(quiet: Quiet, zones: tuple[ZoneInfo, ...], now: dt.datetime) -> dt.datetime | None:
    """The end of quiet hours that hold at `now` in any of `zones`, in UTC; None when sending is allowed in all.

    Zones so far apart that it is quiet somewhere at every hour leave no such instant; then the first zone decides.
    """
    moment = now
    for _ in range(2 * len(zones)):
        ends = [end for zone in zones if (end := _quiet_end(quiet, zone, moment))]
        if not ends:
            return moment if moment > now else None
        moment = max(ends)
    return _quiet_end(quiet, zones[0], now)


def _quiet_end(quiet: Quiet, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    """Where the clock shows the end twice, the pass that `now` is in counts: quiet hours never last a day longer."""
    local = now.astimezone(zone)
    time, crosses = local.time(), quiet.end <= quiet.start
    inside = time >= quiet.start or time < quiet.end if crosses else quiet.start <= time < quiet.end
    if not inside:
        return None
    day = local.date() + DAY if crosses and time >= quiet.start else local.date()
    return dt.datetime.combine(day, quiet.end, zone).replace(fold=local.fold).astimezone(dt.UTC)
