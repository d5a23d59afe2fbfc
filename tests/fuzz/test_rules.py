"""The rules language: parse, check, write, English, SQL. Bound: 50 ms a rule (`docs/language.md`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, LanguageError
from engine.expr import Schema, ast, check, dependencies, english, parse, unparse
from engine.expr.compile_sql import matching
from engine.expr.complete import complete
from engine.expr.patterns import PatternError, read_pattern, to_postgres
from engine.expr.patterns import found as occurs
from engine.expr.querybuilder import from_builder, to_builder
from tests.conftest import drop, new_database
from tests.corpora.rules.corpus import accepted, refused
from tests.engine.expr import rules
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz, within

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SCHEMA = Schema(
    attributes={"plan": "text", "seats": "number", "vip": "boolean", "tags": "list", "trial_ends_at": "date"},
    events={"Order Completed": {"total": "number"}, "A": {}},
    segments=frozenset({"vip"}),
    lists=frozenset({"beta"}),
    topics={"news": "subscribed"},
    contents=frozenset({"welcome"}),
    journeys=frozenset({"trial"}),
)
TEXTS = [rule.rule for rule in (*accepted(), *refused("refused.txt"))]
GRAMMAR = Lark(resources.files("engine.expr").joinpath("grammar.lark").read_text("utf-8"), parser="lalr", start="rule")
SPELLED = {
    "STRING": ('"pro"', '"vip"', '"A"', "“x”", '"\\"\\\\\\n"', '""', '"^a[b-z]{2,3}$"'),
    "PATH": ("plan", "seats", "event.total", "contact.plan", "`a b`.c", "purchased", "é", "nan", "event"),
    "DATE": ("2026-01-31", "2026-02-30", "9999-12-31", "2026-01-31T10:00:00+14:00", "0001-01-01", "2026-1-1"),
    "INTEGER": ("0", "1", "7", "9" * 20, "9" * 101),
    "DECIMAL": ("-1", "0.5", "-0.0", "-" + "9" * 60 + ".5"),
    "UNIT": ("day ", "months ", "years "),
    "VERB": ("opened ", "received "),
    "AGGREGATE": ("sum ", "first ", "count "),
}


def spelled(name: str, pattern: str) -> st.SearchStrategy[str]:
    """Words as they are written, with the space that the grammar leaves to the author."""
    if name in SPELLED:
        return st.sampled_from([f"{word} " for word in SPELLED[name]])
    word = pattern.replace(r"\b", "").replace(r"(?![\w.])", "").replace(r"(?=\s+[0-9]{4}-)", "").replace("?", "")
    return st.just(word.replace(r"\s+", " ") + " ")


explicit = {
    terminal.name: spelled(terminal.name, terminal.pattern.value)
    for terminal in GRAMMAR.terminals
    if terminal.name.isalpha() or "_" in terminal.name
    if terminal.name not in ("OPERATOR", "LPAR", "RPAR") and not terminal.name.startswith("__")
}
written = from_lark(GRAMMAR, start="rule", explicit=explicit, alphabet=st.characters(codec="utf-8"))


def survives(text: str) -> None:
    """All that is done with a rule that somebody wrote."""
    with within(0.05, text):
        try:
            node = parse(text)
        except LanguageError as error:
            assert error.message and 1 <= error.line <= text.count("\n") + 2 and error.column >= 1
            return
    with within(0.1, text):
        assert all(problem.message and problem.line >= 1 for problem in check(node, SCHEMA))
        assert parse(unparse(node)) == node
        assert english(node)
        dependencies(node, SCHEMA.aliases)
    with within(1, text):
        compiled = matching(node, SCHEMA, NOW).compile(dialect=postgresql.dialect())
    assert len(compiled.params) < 65_535


@fuzz(50)
@given(written)
def test_whatever_the_grammar_writes(text: str) -> None:
    survives(text)


@fuzz(200)
@given(hostile.mutated(TEXTS, ("(", ")", "not ", " and ", '"', "`", "[", " in ", " 0 ", " ", "\\")))
@example("a is 1 or " * 399 + "a is 1")
@example('opened "welcome" or ' * 99 + "opened")
@example("a in [" + '"x",' * 1_900 + "1]")
def test_damaged_rules(text: str) -> None:
    survives(text)


@fuzz(60)
@given(hostile.texts | hostile.broken)
def test_any_text(text: str) -> None:
    survives(text)


SIGNS = (
    "a", "Z", "0", "é", ".", "\\d", "\\W", "\\.", "[a-z]", "[^0-9é]", "(", ")", "(?:", "|", "*", "+", "?", "{2}",
    "{0,100}", "{,3}", "^", "$", "\\", "[", "]", "-", "[]-a]", "(?=", "\\1", "\\b", "\U0010ffff", "\n", " ",
)  # fmt: skip
patterns = st.lists(st.sampled_from(SIGNS) | hostile.plain, max_size=12).map("".join)


@fuzz(200)
@given(patterns, hostile.plain, st.booleans())
def test_patterns_are_refused_or_search_in_linear_time(pattern: str, subject: str, ignore_case: bool) -> None:
    with within(0.05, pattern):
        try:
            read_pattern(pattern, ignore_case)
        except PatternError as error:
            assert error.message and 0 <= error.offset <= len(pattern)
            return
    with within(0.5, pattern):
        occurs(pattern, subject * 50, ignore_case)
        assert to_postgres(pattern, ignore_case).isascii()


@pytest.fixture(scope="module")
def asked(postgres_url: str) -> Iterator[Session]:
    """A workspace to ask, with time limits on every statement."""
    database = new_database(postgres_url)
    with database.transaction() as session:
        session.execute(text("set local statement_timeout = '5s'"))
        yield session
    drop(database)


def counted(session: Session, node: ast.Node) -> None:
    with session.begin_nested():
        session.execute(select(func.count()).select_from(matching(node, SCHEMA, NOW).subquery()))


@fuzz(40)
@given(rules.rules)
def test_the_database_takes_what_reads(asked: Session, node: ast.Node) -> None:
    counted(asked, node)


@fuzz(40)
@given(patterns)
def test_the_database_takes_patterns_that_read(asked: Session, pattern: str) -> None:
    try:
        read_pattern(pattern)
    except PatternError:
        return
    asked.execute(select(text("'a' ~ :pattern")), {"pattern": to_postgres(pattern)})


@pytest.mark.parametrize(
    "rule",
    [
        "a > b and " * 399 + "a > 1",
        'opened "welcome" or ' * 99 + "opened",
        "sum of total over A > 1 and " * 99 + "a is 1",
        'in segment "vip" or ' * 99 + "a is 1",
        "a in [" + '"x",' * 1_900 + "1]",
        'a matches "[^a]{99}b" or ' * 399 + "a is 1",
        "not (a is 1 or " * 49 + "a is 1" + ")" * 49,
    ],
)
def test_the_largest_rules_that_read_are_answered(asked: Session, rule: str) -> None:
    with within(1, rule):
        counted(asked, parse(rule))


@fuzz(120)
@given(hostile.mutated(TEXTS, ("(", '"', " and ", "in ", " ", "`")), st.floats(0, 1))
def test_any_place_is_completed_or_not(text: str, share: float) -> None:
    cursor = round(share * len(text))
    with within(0.1, text):
        found = complete(text, cursor, SCHEMA)
    assert 0 <= found.start <= cursor <= found.end <= len(text)
    assert all(item.text for item in found.items)


@fuzz(100)
@given(rules.rules, st.data())
def test_damaged_builder_json_is_refused_with_its_place(node: ast.Node, data: st.DataObject) -> None:
    tree = to_builder(node)
    assert from_builder(tree) == node
    group, key = data.draw(st.sampled_from(list(places(tree))))
    group[key] = data.draw(st.sampled_from([None, "", 5, [], {}, "@rule", "and", [[]], {"rules": []}, "x" * 300, True]))
    with within(0.1, tree):
        try:
            parsed = from_builder(tree)
        except (InvalidInput, LanguageError) as error:
            assert str(error)
            return
    assert parse(unparse(parsed)) == parsed


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a JSON tree, by what holds it and under which key."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)
