"""What the editor offers while a rule is being written."""

from __future__ import annotations

import time

import pytest

from engine.expr import Schema, ast
from engine.expr.complete import Completions, complete
from engine.expr.parse import parser
from tests.corpora.rules.corpus import accepted

SCHEMA = Schema(
    attributes={"plan": "text", "seats": "number", "company.size": "number", "in": "text"},
    events={"Order Completed": {"total": "number", "currency": "text"}, "Signed Up": {}},
    segments=frozenset({"vip", "eu"}),
    lists=frozenset({"beta"}),
    journeys=frozenset({"trial"}),
    topics={"news": "subscribed"},
    contents=frozenset({"welcome"}),
    steps=frozenset({"hello"}),
)
NOT_OFFERED = frozenset(["BETWEEN_DATE", "NULL"])  # another spelling is offered instead


def offered(text: str) -> list[str]:
    return [item.text for item in complete(text, len(text), SCHEMA).items]


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("pl", 0, "plan"),
        ("se", 0, "seats"),
        ("purchased at le", 10, "at least"),
        ('did "Or', 4, '"Order Completed"'),
        ("did Or", 4, '"Order Completed"'),
        ('did "Order Completed" in th', 22, "in the last"),
        ('did "Order Completed" in the last 3 ', 36, "days"),
        ('did "Order Completed" where to', 28, "total"),
        ('did "Order Completed" where (total > 5 and cur', 43, "currency"),
        ("sum of to", 7, "total"),
        ('sum of total over "S', 18, '"Signed Up"'),
        ('in segment "v', 11, '"vip"'),
        ("in list ", 8, '"beta"'),
        ("in journey ", 11, '"trial"'),
        ("subscribed to ", 14, '"news"'),
        ('subscribed to "news" on ', 24, "email"),
        ("consents to s", 12, "sms"),
        ('opened "w', 7, '"welcome"'),
        ("opened step ", 12, '"hello"'),
        ('plan is "pro" an', 14, "and"),
        ("plan starts w", 5, "starts with"),
        ("company.", 0, "company.size"),
    ],
)
def test_the_first_offer(text: str, start: int, first: str) -> None:
    found = complete(text, len(text), SCHEMA)
    assert (found.start, found.end, found.items[0].text) == (start, len(text), first)


def test_an_empty_rule_may_begin_with_anything() -> None:
    found = offered("")
    assert {"did", "never", "in", "not", "opened", "purchased", "plan", "email"} <= set(found)


def test_only_what_makes_sense_is_offered() -> None:
    assert "at least" not in offered("plan ")
    assert "contains" not in offered("purchased ")
    assert "did" not in offered('did "Order Completed" where (')
    assert "email" not in offered("did ")


def test_names_of_the_contact_inside_where_are_said_to_be_so() -> None:
    assert {"total", "contact.plan"} <= set(offered('did "Order Completed" where ('))


def test_types_stand_beside_fields() -> None:
    assert complete("sea", 3, SCHEMA).items[0].detail == "number"


@pytest.mark.parametrize("text", ["plan is is ", "plan is 'x' and ", "(" * 101, "\x00", 'plan is "\u202e" and '])
def test_nothing_is_offered_after_what_is_wrong(text: str) -> None:
    assert complete(text, len(text), SCHEMA) == Completions(len(text), len(text))


def test_the_middle_of_a_rule_is_completed_by_what_stands_before_it() -> None:
    assert complete('pl is "pro"', 2, SCHEMA).items[0].text == "plan"
    assert complete("plan", 99, SCHEMA).end == 4


@pytest.mark.parametrize("text", sorted({rule.written for rule in accepted()}))
def test_every_keyword_of_every_rule_is_offered_where_it_stands(text: str) -> None:
    reader = parser("rule", frozenset(ast.DEFAULT_ALIASES))
    for token in reader.parse_interactive(text).exhaust_lexer():
        word = " ".join(str(token).split()).lower()
        if not word[0].isalpha() or token.type in ("PATH", "STRING") or token.type in NOT_OFFERED:
            continue
        assert token.start_pos is not None
        offers = complete(text, token.start_pos, SCHEMA).items
        assert any(
            f" {item.text} ".replace("s ", " ").endswith(f" {word} ".replace("s ", " ")) or item.text == f"{word} of"
            for item in offers
        ), (text[: token.start_pos], word)


@pytest.mark.parametrize("text", ["„" * 6000, "a" * 19_000 + " ", '"' + "\\" * 9000, "x" * 30_000, "(" * 19_000])
def test_hostile_text_is_answered_at_once(text: str) -> None:
    complete("plan ", 5, SCHEMA)
    started = time.process_time()
    complete(text, len(text), SCHEMA)
    assert time.process_time() - started < 0.5
