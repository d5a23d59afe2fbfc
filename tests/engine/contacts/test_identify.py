"""Finding, making, merging and writing contacts."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.identify import identify, set_attributes
from engine.contacts.profile import Profile
from engine.db import Database
from tests.conftest import drop, new_database

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


def contact(session: Session, id_: int) -> Any:
    return session.execute(text("select * from contacts where id = :id"), {"id": id_}).one()


def changes(session: Session) -> list[tuple[int, str, list[str]]]:
    rows = session.execute(text("delete from change_inbox returning contact_id, kind, names")).all()
    return [(id_, kind, sorted(names)) for id_, kind, names in rows]


def test_a_contact_is_made_once_and_found_by_each_of_its_names(session: Session) -> None:
    [made] = identify(session, [Profile("c1", email="Ann@example.com", anonymous_id="a1")], NOW)
    by_external, by_email, by_anonymous = identify(
        session, [Profile("c1"), Profile(email="ann@EXAMPLE.com"), Profile(anonymous_id="a1")], LATER
    )
    assert {made} == {by_external, by_email, by_anonymous}


def test_only_differences_are_written_and_announced(session: Session) -> None:
    profile = Profile("c1", email="a@b.example", attributes={"plan": "free", "seats": 3, "tags": ["x"]})
    [id_] = identify(session, [profile], NOW)
    assert changes(session) == [(id_, "attribute", ["created_at", "email", "plan", "seats", "tags"])]
    identify(session, [profile], LATER)
    assert changes(session) == [] and contact(session, id_).updated_at == NOW
    identify(session, [Profile("c1", attributes={"plan": "pro", "seats": 3.0})], LATER)
    assert changes(session) == [(id_, "attribute", ["plan"])] and contact(session, id_).updated_at == LATER


def test_true_differs_from_one_and_none_removes(session: Session) -> None:
    [id_] = identify(session, [Profile("c1", attributes={"a": 1, "b": {"c": 1}, "d": 1})], NOW)
    changes(session)
    identify(session, [Profile("c1", attributes={"a": True, "b": {"c": True}, "d": None, "e": None})], LATER)
    assert contact(session, id_).attributes == {"a": True, "b": {"c": True}}
    assert changes(session) == [(id_, "attribute", ["a", "b", "d"])]


def test_numbers_that_are_not_touched_keep_every_digit(session: Session) -> None:
    identify(session, [Profile("c1")], NOW)
    session.execute(text("update contacts set attributes = '{\"n\": 0.12345678901234567890}'"))
    identify(session, [Profile("c1", attributes={"m": 1})], NOW)
    assert session.execute(text("select attributes->>'n' from contacts")).scalar() == "0.12345678901234567890"


def test_the_later_profile_of_a_batch_wins(session: Session) -> None:
    first, second = identify(
        session,
        [
            Profile("c1", phone="+1", attributes={"x": 1, "y": 1}),
            Profile("c1", removed=frozenset({"phone"}), attributes={"x": 2}),
        ],
        NOW,
    )
    assert first == second
    row = contact(session, first)
    assert row.attributes == {"x": 2, "y": 1} and row.phone is None


def test_an_email_contact_gets_its_external_id(session: Session) -> None:
    [id_] = identify(session, [Profile(email="a@b.example")], NOW)
    assert identify(session, [Profile("c1", email="A@b.example")], NOW) == [id_]
    assert contact(session, id_).external_id == "c1"


def test_two_external_ids_with_one_email_stay_two_contacts(session: Session) -> None:
    one, two = identify(session, [Profile("c1", email="a@b.example"), Profile("c2", email="a@b.example")], NOW)
    assert one != two
    assert identify(session, [Profile(email="a@b.example"), Profile("c2", email="a@b.example")], NOW) == [one, two]


def test_an_anonymous_contact_becomes_known_and_brings_its_events(session: Session) -> None:
    anonymous, known = identify(
        session, [Profile(anonymous_id="a1", attributes={"src": "ad", "x": 1}), Profile("c1", attributes={"x": 2})], NOW
    )
    session.execute(
        text(
            "insert into events (message_id, received_at, occurred_at, contact_id, name, source) "
            "values ('m', now(), now(), :id, 'Seen', 'api')"
        ),
        {"id": anonymous},
    )
    changes(session)
    assert identify(session, [Profile("c1", anonymous_id="a1")], LATER) == [known]
    assert session.execute(text("select contact_id from events")).scalars().all() == [known]
    assert session.execute(text("select id from contacts")).scalars().all() == [known]
    assert contact(session, known).attributes == {"src": "ad", "x": 2}
    assert changes(session) == [(known, "attribute", ["created_at", "external_id"])]


def test_a_shared_browser_follows_who_signed_in_last_without_merging(session: Session) -> None:
    one, two = identify(session, [Profile("c1", anonymous_id="a1"), Profile("c2", anonymous_id="a1")], NOW)
    assert one != two
    assert identify(session, [Profile(anonymous_id="a1")], NOW) == [two]


def test_a_merge_within_a_batch_and_a_chain_end_at_one_contact(session: Session) -> None:
    identify(session, [Profile(anonymous_id="a1"), Profile(email="a@b.example")], NOW)
    ids = identify(
        session,
        [
            Profile(email="a@b.example", anonymous_id="a1"),
            Profile(anonymous_id="a2"),
            Profile("c1", email="a@b.example", anonymous_id="a2"),
        ],
        NOW,
    )
    assert len(set(ids)) == 1
    assert session.execute(text("select count(*) from contacts")).scalar() == 1


def test_attribute_definitions_are_filled_at_first_sight(session: Session) -> None:
    identify(
        session,
        [
            Profile("c1", attributes={"n": 1, "t": "x", "b": True, "d": "2026-01-31", "m": "2026-01-31T10:00:00Z"}),
            Profile("c2", attributes={"n": "text now", "l": [1], "o": {"seats": 3}, "bad": "2026-99-99"}),
        ],
        NOW,
    )
    found = dict(session.execute(text("select name, type from attribute_definitions")).all())  # type: ignore[arg-type]
    assert found == {
        "n": "number", "t": "text", "b": "boolean", "d": "date", "m": "datetime", "l": "list", "o": "object",
        "o.seats": "number", "bad": "text",
    }  # fmt: skip


def test_values_are_set_by_contact_id(session: Session) -> None:
    [id_] = identify(session, [Profile("c1", attributes={"a": 1})], NOW)
    changes(session)
    set_attributes(session, {id_: {"a": None, "b": 2, "locale": "de"}, 999: {"a": 1}}, LATER)
    assert changes(session) == [(id_, "attribute", ["a", "b", "locale"])]


def test_two_callers_that_meet_the_same_new_contacts_make_them_once(database: Database) -> None:
    profiles = [Profile(f"c{i}", email=f"c{i}@b.example", anonymous_id=f"a{i}") for i in range(200)]
    gate, results = threading.Barrier(4), []

    def call(order: int) -> None:
        gate.wait()
        for _ in range(3):
            with database.transaction() as opened:
                mine = profiles[::-1] if order % 2 else profiles
                results.append(sorted(identify(opened, mine, NOW)))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12 and all(result == results[0] for result in results)


names = st.sampled_from(["x", "y", "z"])
profiles_drawn = st.builds(
    Profile,
    external_id=st.none() | names,
    email=st.none() | names.map(lambda n: f"{n}@b.example"),
    anonymous_id=st.none() | names,
    attributes=st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, 2, None, True, "t"]), max_size=2),
    phone=st.none(),
    timezone=st.none(),
    locale=st.none(),
    removed=st.just(frozenset[str]()),
).filter(lambda p: p.external_id or p.email or p.anonymous_id)


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Any:
    made = new_database(postgres_url)
    yield made
    drop(made)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(profiles_drawn, min_size=1, max_size=5), min_size=1, max_size=4))
def test_ids_are_contacts_and_external_ids_are_never_mixed(shared: Database, batches: list[list[Profile]]) -> None:
    with shared.transaction() as session:
        for table in ("change_inbox", "contact_identities", "contacts"):
            session.execute(text(f"delete from {table}"))
        for batch in batches:
            ids = identify(session, batch, NOW)
            found = dict(session.execute(text("select id, external_id from contacts")).all())  # type: ignore[arg-type]
            for profile, id_ in zip(batch, ids, strict=True):
                assert profile.external_id is None or found[id_] == profile.external_id
            before = identify(session, batch[-1:], NOW)
            changes(session)
            assert identify(session, batch[-1:], NOW) == before and changes(session) == []


def test_a_dotted_name_reaches_into_an_object_and_leaves_the_rest(session: Session) -> None:
    identify(session, [Profile(external_id="a", attributes={"firm": {"name": "Acme", "size": 3}})], NOW)
    identify(session, [Profile(external_id="a", attributes={"firm.size": 25, "firm.seat.city": "Bonn"})], NOW)
    identify(session, [Profile(external_id="b", attributes={"firm.size": 7})], NOW)
    found = dict(session.execute(text("select external_id, attributes from contacts")).all())
    assert found["a"] == {"firm": {"name": "Acme", "size": 25, "seat": {"city": "Bonn"}}}
    assert found["b"] == {"firm": {"size": 7}}
