"""Rules drawn by react-querybuilder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.expr import ast, parse, unparse
from engine.expr.querybuilder import from_builder, to_builder
from tests.corpora.rules.corpus import accepted
from tests.engine.expr import rules


@pytest.mark.parametrize("text", sorted({rule.written for rule in accepted()}))
def test_every_rule_survives_the_builder(text: str) -> None:
    node = parse(text)
    assert from_builder(json.loads(json.dumps(to_builder(node)))) == node


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rules.rules)
def test_any_tree_survives_the_builder(node: ast.Node) -> None:
    assert from_builder(json.loads(json.dumps(to_builder(node)))) == node


def test_a_rule_as_the_builder_shows_it() -> None:
    drawn = to_builder(parse('plan is "pro" and not (seats >= 20 or in segment "vip")'))
    assert drawn == {
        "combinator": "and",
        "rules": [
            {"field": "plan", "operator": "=", "value": "pro", "type": "text"},
            {
                "combinator": "or",
                "not": True,
                "rules": [
                    {"field": "seats", "operator": ">=", "value": "20", "type": "number"},
                    {"field": "@in", "operator": "segment", "value": "vip"},
                ],
            },
        ],
    }


def test_behaviour_keeps_its_parts() -> None:
    (drawn,) = to_builder(parse("purchased where (total > 5) at least 2 times in the last 30 days"))["rules"]
    assert (drawn["field"], drawn["operator"]) == ("@did", "at least")
    assert drawn["value"]["times"] == 2
    assert drawn["value"]["window"] == {"kind": "last", "amount": 30, "unit": "day"}
    assert drawn["value"]["where"]["rules"][0]["field"] == "total"


@pytest.mark.parametrize(
    "text",
    [
        'did "A" then "B" within 2 hours',
        "sum of total over purchased > 5",
        'items any (kind is "shoes")',
        '"a" is plan',
    ],
)
def test_what_cannot_be_drawn_is_a_chip(text: str) -> None:
    assert to_builder(parse(text))["rules"] == [{"field": "@rule", "operator": "=", "value": text}]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"field": "seats", "operator": ">", "value": 5}, "seats > 5"),
        ({"field": "seats", "operator": ">", "value": "5"}, "seats > 5"),
        ({"field": "plan", "operator": "=", "value": "5"}, 'plan is "5"'),
        ({"field": "vip", "operator": "=", "value": True}, "vip is true"),
        ({"field": "seats", "operator": "between", "value": "1,5"}, "seats between 1 and 5"),
        ({"field": "plan", "operator": "in", "value": ["a", "b"]}, 'plan in ["a", "b"]'),
        ({"field": "plan", "operator": "=", "valueSource": "field", "value": "tier"}, "plan is tier"),
    ],
)
def test_values_as_the_library_gives_them(rule: dict[str, Any], text: str) -> None:
    group = {"combinator": "and", "rules": [rule]}
    assert unparse(from_builder(group, types={"seats": "number", "plan": "text"})) == text


@pytest.mark.parametrize(
    ("group", "where", "message"),
    [
        ([], "the rule", "neither a group"),
        ({"combinator": "and", "rules": []}, "the rule", "empty"),
        ({"combinator": "xor", "rules": [1]}, "the rule", "combinator"),
        ({"rules": [{"field": "a"}]}, "rules[0]", "operator"),
        ({"rules": [{"field": "a", "operator": "~", "value": 1}]}, "rules[0]", "no operator"),
        ({"rules": [{"field": "a b", "operator": "=", "value": 1}]}, "rules[0]", "no field"),
        ({"rules": [{"field": "a", "operator": "=", "value": None}]}, "rules[0].value", "text"),
        ({"rules": [{"field": "a", "operator": "=", "value": "x", "type": "number"}]}, "rules[0].value", "no number"),
        ({"rules": [{"field": "a", "operator": "=", "value": "1e999", "type": "number"}]}, "rules[0].value", "number"),
        ({"rules": [{"field": "a", "operator": "between", "value": ["1"]}]}, "rules[0].value", "two values"),
        ({"rules": [{"field": "a", "operator": "matches", "value": "("}]}, "rules[0]", ""),
        ({"rules": [{"field": "@rule", "operator": "=", "value": "a is"}]}, "rules[0]", "ends too early"),
        ({"rules": [{"field": "@did", "operator": "ever", "value": {}}]}, "rules[0].value.event", "text"),
        ({"rules": [{"field": "@in", "operator": "group", "value": "x"}]}, "rules[0]", "segment, list"),
        ({"rules": [{"field": "@nothing", "operator": "=", "value": "x"}]}, "rules[0]", "no condition"),
        (
            {"rules": [{"field": "@did", "operator": "at least", "value": {"event": "A", "times": -1}}]},
            "rules[0].value.times",
            "whole number",
        ),
    ],
)
def test_refusals_name_the_place(group: Any, where: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_builder(group)
    assert caught.value.where == where
    assert message in caught.value.message


def test_groups_nested_too_deep_are_refused() -> None:
    group: Any = {"field": "a", "operator": "=", "value": 1}
    for _ in range(500):
        group = {"rules": [group]}
    with pytest.raises(InvalidInput, match="nested deeper"):
        from_builder(group)


keys = st.sampled_from(["combinator", "rules", "not", "field", "operator", "value", "type", "valueSource", "window"])
words = st.sampled_from(["and", "@did", "@opened", "@rule", "plan", "=", "in", "between", "withinNext", "at least"])
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(shapes)
def test_any_json_gives_a_rule_or_a_clear_refusal(value: Any) -> None:
    try:
        node = from_builder(value)
    except InvalidInput as error:
        assert error.where
    else:
        assert parse(unparse(node)) == node
