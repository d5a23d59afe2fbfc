"""Why a rule holds or not, with what it saw."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, given, settings

from engine.expr import EventFact, Facts, ast, evaluate, explain, parse
from engine.expr.explain import Explanation
from tests.engine.expr import rules

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def event(name: str, days_ago: int, **properties: Any) -> EventFact:
    at = NOW - dt.timedelta(days=days_ago)
    return EventFact(name, at, at, f"{name}{days_ago}", properties)


ANN = Facts(
    email="ann@acme.com",
    attributes={"plan": "free", "tags": ["a", "b"], "items": [{"kind": "hat"}, {"kind": "shoes"}]},
    events=(event("Order Completed", 3, total=20), event("Order Completed", 40, total=90)),
    segments=frozenset({"vip"}),
    consent={("email", ""): "subscribed", ("email", "news"): "unsubscribed"},
    topics={"news": "subscribed"},
)


def of(rule: str) -> Explanation:
    return explain(parse(rule), ANN, NOW)


def seen(rule: str) -> dict[str, Any]:
    return {each.name: each.value for each in of(rule).seen}


def test_each_part_has_its_verdict_and_the_values_it_saw() -> None:
    told = of('purchased at least 2 times in the last 30 days and plan is "pro"')
    assert [(part.rule, part.verdict) for part in told.parts] == [
        ("purchased at least 2 times in the last 30 days", False),
        ('plan is "pro"', False),
    ]
    assert {each.name: each.value for each in told.parts[0].seen} == {
        "purchased: times": 2,
        "purchased: times that count": 1,
        "purchased: last": NOW - dt.timedelta(days=3),
    }
    assert seen('plan is "pro"') == {"plan": "free"}
    assert told.english.startswith("has purchased at least twice")


def test_a_condition_on_events_shows_the_latest_one() -> None:
    told = of("purchased where (total > 50) in the last 30 days")
    assert not told.verdict
    assert [(part.rule, part.verdict, part.seen[0].value) for part in told.parts] == [("total > 50", False, 20)]


def test_a_condition_on_items_shows_the_one_that_meets_it() -> None:
    told = of('items any (kind is "shoes")')
    assert told.verdict
    assert told.parts[0].seen[0].value == "shoes"
    assert of('items any (kind is "coat")').parts[0].seen[0].value == "hat"


def test_membership_consent_and_messages() -> None:
    assert seen('in segment "eu"') == {"segments": ["vip"]}
    assert seen('subscribed to "news"') == {
        "email": "subscribed",
        "news on email": "unsubscribed",
        "news by default": "subscribed",
    }
    assert seen("consents to sms") == {"sms": None}
    assert seen('opened "welcome"') == {"times opened": 0}
    assert seen("sum of total over purchased > 5") == {"sum of total over purchased": 110}


def test_sequences_show_both_sides() -> None:
    told = of('did "Order Completed" where (total > 50) then "Refunded" within 2 days')
    assert {each.name: each.value for each in told.seen}["Refunded: times"] == 0
    assert [part.rule for part in told.parts] == ["total > 50"]


def test_when_time_alone_changes_it() -> None:
    assert of("purchased in the last 7 days").changes_at == NOW + dt.timedelta(days=4, microseconds=1)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(rules.rules)
def test_the_verdicts_are_those_of_evaluate_at_every_part(node: ast.Node) -> None:
    told = explain(node, ANN, NOW)
    assert (told.verdict, told.changes_at) == evaluate(node, ANN, NOW)
    stack = [(told, node)]
    while stack:
        part, known = stack.pop()
        if isinstance(known, ast.And | ast.Or | ast.Not):
            items = known.items if not isinstance(known, ast.Not) else (known.item,)
            stack += list(zip(part.parts, items, strict=True))
            combine = {ast.And: all, ast.Or: any, ast.Not: lambda found: not all(found)}[type(known)]
            assert part.verdict is combine(each.verdict for each in part.parts)
        else:
            assert part.verdict is evaluate(known, ANN, NOW).value
