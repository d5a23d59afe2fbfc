"""Edits splice: what they do not concern keeps every byte."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.nodes import MappingNode, Node

from engine.errors import InvalidInput, NotFound
from journeys.language import blocks, emit
from journeys.language.blocks import read_text
from journeys.language.edit import Place, add, delete, move, wrap
from journeys.language.fields import remove_field, set_field
from journeys.language.format import fmt
from journeys.language.kinds import KINDS
from journeys.language.naming import with_ids
from journeys.language.parse import parse
from journeys.language.program import program

LIBRARY = Path(__file__).parents[3] / "journeys" / "library"
TEXTS = [path.read_text("utf-8") for path in sorted(LIBRARY.glob("*.yaml"))]
TRIAL = (LIBRARY / "trial-to-paid.yaml").read_text("utf-8")
WAIT = {"wait": "2 days", "id": "pause"}


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines taken out and put in."""
    lines = list(difflib.ndiff(before.split("\n"), after.split("\n")))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def own(node: Node) -> Any:
    """The data of a step without the lists of steps inside it."""
    assert isinstance(node, MappingNode)
    return {key: value for key, value in emit.data(node).items() if key not in ("do", "paths", "any", *blocks.LISTS)}


def tree(source: str) -> dict[str, Any]:
    """Step ids to their own data."""
    return {blocks.step_id(node) or "": own(node) for node, _ in blocks.steps(read_text(source))}


def comments(source: str) -> list[str]:
    """All comments, by text."""
    return sorted(line.split("#", 1)[1].strip() for line in source.splitlines() if "#" in line)


def places(source: str) -> list[Place]:
    """Every place where a step may stand."""
    text = read_text(source)
    found = [Place()]
    for node, _ in blocks.steps(text):
        kind = KINDS[blocks.kind_of_step(node)]
        names = [name for name, _ in blocks.slots(node) if name.split(".")[0] in kind.options]
        found += [Place(blocks.step_id(node), name) for name in names]
    for node, slot in blocks.steps(text):
        place = next((place for place in found if blocks.find_slot(text, place.parent, place.slot) == slot), None)
        if place is not None:
            found.append(Place(place.parent, place.slot, blocks.step_id(node)))
    return found


@pytest.mark.parametrize("after", ["hello-ab", "activated", "mark-done", None])
def test_an_added_step_is_the_only_change(after: str | None) -> None:
    edited = add(TRIAL, WAIT, Place(after=after))
    assert changed(TRIAL, edited) == ([], ["  - wait: 2 days", "    id: pause"])
    ids = [step.id for step in parse(edited).steps]
    assert ids.index("pause") == (0 if after is None else ids.index(after) + 1)


def test_a_step_added_to_an_empty_path_fills_it() -> None:
    edited = add(TRIAL, WAIT, Place("size", "paths.1"))
    assert changed(TRIAL, edited) == (
        ["        do: []"],
        ["        do:", "          - wait: 2 days", "            id: pause"],
    )


def test_a_step_added_where_there_was_no_list_makes_one() -> None:
    edited = add(TRIAL, WAIT, Place("cart-sms", "fallback"))
    assert changed(TRIAL, edited)[1] == [
        "                fallback:",
        "                  - wait: 2 days",
        "                    id: pause",
    ]
    assert program(parse(edited)).fallback["cart-sms"] == "pause"


def test_flow_style_is_written_out_before_a_step_is_added() -> None:
    edited = add(TRIAL, WAIT, Place("trial-ending", "fallback", "ending-sms"))
    assert "        fallback:   # no address, or it bounced\n          - sms: trial-ending-sms\n" in edited
    assert program(parse(edited)).following["ending-sms"] == "pause"


def test_a_step_with_paths_is_written_as_a_block() -> None:
    step = {"branch": "Size", "id": "big", "paths": [{"when": "a is 1", "do": [WAIT]}, {"else": None, "do": []}]}
    flat = program(parse(add(TRIAL, step, Place(after="mark-done"))))
    assert flat.paths["big"] == ("pause", None)


