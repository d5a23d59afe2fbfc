"""The small notations inside a journey file: `21:00-08:00 contact`, `3 per week`, `2 days before trial_ends_at`.

Each function takes the text and gives the value, or raises LanguageError without a place; the reader adds it.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from engine.errors import LanguageError
from journeys.language.durations import UNITS, Duration, parse_duration
from journeys.language.problems import did_you_mean
from journeys.language.steps import Again, At, BestHour, Cap, DateOffset, LocalTime, Quiet, Schedule, ValueText, Winner

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_GROUPS = {"weekday": (0, 1, 2, 3, 4), "weekdays": (0, 1, 2, 3, 4), "weekend": (5, 6), "weekends": (5, 6)}
_PATH = re.compile(r"[^\W\d]\w*(\.\w+)*")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_SPAN = re.compile(r"(\S+?)\s*[-–]\s*(\d[^\s–-]*)(?:\s+(\S+))?")
_LOCAL = re.compile(r"(?:(?P<days>[a-z][a-z, ]*?)\s+)?(?:at\s+)?(?P<time>\d[\d:]*)(?:\s+(?P<zone>\S+))?", re.IGNORECASE)
_RELATIVE = re.compile(r"(?P<length>.+?)\s+(?P<side>before|after)\s+(?P<path>\S+)", re.IGNORECASE)
_SIGNED = re.compile(r"(?P<path>\S+)\s+(?P<sign>[+-])\s*(?P<length>.+)")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s?%|(\d{1,4})/([1-9]\d{0,3})", re.ASCII)
_MEASURES: dict[str, Literal["clicks", "goal", "revenue"]] = {
    "clicks": "clicks",
    "goal": "goal",
    "revenue": "revenue",
}
_MONTHLY = re.compile(r"month on (?:the |day )?(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)
SCHEDULES = ("every day 09:00", "every monday 08:30 Europe/Berlin", "every month on the 1st 09:00")
NO_QUIET = "Write `none` for no quiet hours."
DURATION_EXAMPLES = ("3 days", "1 hour")
FOR_NONE = "Write the number in figures; `none` lifts the cap."


def duration(text: str) -> Duration:
    """`3 days`; above zero and up to 100 years."""
    found = parse_duration(text)
    if found is not None and found.count > 0:
        return found
    message = f"`{text}` is not a length of time."
    raise LanguageError(message, expected=DURATION_EXAMPLES, hint=_length_hint(text))


def _length_hint(text: str) -> str:
    count, _, unit = text.partition(" ")
    units = [*UNITS, *(f"{unit}s" for unit in UNITS)]
    if count.isdigit() and unit.lower() in units:
        return "From 1 second to 100 years."
    if re.fullmatch(r"\d+", text):
        return f"Add the unit: `{text} days`."
    if re.fullmatch(r"\d+[.,]\d+", count):
        return "Write a whole number of a smaller unit: `36 hours`."
    if unit.lower() in units:
        return f"Write the number in figures: `3 {unit}`."
    unknown = did_you_mean(unit, units[len(UNITS) :]) if " " not in unit else ""
    glued = "Write the unit out, after a space: `3 days`." if re.fullmatch(r"\d+\s*[a-zA-Z]+", text) else ""
    return unknown or glued


def path(text: str) -> str:
    """The dotted name of an attribute."""
    if _PATH.fullmatch(text):
        return text
    message = f"`{text}` is not the name of an attribute."
    hint = "Write a time of day as `09:30`." if text[:1].isdigit() else ""
    raise LanguageError(message, expected=("trial_ends_at", "company.renews_at"), hint=hint)


def date_offset(text: str) -> DateOffset:
    """`trial_ends_at`, `2 days before trial_ends_at` or `trial_ends_at - 2 days`."""
    relative, signed = _RELATIVE.fullmatch(text), _SIGNED.fullmatch(text)
    if relative:
        return DateOffset(path(relative["path"]), duration(relative["length"]), relative["side"].lower() == "before")
    if signed:
        return DateOffset(path(signed["path"]), duration(signed["length"]), signed["sign"] == "-")
    return DateOffset(path(text))


def up_to(text: str) -> Duration | DateOffset:
    """How long a wait lasts at most: a duration, or a duration before or after a date of the contact."""
    if _RELATIVE.fullmatch(text) or _PATH.fullmatch(text) or _SIGNED.fullmatch(text):
        return date_offset(text)
    try:
        return duration(text)
    except LanguageError as error:
        error.expected = ("3 days", "2 days before trial_ends_at")
        raise


def until(text: str) -> Duration | LocalTime | DateOffset:
    """What `wait` takes: `3 days`, `until 09:30 contact`, `until monday 09:30`, `until 2 days before trial_ends_at`."""
    words = text.split(None, 1)
    if words and words[0].lower() == "until" and len(words) == 2:
        return local_time(words[1]) if _LOCAL.fullmatch(words[1]) else date_offset(words[1])
    if _RELATIVE.fullmatch(text):
        return date_offset(text)
    if _LOCAL.fullmatch(text) and ":" in text:
        raise LanguageError(f"`{text}` is not a length of time.", expected=("3 days",), hint=f"Write `until {text}`.")
    try:
        return duration(text)
    except LanguageError as error:
        error.expected = ("3 days", "until 09:30 contact", "until monday 09:30", "until 2 days before trial_ends_at")
        raise


def clock(text: str) -> dt.time:
    """A time of day, `09:30`."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise LanguageError(f"`{text}` is not a time of day.", expected=("09:30", "21:00"), hint="From 00:00 to 23:59.")
    return dt.time(int(found[1]), int(found[2]))


