"""Random journeys as plain data, and as texts in many styles with comments that name the step they belong to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from journeys.language import emit

HEAD = "journey: drawn   # of the journey\nenter: {on: Signed Up}\n\nsteps:\n"
RULES = ('plan is "pro"', "purchased", "seats > 5 or vip is true", "'name is \"a: b #1\"'")


@dataclass
class Step:
    """A step: its fields in order, and its lists of steps by slot."""

    id: str
    fields: dict[str, Any]
    lists: dict[str, list[Step]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The key that names the kind."""
        return next(iter(self.fields))

    def data(self) -> dict[str, Any]:
        """As plain data, in the order of the file."""
        made: dict[str, Any] = {key: value for key, value in self.fields.items() if not key.startswith("@")}
        for slot, steps in self.lists.items():
            group, _, place = slot.partition(".")
            listed = [step.data() for step in steps]
            if not place:
                made[slot] = listed
            else:
                made.setdefault(group, []).append({**self.fields[f"@{slot}"], "do": listed})
        return made

    def inner(self) -> Iterator[Step]:
        """All steps inside it."""
        for steps in self.lists.values():
            for step in steps:
                yield step
                yield from step.inner()


def plain(value: str) -> str:
    """A rule without the quotes that YAML needs."""
    return value[1:-1] if value.startswith("'") else value


def leaf(chance: random.Random, identifier: str) -> Step:
    """A step without steps inside it."""
    made = chance.choice(({"email": "hello"}, {"wait": "2 days"}, {"email": "hello", "if": 'plan is "pro"'}))
    return Step(identifier, {**made, "id": identifier})


