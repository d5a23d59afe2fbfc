"""Files of any kind: the good rows go in, the others are named."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine import segments
from engine.db import Database
from engine.errors import InvalidInput
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from engine.imports.reading import opened
from engine.imports.report import Counts
from tests.conftest import drop, new_database

TABLES = """contacts, contact_identities, events, event_keys, event_inbox, change_inbox, consent_states, consent_events,
    attribute_definitions, event_definitions, segments, segment_memberships"""
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Any:
    made = new_database(postgres_url)
    yield made
    drop(made)


@pytest.fixture
def empty(shared: Database) -> Database:
    clear(shared)
    return shared


def clear(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text(f"truncate {TABLES}"))


def contacts(database: Database, path: Path, content: str | bytes, **options: Any) -> Counts:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_contacts(database, path, now=NOW, folder=path.parent / "errors", **options)


def events(database: Database, path: Path, content: str, now: dt.datetime = NOW, **options: Any) -> Counts:
    path.write_text(content)
    return import_events(database, path, now=now, folder=path.parent / "errors", **options)


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def refusals(counts: Counts) -> list[tuple[str, str]]:
    if counts.error_file is None:
        return []
    with counts.error_file.open(newline="") as file:
        return [(row["row"], row["column"]) for row in csv.DictReader(file)]


def test_bad_rows_are_named_and_the_good_ones_are_in(empty: Database, tmp_path: Path) -> None:
    content = (
        "external_id,email,phone,timezone,note\n"
        "c1,ann@example.com,+14155552671,Europe/Berlin,fine\n"
        "c2,bad address,,,still in\n"
        ",nonsense,,,refused\n"
        ",,,,refused\n"
        "c3,only,three\n"
        "c4,d@example.com,0176 123456,Mars/Base,in doubt\n"
        "\n"
        'c5,e@example.com,,,"two\nlines"\n'
        "c6,f@example.com,,,nul\0\n"
        f"c7,g@example.com,,,{'x' * 10_000_000}\n"
        "c8,h@example.com,,,last\n"
    )
    counts = contacts(empty, tmp_path / "c.csv", content)
    assert (counts.rows, counts.accepted, counts.unchanged, counts.refused) == (10, 5, 0, 5)
    assert refusals(counts) == [
        ("3", "email"), ("4", "email"), ("5", ""), ("6", ""), ("7", "phone"), ("7", "timezone"),
        ("11", "note"), ("12", "note"),
    ]  # fmt: skip
    found = rows(empty, "select external_id from contacts order by 1")
    assert found == [("c1",), ("c2",), ("c4",), ("c5",), ("c8",)]
    again = contacts(empty, tmp_path / "c.csv", content)
    assert (again.accepted, again.unchanged, again.refused) == (0, 5, 5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_is_read(empty: Database, tmp_path: Path, encoding: str) -> None:
    counts = contacts(empty, tmp_path / "c.csv", "external_id,city\n1,Köln – Süd\n".encode(encoding))
    assert counts.accepted == 1
    assert rows(empty, "select attributes->>'city' from contacts") == [("Köln – Süd",)]


def test_a_quote_that_stays_open_spoils_only_its_own_row(empty: Database, tmp_path: Path) -> None:
    tail = "".join(f"c{i},x\n" for i in range(3000)) * 20
    counts = contacts(empty, tmp_path / "c.csv", f'external_id,note\na,fine\nb,"open\n{tail}')
    assert counts.accepted == 1 and refusals(counts) == [("3", "note")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "empty"),
        ("name,city\nx,y\n", "external_id or email"),
        ("external_id,city,city\n", "twice"),
        ("external_id,,city\n", "column 2"),
        ("external_id,created_at\n", "created_at"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_says_what_is_expected(
    empty: Database, tmp_path: Path, content: str, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        contacts(empty, tmp_path / "c.csv", content)
    assert rows(empty, "select * from imports where filename = 'never'") == []


def test_a_column_has_one_type_and_keeps_it(empty: Database, tmp_path: Path) -> None:
    first = contacts(empty, tmp_path / "a.csv", "external_id,zip,seats,vip\n1,00501,3,true\n2,10115,4,FALSE\n")
    assert first.refused == 0
    stored = rows(empty, "select attributes from contacts order by external_id")
    assert stored == [({"zip": "00501", "seats": 3, "vip": True},), ({"zip": "10115", "seats": 4, "vip": False},)]
    second = contacts(empty, tmp_path / "b.csv", "external_id,zip,seats,vip\n1,12345,many,maybe\n3,5,5.50,true\n")
    assert refusals(second) == [("2", "seats"), ("2", "vip")] and second.refused == 0
    stored = rows(empty, "select attributes from contacts where external_id in ('1', '3') order by external_id")
    assert stored == [({"zip": "12345", "seats": 3, "vip": True},), ({"zip": "5", "seats": 5.5, "vip": True},)]


def test_of_rows_of_one_contact_the_later_wins_and_empty_cells_say_nothing(empty: Database, tmp_path: Path) -> None:
    counts = contacts(empty, tmp_path / "c.csv", "external_id,city,plan\n1,Rome,free\n2,Oslo,\n1,,pro\n")
    assert (counts.created, counts.repeated, counts.rows) == (2, 1, 3)
    assert rows(empty, "select attributes from contacts where external_id = '1'") == [
        ({"city": "Rome", "plan": "pro"},)
    ]


def test_a_file_gives_consent_but_never_takes_back_a_refusal(empty: Database, tmp_path: Path) -> None:
    content = "external_id\n1\n2\n"
    contacts(empty, tmp_path / "c.csv", content, consent=["email", "sms"])
    with empty.transaction() as session:
        session.execute(text("update consent_states set state = 'unsubscribed' where channel = 'email'"))
    contacts(empty, tmp_path / "c.csv", content, consent=["email"])
    assert rows(empty, "select channel, state, count(*) from consent_states group by 1, 2 order by 1") == [
        ("email", "unsubscribed", 2), ("sms", "subscribed", 2),
    ]  # fmt: skip
    assert rows(empty, "select count(*) from consent_events") == [(4,)]


EVENTS = "external_id,name,occurred_at,message_id,total,sku\n"


def test_events_create_contacts_and_identical_rows_stay_apart(empty: Database, tmp_path: Path) -> None:
    content = (
        EVENTS + "1,Bought,2026-01-02,,12.00,007\n1,Bought,2026-01-02,,12.00,007\n2,Bought,2026-01-02T10:00,m,1e5,\n"
    )
    first = events(empty, tmp_path / "e.csv", content)
    assert (first.accepted, first.created) == (3, 2)
    assert rows(empty, "select properties::text, occurred_at from events order by occurred_at, message_id") == [
        ('{"sku": "007", "total": 12.00}', dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        ('{"sku": "007", "total": 12.00}', dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        ('{"total": "1e5"}', dt.datetime(2026, 1, 2, 10, tzinfo=dt.UTC)),
    ]
    again = events(empty, tmp_path / "e.csv", content)
    assert (again.accepted, again.unchanged) == (0, 3)
    swapped = "name,external_id,sku,total,occurred_at\nBought,1,007,12.00,2026-01-02\n"
    assert events(empty, tmp_path / "e.csv", swapped).unchanged == 1


def test_bad_events_are_named(empty: Database, tmp_path: Path) -> None:
    counts = events(
        empty, tmp_path / "e.csv",
        EVENTS + "1,Bought,yesterday,,,\n,Bought,2026-01-01,,,\n1,,2026-01-01,,,\n1,Bought\n1,B,0001-01-01,,,\n"
        "1,Bought,2026-01-01,a,,\n1,Bought,2026-01-01,a,,\n1,Bought,2027-01-01,b,,\n1,Bought,2999-01-01,c,,\n",
    )  # fmt: skip
    assert refusals(counts) == [
        ("2", "occurred_at"), ("3", "external_id"), ("4", "name"), ("5", ""), ("6", "occurred_at"),
        ("9", "occurred_at"), ("10", "occurred_at"),
    ]  # fmt: skip
    assert (counts.accepted, counts.unchanged, counts.repeated, counts.refused) == (2, 1, 1, 6)
    assert rows(empty, "select max(occurred_at) from events") == [(NOW + dt.timedelta(minutes=5),)]


def test_imported_events_trigger_only_when_asked(empty: Database, tmp_path: Path) -> None:
    with empty.transaction() as session:
        segments.save(session, "bought", 'did "Bought"')
        segments.refresh_stale(session, NOW)
    events(empty, tmp_path / "e.csv", EVENTS + "1,Bought,2026-01-01,a,,\n")
    assert rows(empty, "select count(*) from event_inbox") == [(0,)]
    assert rows(empty, "select kind, names from change_inbox where kind = 'event'") == [("event", ["Bought"])]
    many = "".join(f"{i},Bought,2026-01-01,m{i},,\n" for i in range(600))
    events(empty, tmp_path / "e.csv", EVENTS + many)
    assert rows(empty, "select stale from segments") == [(True,)]
    events(empty, tmp_path / "e.csv", EVENTS + "1,Bought,2026-01-01,t,,\n", trigger=True)
    assert rows(empty, "select message_id, triggers, available_at from event_inbox") == [("t", True, NOW)]


def test_on_the_virtual_clock_later_events_are_received_when_they_occur(empty: Database, tmp_path: Path) -> None:
    start = dt.datetime(1997, 1, 1, tzinfo=dt.UTC)
    content = EVENTS + "1,Bought,1996-12-30,a,,\n1,Bought,1998-03-04,b,,\n"
    events(empty, tmp_path / "e.csv", content, now=start, virtual=True, trigger=True)
    later = dt.datetime(1998, 3, 4, tzinfo=dt.UTC)
    assert rows(empty, "select message_id, received_at, available_at from event_inbox order by message_id") == [
        ("a", start, start), ("b", later, later),
    ]  # fmt: skip
    assert rows(empty, "select count(*) from events_1998_03") == [(1,)]
    quiet = EVENTS + "1,Bought,1996-12-30,c,,\n1,Bought,1998-03-05,d,,\n"
    events(empty, tmp_path / "e.csv", quiet, now=start, virtual=True)
    assert rows(empty, "select message_id from event_inbox where not triggers") == [("d",)]


def test_the_error_file_goes_elsewhere_when_the_folder_cannot_be_written(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "c.csv.errors.csv").mkdir()
    counts = contacts(empty, tmp_path / "c.csv", "external_id\nx,y\n")
    assert counts.error_file == tmp_path / "errors" / "c.csv.errors.csv"


def test_a_refused_cell_is_no_formula_in_the_error_file(empty: Database, tmp_path: Path) -> None:
    counts = contacts(empty, tmp_path / "c.csv", 'external_id,email\nx,"=HYPERLINK(""http://x.example"")"\n')
    assert counts.error_file is not None
    with counts.error_file.open(newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ['\'=HYPERLINK("http://x.example")']


def test_a_large_import_leaves_statistics_for_the_statements_that_follow(empty: Database, tmp_path: Path) -> None:
    """Without them the first minute of a journey looks for each contact's events among all of their name."""
    lines = "".join(f"c{n},Bought,2026-05-0{n % 9 + 1}T10:00:00Z,m{n},,\n" for n in range(1500))
    assert events(empty, tmp_path / "e.csv", EVENTS + lines).accepted == 1500
    estimated = rows(
        empty,
        "select sum(reltuples) from pg_class where oid in (select inhrelid from pg_inherits "
        "where inhparent = 'events'::regclass) and reltuples > 0",
    )
    assert estimated == [(1500,)]


