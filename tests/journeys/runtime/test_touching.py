"""Which segments look at whom after events."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.expr import Schema, dependencies, parse
from engine.segments import SegmentIndex
from engine.segments.rules import Rule
from journeys.runtime.touching import asked_by

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("rule", "properties", "touched"),
    [
        ("purchased", {}, True),
        ('did "Seen"', {}, False),
        ("purchased where total >= 100", {"total": 99}, False),
        ("purchased where total >= 100", {"total": 100}, True),
        ('purchased where kind is "a" in the last 3 days', {"kind": "b"}, False),
        ('did "Seen" without purchased within 1 day', {}, True),
        ('did "Seen" without "Order Completed" where (kind is "a") within 1 day', {"kind": "b"}, False),
        ('sum of total over "Order Completed" where (kind is "a") > 5', {"kind": "b"}, False),
        ('purchased where total >= 100 or did "Order Completed" where kind is "a"', {"kind": "a"}, True),
        ("purchased where (at is within the next 2 days)", {"at": "2026-03-09"}, True),
        ("purchased where (at is within the next 2 days)", {"at": "2026-01-01"}, False),
        ("purchased where (city is contact.city)", {"city": "Rome"}, True),
        ("last_seen_at more than 3 days ago and purchased where total > 5", {"total": 1}, True),
        ('plan is "pro"', {}, False),
    ],
)
def test_an_event_touches_the_segments_whose_conditions_it_may_fit(
    rule: str, properties: dict[str, Any], touched: bool
) -> None:
    node = parse(rule)
    index = SegmentIndex([Rule(1, "s", node, dependencies(node), rule)])
    asked = asked_by(index, [(7, "Order Completed", properties)], Schema(), NOW)
    assert asked == ({1: {7}} if touched else {})
