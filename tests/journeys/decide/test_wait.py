"""`wait`: where it parks, and when it lets pass."""

from __future__ import annotations

import datetime as dt

import pytest

from journeys.decide import needs
from tests.journeys.decide.deciding import NOW, flat, instant, one, row

HOUR = dt.timedelta(hours=1)


def wait(what: str) -> str:
    return f"- wait: {what}\n  id: pause\n- exit: true\n  id: after"


@pytest.mark.parametrize(
    ("length", "until"),
    [
        ("1 hour", "2026-03-02 13:00"),
        ("90 minutes", "2026-03-02 13:30"),
        ("2 weeks", "2026-03-16 12:00"),
        ("1 month", "2026-04-02 12:00"),
        ("1 year", "2027-03-02 12:00"),
    ],
)
def test_a_length_of_time_counts_from_arrival(length: str, until: str) -> None:
    outcome = one(wait(length), row())
    assert (outcome.log, outcome.phase, outcome.to) == ("waiting", "waiting", None)
    assert outcome.wake_at == outcome.deadline == instant(until)


def test_a_month_from_the_31st_ends_with_the_next_month() -> None:
    assert one(wait("1 month"), row(), instant("2026-01-31 12:00")).wake_at == instant("2026-02-28 12:00")


@pytest.mark.parametrize("what", ["1 hour", "until 09:00 contact"])
def test_who_is_woken_early_stays_and_who_is_due_passes(what: str) -> None:
    deadline = NOW + HOUR
    early = one(wait(what), row(phase="waiting", deadline=deadline))
    assert (early.phase, early.wake_at, early.deadline) == ("waiting", deadline, deadline)
    for now in (deadline, deadline + HOUR):
        due = one(wait(what), row(phase="waiting", deadline=deadline), now)
        assert (due.log, due.phase, due.to) == ("passed", None, "after")


@pytest.mark.parametrize(
    ("what", "zone", "now", "until"),
    [
        ("until 09:30 contact", "Europe/Berlin", "2026-03-02 12:00", "2026-03-03 08:30"),
        ("until 09:30 contact", "America/New_York", "2026-03-02 12:00", "2026-03-02 14:30"),
        ("until 09:30 workspace", "America/New_York", "2026-03-02 12:00", "2026-03-03 09:30"),
        ("until 09:30 Asia/Kolkata", "America/New_York", "2026-03-02 12:00", "2026-03-03 04:00"),
        ("until friday 10:00 contact", "Europe/Berlin", "2026-03-02 12:00", "2026-03-06 09:00"),
        ("until monday 10:00 contact", "Europe/Berlin", "2026-03-02 12:00", "2026-03-09 09:00"),
        ("until monday 10:00 contact", "Pacific/Auckland", "2026-03-08 20:00", "2026-03-08 21:00"),
    ],
)
def test_a_local_time_is_the_next_one_in_its_zone(what: str, zone: str, now: str, until: str) -> None:
    assert one(wait(what), row(zones=[zone]), instant(now)).wake_at == instant(until)


@pytest.mark.parametrize("what", ["until 12:00 contact", "until monday 12:00 contact"])
def test_a_local_time_that_is_now_passes_at_once(what: str) -> None:
    assert one(wait(what), row()).log == "passed"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # 02:30 does not exist on 29 March in Berlin: 03:30 is meant. It comes twice on 25 October: the first is meant.
        ("2026-03-28 12:00", "2026-03-29 01:30"),
        ("2026-10-24 12:00", "2026-10-25 00:30"),
        ("2026-10-25 00:31", "2026-10-26 01:30"),
    ],
)
def test_a_local_time_at_a_change_of_clocks(now: str, until: str) -> None:
    assert one(wait("until 02:30 contact"), row(zones=["Europe/Berlin"]), instant(now)).wake_at == instant(until)


@pytest.mark.parametrize(
    ("what", "date", "until"),
    [
        ("until trial_ends_at", "2026-03-10 08:00", "2026-03-10 08:00"),
        ("until 2 days before trial_ends_at", "2026-03-10 08:00", "2026-03-08 08:00"),
        ("until 1 month after trial_ends_at", "2026-01-31 13:00", None),
        ("until 2 days before trial_ends_at", "2026-03-04 11:59", None),
        ("until 2 days before trial_ends_at", "2026-03-04 12:00", None),
        ("until trial_ends_at", None, None),
    ],
)
def test_a_date_of_the_contact_parks_until_it_comes(what: str, date: str | None, until: str | None) -> None:
    outcome = one(wait(what), row(dates=[instant(date) if date else None]))
    assert outcome.wake_at == (instant(until) if until else None)
    assert outcome.log == ("waiting" if until else "passed")


def test_a_date_that_moves_takes_who_waits_along() -> None:
    parked = {"phase": "waiting", "deadline": instant("2026-03-10 08:00")}
    later = one(wait("until trial_ends_at"), row(dates=[instant("2026-03-12 08:00")], **parked))
    assert later.wake_at == later.deadline == instant("2026-03-12 08:00")
    assert one(wait("until trial_ends_at"), row(dates=[instant("2026-03-01 08:00")], **parked)).log == "passed"
    assert one(wait("until trial_ends_at"), row(dates=[None], **parked)).log == "passed"


def test_a_date_beyond_the_calendar_does_not_break_the_step() -> None:
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    assert one(wait("until 2 years after trial_ends_at"), row(dates=[far])).phase == "waiting"


@pytest.mark.parametrize(
    ("what", "dates", "zone"),
    [("1 hour", (), False), ("until 09:00 contact", (), True), ("until 1 day before plan.ends", ("plan.ends",), False)],
)
def test_it_needs_only_what_it_reads(what: str, dates: tuple[str, ...], zone: bool) -> None:
    laid = flat(wait(what))
    wanted = needs(laid, laid.steps["pause"])
    assert (wanted.rules, wanted.dates, wanted.zone) == ((), dates, zone)