def test_threads_take_turns_after_an_import_as_they_did_before(empty: Database, tmp_path: Path) -> None:
    usual = sys.getswitchinterval()
    assert contacts(empty, tmp_path / "c.csv", "external_id\na\nb\n").accepted == 2
    assert sys.getswitchinterval() == usual


cell = st.text(alphabet='ab1.,"\n\0é-', max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(st.sampled_from(["1", "2", "", "x"]), cell, cell), max_size=6))
def test_importing_twice_changes_nothing(shared: Database, tmp_path: Path, table: list[tuple[str, str, str]]) -> None:
    clear(shared)
    path = tmp_path / "x.csv"
    for importer, header, middle in (
        (import_contacts, ["external_id", "email", "note", "city"], "a@b.example"),
        (import_events, ["external_id", "name", "occurred_at", "note", "city"], "Bought"),
    ):
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(header)
            for name, note, city in table:
                fixed = [name, middle] if importer is import_contacts else [name, middle, "2026-01-01"]
                out.writerow([*fixed, note, city])
        first = importer(shared, path, now=NOW, folder=tmp_path)  # type: ignore[operator]
        before = rows(shared, "select * from contacts order by id") + rows(shared, "select * from events order by 1")
        again = importer(shared, path, now=NOW + dt.timedelta(days=1), folder=tmp_path)  # type: ignore[operator]
        after = rows(shared, "select * from contacts order by id") + rows(shared, "select * from events order by 1")
        assert first.accepted + first.unchanged + first.refused == first.rows
        assert (again.refused, again.accepted) == (first.refused, 0), (table, first, again)
        assert before == after


