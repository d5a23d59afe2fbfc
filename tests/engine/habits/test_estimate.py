"""Which hour is best, by the contact's history, everybody's, and none."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.best_hour import measure
from engine.habits.estimate import DEFAULT, Everybody, Habits, Profile, choose, slot_of
from engine.quiet import Hours, over_at

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 3, 2, 12, 20, tzinfo=dt.UTC)  # a Monday
NIGHT = Hours(dt.time(21), dt.time(8))
EVENING = {24 * day + 20: 50 for day in range(7)}
COUNTS = st.dictionaries(st.integers(0, 167), st.integers(1, 30), max_size=12)


def at(habits: Habits, zone: ZoneInfo = UTC, now: dt.datetime = NOW, *quiet: Hours) -> tuple[str, str]:
    chosen = choose(habits, (zone,), tuple((hours, (zone,)) for hours in quiet), now)
    return f"{chosen.at.astimezone(zone):%a %H:%M}", chosen.by


def test_without_any_history_it_is_ten_o_clock_of_the_contact() -> None:
    assert at(Habits()) == ("Tue 10:00", "default")
    assert at(Habits(), BERLIN, NOW - dt.timedelta(hours=12)) == ("Mon 10:00", "default")


def test_without_a_history_of_its_own_it_is_everybodys_best_hour() -> None:
    assert at(Habits(None, Everybody(EVENING))) == ("Mon 20:00", "everybody")
    assert at(Habits(Profile({}), Everybody(EVENING))) == ("Mon 20:00", "everybody")


def test_a_contacts_own_history_outweighs_everybodys_as_it_grows() -> None:
    mild = Everybody({24 * day + hour: 50 for day in range(7) for hour in (7, 20)} | {20: 60})
    assert at(Habits(Profile({7: 1}), mild)) == ("Tue 07:00", "own")
    assert at(Habits(Profile({24 + 15: 1}), Everybody(EVENING))) == ("Mon 20:00", "own"), "one open is no habit yet"
    assert at(Habits(Profile({24 + 15: 12}), Everybody(EVENING))) == ("Mon 15:00", "own")


def test_a_weekday_has_an_hour_of_its_own_where_the_data_bear_it() -> None:
    weekly = {24 * day + 8: 10 for day in range(5)} | {24 * day + 14: 25 for day in (5, 6)}
    friday = NOW + dt.timedelta(days=4, hours=8)
    assert at(Habits(Profile(weekly)), UTC, friday) == ("Sat 14:00", "own")
    assert at(Habits(Profile(weekly)), UTC, NOW) == ("Tue 08:00", "own")
    few = {24 * day + 8: 10 for day in range(5)} | {24 * 5 + 14: 1}
    assert at(Habits(Profile(few)), UTC, friday) == ("Sat 08:00", "own")


def test_in_the_best_hour_the_message_leaves_at_once() -> None:
    assert choose(Habits(Profile({12: 9})), (UTC,), (), NOW).at == NOW


def test_hours_that_begin_in_quiet_hours_are_no_choice() -> None:
    owl = Profile({24 * day + 23: 9 for day in range(7)} | {24 * day + 9: 2 for day in range(7)})
    assert at(Habits(owl)) == ("Mon 23:00", "own")
    assert at(Habits(owl), UTC, NOW, NIGHT) == ("Tue 09:00", "own")
    assert at(Habits(owl, quiet=NIGHT)) == ("Tue 09:00", "own")


@pytest.mark.parametrize("now", ["2026-03-28 20:10", "2026-10-24 20:10"])
def test_a_night_in_which_clocks_change_moves_no_hour(now: str) -> None:
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    assert at(Habits(Profile({24 * day + 7: 9 for day in range(7)})), BERLIN, moment) == ("Sun 07:00", "own")


def test_the_default_is_a_share_for_each_slot() -> None:
    assert len(DEFAULT) == 168
    assert sum(DEFAULT) == pytest.approx(7)


@given(
    COUNTS, COUNTS, st.integers(0, 10_000), st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]), st.booleans()
)
def test_the_choice_is_within_a_day_outside_quiet_hours_and_always_the_same(
    own: dict[int, int], everybody: dict[int, int], minutes: int, zone: str, quiet: bool
) -> None:
    now, zones = NOW + dt.timedelta(minutes=minutes), (ZoneInfo(zone),)
    asked = ((NIGHT, zones),) if quiet else ()
    chosen = choose(Habits(Profile(own), Everybody(everybody)), zones, asked, now)
    assert now <= chosen.at < now + dt.timedelta(days=1)
    assert chosen.slot == slot_of(chosen.at, zones[0])
    assert not quiet or over_at(NIGHT, zones, chosen.at) is None
    assert choose(Habits(Profile(own), Everybody(everybody)), zones, asked, now) == chosen


@given(COUNTS)
def test_the_shares_of_a_day_add_up_to_one(counts: dict[int, int]) -> None:
    shares = Everybody(counts).shares
    for day in range(7):
        assert sum(shares[24 * day : 24 * day + 24]) == pytest.approx(1)


def test_habits_are_found_sooner_the_more_people_open() -> None:
    found = {opens: (right, near) for opens, right, near, _ in measure(400)}
    assert found[0][0] < 0.15, "nothing can be known of who never opened"
    assert found[3][1] > 0.65
    assert found[10][0] > 0.65
    assert found[50][0] > 0.9