def test_a_deleted_step_takes_its_own_comments_along() -> None:
    edited = delete(TRIAL, "hello-ab")
    gone, new = changed(TRIAL, edited)
    assert new == [] and gone[0] == "  # Hello within the minute" and len(gone) == 9


def test_the_last_step_of_a_list_leaves_it_empty() -> None:
    assert "        fallback: []   # no address, or it bounced\n" in delete(TRIAL, "ending-sms")


def test_a_moved_step_keeps_its_comments_and_its_inner_steps() -> None:
    edited = move(TRIAL, "hello-ab", Place("decision", "timeout", "trial-ending"))
    assert "      # Hello within the minute\n      - split: Subject line\n        id: hello-ab\n" in edited
    assert comments(edited) == comments(TRIAL) and tree(edited) == tree(TRIAL)


def test_a_step_does_not_move_into_itself() -> None:
    for place in (Place("cart-open", "timeout"), Place("decision", "timeout"), Place(after="decision")):
        with pytest.raises(InvalidInput):
            move(TRIAL, "decision", place)


def test_steps_are_wrapped_in_a_branch_as_they_stand() -> None:
    branch = {"branch": "Is it?", "id": "is-it", "paths": [{"when": 'plan is "x"'}, {"else": None}]}
    edited = wrap(TRIAL, "hello-ab", "activated", branch)
    assert comments(edited) == comments(TRIAL) and tree(edited).items() >= tree(TRIAL).items()
    assert "        do:\n          # Hello within the minute\n          - split: Subject line\n" in edited
    assert program(parse(edited)).paths["is-it"] == ("hello-ab", "size")
    with pytest.raises(NotFound):
        wrap(TRIAL, "activated", "hello-ab", branch)


def test_steps_are_wrapped_in_a_repeat() -> None:
    edited = wrap(TRIAL, "hello-a", "hello-a", {"repeat": "3 times", "id": "again"}, "do")
    assert program(parse(edited)).paths["again"] == ("hello-a",)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        (Place("nobody", "do"), NotFound),
        (Place("size", "paths.7"), InvalidInput),
        (Place("activated", "fallback"), InvalidInput),
        (Place(None, "do"), InvalidInput),
        (Place(after="hello-a"), NotFound),
    ],
)
def test_a_place_that_does_not_exist_is_refused(place: Place, error: type[Exception]) -> None:
    with pytest.raises(error):
        add(TRIAL, WAIT, place)


@pytest.mark.parametrize(
    ("identifier", "path", "value", "gone", "new"),
    [
        ("activated", "up_to", "2 days", "    up_to: 3 days", "    up_to: 2 days"),
        (
            "cart-sms",
            "quiet",
            "none",
            "                quiet: 20:00-09:00 contact   # held, not dropped",
            "                quiet: none   # held, not dropped",
        ),
        (None, "holdout", "20%", "holdout: 10%        ", "holdout: 20%        "),
        (None, "enter.where", 'a is "b: c"', '  where: plan is "trial" and email is set', "  where: 'a is \"b: c\"'"),
        (
            "hello-a",
            "if",
            'plan is "x"',
            "        do: [{email: welcome-short, id: hello-a}]",
            '        do: [{email: welcome-short, id: hello-a, if: plan is "x"}]',
        ),
        ("size", "paths.0.when", "seats > 5", "      - when: company.seats >= 20", "      - when: seats > 5"),
        (
            "mark-done",
            ("set", "a"),
            True,
            "  - set: {lifecycle: trial_done}",
            "  - set: {lifecycle: trial_done, a: true}",
        ),
    ],
)
def test_a_field_is_set_in_place(
    identifier: str | None, path: str | tuple[str, ...], value: Any, gone: str, new: str
) -> None:
    removed, put = changed(TRIAL, set_field(TRIAL, identifier, path, value))
    assert len(removed) == len(put) == 1 and removed[0].startswith(gone) and put[0].startswith(new)


def test_a_field_that_was_not_there_stands_below_the_id() -> None:
    assert changed(TRIAL, set_field(TRIAL, "cart-email", "topic", "orders")) == ([], ["            topic: orders"])