def test_a_header_of_a_hundred_thousand_columns_is_refused_at_once(empty: Database, tmp_path: Path) -> None:
    header = "external_id," + ",".join(f"c{number}" for number in range(100_000)) + "\n"
    with pytest.raises(InvalidInput, match="more than 2,000 columns"):
        contacts(empty, tmp_path / "wide.csv", header)


def test_large_rows_come_in_smaller_batches(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("external_id,a\n" + f"c,{'x' * 9_000_000}\n" * 8)
    with opened(path) as table:
        assert [len(batch) for batch in table.batches(10_000)] == [4, 4]


def test_a_line_without_end_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("external_id,a\nc," + "x" * 30_000_000)
    with opened(path) as table:
        lengths = [sum(map(len, line.cells)) for batch in table.batches(10_000) for line in batch]
    assert max(lengths) <= 12 * 1024 * 1024 and len(lengths) == 3


def test_national_numbers_are_those_of_the_country_that_is_named(empty: Database, tmp_path: Path) -> None:
    numbers = ["0171 5551234", "(030) 12345-678", "+1 415 555 2671", "0043 664 1234567", "12"]
    lines = [f"{name},{number}" for name, number in zip("abcde", numbers, strict=True)]
    found = contacts(empty, tmp_path / "people.csv", "\n".join(["external_id,phone", *lines]), country="DE")
    assert (found.refused, found.doubts) == (0, 1)
    assert rows(empty, "select external_id, phone from contacts order by 1") == [
        ("a", "+491715551234"), ("b", "+493012345678"), ("c", "+14155552671"), ("d", "+436641234567"), ("e", None),
    ]  # fmt: skip
