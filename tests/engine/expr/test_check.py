"""Checks against what the workspace knows, dependencies, and the rewriting inside journeys."""

from __future__ import annotations

import pytest

from engine.expr import (
    Schema,
    check,
    dependencies,
    english,
    find_cycle,
    parse,
    parse_value,
    since_entry_default,
    unparse,
)

SCHEMA = Schema(
    attributes={
        "plan": "text",
        "seats": "number",
        "vip": "boolean",
        "tags": "list",
        "ends": "date",
        "company": "object",
    },
    events={"Order Completed": {"total": "number", "currency": "text", "items": "list"}, "Signed Up": {}},
    segments=frozenset({"vip"}),
    lists=frozenset({"beta"}),
    topics={"news": "subscribed"},
    contents=frozenset({"welcome"}),
    journeys=frozenset({"trial"}),
    steps=frozenset({"hello"}),
)


@pytest.mark.parametrize(
    "text",
    [
        'plan is "pro" and seats > 5 and vip is true and company.seats > 5 and tags contains "x"',
        'purchased where (total > 5 and currency is "USD") and did "Signed Up"',
        'in segment "vip" and in list "beta" and in journey "trial" and subscribed to "news"',
        'opened "welcome" and last_seen_at more than 2 days ago and ends is before 2026-01-01',
        'purchased where total > 5 and plan is "pro"',
        'purchased where total > 5 in the last 7 days and currency is "USD" or email is set',
        "sum of total over purchased > 5",
    ],
)
def test_what_is_known_and_fits_has_no_errors(text: str) -> None:
    assert [p for p in check(parse(text), SCHEMA) if p.severity == "error"] == []
    if "currency is" not in text or "(" in text:
        assert check(parse(text), SCHEMA) == []


@pytest.mark.parametrize(
    ("text", "severity", "place", "message", "hint"),
    [
        ('plna is "pro"', "warning", (1, 1), "no contact has a field “plna”", "`plan`"),
        ('did "Order Complete"', "warning", (1, 5), "no event “Order Complete”", "`Order Completed`"),
        ("purchased where totl > 5", "warning", (1, 17), "without “totl”", "`total`"),
        ("purchased where (seats > 5)", "warning", (1, 18), "without “seats”", "contact.seats"),
        ('in segment "vpi"', "error", (1, 1), "no segment “vpi”", "`vip`"),
        ('in list "bta"', "error", (1, 1), "no list “bta”", "`beta`"),
        ('in journey "trail"', "error", (1, 1), "no journey “trail”", "`trial`"),
        ('subscribed to "nws"', "error", (1, 1), "no topic “nws”", "`news`"),
        ('subscribed to "news" on emal', "error", (1, 1), "no channel “emal”", "`email`"),
        ("consents to smss", "error", (1, 1), "no channel “smss”", "`sms`"),
        ('opened "welcom"', "error", (1, 1), "no content “welcom”", "`welcome`"),
        ("vip", "error", (1, 1), "“vip” alone says nothing", "vip is true"),
        ("purchsed at least 2 times", "error", (1, 1), "“purchsed” alone", "Did you mean `purchased`"),
        ("purchased is set", "error", (1, 1), "a name for an event", 'did "Order Completed"'),
        ("event.total > 5", "error", (1, 1), "a segment has none", ""),
        ("purchased since entry", "error", (1, 11), "“since entry” has no meaning", ""),
        ("purchased since step", "error", (1, 11), "“since step” has no meaning", ""),
        ('opened step "hello"', "error", (1, 1), "inside a journey only", ""),
        ("purchased between 2026-02-01 and 2026-01-01", "warning", (1, 11), "ends before it begins", ""),
        ('seats > "5"', "warning", (1, 1), "“seats” is a number and cannot be compared with a text", "without quotes"),
        ("plan is 5", "warning", (1, 1), "“plan” is a text", ""),
        ("vip > true", "warning", (1, 1), "no order", ""),
        ("seats in [true]", "warning", (1, 1), "“seats” is a number", ""),
        ('seats contains "5"', "warning", (1, 1), "“seats” is no text", ""),
        ("seats more than 2 days ago", "warning", (1, 1), "“seats” is no date", ""),
        ("seats is before 2026-01-01", "warning", (1, 1), "“seats” is no date", ""),
        ("plan any (x is 1)", "warning", (1, 1), "“plan” is no list", ""),
        ('sum of total over purchased is "5"', "warning", (1, 1), "the sum of “total”", ""),
        ('purchased where total > 5 and currency is "USD"',
         "warning", (1, 31), "not as part of where", "where (… and …)"),
    ],
)  # fmt: skip
def test_problems_name_place_and_hint(
    text: str, severity: str, place: tuple[int, int], message: str, hint: str
) -> None:
    found = [p for p in check(parse(text), SCHEMA) if message in p.message]
    assert len(found) == 1
    assert (found[0].severity, (found[0].line, found[0].column)) == (severity, place)
    assert hint in found[0].hint


