"""Lengths of time: exact up to a week, calendar steps above."""

from __future__ import annotations

import datetime as dt

import pytest

from journeys.language.durations import Duration, parse_duration
from journeys.language.steps import DateOffset


def utc(text: str) -> dt.datetime:
    """An instant in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("length", "start", "after", "before"),
    [
        ("1 day", "2026-03-28T12:00", "2026-03-29T12:00", "2026-03-27T12:00"),
        ("90 days", "2026-01-01", "2026-04-01", "2025-10-03"),
        ("1 month", "2026-01-31T08:00", "2026-02-28T08:00", "2025-12-31T08:00"),
        ("1 year", "2024-02-29", "2025-02-28", "2023-02-28"),
        ("a week", "2026-01-01", "2026-01-08", "2025-12-25"),
    ],
)
def test_a_duration_leads_to_an_instant(length: str, start: str, after: str, before: str) -> None:
    found = parse_duration(length)
    assert found is not None
    assert (found.after(utc(start)), found.before(utc(start))) == (utc(after), utc(before))


def test_a_calendar_step_counts_in_utc() -> None:
    evening = dt.datetime(2026, 2, 28, 20, tzinfo=dt.timezone(dt.timedelta(hours=-8)))
    assert Duration(1, "month").after(evening) == utc("2026-04-01T04:00")


def test_the_calendar_ends_without_an_error() -> None:
    last, first = utc("9999-12-31T23:00"), utc("0001-01-01")
    assert DateOffset("a", Duration(3, "day")).at(last) > last
    assert DateOffset("a", Duration(2, "year"), before=True).at(first) == first


@pytest.mark.parametrize("text", ["3d", "3", "days", "-3 days", "3.5 days", "101 years", "99999999999 days", "３ days"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None
