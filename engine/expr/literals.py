"""Reading and writing of names, texts, numbers and dates; the one definition of what counts as a date."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from engine.expr import ast
from engine.expr.durations import LATEST

_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    "(?![0])(?:[0-9]{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|[0-9]{4}-(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|[0-9]{{4}}-02-(?:0[1-9]|1[0-9]|2[0-8])|{_LEAP}-02-29)"
)
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,6})?)?"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"

DATE_PATTERN = f"^{_DAY}(?:[T ]{_TIME}{_OFFSET}?)?$"
"""ISO 8601 dates and date-times of the years 1000 to 9999 that exist on the calendar, for PostgreSQL and Python alike.

Text that matches can be cast to a timestamp without an error, on every version of PostgreSQL, so no
`pg_input_is_valid` (PostgreSQL 16) is needed.
"""
OFFSET_PATTERN = f"[T ].*{_OFFSET}$"

_date = re.compile(DATE_PATTERN.replace("$", r"\Z"))
_plain = re.compile(r"[^\W\d][^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f\s“”„]*\Z")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "“": "“", "”": "”"}


def read_text(token: str) -> str:
    """The content of a quoted text. Unknown escapes keep their backslash, so that patterns read as they are."""
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), token[1:-1], flags=re.DOTALL)


def write_text(value: str) -> str:
    """The canonical quoted form."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def read_path(token: str) -> tuple[str, ...]:
    """The parts of a dotted name; backticks hold parts with spaces or dots."""
    return tuple(part.strip("`") for part in re.findall(r"`[^`]*`|[^.`]+", token))


def write_part(part: str, reserved: frozenset[str] = frozenset()) -> str:
    """A part of a name, in backticks if it would not be read as a name."""
    return part if _plain.match(part) and part.lower() not in reserved else f"`{part}`"


def parse_moment(text: str, zone: ZoneInfo | dt.timezone = dt.UTC) -> dt.datetime | None:
    """The instant that a text means, None if it is no date. Without an offset it is read in `zone`."""
    if not _date.match(text):
        return None
    moment = dt.datetime.fromisoformat(text)
    return to_utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def is_day(text: str) -> bool:
    """Whether a date text has no time."""
    return len(text) == 10


def to_utc(moment: dt.datetime) -> dt.datetime:
    """In UTC; instants past the calendar's end become its last one."""
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        return LATEST


def read_date(token: str) -> ast.DateValue | None:
    """A date as written in a rule, None if there is no such date."""
    if not _date.match(token):
        return None
    if is_day(token):
        return ast.Date(dt.date.fromisoformat(token))
    return ast.Moment(dt.datetime.fromisoformat(token))


def write_date(value: ast.DateValue) -> str:
    """The canonical form: `2026-01-31`, `2026-01-31T10:00:00Z`."""
    text = value.value.isoformat()
    return text.replace("+00:00", "Z") if isinstance(value, ast.Moment) else text


def bounds(value: ast.DateValue, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """First instant and first instant after it: the whole day of a date in `zone`; one microsecond for an instant."""
    if isinstance(value, ast.Date):
        return _midnight(value.value, zone), _midnight(_next(value.value), zone)
    moment = value.value if value.value.tzinfo else value.value.replace(tzinfo=zone)
    start = to_utc(moment)
    return start, start if start == LATEST else start + dt.timedelta(microseconds=1)


def _next(day: dt.date) -> dt.date:
    return day if day == dt.date.max else day + dt.timedelta(days=1)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return to_utc(dt.datetime.combine(day, dt.time(), zone))
