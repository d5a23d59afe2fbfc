"""Files of contacts that say what their people agreed to elsewhere."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from engine.contacts.consent import ConsentChange, record_consent
from engine.contacts.topics import create
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.imports.contacts import import_contacts
from engine.imports.report import Counts

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
OLD = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
NEWS, MAIL = "consent.news.email", "consent.email"


def load(database: Database, folder: Path, source: str, **options: Any) -> Counts:
    path = folder / "people.csv"
    path.write_text(source)
    return import_contacts(database, path, now=NOW, folder=folder, **options)


def states(database: Database) -> list[tuple[Any, ...]]:
    query = (
        "select c.external_id, s.channel, s.topic, s.state, s.changed_at from consent_states s "
        "join contacts c on c.id = s.contact_id order by 1, 2, 3"
    )
    with database.transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def history(database: Database) -> int:
    with database.transaction() as session:
        return int(session.execute(text("select count(*) from consent_events")).scalar_one())


@pytest.fixture
def news(database: Database) -> Database:
    with database.transaction() as session:
        create(session, "news", "News")
    return database


def test_a_list_moves_over_with_its_unsubscriptions(news: Database, tmp_path: Path) -> None:
    source = (
        f"external_id,email,{NEWS},{NEWS}.date,{NEWS}.source,{MAIL},plan\n"
        "a,a@x.example,subscribed,2024-02-01,Form at the fair,,pro\n"
        "b,b@x.example,No,2024-02-01,,,pro\n"
        "c,c@x.example,,,,unsubscribed,pro\n"
        "d,d@x.example,,,,,pro\n"
    )
    counts = load(news, tmp_path, source)
    assert (counts.created, counts.doubts, counts.words) == (4, 0, 3)
    assert states(news) == [
        ("a", "email", "news", "subscribed", OLD),
        ("b", "email", "news", "unsubscribed", OLD),
        ("c", "email", "", "unsubscribed", NOW),
    ]
    with news.transaction() as session:
        assert session.execute(text("select proof, source from consent_events order by id limit 1")).one() == (
            {"source": "Form at the fair"}, "import",
        )  # fmt: skip
        assert session.execute(text("select distinct attributes from contacts")).scalars().all() == [{"plan": "pro"}]
    assert load(news, tmp_path, source).words == 0
    assert history(news) == 3


def test_what_cairn_was_told_later_stands(news: Database, tmp_path: Path) -> None:
    load(news, tmp_path, "external_id\na\nb\nc\n")
    with news.transaction() as session:
        ids = dict(session.execute(text("select external_id, id from contacts")).all())
        said = [
            ConsentChange(ids["a"], "email", "unsubscribed", "link", "news"),
            ConsentChange(ids["b"], "email", "subscribed", "form", "news"),
            ConsentChange(ids["c"], "email", "subscribed", "form", "news", occurred_at=OLD - dt.timedelta(days=9)),
        ]
        record_consent(session, said, NOW - dt.timedelta(days=1))
    rows = "a,subscribed,2026-04-30T23:00:00Z\nb,unsubscribed,2024-02-01\nc,unsubscribed,2024-02-01\n"
    load(news, tmp_path, f"external_id,{NEWS},{NEWS}.date\n{rows}")
    assert [(who, state) for who, _, _, state, _ in states(news)] == [
        ("a", "unsubscribed"), ("b", "subscribed"), ("c", "unsubscribed"),
    ]  # fmt: skip


def test_a_file_that_comes_again_does_not_undo_what_its_people_did_since(news: Database, tmp_path: Path) -> None:
    source = f"external_id,{NEWS}\na,unsubscribed\n"
    load(news, tmp_path, source)
    with news.transaction() as session:
        contact_id = session.execute(text("select id from contacts")).scalar_one()
        record_consent(session, [ConsentChange(contact_id, "email", "subscribed", "form", "news")], NOW)
    load(news, tmp_path, source)
    assert [state for *_, state, _ in states(news)] == ["subscribed"]


def test_consent_for_the_whole_file_leaves_out_who_refused_in_it(news: Database, tmp_path: Path) -> None:
    load(news, tmp_path, f"external_id,{MAIL}\na,unsubscribed\nb,\n", consent=["email"])
    assert [(who, state) for who, _, _, state, _ in states(news)] == [("a", "unsubscribed"), ("b", "subscribed")]


def test_cells_that_say_nothing_usable_are_reported_with_their_line(news: Database, tmp_path: Path) -> None:
    rows = "a,perhaps,\nb,subscribed,soon\nc,unsubscribed,soon\n"
    counts = load(news, tmp_path, f"external_id,{NEWS},{NEWS}.date\n{rows}")
    assert (counts.created, counts.refused, counts.doubts) == (3, 0, 3)
    assert [(who, state, at) for who, _, _, state, at in states(news)] == [("c", "unsubscribed", NOW)]
    assert counts.error_file is not None
    problems = [line.split(",")[:4] for line in counts.error_file.read_text().splitlines()[1:]]
    assert problems == [
        ["2", NEWS, "perhaps", "is no word of consent"],
        ["3", f"{NEWS}.date", "soon", "is no date"],
        ["4", f"{NEWS}.date", "soon", "is no date"],
    ]


def test_columns_of_another_tool_are_read_by_name_and_ragged_rows_are_told(news: Database, tmp_path: Path) -> None:
    columns = {"Mail": "email", "Opt-in": NEWS}
    counts = load(news, tmp_path, "Mail,Opt-in\na@x.example,yes\nb@x.example\n", columns=columns)
    assert (counts.words, counts.refused) == (1, 1)
    assert counts.error_file is not None and "has 1 cells where the header has 2" in counts.error_file.read_text()
    with pytest.raises(InvalidInput, match="no column Gone"):
        load(news, tmp_path, "Mail\na@x.example\n", columns={"Gone": "email"})


@pytest.mark.parametrize("name", ["consent.fax", "consent.a.b.email", "consent..email", f"{NEWS}.date"])
def test_a_column_that_is_none_refuses_the_file(news: Database, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no column of consent"):
        load(news, tmp_path, f"external_id,{name}\na,subscribed\n")


def test_a_topic_that_there_is_not_refuses_the_file(news: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="cairn topics list"):
        load(news, tmp_path, "external_id,consent.offers.email\na,subscribed\n")
