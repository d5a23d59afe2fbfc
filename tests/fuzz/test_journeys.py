"""Journey files: read, check, format, edit. Bound: 50 ms, and 50 ms for each 60 lines begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import CairnError, LanguageError
from engine.expr import Schema
from journeys.language import values as notations
from journeys.language.check import problems
from journeys.language.edit import Place, add, delete, move
from journeys.language.emit import flow, scalar
from journeys.language.fields import remove_field, set_field
from journeys.language.format import fmt
from journeys.language.kinds import KINDS
from journeys.language.parse import KEYS, parse, read
from journeys.language.program import walk
from tests.corpora.journeys.corpus import broken
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz, within

LIBRARY = Path(__file__).parents[2] / "journeys" / "library"
WHOLE = [path.read_text("utf-8") for path in sorted(LIBRARY.glob("*.yaml"))]
CORPUS = WHOLE + [one.text for one in broken()]
PIECES = (
    "\n", "\n\n", "  ", "    ", "- ", ": ", ":", " #", "# x\n", "[", "]", "{", "}", "{}", "[]", ",", '"', "'", "|", ">",
    "|-\n", "&a ", "*a", "!!str ", "? ", "<<: ", "---\n", "...\n", "%YAML 1.1\n", "\t", "~", "null", "._", "0x1F",
    "0o7", "1e5", "2026-01-01", "12:30:45", "yes", "id: x\n", "steps:", "do: []", "- - a", "exit: true", "paths:\n",
)  # fmt: skip
SCHEMA = Schema(attributes={"plan": "text"}, events={"Signed Up": {}}, contents=frozenset({"welcome"}))


def bound(text: str) -> float:
    """Seconds that a text of so many lines may cost, read once; long lines count as several.

    The scanner looks a thousand signs ahead, and brackets in brackets cost it their square: half a second at most.
    """
    return 0.05 * (2 + (text.count("\n") + len(text) // 80) // 60)


def survives(text: str) -> None:
    """All that is done with a journey file that somebody wrote."""
    with within(bound(text), text):
        reading = read(text)
    with within(2 * bound(text), text):
        found = problems(text, SCHEMA)
    lines = text.count("\n") + text.count("\r") + sum(text.count(sign) for sign in "\x85\u2028\u2029") + 2
    for problem in reading.problems + found:
        assert problem.message and 1 <= problem.line <= lines and problem.column >= 1, problem
    if reading.journey is None:
        assert any(problem.severity == "error" for problem in reading.problems)
    with within(4 * bound(text), text):
        try:
            once = fmt(text)
        except LanguageError:
            return
    assert fmt(once) == once


@fuzz(120)
@given(hostile.mutated(CORPUS, PIECES))
@example("journey: x\nenter: {on: A}\nsteps: [{set: {a: ._}, id: a}]\n")
def test_damaged_files(text: str) -> None:
    survives(text)


scalars = st.one_of(
    hostile.texts, st.sampled_from(PIECES), st.integers().map(str), st.sampled_from(("a is 1", "3 days"))
)
keys = st.one_of(st.sampled_from([*KEYS, *KINDS, "id", "when", "do", "any", "else", "share", "if", "at"]), scalars)


def inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Flow lists and mappings, and blocks one level deeper."""
    pairs = st.lists(st.tuples(keys, inner), min_size=1, max_size=5)
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        pairs.map(lambda found: "{" + ", ".join(f"{key}: {value}" for key, value in found) + "}"),
        pairs.map(lambda found: "".join("\n" + _indented(f"{key}: {value}") for key, value in found)),
        st.lists(inner, min_size=1, max_size=4).map(lambda items: "".join("\n" + _indented(f"- {x}") for x in items)),
    )


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))


nearly_yaml = st.recursive(scalars, inline, max_leaves=12)
journeys = st.lists(st.tuples(st.sampled_from(KEYS), nearly_yaml), max_size=8).map(
    lambda found: "".join(f"{key}: {value}\n" for key, value in found)
)


@fuzz(120)
@given(journeys)
def test_any_structure(text: str) -> None:
    survives(text)


@fuzz(40)
@given(hostile.texts | hostile.broken)
def test_any_text(text: str) -> None:
    survives(text)