def test_a_removed_field_takes_its_line_along() -> None:
    assert changed(TRIAL, remove_field(TRIAL, "trial-ending", "at")) == (["        at: 09:30 contact"], [])
    assert "within: 30 days}" in remove_field(TRIAL, None, "goal.value")
    assert remove_field(TRIAL, "trial-ending", "cap") == TRIAL


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_any_move_keeps_every_step_and_every_comment(source: str, data: st.DataObject) -> None:
    identifier = data.draw(st.sampled_from(sorted(tree(source))))
    place = data.draw(st.sampled_from(places(source)))
    try:
        edited = move(source, identifier, place)
    except InvalidInput:
        return
    assert tree(edited) == tree(source) and comments(edited) == comments(source)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_after_any_deletion_the_rest_stands_and_is_laid_out_once(source: str, data: st.DataObject) -> None:
    identifier = data.draw(st.sampled_from(sorted(tree(source))))
    edited = delete(source, identifier)
    left = tree(edited)
    assert identifier not in left and left.items() <= tree(source).items()
    once = fmt(edited)
    assert fmt(once) == once and tree(once) == left


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), st.data())
def test_any_text_set_is_the_text_read(source: str, value: str, data: st.DataObject) -> None:
    if any(0x202A <= ord(sign) <= 0x202E or 0x2066 <= ord(sign) <= 0x2069 or ord(sign) > 0xFFFD for sign in value):
        return
    identifier = data.draw(st.sampled_from(sorted(tree(source))))
    edited = set_field(source, identifier, "title", value)
    assert tree(edited)[identifier]["title"] == value
    assert comments(remove_field(edited, identifier, "title")) == comments(source)


def test_every_step_gets_an_id_once() -> None:
    text = "journey: x\nenter: {on: A}\nsteps:\n  - email: Hi there!\n  - {email: Hi there!}\n  - wait: 1 day"
    once = with_ids(text)
    assert [step.id for step in parse(once).steps] == ["hi-there", "hi-there-2", "wait"]
    assert with_ids(once) == once


def test_the_library_is_formatted() -> None:
    assert [fmt(text) == text for text in TEXTS] == [True] * len(TEXTS)


def test_fmt_lays_out_and_keeps_comments() -> None:
    text = (
        "\ufeffjourney:   x\r\n\r\n\r\nenter: {on: A}\r\nsteps:\r\n-   email: hello   \r\n    # about hello\r\n"
        "# about the wait\r\n-   wait:   3 days  # three\r\n-   branch:\r\n    paths:\r\n      -   when: >-\r\n"
        "             a is 1\r\n          do:\r\n             - {email: hello}\r\n      - else:\r\n        do: []\r\n"
        "# end"
    )
    assert fmt(text) == (
        "journey: x\n\nenter: {on: A}\nsteps:\n  - email: hello\n    id: hello\n    # about hello\n"
        "  # about the wait\n  - wait: 3 days  # three\n    id: wait\n  - branch:\n    id: branch\n    paths:\n"
        "      - when: >-\n           a is 1\n        do:\n          - {email: hello, id: hello-2}\n      - else:\n"
        "        do: []\n# end\n"
    )


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(1, 4), st.integers(0, 3))
def test_fmt_undoes_other_indentation(source: str, factor: int, blank: int) -> None:
    loose = "\n".join(widened(line, factor) for line in source.split("\n")).replace("\n\n", "\n" * (2 + blank))
    assert fmt(loose) == source


def widened(line: str, factor: int) -> str:
    """The line with each space of its indentation, and the one after its dash, made several."""
    bare = line.lstrip()
    dash = bare.startswith("- ")
    lead = " " * (len(line) - len(bare)) * factor
    return f"{lead}-{' ' * (2 * factor - 1)}{bare[2:]}" if dash else lead + bare


def test_carriage_returns_stay() -> None:
    text = TRIAL.replace("\n", "\r\n")
    edited = add(text, WAIT, Place(after="hello-ab"))
    assert edited.count("\r\n") == edited.count("\n") == TRIAL.count("\n") + 2
    assert edited.replace("\r\n", "\n") == add(TRIAL, WAIT, Place(after="hello-ab"))
