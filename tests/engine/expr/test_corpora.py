"""The language as a whole: what must differ, what must survive, what is too large. Examples: tests/corpora."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings

from engine.errors import LanguageError
from engine.expr import ast, english, parse, parse_value, unparse, write_value
from tests.corpora.rules.corpus import accepted
from tests.engine.expr import rules


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rules.rules)
def test_any_tree_survives_writing_and_reading(node: ast.Node) -> None:
    assert parse(unparse(node)) == node
    assert english(node)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ('did "A" at least 2 times', 'did "A" at most 2 times'),
        ('did "A" at least 2 times', 'did "A" exactly 2 times'),
        ('did "A" at least once', 'did "A" once'),
        ('did "A" once', 'did "A" twice'),
        ('did "A" then "B" within 1 day', 'did "A" without "B" within 1 day'),
        ("t more than 1 day ago", "t less than 1 day ago"),
        ("t is within the next 1 day", "t is within the last 1 day"),
        ("t is within the next 1 day", "t is not within the next 1 day"),
        ('t starts with "a"', 't ends with "a"'),
        ('t contains "a"', 't matches "a"'),
        ('t contains "a"', 't not contains "a"'),
        ('t in ["a"]', 't not in ["a"]'),
        ('did "A" since 2026-01-01', 'did "A" before 2026-01-01'),
        ('did "A" since entry', 'did "A" since step'),
        ('did "A" since entry', 'did "A" ever'),
        ('did "A" ever', 'did "A"'),
        ('did "A"', 'never did "A"'),
        ("t is before 2026-01-01", "t is after 2026-01-01"),
        ("t > 5", "t >= 5"),
        ("t < 5", "t <= 5"),
        ('t is "a"', 't is not "a"'),
        ("t is set", "t is not set"),
        ('in segment "a"', 'in list "a"'),
        ('in list "a"', 'in journey "a"'),
        ('opened "a"', 'clicked "a"'),
        ('opened "a"', 'opened step "a"'),
        ("sum of x over A > 5", "average of x over A > 5"),
        ("first of x over A > 5", "last of x over A > 5"),
        ('subscribed to "a" on email', 'subscribed to "a" on sms'),
        ("t is true", "t is false"),
        ("a is 1 and b is 2", "a is 1 or b is 2"),
        ("t between 1 and 2", "t not between 1 and 2"),
        ("t more than 1 month ago", "t more than 1 year ago"),
        ("contact.t is 1", "t is 1"),
        ("event.t is 1", "t is 1"),
    ],
)
def test_every_keyword_makes_a_difference(one: str, two: str) -> None:
    assert parse(one) != parse(two)


def test_equality_ignores_positions() -> None:
    assert parse("a is 1") == parse("  a\n is   1")
    assert parse("  a is 1").at == ast.Position(1, 3)


def test_values_read_and_write() -> None:
    for text in (
        "event.mrr",
        "event.cart.total",
        'sum of total over "Order Completed"',
        "lifetime_value",
        "25",
        "12.5",
    ):
        assert write_value(parse_value(text)) == text
    with pytest.raises(LanguageError):
        parse_value("event.mrr > 5")


def test_the_workspace_names_events() -> None:
    node = parse("joined between 2026-01-01 and 2026-02-01", aliases={"joined": "Signed Up"})
    assert isinstance(node, ast.Did)
    assert isinstance(parse("joined between 2026-01-01 and 2026-02-01"), ast.Between)
    assert isinstance(parse("joined at least 2 times"), ast.Did)


def nested(levels: int) -> str:
    return "(" * levels + "a is 1" + ")" * levels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a is 1 or " * 2000 + "a is 1", "20,000 bytes"),
        ("ä" * 10_001 + " is 1", "20,000 bytes"),
        (nested(101), "deeper than 100"),
        (nested(1000), "deeper than 100"),
        ("not " * 101 + "a is 1", "deeper than 100"),
        ("not (" * 60 + "a is 1" + ")" * 60, "deeper than 100"),
        ("not(" * 4000 + "a is 1", "deeper than 100"),
        ("x in [" + "1," * 10_001 + "1]", "20,000 bytes"),
        ("x in [" + "1," * 9_000 + "1]", "4,000 words"),
        ('x matches "' + "a" * 501 + '"', "longer than 500"),
        ('x matches "' + "(?:a{99}b{99}c{99}d{99}e{99}f{99}g{99}h{99}i{99}j{99}){1}" + '"', "repeat inside a repeat"),
        ('x matches "' + "".join(f"{c}{{100}}" for c in "abcdefghijklmnopqrstuv") + '"', "too large"),
        ("x is " + "9" * 101, "100 digits"),
        ("a is 1 or " * 400 + "a is 1", "more than 400 conditions"),
        ("opened or " * 100 + "opened", "more than 100 conditions on"),
        ("sum of x over A > 1 or " * 50 + "never A or " * 50 + "opened", "more than 100 conditions on"),
    ],
)
def test_oversize_is_refused_at_once(text: str, message: str) -> None:
    parse("a is 1")
    start = time.perf_counter()
    with pytest.raises(LanguageError, match=message):
        parse(text)
    assert time.perf_counter() - start < 0.25


def test_the_deepest_rule_is_read_written_and_judged() -> None:
    text = "not (a is 1 or " * 49 + "a is 1" + ")" * 49
    assert unparse(parse(text)) == text


def test_ordinary_rules_are_read_in_no_time() -> None:
    texts = [rule.rule for rule in accepted()]
    for text in texts:
        parse(text)
    start = time.process_time()
    for text in texts:
        parse(text)
    assert (time.process_time() - start) / len(texts) < 0.05
