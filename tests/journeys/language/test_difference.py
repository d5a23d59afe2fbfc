"""What an edit is: which steps came, went, changed, moved or took another name; and what was chosen for them."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from journeys.language.choice import EXIT, RESCHEDULE, STAY, Choice, choice_of, read_choice, refuse_unknown
from journeys.language.difference import Change, Field, difference
from journeys.language.parse import parse
from journeys.language.program import program
from journeys.language.reach import ahead, behind
from tests.journeys.runtime.world import journey

STEPS = """\
- wait: 3 days
  id: pause
- wait_for: did "Paid"
  id: paid
  up_to: 2 days
  timeout:
    - email: nudge
      id: nudge
      cap: 3 per week
- branch: Plan
  id: plan
  paths:
    - when: plan is "pro"
      do: [{email: pro, id: pro}]
- split: Halves
  id: half
  paths:
    - share: 50%
    - share: 50%
"""


def edited(*pairs: tuple[str, str], frame: str = "") -> list[Change]:
    """The changes that replacing texts makes."""
    source = STEPS
    for old, new in pairs:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return list(difference(parse(journey(STEPS)), parse(journey(source, frame))).changes)


@pytest.mark.parametrize(
    ("old", "new", "kind", "id_", "fields"),
    [
        ("3 days", "2 days", "wait", "pause", [("until", "3 days", "2 days")]),
        ("3 days", "until 09:30", "wait", "pause", [("until", "3 days", "09:30 contact")]),
        ('did "Paid"', 'did "Bought"', "wait_for", "paid", [("rules", 'did "Paid"', 'did "Bought"')]),
        ("2 days", "1 day before due", "wait_for", "paid", [("up_to", "2 days", "1 day before due")]),
        (
            "cap: 3 per week",
            "quiet: 21:00-08:00",
            "email",
            "nudge",
            [("cap", "3 per week", ""), ("quiet", "", "21:00-08:00 contact")],
        ),
        ('plan is "pro"', 'plan is "team"', "branch", "plan", [("paths", 'a: plan is "pro"', 'a: plan is "team"')]),
        (
            "50%\n    - share: 50%",
            "20%\n    - share: 80%",
            "split",
            "half",
            [("paths", "a: 50%, b: 50%", "a: 20%, b: 80%")],
        ),
        ("email: nudge", "sms: nudge", "sms", "nudge", [("kind", "email", "sms")]),
    ],
    ids=["length", "time", "rule", "date", "options", "path", "shares", "kind"],
)
def test_a_changed_step_says_which_fields_and_the_steps_around_it_did_not_change(
    old: str, new: str, kind: str, id_: str, fields: list[tuple[str, str, str]]
) -> None:
    assert edited((old, new)) == [Change(kind, id_, id_, tuple(Field(*one) for one in fields))]


@pytest.mark.parametrize(
    "pairs",
    [
        [("3 days", " 3   days  # long")],
        [('did "Paid"', "'did   “Paid”'")],
        [("- wait: 3 days\n  id: pause", "- {id: pause, wait: 3 days}")],
    ],
)
def test_notation_is_no_change(pairs: list[tuple[str, str]]) -> None:
    assert edited(*pairs) == []


def test_what_stands_around_the_steps_is_compared_too() -> None:
    changes = edited(frame='goal: {when: did "Paid", within: 3 days}\nexit: [plan is "left"]\nholdout: 10%\n')
    assert [(change.kind, change.what) for change in changes] == [
        ("holdout", "changed"),
        ("goal", "changed"),
        ("exits", "changed"),
    ]


def test_added_removed_and_renamed_steps() -> None:
    changes = edited(("id: pause", "id: rest"), ("{email: pro, id: pro}", "{sms: pro, id: text}"))
    assert [(change.what, change.was, change.id) for change in changes] == [
        ("added", None, "rest"),
        ("added", None, "text"),
        ("removed", "pause", None),
        ("removed", "pro", None),
    ]
    renamed = edited(("id: pause", "id: rest"), ("3 days", "4 days"), frame="moved: [{from: pause, to: rest}]\n")
    assert renamed == [Change("wait", "pause", "rest", (Field("until", "3 days", "4 days"),))]


def test_only_the_fewest_steps_are_said_to_have_moved() -> None:
    def order(ids: str) -> str:
        return journey("\n".join(f"- wait: 1 day\n  id: {id_}" for id_ in ids))

    def moved(before: str, after: str) -> set[str]:
        edit = difference(parse(order(before)), parse(order(after)))
        return {change.id or "" for change in edit.changes if change.moved}

    assert moved("abcde", "bcdea") == {"a"}
    assert moved("abcde", "abxcde") == set()
    assert len(moved("abcde", "edcba")) == 4
    nested = STEPS.replace("    - email: nudge\n      id: nudge\n      cap: 3 per week\n", "").replace(
        "  timeout:\n", ""
    )
    out = difference(parse(journey(STEPS)), parse(journey(f"{nested}- email: nudge\n  id: nudge\n  cap: 3 per week\n")))
    assert [(change.id, change.what) for change in out.changes] == [("nudge", "moved")]


def test_without_a_word_people_stay_but_go_along_with_a_rename() -> None:
    targets = {"a": "a", "b": "c"}
    assert [choice_of(id_, targets, {}) for id_ in ("a", "b", "gone")] == [STAY, RESCHEDULE, STAY]
    every = {"*": RESCHEDULE, "a": EXIT}
    assert [choice_of(id_, targets, every) for id_ in ("a", "b", "gone")] == [EXIT, RESCHEDULE, STAY]


@pytest.mark.parametrize("text", ["stay", "reschedule", "exit", "move:some.step"])
def test_choices_are_read_as_they_are_written(text: str) -> None:
    assert str(read_choice(text)) == text


@pytest.mark.parametrize("text", ["", "move", "move:", "Stay", "exit:a"])
def test_what_is_no_choice_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_choice(text)


def test_a_mistyped_step_is_refused_with_the_nearest_name() -> None:
    edit = difference(parse(journey(STEPS)), parse(journey(STEPS)))
    with pytest.raises(InvalidInput, match="Did you mean `pause`"):
        refuse_unknown({"puase": STAY}, [edit], ["pause", "paid"], ["pause"])
    with pytest.raises(InvalidInput, match="Did you mean `pause`"):
        refuse_unknown({"paid": Choice("move", "puase")}, [edit], ["pause", "paid"], ["pause"])


def test_what_lies_ahead_of_a_step_and_behind_it() -> None:
    flat = program(parse(journey(STEPS)))
    assert ahead(flat, "paid") == {"nudge", "plan", "pro", "half"}
    assert behind(flat, "plan") == {"pause", "paid", "nudge"}
    assert ahead(flat, "half") == behind(flat, "pause") == set()
    loop = program(parse(journey("- repeat: 2 times\n  id: r\n  do: [{wait: 1 day, id: w}]\n- wait: 1 day\n  id: end")))
    assert ahead(loop, "w") == {"r", "w", "end"} and behind(loop, "w") == {"r", "w"}
