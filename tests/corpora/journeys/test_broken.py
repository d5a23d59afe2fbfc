"""What is wrong with a journey file is said at once, in these words, and without asking the database."""

from __future__ import annotations

import time

import pytest

from journeys.language.check import problems
from tests.corpora.journeys.corpus import Broken, broken
from tests.corpora.offline import no_connection

BROKEN = broken()
BOUND, PATIENCE, LINES = 0.05, 10, 60


def report(text: str) -> tuple[str, ...]:
    """The errors, as the corpus writes them."""
    lines = []
    for problem in problems(text):
        if problem.severity == "error":
            lines.append(f"{problem.line}:{problem.column} {problem.message}")
            lines += [f"expected: {', '.join(problem.expected)}"] if problem.expected else []
            lines += [f"hint: {problem.hint}"] if problem.hint else []
    return tuple(lines)


def test_the_corpus_is_large_and_has_no_file_twice() -> None:
    assert len(BROKEN) >= 150
    assert len({one.text for one in BROKEN}) == len({one.name for one in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("one", BROKEN, ids=lambda one: one.name)
def test_it_is_refused_in_these_words(one: Broken) -> None:
    assert one.told
    assert report(one.text) == one.told


def test_each_answer_takes_no_time_and_no_connection() -> None:
    report("journey: x\nexit: [a is 1]\n")
    with no_connection():
        for one in BROKEN:
            start = time.process_time()
            report(one.text)
            blocks = one.text.count("\n") // LINES + 1
            assert time.process_time() - start < BOUND * PATIENCE * blocks, one.name
