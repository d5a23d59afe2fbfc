"""Any edits of any text give what the same edits give on the plain data, and comments stay with their step."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml.nodes import MappingNode

from journeys.language import blocks, emit
from journeys.language.blocks import read_text
from journeys.language.edit import Place, add, delete, move, wrap
from journeys.language.fields import remove_field, set_field
from journeys.language.format import fmt
from journeys.language.graph import graph
from journeys.language.parse import parse
from journeys.language.tree import in_flow
from tests.journeys.language.drafts import Step, clean, draw, draw_step

EFFORT = float(os.environ.get("CAIRN_FUZZ", "1"))
REMARK = re.compile(r"# (s\d+|n\d+|nobody)-(\d+)")
TITLES = ("Hello", "a: b", "#1", 'say "hi"', "yes", "12")
SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "branch": ("branch", TITLES), "split": ("split", TITLES), "email": ("topic", ("news", "offers")),
    "wait": ("wait", ("1 day", "until monday 09:30")), "wait_for": ("up_to", ("1 week", "2 days before trial_ends_at")),
}  # fmt: skip


class Draft:
    """The plain data of a journey under the same edits as its text."""

    def __init__(self, steps: list[Step], chance: random.Random) -> None:
        self.steps, self.chance, self.made = steps, chance, 0

    def all(self) -> list[Step]:
        return [one for step in self.steps for one in (step, *step.inner())]

    def lists(self) -> Iterator[tuple[str | None, str, list[Step]]]:
        """Every list: its step, its slot, what is in it."""
        yield None, "steps", self.steps
        for step in self.all():
            for slot, listed in step.lists.items():
                yield step.id, slot, listed

    def home(self, step: Step) -> tuple[str | None, str, list[Step]]:
        return next(found for found in self.lists() if any(one is step for one in found[2]))

    def place(self) -> tuple[Place, list[Step], int]:
        """Anywhere a step can stand."""
        parent, slot, listed = self.chance.choice(list(self.lists()))
        index = self.chance.randint(0, len(listed))
        return Place(parent, slot, listed[index - 1].id if index else None), listed, index

    def fresh(self) -> Step:
        """A new step with new ids."""
        start = self.made = self.made + 100
        return draw_step(self.chance, (f"n{number}" for number in range(start, start + 99)), 1)


def edited(text: str, draft: Draft) -> str:
    """One random edit, on the text and on the data."""
    kind = draft.chance.choice(("add", "add", "delete", "move", "move", "set", "remove", "wrap"))
    steps = draft.all()
    step = draft.chance.choice(steps)
    _, _, listed = draft.home(step)
    index = next(place for place, one in enumerate(listed) if one is step)
    if kind == "add":
        new = draft.fresh()
        place, target, at = draft.place()
        text = add(text, new.data(), place)
        target.insert(at, new)
    elif kind == "delete" and (listed is not draft.steps or len(listed) > 1):
        text = delete(text, step.id)
        del listed[index]
    elif kind == "move":
        text = moved(text, draft, step, listed, index)
    elif kind == "set":
        name, values = SETTINGS[step.kind]
        value = draft.chance.choice(values)
        text = set_field(text, step.id, name, value)
        step.fields[name] = value
    elif kind == "remove" and step.kind == "email":
        text = remove_field(text, step.id, "topic")
        step.fields.pop("topic", None)
    elif kind == "wrap":
        text = wrapped(text, draft, listed, index)
    return text


def moved(text: str, draft: Draft, step: Step, listed: list[Step], index: int) -> str:
    place, target, _ = draft.place()
    inside = {step.id, *(one.id for one in step.inner())}
    if place.parent in inside or place.after in inside or (listed is draft.steps and len(listed) == 1):
        return text
    text = move(text, step.id, place)
    del listed[index]
    after = next((number for number, one in enumerate(target, 1) if one.id == place.after), 0)
    target.insert(after, step)
    return text


def wrapped(text: str, draft: Draft, listed: list[Step], index: int) -> str:
    end = draft.chance.randint(index, len(listed) - 1)
    draft.made += 100
    identifier = f"n{draft.made}"
    fields = {"branch": "Who", "id": identifier}
    paths = {"@paths.0": {"when": 'plan is "x"'}, "@paths.1": {"else": None}}
    step = {**fields, "paths": [{"when": 'plan is "x"'}, {"else": None, "do": []}]}
    text = wrap(text, listed[index].id, listed[end].id, step)
    made = Step(identifier, {**fields, **paths}, {"paths.0": listed[index : end + 1], "paths.1": []})
    listed[index : end + 1] = [made]
    return text


def data(text: str) -> Any:
    """The steps of a text as plain data, whatever the order of the fields."""
    root = read_text(text).root
    return emit.data(root)["steps"]


def owners(text: str) -> dict[str, tuple[str, str]]:
    """By number of a comment: the step that it names, and the innermost step that it stands at."""
    lines = read_text(text)
    extents = [(blocks.step_id(node) or "", extent(lines, node, slot)) for node, slot in blocks.steps(lines)]
    found = {}
    for number, line in enumerate(lines.lines):
        for owner, count in REMARK.findall(line):
            at = [identifier for identifier, rows in extents if number in rows]
            found[count] = (owner, at[-1] if at and owner != "nobody" else "nobody")
    return found


def extent(text: blocks.Text, node: MappingNode, slot: blocks.Slot) -> range:
    """The lines of a step. In flow style it has those that begin with it, and the comments above."""
    if slot.list is not None and not in_flow(slot.list):
        return range(*blocks.span(text, node))
    first, end = text.line_of(node.start_mark.index), text.line_of(node.end_mark.index - 1) + 1
    if text.source[text.start(first) : node.start_mark.index].strip():
        return range(0)
    while text.lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return range(first, end)


def shape(text: str) -> Any:
    """The graph without the places in the text."""
    made = graph(parse(text))
    return [{**node, "line": 0} for node in made["nodes"]], made["edges"], made["lanes"]


@settings(
    max_examples=int(25 * EFFORT), deadline=None, derandomize=EFFORT <= 1, phases=(Phase.explicit, Phase.generate)
)
@given(st.integers(0, 2**32), st.integers(1, 9))
def test_edits_of_the_text_are_edits_of_the_graph(seed: int, length: int) -> None:
    steps, text = draw(seed)
    draft = Draft(steps, random.Random(seed + 1))
    count = len(draft.all())
    for _ in range(length):
        before = owners(text)
        text = edited(text, draft)
        assert data(text) == [step.data() for step in draft.steps]
        left = {step.id for step in draft.all()}
        after = owners(text)
        assert {count for count, (owner, _) in before.items() if owner in left} <= set(after)
        assert {owner for owner, _ in after.values()} <= left | {"nobody"}
        assert all(owner == at for owner, at in after.values()), text
        if len(left) >= count:
            assert set(before) == set(after)
        count = len(left)
    assert shape(text) == shape(clean(draft.steps))
    once = fmt(text)
    assert fmt(once) == once
    assert data(once) == data(text)
    assert all(owner == at for owner, at in owners(once).values()), once
