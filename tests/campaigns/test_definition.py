"""A campaign as text: what reads, what is refused and where, and that writing it down loses nothing."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.campaigns import schedule
from engine.campaigns.definition import as_mapping, as_yaml, parse, read
from engine.errors import InvalidInput

BASE = {"campaign": "spring", "audience": 'plan is "pro"'}
WHOLE = """\
campaign: spring-sale
name: Spring sale
channel: email
audience: plan is "pro" and in segment "active"
except: in list "staff"
topic: offers
variants:
  - {name: control, content: spring-a, share: 70%}
  - {name: bold, content: spring-b, share: 30%}
test: 20%
winner: {by: revenue, after: 90 minutes}
holdout: 2.5%
at: 2026-12-01 09:00
zone: contact
passed: now
throttle: 50,000 per hour
cap: 3 per week
expires: 2 days
goal: {when: did "Order Completed", within: 7 days}
"""


def test_a_file_says_everything_and_is_written_as_it_was_read() -> None:
    found = parse(WHOLE)
    assert (found.throttle, found.local, found.passed, found.winner and found.winner.by) == (
        50_000,
        True,
        "now",
        "revenue",
    )
    assert found.rule == '(plan is "pro" and in segment "active"\n) and not (in list "staff"\n)'
    assert parse(as_yaml(found)) == read(as_mapping(found)) == found


@pytest.mark.parametrize("at", ["2026-12-01 09:00", "2026-12-01 09:00:07+02:00", "2026-12-01 09:00:07.000123"])
def test_an_instant_keeps_all_its_digits(at: str) -> None:
    found = read(BASE | {"at": at})
    assert found.at == dt.datetime.fromisoformat(at)
    assert read(as_mapping(found)) == parse(as_yaml(found)) == found


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"campaign": "Ä b"}, "campaign"),
        ({"channel": "fax"}, "channel"),
        ({"audiense": "x"}, "audiense"),
        ({"test": "20%"}, "test, winner"),
        ({"test": "20%", "winner": {"by": "clicks"}}, "winner"),
        ({"holdout": "120%"}, "holdout"),
        ({"holdout": "NaN"}, "holdout"),
        ({"at": "tomorrow"}, "at"),
        ({"zone": "contact"}, "at"),
        ({"zone": "contact", "at": "2026-12-01 09:00+01:00"}, "at"),
        ({"throttle": "0 per hour"}, "throttle"),
        ({"cap": "lots"}, "cap"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "9999 weeks"}, "expires"),
        ({"goal": {"within": "1 day"}}, "goal"),
        ({"variants": [{"name": "rest", "content": "x"}]}, "variants"),
        ({"variants": [{"name": "a", "share": "60%"}, {"name": "b", "share": "60%"}]}, "variants"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "variants"),
        ({"content": "x", "variants": [{"name": "a"}]}, "content, variants"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_key(fields: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(BASE | fields)
    assert refused.value.where == where


@pytest.mark.parametrize("text", ["- a", "a: [", "campaign: {x: y}"])
def test_what_is_no_campaign_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


# The hours of the clock changes: Berlin has no 2:30 on 29 March 2026, and two of them on 25 October.
@pytest.mark.parametrize(
    ("zone", "at", "instant"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),
        ("Asia/Kathmandu", "2026-05-01 09:00", "2026-05-01 03:15"),
    ],
)
def test_local_times_where_the_clock_changes(zone: str, at: str, instant: str) -> None:
    found = read(BASE | {"at": at, "zone": "contact"})
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    wanted = dt.datetime.fromisoformat(instant).replace(tzinfo=dt.UTC)
    assert schedule.instants(found, [zone], ZoneInfo("UTC"), now, now)[zone] == wanted


YEAR = [dt.datetime.fromisoformat(day) for day in ("2026-01-01", "2026-12-30")]
ZONES = ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Tokyo", "America/St_Johns", "UTC")


@given(st.sampled_from(ZONES), st.datetimes(*YEAR), st.integers(-30, 30))
def test_nobody_is_reached_before_the_start_nor_at_another_hour(zone: str, at: dt.datetime, hours: int) -> None:
    found = read(BASE | {"at": at.replace(second=0, microsecond=0).isoformat(), "zone": "contact"})
    start = schedule.start_of(found, ZoneInfo("UTC"))
    assert start is not None
    after = start + dt.timedelta(hours=hours)
    instant = schedule.instants(found, [zone], ZoneInfo("UTC"), after, after)[zone]
    assert after <= instant
    local = instant.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute) == (at.hour, at.minute) or zone == "America/St_Johns"
    if hours <= 0:
        assert local.date() == at.date(), "the audience is frozen before anybody's hour"
