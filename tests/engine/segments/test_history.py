"""Who was in a segment, by its history and by its rule asked of the past."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from engine import segments
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.errors import InvalidInput, NotFound
from engine.events.record import NewEvent, record
from engine.segments import history

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TICK = dt.timedelta(microseconds=1)


def test_stays_begin_with_the_instant_of_entering_and_end_before_that_of_leaving(session: Session) -> None:
    one, two = identify(session, [Profile("c1", attributes={"plan": "pro"}), Profile("c2")], NOW)
    segments.save(session, "pro", 'plan is "pro"')
    segments.refresh(session, "pro", NOW)
    identify(session, [Profile("c2", attributes={"plan": "pro"})], NOW + DAY)
    segments.refresh(session, "pro", NOW + DAY)
    identify(session, [Profile("c1", attributes={"plan": "x"})], NOW + 2 * DAY)
    segments.refresh(session, "pro", NOW + 2 * DAY)
    instants = [NOW - TICK, NOW, NOW + DAY - TICK, NOW + DAY, NOW + 2 * DAY - TICK, NOW + 2 * DAY, NOW + 9 * DAY]
    found = [history.members_at(session, "pro", instant) for instant in instants]
    assert found == [[], [one], [one], [one, two], [one, two], [two], [two]]
    assert history.counts_at(session, "pro", instants) == [len(members) for members in found]
    assert history.counts_at(session, "pro", []) == []
    assert history.known_since(session, "pro") == NOW


def test_a_rule_that_reads_what_people_did_can_be_asked_of_the_past(session: Session) -> None:
    one, two = identify(session, [Profile("c1"), Profile("c2")], NOW - 30 * DAY)
    [late] = identify(session, [Profile("c3")], NOW)
    record(session, [NewEvent(one, "Seen", NOW - 20 * DAY, "m1"), NewEvent(two, "Seen", NOW - DAY, "m2")], NOW)
    rule = 'did "Seen" in the last 7 days'
    assert history.matching_at(session, rule, NOW - 15 * DAY) == [one]
    assert history.matching_at(session, rule, NOW) == [two]
    assert history.matching_at(session, 'never did "Bought"', NOW - DAY) == [one, two]
    assert history.matching_at(session, 'never did "Bought"', NOW) == [one, two, late]


def test_a_rule_that_reads_a_segment_is_asked_of_its_members_of_that_time(session: Session) -> None:
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    segments.save(session, "pro", 'plan is "pro"')
    segments.refresh(session, "pro", NOW)
    identify(session, [Profile("c1", attributes={"plan": "x"})], NOW + DAY)
    segments.refresh(session, "pro", NOW + DAY)
    assert history.matching_at(session, 'in segment "pro"', NOW) == [one]
    assert history.matching_at(session, 'in segment "pro"', NOW + DAY) == []


@pytest.mark.parametrize(
    ("rule", "unknown"),
    [
        ('plan is "pro" and purchased', "plan"),
        ('did "Seen" where a is contact.city', "city"),
        ("last_seen_at more than 3 days ago", "last_seen_at"),
        ("consents to sms", "consent on sms"),
        ('email ends with "@acme.com"', "email"),
    ],
)
def test_a_rule_that_reads_what_has_no_history_is_refused(session: Session, rule: str, unknown: str) -> None:
    with pytest.raises(InvalidInput, match=f"has no history: {unknown}"):
        history.matching_at(session, rule, NOW)


def test_a_segment_that_is_not_there_has_no_history(session: Session) -> None:
    for ask in (history.members_at, history.counts_at):
        with pytest.raises(NotFound):
            ask(session, "nowhere", [NOW] if ask is history.counts_at else NOW)  # type: ignore[operator]
