"""Array literals mean to PostgreSQL what they held in Python."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.arrays import literal
from engine.db import Database, driver, text_array

kinds: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.just("NULL"),
    "boolean": st.booleans(),
    "bytea": st.binary(),
    "timestamptz": st.datetimes(dt.datetime(1900, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 - hypothesis wants it naive
    "numeric": st.decimals(-1000, 1000, places=4),
}


@pytest.mark.parametrize("kind", kinds)
def test_an_array_comes_back_as_it_was(database: Database, kind: str) -> None:
    with database.transaction() as session:

        @settings(deadline=None)
        @given(st.lists(st.none() | kinds[kind]))
        def holds(values: list[Any]) -> None:
            found = session.execute(text(f"select cast(:values as {kind}[])"), {"values": literal(values)}).scalar()
            assert found == values

        holds()


def test_another_type_is_refused() -> None:
    with pytest.raises(KeyError):
        literal([Decimal(1), 1.5])  # type: ignore[list-item]


def test_many_texts_come_back_as_they_were(database: Database) -> None:
    with database.transaction() as session:

        @given(st.lists(kinds["text"]))
        def check(texts: list[str]) -> None:
            assert driver(session).execute("select %s::text[]", (text_array(texts),)).fetchone() == (texts,)

        check()
