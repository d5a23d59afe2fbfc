"""Expiries: stored for whom time may move, taken when they are due; and what a change does not touch costs nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from engine import segments, workspace
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.db import Database
from engine.events.record import NewEvent, record
from engine.expr.load import load as load_schema
from engine.segments import SegmentIndex
from engine.segments.refresh import MANY
from engine.segments.rules import load_rules
from tests.engine.segments.looking import announced, members

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
TICK, HOUR, DAY = dt.timedelta(microseconds=1), dt.timedelta(hours=1), dt.timedelta(days=1)
RECENT = 'did "Seen" in the last 1 day'


def expire(session: Session, now: dt.datetime) -> int:
    schema = load_schema(session)
    return segments.expire(session, SegmentIndex(load_rules(session, schema)), schema, now)


def expiries(session: Session) -> dict[int, dt.datetime]:
    return {row.contact_id: row.at for row in session.execute(text("select contact_id, at from segment_expiries"))}


def see(session: Session, contact_id: int, at: dt.datetime) -> None:
    record(session, [NewEvent(contact_id, "Seen", at, f"{contact_id} {at}")], at)
    segments.refresh_contacts(session, [contact_id], "event", ["Seen"], at)


def size(session: Session, slug: str) -> int:
    return session.execute(text("select contact_count from segments where slug = :slug"), {"slug": slug}).scalar_one()


def test_a_member_leaves_when_the_window_has_passed_and_idle_contacts_have_no_instant(session: Session) -> None:
    one, *_ = identify(session, [Profile("c1"), Profile("c2")], NOW)
    segments.save(session, "recent", RECENT)
    see(session, one, NOW)
    assert members(session, "recent") == {one} and expiries(session) == {one: NOW + DAY + TICK}
    assert expire(session, NOW + DAY) == 0 and members(session, "recent") == {one}
    assert expire(session, NOW + DAY + TICK) == 1
    assert members(session, "recent") == set() and expiries(session) == {} and size(session, "recent") == 0


@pytest.mark.parametrize("crowd", [0, MANY])
def test_who_is_not_in_it_may_enter_by_time_alone(session: Session, crowd: int) -> None:
    ids = identify(session, [Profile(f"c{number}") for number in range(crowd + 1)], NOW)
    record(session, [NewEvent(id_, "Seen", NOW, f"m{id_}") for id_ in ids], NOW)
    segments.save(session, "gone", 'did "Seen" without "Bought" within 1 hour')
    segments.save(session, "read", 'in segment "gone"')
    segments.refresh(session, "read", NOW)
    assert members(session, "gone") == set() and set(expiries(session)) == set(ids)
    assert expire(session, NOW + HOUR) == len(ids)
    assert members(session, "gone") == members(session, "read") == set(ids)
    assert size(session, "gone") == size(session, "read") == len(ids) and expiries(session) == {}


def test_somebody_who_comes_every_day_costs_no_write_of_an_expiry_each_time(session: Session) -> None:
    [one] = identify(session, [Profile("c1")], NOW)
    segments.save(session, "recent", 'did "Seen" in the last 30 days')
    see(session, one, NOW)
    [first] = expiries(session).values()
    for day in range(1, 10):
        see(session, one, NOW + day * DAY)
    assert expiries(session) == {one: first}
    assert expire(session, first) == 1
    assert expiries(session) == {one: NOW + 39 * DAY + TICK} and members(session, "recent") == {one}


def test_an_expiry_of_what_is_gone_is_forgotten(session: Session) -> None:
    [one] = identify(session, [Profile("c1")], NOW)
    for segment_id, contact_id in ((4711, one), (4711, 4712)):
        values = {"segment": segment_id, "contact": contact_id, "at": NOW}
        insert = "insert into segment_expiries (segment_id, contact_id, at) values (:segment, :contact, :at)"
        session.execute(text(insert), values)
    assert expire(session, NOW) == 2 and expiries(session) == {}


def test_a_rule_edited_since_it_was_read_is_read_anew(session: Session) -> None:
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    segments.save(session, "recent", RECENT)
    schema = load_schema(session)
    old = SegmentIndex(load_rules(session, schema))
    see(session, one, NOW)
    segments.save(session, "recent", 'plan is "pro"')
    assert segments.expire(session, old, schema, NOW + 2 * DAY) == 1
    assert members(session, "recent") == {one}


def test_only_where_somebody_listens_is_entering_and_leaving_announced(session: Session) -> None:
    ids = identify(session, [Profile(f"c{number}", attributes={"plan": "pro"}) for number in range(3)], NOW)
    segments.save(session, "pro", 'plan is "pro"')
    segments.refresh(session, "pro", NOW)
    assert members(session, "pro") == set(ids) and announced(session) == []
    segments.save(session, "reader", 'not in segment "pro"')
    identify(session, [Profile("c0", attributes={"plan": "x"})], NOW + DAY)
    segments.refresh_contacts(session, ids[:1], "attribute", ["plan"], NOW + DAY)
    assert announced(session) == [(ids[0], "segment_left", ["pro"])] and members(session, "reader") == {ids[0]}


@contextmanager
def before_it_is_noted(database: Database, act: Callable[[Session], None]) -> Iterator[None]:
    """Somebody else does something once, when a full refresh is about to write down that it is done."""
    with meanwhile(database, "update segments set stale = asks", act):
        yield


@contextmanager
def meanwhile(database: Database, statement: str, act: Callable[[Session], object]) -> Iterator[None]:
    """Somebody else does something once, right before such a statement."""
    left = [act]

    def interrupt(*arguments: object) -> None:
        if left and statement in str(arguments[2]) and "save segments" not in str(arguments[2]):
            with database.transaction() as other:
                left.pop()(other)

    event.listen(Engine, "before_cursor_execute", interrupt)
    yield
    event.remove(Engine, "before_cursor_execute", interrupt)
    assert not left


def test_who_begins_to_listen_during_a_full_refresh_hears_of_it(database: Database) -> None:
    with database.transaction() as session:
        [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
        segments.save(session, "pro", 'plan is "pro"')
    with before_it_is_noted(database, lambda other: segments.hear(other, ["pro"])), database.transaction() as session:
        segments.refresh(session, "pro", NOW)
        assert announced(session) == [(one, "segment_entered", ["pro"])]


def test_a_full_refresh_that_is_asked_for_during_one_is_done_again(database: Database) -> None:
    with database.transaction() as session:
        segments.save(session, "recent", RECENT)
    with before_it_is_noted(database, lambda other: segments.mark_touched(other, "event", ["Seen"])):
        for expected in ("recent", "recent", None):
            with database.transaction() as session:
                assert segments.refresh_stale(session, NOW) == expected


@contextmanager
def judged_rules() -> Iterator[list[str]]:
    """The statements that judge contacts."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        if "FROM contacts" in str(arguments[2]) and "array_agg" in str(arguments[2]):
            seen.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def test_of_a_thousand_segments_a_change_judges_those_that_it_can_touch(session: Session) -> None:
    """Counted in statements, so that nothing goes over all rules."""
    [one] = identify(session, [Profile("c1", attributes={"plan": "pro"})], NOW)
    insert = "insert into segments (public_id, slug, name, rule, stale) values (:slug, :slug, :slug, :rule, false)"
    rules = [f'did "Event {number}" in the last {number % 30 + 1} days' for number in range(400)]
    rules += [f'attribute{number} is "x" or purchased' for number in range(400)]
    rules += [f'in segment "s{number}" and plan is "pro"' for number in range(200)]
    session.execute(text(insert), [{"slug": f"s{number}", "rule": rule} for number, rule in enumerate(rules)])
    index = SegmentIndex(load_rules(session, load_schema(session)))
    touched = {
        ("event", ("Event 7",)): {"s7", "s807"},
        ("event", ("Event 399",)): {"s399"},
        ("event", ("Nothing",)): set(),
        ("attribute", ("attribute5",)): {"s405"},
        ("list", ("beta",)): set(),
        ("consent", ("news", "")): set(),
        ("segment_left", ("s9",)): {"s809"},
    }
    for (kind, names), slugs in touched.items():
        found = index.with_readers(index.touched(kind, names))
        assert {rule.slug for rule in found} >= slugs and len(found) == len(slugs)
    record(session, [NewEvent(one, "Event 7", NOW, "m1")], NOW)
    with judged_rules() as seen:
        assert segments.refresh_contacts(session, [one], "event", ["Event 7"], NOW) == 2
        assert len(seen) == 2
        segments.refresh_contacts(session, [one], "event", ["Event 399"], NOW)
        segments.refresh_contacts(session, [one], "event", ["Nothing"], NOW)
        assert len(seen) == 3
        assert expire(session, NOW + 8 * DAY + TICK) == 1
        assert len(seen) == 5
    assert members(session, "s7") == members(session, "s807") == set()