def test_places_allow_what_has_a_meaning_there() -> None:
    node = parse('event.total > 5 and purchased since entry and opened step "hello"')
    assert check(node, SCHEMA, "journey") == []
    assert [p.message[:13] for p in check(node, SCHEMA, "enter")] == ["“since entry”", "“opened step”"]
    assert check(parse("event.total > 5"), SCHEMA, "enter") == []
    assert check(parse_value("event.total"), SCHEMA, "goal_value") == []
    assert check(parse_value("sum of totl over purchased"), SCHEMA, "goal_value")[0].hint == "Did you mean `total`?"
    assert check(parse('opened step "gone"'), SCHEMA, "journey")[0].severity == "error"


def test_behaviour_in_a_journey_is_since_entry() -> None:
    text = (
        'did "A" or not never opened "w" or did "A" then "B" within 1 day'
        ' or sum of x over "A" > 5 or received in the last 1 day'
    )
    expected = (
        'did "A" since entry or not never opened "w" since entry or did "A" since entry then "B" within 1 day'
        ' or sum of x over "A" since entry > 5 or received in the last 1 day'
    )
    assert unparse(since_entry_default(parse(text))) == expected
    assert unparse(since_entry_default(parse('did "A" ever'))) == 'did "A" ever'
    assert since_entry_default(parse_value("event.mrr")) == parse_value("event.mrr")


def test_dependencies_name_all_facts() -> None:
    node = parse(
        'purchased where total > contact.limit and in segment "vip" and not in list "beta" '
        'and subscribed to "news" on sms '
        'and company.seats > 5 and opened "welcome" and received step "hello" and items any (x is contact.plan) '
        'and sum of y over "B" > 5 and in journey "trial"'
    )
    found = dependencies(node)
    assert found.events == {"Order Completed", "Email Opened", "B"}
    assert found.attributes == {"limit", "company", "items", "plan"}
    assert (found.segments, found.lists, found.journeys) == ({"vip"}, {"beta"}, {"trial"})
    assert (found.topics, found.channels, found.contents, found.steps) == ({"news"}, {"sms"}, {"welcome"}, {"hello"})
    assert (found.time, found.any_event, found.messages) == (False, False, True)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("purchased in the last 3 days", True),
        ("purchased since 2026-01-01", False),
        ('did "A" without "B" within 1 day', True),
        ('did "A" then "B" within 1 day', False),
        ("ends is within the next 3 days", True),
        ("last_seen_at more than 3 days ago", True),
        ('did "A" where at is within the last 3 days', True),
        ("sum of x over A in the last 3 days > 5", True),
        ('plan is "pro"', False),
    ],
)
def test_time_alone_changes_some_verdicts(text: str, time: bool) -> None:
    assert dependencies(parse(text)).time is time
    assert dependencies(parse(text)).any_event is ("last_seen_at" in text)


def test_circles_of_segments_are_found() -> None:
    reads = {"a": frozenset({"b"}), "b": frozenset({"c", "d"}), "c": frozenset({"a"}), "d": frozenset({"d"})}
    assert find_cycle("a", reads) == ("a", "b", "c", "a")
    assert find_cycle("d", reads) == ("d", "d")
    assert find_cycle("e", reads) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('purchased at least 2 times in the last 30 days and plan is "pro"',
         "has purchased at least twice in the last 30 days, and plan is “pro”"),
        ('never did "Trial Started"', "has never done “Trial Started”"),
        ('not did "Project Created" since entry', "has not done “Project Created” since entering the journey"),
        ('did "A" without "B" within 1 hour', "has done “A” but not done “B” within 1 hour of it"),
        ("consents to sms and phone is not set", "agrees to get SMS, and phone is not known"),
        ('a is 1 or (b is 2 and not in segment "eu")', "a is 1, or (b is 2, and is not in the segment “eu”)"),
    ],
)  # fmt: skip
def test_english_reads_aloud(text: str, said: str) -> None:
    assert english(parse(text)) == said