@lru_cache(maxsize=256)
def zone(text: str) -> str:
    """`contact`, `workspace`, or a name of the IANA time zone database."""
    if text in ("contact", "workspace"):
        return text
    try:
        return zoneinfo.ZoneInfo(text).key
    except (OSError, ValueError, KeyError):
        known = ["contact", "workspace", *zoneinfo.available_timezones()]
        message = f"`{text}` is not a time zone."
        raise LanguageError(
            message, expected=("contact", "workspace", "Europe/Berlin"), hint=did_you_mean(text, known)
        ) from None


def local_time(text: str) -> LocalTime:
    """`09:30`, `09:30 contact`, `monday 09:30 Europe/Berlin`, `weekdays 09:30`."""
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise LanguageError(f"`{text}` is not a local time.", expected=("09:30 contact", "monday 09:30 Europe/Berlin"))
    days = weekdays(found["days"]) if found["days"] else ()
    return LocalTime(clock(found["time"]), zone(found["zone"] or "contact"), days)


def at(text: str) -> At:
    """When a send may leave: `best`, the contact's best hour within a day, or as `local_time`."""
    if text.lower() == "best":
        return BestHour()
    try:
        return local_time(text)
    except LanguageError as error:
        error.expected = (*error.expected, "best")
        raise


def weekdays(text: str) -> tuple[int, ...]:
    """`monday`, `monday or thursday`, `mon, tue`, `weekdays`, `weekend`: Monday is 0."""
    chosen: set[int] = set()
    for word in re.split(r"[\s,]+", text.strip().lower()):
        if word in ("or", "and", "at", "on", "next", ""):
            continue
        numbers = _DAY_GROUPS.get(word) or tuple(i for i, day in enumerate(DAYS) if word in (day, day[:3], day + "s"))
        if not numbers:
            raise LanguageError(f"`{word}` is not a day of the week.", expected=DAYS, hint=did_you_mean(word, DAYS))
        chosen.update(numbers)
    return tuple(sorted(chosen))


def schedule(text: str) -> Schedule:
    """`every day 09:00`, `every monday or thursday 08:30 Europe/Berlin`, `every month on the 1st 09:00`."""
    words = text.split()
    clocks = [index for index, word in enumerate(words) if re.fullmatch(r"\d+:\S*", word)]
    end = clocks[0] if clocks else len(words)
    days = " ".join(words[1 if words[:1] == ["every"] else 0 : end]).lower().removesuffix(" at")
    zones = words[end + 1 :]
    if not days or len(zones) > 1:
        raise LanguageError(f"`{text}` is not a schedule.", expected=SCHEDULES)
    where = zone(zones[0]) if zones else "workspace"
    if where == "contact":
        hint = "Everybody enters at once: name a zone. A send may wait for the contact's hour by `at`."
        raise LanguageError("A schedule has no contact's zone.", expected=("workspace", "Europe/Berlin"), hint=hint)
    time = clock(words[end]) if clocks else dt.time()
    monthly = _MONTHLY.fullmatch(days)
    if monthly:
        return Schedule(time, where, day=_day_of_month(int(monthly[1])))
    return Schedule(time, where, () if days == "day" else weekdays(days))


