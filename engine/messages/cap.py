"""Frequency caps as a message carries them: `3 per week`, `1 per 2 days`."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

pattern = re.compile(r"(\d{1,6}) per (?:(\d{1,4}) )?(minute|hour|day|week|month|year)s?\Z")
lengths = {
    "minute": dt.timedelta(minutes=1),
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` messages in the last `number` of `unit`."""

    count: int
    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} per {self.number} {self.unit}"

    def since(self, now: dt.datetime) -> dt.datetime:
        """The start of the window that ends now. Months and years are calendar steps in UTC, clamped."""
        if self.unit in lengths:
            return now - self.number * lengths[self.unit]
        months = now.year * 12 + now.month - 1 - self.number * (12 if self.unit == "year" else 1)
        year, month = divmod(max(months, 12), 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1000)
def parse(text: str | None) -> Cap | None:
    """Read a cap; None for none. A text that is no cap allows nothing, so that a mistake never floods a contact."""
    if not text:
        return None
    found = pattern.match(" ".join(text.split()))
    return Cap(int(found[1]), int(found[2] or 1), found[3]) if found else Cap(0, 1, "day")
