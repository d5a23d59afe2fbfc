"""Slots of schedules, and dates of contacts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from engine.errors import LanguageError
from journeys.decide.timed import date_entry, next_slot, slots
from journeys.language.values import date_offset, schedule
from tests.journeys.decide.deciding import NOW, instant

BERLIN, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("written", "first", "second"),
    [
        ("every day 12:00", "2026-03-03 12:00", "2026-03-04 12:00"),  # it is a Monday, 12:00 UTC: this slot is over
        ("every day 12:01", "2026-03-02 12:01", "2026-03-03 12:01"),
        ("every monday", "2026-03-09 00:00", "2026-03-16 00:00"),
        ("every monday or thursday at 08:30", "2026-03-05 08:30", "2026-03-09 08:30"),
        ("weekdays 14:00 Europe/Berlin", "2026-03-02 13:00", "2026-03-03 13:00"),
        ("every sunday 09:00 Europe/Berlin", "2026-03-08 08:00", "2026-03-15 08:00"),
        ("every month on the 1st 09:00", "2026-04-01 09:00", "2026-05-01 09:00"),
        ("every month on day 28 00:30 Europe/Berlin", "2026-03-27 23:30", "2026-04-27 22:30"),
    ],
)
def test_slots_follow_each_other(written: str, first: str, second: str) -> None:
    read = schedule(written)
    found = next_slot(read, UTC, NOW)
    assert (found, next_slot(read, UTC, found)) == (instant(first), instant(second))
    assert list(slots(read, UTC, NOW, instant(second))) == [found, instant(second)]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("09:00", "not a schedule"),
        ("every blue moon 09:00", "not a day of the week"),
        ("every day 25:00", "not a time of day"),
        ("every day 09:00 contact", "no contact's zone"),
        ("every day 09:00 Europe/Berlin again", "not a schedule"),
        ("every month on the 31st 09:00", "Not every month has a day 31"),
    ],
)
def test_what_is_no_schedule_is_refused(written: str, words: str) -> None:
    with pytest.raises(LanguageError, match=words):
        schedule(written)


@pytest.mark.parametrize(
    ("offset", "value", "at"),
    [
        ("renews_at", "2026-07-01", "2026-06-30 22:00"),
        ("3 days before renews_at", "2026-07-01", "2026-06-27 22:00"),
        ("1 day after renews_at", "2026-07-01T10:00:00+02:00", "2026-07-02 08:00"),
        ("renews_at", "next week", None),
        ("renews_at", 7, None),
        ("renews_at", None, None),
    ],
)
def test_a_date_lets_in_at_midnight_of_the_contact(offset: str, value: object, at: str | None) -> None:
    found = date_entry(date_offset(offset), value, BERLIN)
    assert (found and found[0]) == (at and instant(at))
