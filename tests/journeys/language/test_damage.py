"""Whatever happens to a file, the answer is a list of problems with places in the file, never a crash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import CairnError, InvalidInput
from journeys.language.check import problems
from journeys.language.edit import Place, add
from journeys.language.fields import set_field
from journeys.language.format import fmt
from journeys.language.parse import parse, read

ROOT = Path(__file__).parents[3]
TEXTS = [path.read_text("utf-8") for path in sorted((ROOT / "journeys" / "library").glob("*.yaml"))]
PIECES = [
    "",
    " ",
    "\n",
    "\n\n",
    "  ",
    "- ",
    ":",
    ": ",
    "#",
    " # note\n",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "|",
    ">",
    "id: x",
    "…",
    "? ",
]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 2000), st.integers(0, 12), st.sampled_from(PIECES))
@example(TEXTS[0], 0, 0, "? ")
def test_a_damaged_file_has_problems_with_places_in_it(source: str, at: int, gone: int, piece: str) -> None:
    text = source[:at] + piece + source[at + gone :]
    lines = text.split("\n")
    for problem in problems(text):
        assert 1 <= problem.line <= len(lines) + 1 and problem.column >= 1


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 2000), st.integers(0, 12), st.sampled_from(PIECES))
def test_a_damaged_file_is_formatted_once_or_refused(source: str, at: int, gone: int, piece: str) -> None:
    text = source[:at] + piece + source[at + gone :]
    try:
        once = fmt(text)
    except CairnError:
        return
    assert fmt(once) == once
    before, after = read(text).journey, read(once).journey
    assert before is None or before == after


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TEXTS), st.lists(st.integers(0, 80), max_size=6), st.integers(0, 8))
def test_comments_and_blank_lines_anywhere_survive_an_edit(source: str, at: list[int], indent: int) -> None:
    lines = source.split("\n")
    for number, line in enumerate(sorted(at, reverse=True)):
        lines[line:line] = ["", f"{' ' * indent}# comment {number}"]
    text = "\n".join(lines)
    if read(text).journey is None:
        return
    edited = add(text, {"wait": "1 day", "id": "pause"}, Place())
    edited = set_field(edited, "pause", "title", "Rest")
    kept = [line for line in edited.split("\n") if line not in ("  - wait: 1 day", "    id: pause", "    title: Rest")]
    assert kept == text.split("\n")
    assert sorted(re.findall("# comment .", fmt(edited))) == sorted(re.findall("# comment .", text))


def test_the_journey_in_the_documentation_reads() -> None:
    text = (ROOT / "docs" / "language.md").read_text("utf-8").split("## Journeys", 1)[1]
    assert parse(text.split("```yaml\n")[1].split("```")[0]).slug == "welcome"


@pytest.mark.parametrize(
    "written",
    [
        "a # b",
        "a: b",
        "- a",
        "'a",
        '"a',
        "[a",
        "{a",
        "*a",
        "&a",
        "!a",
        "|",
        "yes",
        "1",
        "null",
        "a,b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a\u202eb",
    ],
)
def test_a_text_that_yaml_would_misread_is_quoted(written: str) -> None:
    edited = set_field(TEXTS[0], None, "title", written)
    journey = parse(edited)
    assert journey.title == written.strip()


def test_an_escape_cannot_spell_what_no_database_takes() -> None:
    for escape in ("\\0", "\\ud800"):
        found = read(TEXTS[0].replace("title:", f'title: "a{escape}" #', 1)).problems
        assert "is not allowed in a journey" in found[0].message and found[0].line == 2


def test_an_edit_writes_no_key_that_yaml_cannot_read() -> None:
    for key in ("", "k" * 2_000):
        with pytest.raises(InvalidInput, match="A key has 1 to 200 characters"):
            add(TEXTS[0], {"wait": "1 day", key: None}, Place())


def test_a_lone_point_is_no_number() -> None:
    text = "journey: x\nenter: {on: A}\nsteps: [{set: {a: ._}, id: a}]\n"
    assert "cannot be stored" in read(text).problems[0].message


def test_a_comment_beside_an_empty_entry_stays_where_it_is_put() -> None:
    once = fmt("journey:\n- #\n")
    assert fmt(once) == once
