"""Lengths of time in words: `90 minutes`, `4 hours`, `2 days`, `1 week`."""

from __future__ import annotations

import datetime as dt
import re

from engine.errors import InvalidInput

HOUR = dt.timedelta(hours=1)
UNITS = {"week": 168 * HOUR, "day": 24 * HOUR, "hour": HOUR, "minute": HOUR / 60}
LONGEST = 366 * 24 * HOUR
PATTERN = re.compile(r"(\d{1,6}) ?(minute|hour|day|week)s?\Z")


def span(text: str, where: str) -> dt.timedelta:
    """Read a length. Raises InvalidInput at `where`."""
    found = PATTERN.match(" ".join(text.split()))
    length = int(found[1]) * UNITS[found[2]] if found else dt.timedelta()
    if not dt.timedelta() < length <= LONGEST:
        raise InvalidInput(f"“{text}” is no length of time up to a year", where, "Write 4 hours or 2 days.")
    return length


def written(length: dt.timedelta) -> str:
    """The length in the largest unit that it is a whole number of."""
    for unit, size in UNITS.items():
        if length % size == dt.timedelta():
            count = length // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{length // UNITS['minute']} minutes"
