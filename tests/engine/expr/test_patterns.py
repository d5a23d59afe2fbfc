"""`matches`: PostgreSQL and the automaton agree, and no pattern takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.expr import patterns

pieces = st.sampled_from(
    [
        "a",
        "b",
        "é",
        ".",
        r"\.",
        "[a-c]",
        "[^a]",
        r"\d",
        r"\W",
        r"\s",
        "[a-]",
        r"[\]x]",
        "-",
        "/",
        "1",
        " ",
        "\n",
        "(?:ab|)",
        "(b)",
    ]
)
repeats = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{0}"])
series = st.lists(st.tuples(pieces, repeats).map("".join), max_size=4).map("".join)
edges = st.tuples(st.sampled_from(["", "^"]), series, st.sampled_from(["", "$"])).map("".join)
written = st.lists(edges, min_size=1, max_size=2).map("|".join)
subjects = st.text(st.sampled_from("aabbcé1.-/ \n]x"), max_size=8)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(pattern=written, subject=subjects)
def test_three_engines_agree(one: Session, pattern: str, subject: str) -> None:
    with one.begin_nested():
        query = text("select cast(:subject as text) ~ cast(:pattern as text)")
        there = one.scalar(query, {"subject": subject, "pattern": patterns.to_postgres(pattern)})
    here = patterns.found(pattern, subject)
    assert here is there
    assert here is (re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), subject, re.DOTALL | re.ASCII) is not None)


@pytest.fixture(scope="module")
def one(postgres_url: str):  # type: ignore[no-untyped-def]
    from engine.db import Database

    database = Database(postgres_url, workspace="public", pool_size=1)
    with database.transaction() as session:
        yield session
    database.close()


@pytest.mark.parametrize(
    "pattern", ["a*a*a*a*a*b", ".*.*.*.*x", "(?:a|a|a)*b", "[a-z]+[a-z]+[a-z]+1", "^a{0,100}a{0,100}$"]
)
def test_search_is_linear(pattern: str) -> None:
    try:
        patterns.read_pattern(pattern)
    except patterns.PatternError:
        return
    start = time.process_time()
    patterns.found(pattern, "a" * 20_000)
    assert time.process_time() - start < 2