def _day_of_month(number: int) -> int:
    if 1 <= number <= 28:
        return number
    raise LanguageError(f"Not every month has a day {number}.", expected=("1 to 28",))


def quiet(text: str) -> Quiet:
    """`21:00-08:00 contact`: the hours without sends."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise LanguageError(f"`{text}` is not a span of hours.", expected=("21:00-08:00 contact",))
    hours = Quiet(clock(found[1]), clock(found[2]), zone(found[3] or "contact"))
    if hours.start == hours.end:
        raise LanguageError("The quiet hours end when they begin.", expected=("21:00-08:00 contact",), hint=NO_QUIET)
    return hours


def cap(text: str) -> Cap:
    """`3 per week`, `1 per 2 days`: at most so many messages in any such span."""
    found = re.fullmatch(r"(\d{1,4})\s+(?:per|every|an?)\s+(.+)", text)
    if found is None or int(found[1]) == 0:
        raise LanguageError(f"`{text}` is not a cap.", expected=("3 per week", "1 per 2 days"), hint=FOR_NONE)
    length = found[2] if found[2][0].isdigit() else f"1 {found[2]}"
    return Cap(int(found[1]), duration(length))


def share(text: str) -> Fraction:
    """`10%`, `2.5%` or `1/3`, as a fraction from 0 to 1."""
    found = _SHARE.fullmatch(text)
    if found is None:
        hint = f"Did you mean `{text}%`?" if re.fullmatch(r"\d{1,3}(\.\d+)?", text) else ""
        raise LanguageError(f"`{text}` is not a share.", expected=("10%", "2.5%", "1/3"), hint=hint)
    value = Fraction(found[1]) / 100 if found[1] else Fraction(int(found[2]), int(found[3]))
    if value > 1:
        raise LanguageError(f"`{text}` is more than everybody.", expected=("0% to 100%",))
    return value


def again(text: str) -> Again:
    """`once`, `always`, `after 90 days` or `per event.order_id`."""
    words = text.split(None, 1)
    if text == "once":
        return Again("once")
    if text == "always":
        return Again("always")
    if len(words) == 2 and words[0] == "after":
        return Again("after", duration=duration(words[1]))
    if len(words) == 2 and words[0] == "per" and words[1].startswith("event.") and _PATH.fullmatch(words[1]):
        return Again("per", path=words[1].removeprefix("event."))
    hint = "`per` takes a property of the trigger: `per event.order_id`." if words[:1] == ["per"] else ""
    expected = ("once", "always", "after 90 days", "per event.order_id")
    raise LanguageError(f"`{text}` does not say how often.", expected=expected, hint=hint)


def winner(text: str) -> Winner:
    """`clicks after 3 days`; also `goal` and `revenue`."""
    found = re.fullmatch(r"(clicks|goal|revenue)\s+after\s+(.+)", text)
    if found is None:
        expected = ("clicks after 3 days", "goal after 7 days", "revenue after 2 weeks")
        raise LanguageError(f"`{text}` does not choose a winner.", expected=expected)
    return Winner(_MEASURES[found[1]], duration(found[2]))


def goal_value(text: str) -> ValueText:
    """`event.mrr`, a property of the goal event, or a number."""
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text):
        return ValueText(text, number=Decimal(text))
    if text.startswith("event.") and _PATH.fullmatch(text):
        return ValueText(text, path=tuple(text.split(".")[1:]))
    hint = f"Did you mean `event.{text}`?" if _PATH.fullmatch(text) else ""
    raise LanguageError(f"`{text}` is not a value.", expected=("event.total", "25"), hint=hint)


def times(text: str) -> int:
    """`3` or `3 times`, from 1 to 100."""
    found = re.fullmatch(r"(\d{1,4})(?:\s+times?)?", text)
    if found is None or not 1 <= int(found[1]) <= 100:
        raise LanguageError(f"`{text}` is not a number of times.", expected=("1 to 100",))
    return int(found[1])
