"""The hours of a contact as a page shows them, against the formula written down a second time."""

from __future__ import annotations

import datetime as dt
import random
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.habits import outlook, store
from engine.model import ContactHour
from engine.quiet import parse

NOW = dt.datetime(2026, 3, 4, 15, 40, tzinfo=dt.UTC)  # a Wednesday
UTC, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")
DEFAULT = [Fraction(1, 1 + min((hour - 10) % 24, (10 - hour) % 24)) for hour in range(24)]


def spread(counts: dict[int, int], days: list[int], hour: int) -> Fraction:
    """Opens around an hour on some weekdays: half of those in it, a quarter of each neighbour's of the same day."""
    parts = ((hour, Fraction(1, 2)), ((hour + 1) % 24, Fraction(1, 4)), ((hour - 1) % 24, Fraction(1, 4)))
    return sum((weight * counts.get(24 * day + near, 0) for day in days for near, weight in parts), Fraction())


def share(counts: dict[int, int], prior: Fraction, day: int, hour: int) -> Fraction:
    """docs: by_hour = (n(h) + 4 prior) / (n + 4); share = (n(d, h) + 20 by_hour) / (n(d) + 20)."""
    by_hour = (spread(counts, list(range(7)), hour) + 4 * prior) / (sum(counts.values()) + 4)
    of_day = sum(counts.get(24 * day + each, 0) for each in range(24))
    return (spread(counts, [day], hour) + 20 * by_hour) / (of_day + 20)


def keep(session: Session, contact_id: int, counts: dict[int, int]) -> None:
    session.execute(text("delete from contact_hours where contact_id = :id"), {"id": contact_id})
    rows = [{"contact_id": contact_id, "slot": slot, "messages": number} for slot, number in counts.items()]
    session.execute(insert(ContactHour), rows)


@pytest.fixture
def ann(session: Session) -> int:
    return identify(session, [Profile(external_id="ann", timezone="Asia/Kolkata")], NOW)[0]


@pytest.mark.parametrize("seed", range(4))
def test_shares_and_choice_are_those_of_the_formula(session: Session, ann: int, seed: int) -> None:
    dice = random.Random(seed)
    own = {dice.randrange(168): dice.randrange(1, 6) for _ in range(seed * 8)}
    everybody = {dice.randrange(168): dice.randrange(1, 400) for _ in range(60)}
    if own:
        keep(session, ann, own)
    keep(session, store.EVERYBODY, everybody)
    found = outlook.of(session, ann, NOW, UTC, None)
    local = NOW.astimezone(KOLKATA)
    expected = {}
    for ahead in range(24):
        at = local + dt.timedelta(hours=ahead)
        prior = share(everybody, DEFAULT[at.hour] / sum(DEFAULT), at.weekday(), at.hour)
        expected[at.hour] = share(own, prior, at.weekday(), at.hour) if own else prior
    assert [one.share for one in found.hours] == pytest.approx([float(expected[hour]) for hour in range(24)])
    assert found.choice.slot % 24 == max(expected, key=lambda hour: expected[hour])
    assert found.choice.by == ("own" if own else "everybody")
    assert (found.zone, found.messages) == (KOLKATA, sum(own.values()))


def test_quiet_hours_are_shown_and_not_chosen_and_without_any_history_it_is_ten(session: Session, ann: int) -> None:
    assert outlook.of(session, ann, NOW, UTC, None).choice[1:] == (24 * 3 + 10, "default")
    quiet = outlook.of(session, ann, NOW, UTC, parse("22:00-10:30"))
    assert [one.hour for one in quiet.hours if one.quiet] == [*range(11), 22, 23]
    assert quiet.choice.slot % 24 == 11