def draw_step(chance: random.Random, ids: Iterator[str], depth: int) -> Step:
    """A step with steps inside it down to `depth`."""
    identifier = next(ids)
    kind = chance.choice(("leaf", "leaf", "branch", "split", "wait_for", "any", "fallback")) if depth else "leaf"
    made: dict[str, Any] = {}
    slots: list[str] = []
    if kind == "branch":
        made = {"branch": "Which", "id": identifier}
        made |= {"@paths.0": {"when": chance.choice(RULES)}, "@paths.1": {"else": None}}
        slots = ["paths.0", "paths.1"]
    elif kind == "split":
        made = {"split": "Half", "id": identifier, "@paths.0": {"share": "50%"}, "@paths.1": {"share": "50%"}}
        slots = ["paths.0", "paths.1"]
    elif kind == "wait_for":
        made = {"wait_for": "purchased", "id": identifier, "up_to": "3 days"}
        slots = ["timeout"]
    elif kind == "any":
        made = {"wait_for": None, "id": identifier, "up_to": "3 days", "@any.0": {"when": chance.choice(RULES)}}
        slots = ["any.0", "timeout"]
    elif kind == "fallback":
        made = {"email": "hello", "id": identifier}
        slots = ["fallback"]
    else:
        return leaf(chance, identifier)
    step = Step(identifier, {key: _read(value) for key, value in made.items()})
    for slot in slots:
        step.lists[slot] = [draw_step(chance, ids, depth - 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    return step


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(one) if isinstance(one, str) else one for key, one in value.items()}
    return value


def draw(seed: int, size: int = 3) -> tuple[list[Step], str]:
    """Steps, and a text of them."""
    chance = random.Random(seed)
    ids = (f"s{number}" for number in range(10_000))
    steps = [draw_step(chance, ids, 2) for _ in range(chance.randint(1, size))]
    return steps, text_of(steps, chance)


def text_of(steps: list[Step], chance: random.Random) -> str:
    """The journey in any style."""
    writer = Writer(chance)
    lines = writer.items(steps, chance.choice((0, 2, 4)))
    text = HEAD + "".join(line + "\n" for line in lines) + chance.choice(("", "\n", "# the end\n"))
    return text.replace("\n", "\r\n") if chance.random() < 0.1 else text


def clean(steps: list[Step]) -> str:
    """The journey as written by nobody, without any comment."""
    lines = emit.block([step.data() for step in steps])
    return HEAD + "".join(f"  {line}\n" for line in lines)


class Writer:
    """Writes steps as lines, in styles drawn as it goes; each comment says which step it belongs to and counts."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def remark(self, owner: str) -> str:
        """A comment of a step, or of nobody."""
        self.count += 1
        return f"# {owner}-{self.count}"

    def beside(self, owner: str) -> str:
        """A comment at the end of a line, now and then."""
        return "  " + self.remark(owner) if self.often(0.2) else ""

    def items(self, steps: list[Step], column: int) -> list[str]:
        """The lines of a list in block style; between steps stand blank lines and comments that are nobody's."""
        lines: list[str] = []
        pad = " " * column
        for step in steps:
            if self.often(0.15):
                lines += [*([""] if self.often(0.5) else []), pad + self.remark("nobody"), ""]
            lines += [""] * (self.often(0.2) + self.often(0.1))
            lines += [pad + self.remark(step.id) for _ in range(self.chance.choice((0, 0, 1, 2)))]
            lines += self.item(step, column)
        return lines

    def item(self, step: Step, column: int) -> list[str]:
        """One step behind its dash."""
        pad = " " * column
        if not any(step.inner()) and self.often(0.3):
            return [f"{pad}- {emit.flow(step.data())}{self.beside(step.id)}", *self.below(step, column)]
        gap = self.chance.choice((1, 1, 1, 3))
        lines = self.fields(step, column + 1 + gap)
        first = lines[0].lstrip()
        return [f"{pad}-{' ' * gap}{first}", *lines[1:], *self.below(step, column)]

    def below(self, step: Step, column: int) -> list[str]:
        """A comment below the step that is indented deeper than its dash, and not as deep as the steps inside."""
        return [" " * (column + 1) + self.remark(step.id)] if self.often(0.15) else []

    def fields(self, step: Step, column: int) -> list[str]:
        pad = " " * column
        lines: list[str] = []
        written: set[str] = set()
        for key, value in step.fields.items():
            if not key.startswith("@"):
                shown = emit.scalar(value) if value is not None else ""
                lines.append(f"{pad}{key}: {shown}".rstrip() + self.beside(step.id))
        for slot, steps in step.lists.items():
            group, _, place = slot.partition(".")
            if not place:
                lines += self.listed(slot, steps, column, step.id)
                continue
            if group not in written:
                lines.append(f"{pad}{group}:{self.beside(step.id)}")
                written.add(group)
            lines += self.path(step, slot, steps, column + 2)
        return lines

    def path(self, step: Step, slot: str, steps: list[Step], column: int) -> list[str]:
        """An entry of `paths` or `any`."""
        (key, value), pad = next(iter(step.fields[f"@{slot}"].items())), " " * column
        shown = emit.scalar(value) if value is not None else ""
        head = f"{pad}- {key}: {shown}".rstrip() + self.beside(step.id)
        return [head, *self.listed("do", steps, column + 2, step.id)]

    def listed(self, key: str, steps: list[Step], column: int, owner: str) -> list[str]:
        """`do:` with its steps, in block or in flow style."""
        pad = " " * column
        if not steps:
            return [f"{pad}{key}: []{self.beside(owner)}"]
        if not any(True for step in steps for _ in step.inner()) and self.often(0.3):
            return self.flowing(key, steps, column, owner)
        return [f"{pad}{key}:{self.beside(owner)}", *self.items(steps, column + self.chance.choice((0, 2, 3)))]

    def flowing(self, key: str, steps: list[Step], column: int, owner: str) -> list[str]:
        """`do: [{…}, {…}]` on one line, or one step a line with comments."""
        pad = " " * column
        if self.often(0.5):
            return [f"{pad}{key}: {emit.flow([step.data() for step in steps])}{self.beside(owner)}"]
        lines = [f"{pad}{key}: ["]
        for step in steps:
            lines += [f"{pad}  {self.remark(step.id)}"] if self.often(0.3) else []
            lines.append(f"{pad}  {emit.flow(step.data())},{self.beside(step.id)}")
        return [*lines, f"{pad}]"]
