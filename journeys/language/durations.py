"""Lengths of time as an author writes them: `3 days`, `a week`, `1 hour`. Months and years are calendar steps."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

from engine.expr.durations import EARLIEST, LATEST

UNITS = ("second", "minute", "hour", "day", "week", "month", "year")
LONGEST_YEARS = 100
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "year": 12}
_PATTERN = re.compile(rf"(?P<count>\d{{1,9}}|an?)\s+(?P<unit>{'|'.join(UNITS)})s?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """`count` times a `unit` of `UNITS`. Up to a week it is exact, months and years are calendar steps in UTC."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}" if self.count == 1 else f"{self.count} {self.unit}s"

    def after(self, moment: dt.datetime) -> dt.datetime:
        """The instant this long after `moment` (aware); calendar steps are clamped to the month's end.

        Stops at the ends of the calendar, for a contact's date may be any.
        """
        return self._moved(moment, 1)

    def before(self, moment: dt.datetime) -> dt.datetime:
        """The instant this long before `moment` (aware); calendar steps are clamped to the month's end."""
        return self._moved(moment, -1)

    def _moved(self, moment: dt.datetime, sign: int) -> dt.datetime:
        try:
            if self.unit in _MONTHS:
                return _add_months(moment.astimezone(dt.UTC), sign * self.count * _MONTHS[self.unit])
            return moment + _exact(sign * self.count, self.unit)
        except (OverflowError, ValueError):
            return LATEST if sign > 0 else EARLIEST


@lru_cache(maxsize=1024)
def _exact(count: int, unit: str) -> dt.timedelta:
    return dt.timedelta(seconds=count * _SECONDS[unit])


def _add_months(moment: dt.datetime, months: int) -> dt.datetime:
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def parse_duration(text: str) -> Duration | None:
    """The duration that `text` writes, or None if it writes none or one above 100 years."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        return None
    count = 1 if match["count"].lower() in ("a", "an") else int(match["count"])
    unit = match["unit"].lower()
    days = count * (_MONTHS[unit] * 31 if unit in _MONTHS else _SECONDS[unit] / 86_400)
    return Duration(count, unit) if days <= LONGEST_YEARS * 366 else None
