"""Saving segments, and refreshing them as a whole and for the contacts that changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import segments
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.db import Database
from engine.errors import InvalidInput, LanguageError, NotFound
from engine.events.record import NewEvent, record
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.refresh import MANY
from tests.conftest import drop, new_database
from tests.engine.segments.looking import announced, members

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def refresh_all(session: Session, now: dt.datetime) -> int:
    """Refresh what asks for it, as the worker does; how many segments that were."""
    count = 0
    while segments.refresh_stale(session, now) is not None:
        count += 1
    return count


def test_a_full_refresh_writes_only_differences_with_history(session: Session) -> None:
    free, pro = identify(
        session, [Profile("c1", attributes={"plan": "free"}), Profile("c2", attributes={"plan": "pro"})], NOW
    )
    segments.save(session, "pro", 'plan is "pro"')
    segments.hear(session, ["pro"])
    assert refresh_all(session, NOW) == 1
    assert members(session, "pro") == {pro} and announced(session) == [(pro, "segment_entered", ["pro"])]
    assert segments.refresh(session, "pro", NOW) == 1 and announced(session) == []
    identify(session, [Profile("c1", attributes={"plan": "pro"}), Profile("c2", attributes={"plan": "x"})], NOW)
    segments.refresh(session, "pro", NOW + DAY)
    assert sorted(announced(session)) == [(free, "segment_entered", ["pro"]), (pro, "segment_left", ["pro"])]
    history = session.execute(text("select contact_id, entered_at, left_at from segment_memberships order by 1")).all()
    assert [tuple(row) for row in history] == [(free, NOW + DAY, None), (pro, NOW, NOW + DAY)]


def test_a_rule_that_is_wrong_saves_nothing(session: Session) -> None:
    segments.save(session, "a", 'plan is "pro"')
    for slug, rule in [("b", "plan is"), ("b", 'in segment "nowhere"'), ("a", 'in segment "a"')]:
        with pytest.raises(LanguageError):
            segments.save(session, slug, rule)
    with pytest.raises(InvalidInput):
        segments.save(session, "No Slug", "plan is set")
    assert session.execute(text("select slug, rule from segments")).all() == [("a", 'plan is "pro"')]


def test_a_circle_of_segments_is_refused(session: Session) -> None:
    segments.save(session, "a", "plan is set")
    segments.save(session, "b", 'in segment "a"')
    segments.save(session, "c", 'in segment "b"')
    with pytest.raises(LanguageError, match="a → c → b → a"):
        segments.save(session, "a", 'not in segment "c"')


def test_an_unknown_segment_cannot_be_refreshed(session: Session) -> None:
    with pytest.raises(NotFound):
        segments.refresh(session, "nowhere", NOW)


def test_segments_that_read_segments_follow(session: Session) -> None:
    segments.save(session, "z-pro", 'plan is "pro"')
    segments.save(session, "a-not", 'not in segment "z-pro"')
    segments.save(session, "b-not", 'not in segment "a-not"')
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    refresh_all(session, NOW)
    assert [members(session, slug) for slug in ("z-pro", "a-not", "b-not")] == [{one}, set(), {one}]
    identify(session, [Profile("c1", attributes={"plan": "free"})], NOW + DAY)
    assert segments.refresh_contacts(session, [one], "attribute", ["plan"], NOW + DAY) == 3
    assert [members(session, slug) for slug in ("z-pro", "a-not", "b-not")] == [set(), {one}, set()]


def test_only_touched_segments_are_looked_at(session: Session) -> None:
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    segments.save(session, "pro", 'plan is "pro"')
    assert segments.refresh_contacts(session, [one], "attribute", ["city"], NOW) == 0
    assert segments.refresh_contacts(session, [one], "event", ["plan"], NOW) == 0
    assert segments.refresh_contacts(session, [one], "attribute", ["created_at"], NOW) == 1


def test_a_broken_rule_in_the_store_does_not_stop_the_others(session: Session) -> None:
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    segments.save(session, "pro", 'plan is "pro"')
    session.execute(text("insert into segments (public_id, slug, name, rule) values ('x', 'bad', 'bad', 'plan is')"))
    refresh_all(session, NOW)
    assert members(session, "pro") == {one}


@pytest.mark.parametrize(
    "rule", ['never did "Bought"', "plan is not set", 'not in segment "other"', "email is not set"]
)
def test_erased_contacts_are_in_no_segment(session: Session, rule: str) -> None:
    one, erased = identify(session, [Profile("c1"), Profile("c2")], NOW)
    session.execute(text("update contacts set erased_at = now() where id = :id"), {"id": erased})
    segments.save(session, "other", "plan is set")
    segments.save(session, "all", rule)
    refresh_all(session, NOW)
    assert members(session, "all") == {one} and segments.count(session, rule, NOW) == 1
    assert segments.refresh_contacts(session, [one, erased], "attribute", ["created_at"], NOW) == 0


def test_many_contacts_at_once_are_judged_as_a_few(session: Session) -> None:
    ids = identify(session, [Profile(f"c{number}") for number in range(MANY)], NOW)
    record(session, [NewEvent(id_, "Seen", NOW - DAY * (id_ % 3), f"m{id_}") for id_ in ids], NOW)
    segments.save(session, "recent", 'did "Seen" in the last 1 day')
    few = [
        segments.refresh_contacts(session, ids[start : start + 100], "event", ["Seen"], NOW)
        for start in range(0, MANY, 100)
    ]
    found = members(session, "recent")
    assert sum(few) == len(found) == sum(id_ % 3 < 2 for id_ in ids)
    session.execute(text("delete from segment_memberships"))
    assert segments.refresh_contacts(session, ids, "event", ["Seen"], NOW) == len(found)
    assert members(session, "recent") == found


def test_settings_of_the_planner_hold_for_one_refresh_only(session: Session) -> None:
    def setting() -> str:
        return str(session.execute(text("select current_setting('enable_nestloop')")).scalar_one())

    with planned(session, planning.ALL):
        assert setting() == "off"
    assert setting() == "on"


RULES = {
    "a": 'did "Seen" at least 2 times',
    "b": 'x is not "t" and never did "Bought"',
    "c": 'in segment "a" or in segment "b"',
    "d": 'not in segment "c" or y > 1',
    "e": 'did "Seen" then "Bought" within 2 hours',
    "f": "last_seen_at is set",
    "g": "email is set or external_id is not set",
}
people = st.integers(0, 3)
acts = st.one_of(
    st.tuples(st.just("event"), people, st.sampled_from(["Seen", "Bought", "Other"])),
    st.tuples(st.just("attribute"), people, st.tuples(st.sampled_from("xyz"), st.sampled_from([None, 1, 2, "t"]))),
    st.tuples(st.just("email"), people, st.none()),
)


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Any:
    made = new_database(postgres_url)
    yield made
    drop(made)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(acts, max_size=8))
def test_incremental_refresh_equals_full_refresh(shared: Database, drawn: list[Any]) -> None:
    with shared.transaction() as session:
        for table in ("change_inbox", "event_inbox", "events", "event_keys", "segment_memberships", "contacts"):
            session.execute(text(f"delete from {table}"))
        for slug, rule in RULES.items():
            segments.save(session, slug, rule)
        moment = NOW
        for position, (kind, person, detail) in enumerate(drawn):
            moment += dt.timedelta(minutes=30)
            values = {"attributes": {detail[0]: detail[1]}} if kind == "attribute" else {}
            if kind == "email":
                values = {"email": f"c{person}@x.example"}
            [id_] = identify(session, [Profile(f"c{person}", **values)], moment)
            if kind == "event":
                record(session, [NewEvent(id_, detail, moment, f"m{position}")], moment)
                segments.refresh_contacts(session, [id_], "event", [detail], moment)
            changes = session.execute(text("delete from change_inbox returning contact_id, kind, names")).all()
            for contact_id, change, names in changes:
                if change == "attribute":
                    segments.refresh_contacts(session, [contact_id], change, names, moment)
        segments.hear(session, list(RULES))
        before = {slug: members(session, slug) for slug in RULES}
        announced(session)
        session.execute(text("update segments set stale = true"))
        refresh_all(session, moment)
        assert announced(session) == []
        assert {slug: members(session, slug) for slug in RULES} == before
