"""`email` and `sms`: sent now, held for a time, or skipped."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.habits.estimate import UNKNOWN, Habits, Profile
from journeys.decide import decide, needs
from journeys.decide.localtime import quiet_until
from journeys.decide.values import Outcome
from journeys.language.steps import Quiet
from tests.journeys.decide.deciding import NOW, flat, instant, one, row

DAY = dt.timedelta(days=1)
NIGHT = Quiet(dt.time(21), dt.time(8))


def email(*options: str) -> str:
    return "\n".join(
        ["- email: hello", "  id: mail", *(f"  {option}" for option in options), "- exit: true\n  id: after"]
    )


def test_a_plain_send_is_queued_and_goes_on() -> None:
    outcome = one(email(), row())
    assert (outcome.log, outcome.send, outcome.to, outcome.phase) == ("queued", True, "after", None)


def test_if_skips_who_does_not_match() -> None:
    assert one(email("if: plan is set"), row(truths=(True,))).log == "queued"
    skipped = one(email("if: plan is set", "at: 09:00 contact"), row(truths=(False,)))
    assert (skipped.log, skipped.send, skipped.to) == ("skipped", False, "after")
    assert skipped.detail == {"gate": "if", "rule": "plan is set"}


def test_if_is_asked_again_when_the_hold_ends() -> None:
    held = {"phase": "held", "deadline": None}
    assert one(email("if: plan is set", "at: 12:00 contact"), row(truths=(False,), **held)).log == "skipped"
    assert one(email("if: plan is set", "at: 12:00 contact"), row(truths=(True,), **held)).log == "queued"


@pytest.mark.parametrize(
    ("options", "zones", "now", "until"),
    [
        (["at: 09:30 contact"], ["Europe/Berlin"], "2026-03-02 12:00", "2026-03-03 08:30"),
        (["at: 09:30 contact"], ["America/New_York"], "2026-03-02 12:00", "2026-03-02 14:30"),
        (["at: tuesday 09:30 workspace"], ["America/New_York"], "2026-03-02 12:00", "2026-03-03 09:30"),
        (["at: 12:00 contact"], ["UTC"], "2026-03-02 12:00", None),
        (["quiet: 21:00-08:00 contact"], ["Europe/Berlin"], "2026-03-02 19:59", None),
        (["quiet: 21:00-08:00 contact"], ["Europe/Berlin"], "2026-03-02 20:00", "2026-03-03 07:00"),
        (["quiet: 21:00-08:00 contact"], ["Europe/Berlin"], "2026-03-03 06:59", "2026-03-03 07:00"),
        (["quiet: 21:00-08:00 contact"], ["Europe/Berlin"], "2026-03-03 07:00", None),
        (["quiet: 11:00-14:00 workspace"], ["Asia/Tokyo"], "2026-03-02 12:00", "2026-03-02 14:00"),
        (["quiet: 21:00-08:00 Asia/Tokyo"], ["Europe/Berlin"], "2026-03-02 12:00", "2026-03-02 23:00"),
        (["at: 22:00 contact", "quiet: 21:00-08:00 contact"], ["UTC"], "2026-03-02 12:00", "2026-03-03 08:00"),
        (["at: 09:30 contact", "quiet: 21:00-08:00 contact"], ["UTC"], "2026-03-02 23:00", "2026-03-03 09:30"),
    ],
)
def test_a_send_is_held_until_its_time(options: list[str], zones: list[str], now: str, until: str | None) -> None:
    outcome = one(email(*options), row(zones=zones), instant(now))
    assert outcome.log == ("held" if until else "queued")
    assert (outcome.phase, outcome.wake_at) == (("held", instant(until)) if until else (None, None))


@pytest.mark.parametrize(
    ("options", "gate", "until"),
    [
        (["at: 22:00 contact"], "at", "2026-03-02 22:00"),
        (["quiet: 11:00-14:00 contact"], "quiet", "2026-03-02 14:00"),
        (["at: 09:30 contact", "quiet: 21:00-08:00 contact"], "at", "2026-03-03 09:30"),
        (["at: 22:00 contact", "quiet: 21:00-08:00 contact"], "quiet", "2026-03-03 08:00"),
    ],
)
def test_a_hold_names_the_gate_and_its_end(options: list[str], gate: str, until: str) -> None:
    """Rows that are held together share one outcome, so that they are moved together."""
    laid = flat(email(*options))
    rows = [row(n) for n in range(3)]
    outcomes = decide(laid, laid.steps["mail"], rows, NOW)
    assert outcomes[0].detail == {"gate": gate, "until": instant(until).isoformat()}
    assert len({id(outcome) for outcome in outcomes}) == 1


def test_who_was_held_for_a_time_leaves_though_it_is_past() -> None:
    late = instant("2026-03-02 12:07")
    assert one(email("at: 12:00 contact"), row(phase="held"), late).log == "queued"
    again = one(email("at: 12:00 contact", "quiet: 12:05-13:00 contact"), row(phase="held"), late)
    assert again.wake_at == instant("2026-03-02 13:00")


def test_options_of_the_journey_hold_unless_the_step_lifts_them() -> None:
    frame = "send: {quiet: 11:00-14:00 contact}\n"
    assert one(email(), row(), frame=frame).log == "held"
    assert one(email("quiet: none"), row(), frame=frame).log == "queued"


@pytest.mark.parametrize(
    ("zones", "now", "until"),
    [
        # New York sleeps until 13:00 UTC, Los Angeles from 05:00 to 16:00 UTC (winter).
        (["America/New_York", "America/Los_Angeles"], "2026-03-02 12:00", "2026-03-02 16:00"),
        (["America/New_York", "America/Los_Angeles"], "2026-03-02 17:00", None),
        (["America/Los_Angeles", "America/New_York"], "2026-03-03 02:30", "2026-03-03 16:00"),
    ],
)
def test_quiet_hours_hold_while_it_is_night_in_any_possible_zone(zones: list[str], now: str, until: str | None) -> None:
    found = quiet_until(NIGHT, tuple(ZoneInfo(zone) for zone in zones), instant(now))
    assert found == (instant(until) if until else None)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        # 29 March in Berlin: 02:30 is skipped. 25 October: 02:00 to 03:00 comes twice.
        (Quiet(dt.time(21), dt.time(2, 30)), "2026-03-28 23:00", "2026-03-29 01:30"),
        (Quiet(dt.time(21), dt.time(2, 30)), "2026-10-24 22:00", "2026-10-25 00:30"),
        (Quiet(dt.time(21), dt.time(2, 30)), "2026-10-25 01:10", "2026-10-25 01:30"),
        (Quiet(dt.time(2), dt.time(2, 45)), "2026-10-25 01:10", "2026-10-25 01:45"),
        (Quiet(dt.time(21), dt.time(8)), "2026-03-28 23:00", "2026-03-29 06:00"),
        (Quiet(dt.time(21), dt.time(8)), "2026-10-24 23:00", "2026-10-25 07:00"),
    ],
)
def test_quiet_hours_at_a_change_of_clocks(quiet: Quiet, now: str, until: str) -> None:
    assert quiet_until(quiet, (ZoneInfo("Europe/Berlin"),), instant(now)) == instant(until)


times = st.times().map(lambda it: it.replace(second=0, microsecond=0))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])


@given(times, times, zones, st.integers(0, 366 * 24 * 60))
def test_after_quiet_hours_sending_is_allowed_and_comes_within_a_day(
    start: dt.time, end: dt.time, zone: str, minute: int
) -> None:
    """A night with a change of clocks may be an hour longer."""
    assume(start != end)  # which the language refuses
    now = instant("2026-01-01 00:00") + dt.timedelta(minutes=minute)
    quiet, here = Quiet(start, end), (ZoneInfo(zone),)
    until = quiet_until(quiet, here, now)
    if until is not None:
        assert now < until <= now + dt.timedelta(hours=25)
        assert quiet_until(quiet, here, until) is None


def test_it_needs_the_zone_only_for_local_options() -> None:
    def zone(*options: str) -> bool:
        laid = flat(email(*options))
        return needs(laid, laid.steps["mail"]).zone

    assert not zone() and not zone("at: 09:00 Europe/Berlin")
    assert zone("at: 09:00 contact") and zone("quiet: 21:00-08:00 workspace")


def test_a_send_with_a_fallback_waits_for_the_fate_of_its_message() -> None:
    steps = email("fallback: [{set: {a: 1}, id: instead}]")
    sent = one(steps, row())
    assert (sent.log, sent.send, sent.phase, sent.deadline) == ("queued", True, "sending", NOW + DAY)
    waiting = {"phase": "sending", "deadline": NOW + DAY}
    assert one(steps, row(fate="under_way", **waiting)).phase == "sending"
    assert one(steps, row(fate="settled", **waiting)) == Outcome("settled", "after")
    assert one(steps, row(fate="unreachable", **waiting)) == Outcome("fell_back", "instead")
    assert one(steps, row(fate="under_way", phase="sending", deadline=NOW)) == Outcome("settled", "after")


def test_who_is_held_and_woken_too_early_stays() -> None:
    held = {"phase": "held", "deadline": NOW + DAY}
    assert one(email("at: 12:00 contact"), row(**held)).wake_at == NOW + DAY


def evenings(hour: int) -> Habits:
    """Of who always opens at this hour."""
    return Habits(Profile({24 * day + hour: 9 for day in range(7)}))


@pytest.mark.parametrize(
    ("options", "habits", "zone", "until", "by"),
    [
        (["at: best"], UNKNOWN, "UTC", "2026-03-03 10:00", "default"),
        (["at: best"], evenings(20), "UTC", "2026-03-02 20:00", "own"),
        (["at: best"], evenings(20), "Asia/Tokyo", "2026-03-03 11:00", "own"),
        (["at: best", "quiet: 20:00-23:00 contact"], evenings(20), "UTC", "2026-03-02 19:00", "own"),
        (["at: best", "quiet: 18:00-23:00 Asia/Tokyo"], evenings(9), "UTC", "2026-03-03 08:00", "own"),
    ],
)
def test_best_holds_for_the_hour_of_the_contacts_own_habit(
    options: list[str], habits: Habits, zone: str, until: str, by: str
) -> None:
    outcome = one(email(*options), row(zones=[zone], habits=habits))
    assert (outcome.log, outcome.wake_at) == ("held", instant(until))
    assert outcome.detail == {"gate": "at", "until": instant(until).isoformat(), "best_hour": by}


def test_in_the_best_hour_a_message_is_queued_at_once() -> None:
    assert one(email("at: best"), row(habits=evenings(12))).log == "queued"


def test_who_was_held_for_the_best_hour_is_sent_to_when_it_comes() -> None:
    held = row(phase="held", deadline=NOW, habits=evenings(20))
    assert one(email("at: best"), held).log == "queued"
    early = row(phase="held", deadline=NOW + DAY, habits=evenings(20))
    assert one(email("at: best"), early).wake_at == NOW + DAY


def test_best_of_the_journey_is_lifted_by_none() -> None:
    frame = "send: {at: best}\n"
    assert one(email(), row(), frame=frame).log == "held"
    assert one(email("at: none"), row(), frame=frame).log == "queued"


def test_best_asks_for_zone_and_habits() -> None:
    laid = flat(email("at: best"))
    wanted = needs(laid, laid.steps["mail"])
    assert (wanted.zone, wanted.habits) == (True, True)
