"""What is wrong with a rule is said at once, with the place, in these words, and without asking the database."""

from __future__ import annotations

import time

import pytest

from engine.errors import LanguageError
from engine.expr import Schema, check, parse
from tests.corpora.offline import no_connection
from tests.corpora.rules.corpus import Refused, refused

REFUSED = refused("refused.txt")
DOUBTFUL = refused("doubtful.txt")
SCHEMA = Schema(
    attributes={
        "plan": "text", "seats": "number", "vip": "boolean", "tags": "list", "trial_ends_at": "date",
        "company": "object", "company.seats": "number", "items": "list",
    },
    events={"Order Completed": {"total": "number", "currency": "text"}, "Signed Up": {}, "A": {}},
    segments=frozenset({"vip", "eu"}),
    lists=frozenset({"beta"}),
    topics={"news": "subscribed"},
    contents=frozenset({"welcome", "cart"}),
    journeys=frozenset({"trial"}),
)  # fmt: skip
BOUND, PATIENCE = 0.05, 10


def report(text: str) -> tuple[str, ...]:
    """What the author is told about a text that does not read."""
    with pytest.raises(LanguageError) as caught:
        parse(text)
    error = caught.value
    lines = [f"refused: {error.line}:{error.column} {error.message}"]
    lines += [f"expected: {', '.join(error.expected)}"] if error.expected else []
    return (*lines, *([f"hint: {error.hint}"] if error.hint else []))


def test_the_corpus_is_large_and_has_no_text_twice() -> None:
    assert len(REFUSED) >= 150
    assert len({one.rule for one in REFUSED + DOUBTFUL}) == len(REFUSED) + len(DOUBTFUL)


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: ascii(one.rule[:60]))
def test_it_is_refused_in_these_words(one: Refused) -> None:
    assert report(one.rule) == one.told


@pytest.mark.parametrize("one", DOUBTFUL, ids=lambda one: one.rule[:60])
def test_it_is_doubted_in_these_words(one: Refused) -> None:
    lines = []
    for problem in check(parse(one.rule), SCHEMA):
        lines.append(f"{problem.severity}: {problem.line}:{problem.column} {problem.message}")
        lines += [f"hint: {problem.hint}"] if problem.hint else []
    assert tuple(lines) == one.told


def test_each_answer_takes_no_time_and_no_connection() -> None:
    parse("a is 1")
    with no_connection():
        for one in REFUSED:
            start = time.process_time()
            report(one.rule)
            assert time.process_time() - start < BOUND * PATIENCE, one.rule