def test_accepted_messages_are_heard_as_long_as_a_segment_reads_them(session: Session) -> None:
    setting = text("select value from workspace_settings where name = 'segments_read_messages'")
    segments.save(session, "got", "received in the last 2 days")
    assert session.execute(setting).scalar() is True
    index = SegmentIndex(load_rules(session, load_schema(session)))
    assert index.touched("message", ["welcome"]) and index.hears_messages
    segments.save(session, "got", "plan is set")
    assert session.execute(setting).scalar() is False


def test_segments_are_asked_again_when_what_their_rules_are_read_by_changes(session: Session) -> None:
    segments.save(session, "recent", RECENT)
    while segments.refresh_stale(session, NOW):
        pass
    workspace.save(session, sender_name="Shop")
    assert segments.refresh_stale(session, NOW) is None
    workspace.save(session, event_aliases={"bought": "Order Completed"})
    assert segments.refresh_stale(session, NOW) == "recent"


def test_a_rule_saved_while_a_refresh_waits_for_its_lock_is_the_one_that_is_followed(database: Database) -> None:
    with database.transaction() as session:
        pro, free = identify(
            session, [Profile("c1", attributes={"plan": "pro"}), Profile("c2", attributes={"plan": "free"})], NOW
        )
        segments.save(session, "some", 'plan is "pro"')
    for plan, wanted, act in (
        ("free", free, lambda session: segments.refresh_stale(session, NOW)),
        ("pro", pro, lambda session: segments.refresh(session, "some", NOW)),
    ):
        rule = f'plan is "{plan}"'
        save = partial(segments.save, slug="some", rule=rule)
        with meanwhile(database, "advisory_xact_lock", save), database.transaction() as session:
            act(session)
        with database.transaction() as session:
            assert members(session, "some") == {wanted}