LARGE = {
    "values": "journey: x\nsteps: [" + "1," * 11_000 + "]",
    "keys": "journey: x\n" + "".join(f"k{number}: 1\n" for number in range(5_500)),
    "rules": "journey: x\nenter: {on: A}\nexit:\n" + "  - a is is\n" * 5_000,
    "brackets": "[" * 250_000,
    "quotes": "a: '" + "''" * 120_000,
    "dashes": "- " * 120_000,
    "blank lines": "a: b\n" + "\n" * 250_000,
    "spaces": "a: b" + " " * 250_000 + "c\n",
    "comments": "#\n" * 125_000,
    "one key": "a" * 250_000 + ": b",
    "a long text": "journey: x\ntitle: " + "ab " * 80_000,
    "folded": "journey: x\ntitle: >\n" + "  ab\n\n" * 40_000,
    "flow mappings": "steps: [" + "{a: {b: c}}, " * 3_000 + "]",
    "too long": "a: b\n" * 60_000,
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_files(name: str) -> None:
    text = LARGE[name]
    with within(bound(text), name):
        read(text)


NOTATIONS = (
    notations.duration, notations.path, notations.date_offset, notations.up_to, notations.until, notations.clock,
    notations.zone, notations.local_time, notations.weekdays, notations.quiet, notations.cap, notations.share,
    notations.again, notations.winner, notations.goal_value, notations.times,
)  # fmt: skip
WRITTEN = (
    "3 days", "a week", "until monday 09:30 Europe/Berlin", "2 days before trial_ends_at", "trial_ends_at - 2 days",
    "21:00-08:00 contact", "3 per week", "1 per 2 days", "10%", "1/3", "after 90 days", "per event.order_id",
    "clicks after 3 days", "event.mrr", "12.50", "mon, tue or friday at 9:00", "weekdays 09:30 UTC", "5 times",
)  # fmt: skip


@fuzz(300)
@given(st.sampled_from(NOTATIONS), hostile.mutated(WRITTEN, (" ", "-", "+", ":", "/", "²", "٣", "%", "per ", "0")))
def test_small_notations(read_notation: Any, text: str) -> None:
    """The reader hands over at most 200 characters, and never an empty text."""
    text = " ".join(text.split())[:200]
    if not text:
        return
    with within(0.05, text):
        try:
            read_notation(text)
        except LanguageError as error:
            assert error.message


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | hostile.texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile.texts, inner, max_size=3),
    max_leaves=6,
)
ids = st.sampled_from([step.id for text in WHOLE for step in walk(parse(text).steps)]) | hostile.texts
places = st.builds(
    Place,
    st.none() | ids,
    st.sampled_from(("steps", "do", "timeout", "fallback", "paths.0", "paths.9", "any.0", "paths.x", "")),
    st.none() | ids,
)
new_steps = st.dictionaries(st.sampled_from(sorted(KINDS)) | hostile.texts, data, max_size=3)
paths = st.sampled_from(("title", "up_to", "paths.0.when", "enter.where", "do.0.id", "x", "", ".", "steps", "0.a"))
edits = st.one_of(
    st.tuples(st.just(add), new_steps, places),
    st.tuples(st.just(delete), ids),
    st.tuples(st.just(move), ids, places),
    st.tuples(st.just(set_field), st.none() | ids, paths | hostile.texts, data),
    st.tuples(st.just(remove_field), st.none() | ids, paths | hostile.texts),
)


@fuzz(60)
@given(st.sampled_from(WHOLE) | hostile.mutated(WHOLE, PIECES), edits)
def test_edits_with_anything(text: str, edit: tuple[Any, ...]) -> None:
    change, *arguments = edit
    with within(0.5, text):
        try:
            edited = change(text, *arguments)
        except CairnError as error:
            assert str(error)
            return
    assert isinstance(edited, str)
    if read(text).partial is not None:
        assert read(edited).partial is not None, "a text that was YAML is none after the edit"


@fuzz(40)
@given(hostile.texts, hostile.texts)
def test_a_text_that_is_written_reads_back(title: str, name: str) -> None:
    try:
        edited = set_field(WHOLE[0], None, "title", title)
        flow({name: title}), scalar(name)
    except CairnError:
        return
    journey = read(edited).journey
    assert journey is None or journey.title == title.strip()
