"""What of a condition is asked of the event alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.expr import Schema, parse
from engine.expr.ast import DEFAULT_ALIASES
from journeys.language.steps import RuleText
from journeys.runtime.listening import ears
from journeys.runtime.where import ALWAYS, occurrences, where

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
SCHEMA = Schema()


def holds(text: str, properties: dict[str, Any]) -> bool:
    return where(parse(text), DEFAULT_ALIASES).verdict(properties, SCHEMA, NOW).value


def test_a_condition_is_sorted_by_what_it_looks_at() -> None:
    found = where(parse('event.kind is "a" and event.seats > 2 and plan is "pro" and did "Paid"'), DEFAULT_ALIASES)
    assert found.texts == ((("kind",), "a"),)
    assert found.event == (parse("event.seats > 2"),)
    assert found.rest == parse('plan is "pro" and did "Paid"')


def test_none_is_always() -> None:
    assert where(None, DEFAULT_ALIASES) is ALWAYS
    assert ALWAYS.verdict({}, SCHEMA, NOW).value


@pytest.mark.parametrize(
    ("text", "properties", "expected"),
    [
        ('event.kind is "a"', {"kind": "a"}, True),
        ('event.kind is "a"', {"kind": "A"}, False),
        ('event.kind is "a"', {"kind": ["a"]}, False),
        ('event.kind is "1"', {"kind": 1}, False),
        ('event.kind is "a"', {}, False),
        ('event.a.b is "x"', {"a": {"b": "x"}}, True),
        ('event.a.b is "x"', {"a": "x"}, False),
        ("event.seats > 2", {"seats": 2.5}, True),
        ("event.seats > 2", {"seats": "many"}, False),
        ('event.kind is "a" or event.kind is "b"', {"kind": "b"}, True),
        ('event.kind is "a" or plan is "pro"', {"kind": "b"}, True),
        ('event.items any (category is "shoes")', {"items": [{"category": "shoes"}]}, True),
        ('event.items any (category is "shoes")', {"items": [{"category": "hats"}]}, False),
        ('plan is "pro" and event.kind is "a"', {"kind": "b"}, False),
        ("event.at is within the next 3 days", {"at": "2026-03-04T00:00:00Z"}, True),
    ],
)
def test_what_looks_at_the_contact_too_is_left_open(text: str, properties: dict[str, Any], expected: bool) -> None:
    assert holds(text, properties) is expected


def test_occurrences_of_a_rule() -> None:
    rule = parse(
        'did "A" where (x is "1") or sum of y over "B" where (contact.plan is "pro") > 5 '
        'or did "C" then "A" within 1 day or purchased or opened "hello"'
    )
    found = occurrences(rule, DEFAULT_ALIASES)
    assert {name: len(several) for name, several in found.items()} == {
        "A": 2, "B": 1, "C": 1, "Order Completed": 1, "Email Opened": 1,
    }  # fmt: skip
    assert found["A"][0].texts == ((("x",), "1"),) and found["A"][1] == where(None, {}, inside=True)
    assert found["B"][0].rest is not None


@pytest.mark.parametrize(
    ("rule", "properties", "expected"),
    [
        ('did "A" where (x is "1")', {"x": "1"}, True),
        ('did "A" where (x is "1")', {"x": "2"}, False),
        ('never did "A" where (x is "1")', {"x": "2"}, False),
        ('did "A" where (x is contact.plan)', {"x": "2"}, True),
        ('did "A" where (x is event.plan)', {"x": "2"}, True),
        ('did "A" where (event.kind is "a")', {"kind": "b"}, True),
        ('did "A" where (at is within the next 3 days)', {"at": "2026-04-04T00:00:00Z"}, True),
        ('did "A" where (at is within the next 3 days)', {"at": "2026-01-01T00:00:00Z"}, False),
        ("last_seen_at more than 3 days ago", {}, True),
        ('did "B"', {}, False),
    ],
    ids=[
        "fits",
        "does not",
        "never",
        "contact",
        "trigger event",
        "trigger text",
        "fits later",
        "is over",
        "any event",
        "other name",
    ],
)
def test_an_event_matters_only_if_it_may_fit(rule: str, properties: dict[str, Any], expected: bool) -> None:
    heard = ears([RuleText(rule, parse(rule))], DEFAULT_ALIASES)
    assert heard.minds("A", properties, SCHEMA, NOW) is expected
