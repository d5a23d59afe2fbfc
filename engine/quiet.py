"""Quiet hours: from `start` until before `end` of a local day, and when they are over. Pure."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.errors import InvalidInput

DAY = dt.timedelta(days=1)
WRITTEN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?[-–] ?([01]?\d|2[0-3]):([0-5]\d)\Z")


class Hours(NamedTuple):
    """They cross midnight if `end` is not after `start`."""

    start: dt.time
    end: dt.time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    @property
    def length(self) -> dt.timedelta:
        """How long they last where no clock changes."""
        begin, end = (dt.timedelta(hours=at.hour, minutes=at.minute) for at in self)
        return (end - begin) % DAY

    @property
    def crosses(self) -> bool:
        """Whether they go on after midnight."""
        return self.end <= self.start

    def hold(self, time: dt.time) -> bool:
        """Whether a local time lies in them."""
        return time >= self.start or time < self.end if self.crosses else self.start <= time < self.end


@lru_cache(maxsize=64)
def parse(text: str) -> Hours:
    """`21:00-08:00`. Raises InvalidInput."""
    found = WRITTEN.match(text.strip())
    if found is None:
        raise InvalidInput(f"“{text}” are no quiet hours", "quiet hours", "Write 21:00-08:00.")
    hours = Hours(dt.time(int(found[1]), int(found[2])), dt.time(int(found[3]), int(found[4])))
    if hours.start == hours.end:
        raise InvalidInput("these end when they begin", "quiet hours", "Write 21:00-08:00.")
    return hours


@lru_cache(maxsize=1024)
def over_at(hours: Hours, zones: tuple[ZoneInfo, ...], now: dt.datetime) -> dt.datetime | None:
    """The end of quiet hours that hold at `now` in any of `zones`, in UTC; None when sending is allowed in all.

    Zones so far apart that it is quiet somewhere at every hour leave no such instant; then the first zone decides.
    """
    moment = now
    for _ in range(2 * len(zones)):
        ends = [end for zone in zones if (end := _end(hours, zone, moment))]
        if not ends:
            return moment if moment > now else None
        moment = max(ends)
    return _end(hours, zones[0], now)


def _end(hours: Hours, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    """Where the clock shows the end twice, the pass that `now` is in counts: quiet hours never last a day longer."""
    local = now.astimezone(zone)
    time = local.time()
    if not hours.hold(time):
        return None
    day = local.date() + DAY if hours.crosses and time >= hours.start else local.date()
    return dt.datetime.combine(day, hours.end, zone).replace(fold=local.fold).astimezone(dt.UTC)
