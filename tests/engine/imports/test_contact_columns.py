"""Reading by columns and writing in bulk do what reading and deciding row by row do."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.db import Database
from engine.imports import contacts
from engine.imports.contact_rows import RowReader
from engine.imports.contacts import import_contacts
from engine.imports.report import Counts
from tests.conftest import drop, new_database

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
HEADER = ["external_id", "email", "phone", "timezone", "locale", "plan", "n"]
TABLES = "contacts, contact_identities, change_inbox, consent_states, consent_events, attribute_definitions"
WHO = "coalesce(external_id, '') || '/' || coalesce(email, '')"
STATE = (
    "select external_id, email, phone, timezone, locale, attributes::text, updated_at from contacts "
    "order by 1, 2, 3, 6",
    f"select {WHO}, kind, array(select unnest(names) order by 1) from change_inbox i "
    "join contacts c on c.id = i.contact_id order by 1, 2, 3",
    f"select {WHO}, channel, state from consent_states s join contacts c on c.id = s.contact_id order by 1, 2",
    f"select {WHO}, channel, action, source from consent_events s join contacts c on c.id = s.contact_id order by 1, 2",
    "select name, type from attribute_definitions order by 1",
)


@pytest.fixture(scope="module")
def pair(postgres_url: str) -> Iterator[tuple[Database, Database]]:
    made = new_database(postgres_url), new_database(postgres_url)
    yield made
    for database in made:
        drop(database)


def row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row is read by itself and goes through `identify`."""
    monkeypatch.setattr(RowReader, "_rows", lambda _self, lines: [None] * len(lines))
    monkeypatch.setattr(contacts, "_by_columns", lambda _header: False)


def run(database: Database, path: Path, now: dt.datetime) -> tuple[Counts, str]:
    """What the import says, but for rows that share an email: which contact is the older one depends on the order in
    which a batch makes them, and has a test of its own."""
    counts = import_contacts(database, path, now=now, folder=path.parent, consent=["email"])
    errors = counts.error_file.read_text() if counts.error_file else ""
    return replace(counts, shared=0, shared_rows=[]), errors


def state(database: Database) -> list[Any]:
    with database.transaction() as session:
        return [session.execute(text(query)).all() for query in STATE]


names = st.tuples(
    st.sampled_from(["", "1", "2", "3"]), st.sampled_from(["", "a@b.example", "A@b.example", "c@d.example"])
)
plain = st.tuples(names, st.just(("", "Europe/Berlin", "de", "free", "1")))
odd = st.tuples(
    st.tuples(
        st.sampled_from([" 5", " ", 'a"\\b', "x" * 600]),
        st.sampled_from(["", "c@D.example", "e@b.example", "nonsense"]),
    ),
    st.tuples(
        st.sampled_from(["", "+14155552671", "0176 123456", "00441632960961", "+1"]),
        st.sampled_from(["", "Europe/Berlin", "Mars/Base"]),
        st.sampled_from(["", "de", "pt_BR", "?"]),
        st.sampled_from(["", "free", 'a "quoted"\\ one', "é\n\x7f\x01", "007", "nul\0"]),
        st.sampled_from(["", "1", "2.50", "-3", "true", "many"]),
    ),
)
row = st.one_of(plain, plain, plain, odd).map(lambda parts: (*parts[0], *parts[1]))
files = st.lists(st.lists(row, min_size=1, max_size=4), min_size=2, max_size=3)


def said(external_id: str, email: str, plan: str = "") -> tuple[str, ...]:
    return (external_id, email, "", "", "", plan, "")


NAMED = [[said("", "a@b.example")], [said("1", "a@b.example")]]
FORMER_EMAIL = [[said("1", "a@b.example")], [said("1", "c@d.example"), said("", "a@b.example")]]
SHARED = [
    [said("", "a@b.example"), said("3", "a@b.example"), said(" 5", "")],
    [said("3", "c@d.example"), said(" 5", "c@D.example")],
    [said(" 5", "c@D.example")],
]
BACK_AGAIN = [[said("1", "a@b.example", "free")], [said("", "a@b.example", "pro"), said("1", "", "free")]]


@example(tables=NAMED, ragged=False)
@example(tables=FORMER_EMAIL, ragged=False)
@example(tables=BACK_AGAIN, ragged=False)
@example(tables=SHARED, ragged=False)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=files, ragged=st.booleans())
def test_a_file_read_by_columns_leaves_what_reading_it_row_by_row_leaves(
    pair: tuple[Database, Database], tmp_path: Path, tables: list[list[tuple[str, ...]]], ragged: bool
) -> None:
    for database in pair:
        with database.transaction() as session:
            session.execute(text(f"truncate {TABLES} cascade"))
    for number, table in enumerate(tables):
        path, now = tmp_path / "c.csv", NOW + dt.timedelta(days=number)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADER, *table, *([["1", "short"]] if ragged else [])])
        fast = run(pair[0], path, now)
        with pytest.MonkeyPatch.context() as monkeypatch:
            row_by_row(monkeypatch)
            slow = run(pair[1], path, now)
        assert fast == slow
        assert state(pair[0]) == state(pair[1])


def test_rows_that_are_plain_take_the_short_way(
    pair: tuple[Database, Database], tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("external_id,email,n\n" + "".join(f"p{n},p{n}@b.example,{n}\n" for n in range(50)))
    monkeypatch.setattr(contacts, "_write_others", lambda *_: pytest.fail("a decision was asked for"))
    monkeypatch.setattr(RowReader, "_read_alone", lambda *_: pytest.fail("a row was read alone"))
    first = import_contacts(pair[0], path, now=NOW, folder=tmp_path)
    again = import_contacts(pair[0], path, now=NOW, folder=tmp_path)
    assert (first.created, first.accepted, again.unchanged, again.accepted) == (50, 50, 50, 0)


@pytest.mark.parametrize("plain", [True, False])
def test_external_ids_that_share_an_email_are_told(
    pair: tuple[Database, Database], tmp_path: Path, monkeypatch: Any, plain: bool
) -> None:
    if not plain:
        row_by_row(monkeypatch)
    with pair[0].transaction() as session:
        session.execute(text(f"truncate {TABLES} cascade"))
    path = tmp_path / "c.csv"
    path.write_text("external_id,email\nk1,K@b.example\nk2,other@b.example\n")
    assert import_contacts(pair[0], path, now=NOW, folder=tmp_path).shared == 0
    path.write_text("external_id,email\nk3,new@b.example\nk4,k@b.example\nk5,m@b.example\nk6,m@b.example\n")
    for _ in range(2):
        counts = import_contacts(pair[0], path, now=NOW, folder=tmp_path)
        assert (counts.shared, counts.shared_rows, counts.refused, counts.error_file) == (2, [3, 5], 0, None)
