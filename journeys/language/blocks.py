"""Where each step stands in the text: its lines, with the comments that are its own.

A step owns its lines, the comment lines directly above it, and those directly below it that are indented deeper than
its dash. Everything else (blank lines, other comments) belongs to nobody and is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import InvalidInput, NotFound
from journeys.language.kinds import KINDS
from journeys.language.tree import compose, in_flow

_COLON = re.compile(r"\s*:")
LISTS = ("do", "timeout", "fallback")
GROUPS = ("paths", "any")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a list of steps: the mapping that holds it, its key, and the list if there is one."""

    owner: MappingNode
    key: str
    list: Node | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its lines (each with its break) and its tree."""

    source: str
    lines: list[str]
    starts: list[int]
    root: MappingNode

    @property
    def newline(self) -> str:
        """The break that the text uses."""
        return "\r\n" if "\r\n" in self.source else "\n"

    def line_of(self, offset: int) -> int:
        """Index of the line that holds `offset`."""
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= offset else (low, middle)
        return low

    def start(self, line: int) -> int:
        """Offset of the beginning of a line; the length of the text after the last."""
        return self.starts[line] if line < len(self.starts) else len(self.source)


def read_text(source: str) -> Text:
    """The text with its tree. Raises LanguageError if it is not one YAML mapping."""
    root = compose(source)
    lines = source.split("\n")
    lines = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line)
    return Text(source, lines, starts, root)


def value_of(node: MappingNode, key: str) -> Node | None:
    """The value node beside `key`."""
    return next((value for name, value in node.value if name.value == key), None)


def last_offset(text: Text, node: Node) -> int:
    """Offset after the last character that is written for `node`, without trailing breaks and comments."""
    if isinstance(node, MappingNode | SequenceNode) and not in_flow(node) and node.value:
        last = node.value[-1]
        if not isinstance(last, tuple):
            return last_offset(text, last)
        return pair_end(text, *last)
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        body = text.source[node.start_mark.index : end]
        return int(node.start_mark.index) + len(body.rstrip())
    return end


def colon(text: Text, key: Node) -> int:
    """Offset after the `:` of a key; after the key if it has none (`{a, b}`)."""
    found = _COLON.match(text.source, key.end_mark.index)
    return found.end() if found else int(key.end_mark.index)


def pair_end(text: Text, key: Node, value: Node) -> int:
    """Offset after what is written for a key and its value; an empty value has marks that lie further down."""
    empty = isinstance(value, ScalarNode) and not value.style and not value.value
    return colon(text, key) if empty else max(colon(text, key), last_offset(text, value))


def dash(text: Text, item: Node) -> int:
    """Offset of the `-` before an entry of a block list."""
    return text.source.rindex("-", 0, item.start_mark.index)


def span(text: Text, item: Node) -> tuple[int, int]:
    """First line, and line after the last, of an entry of a block list with the comments that are its own."""
    begin = dash(text, item)
    first = text.line_of(begin)
    column = begin - text.start(first)
    end = below_comments(text, text.line_of(max(last_offset(text, item) - 1, begin)) + 1, column)
    while first > 0 and 0 <= _comment(text.lines[first - 1]) <= column:
        first -= 1
    return first, end


def below_comments(text: Text, line: int, column: int) -> int:
    """The line, or the one below the comments that begin there and are indented deeper than `column`."""
    while line < len(text.lines) and _comment(text.lines[line]) > column:
        line += 1
    return line


def all_comments(text: Text, first: int, end: int) -> bool:
    """Whether all lines from `first` to before `end` are comments."""
    return all(_comment(line) >= 0 for line in text.lines[first:end])


def _comment(line: str) -> int:
    """The column of a line that is a comment; -1 for other lines."""
    return len(line) - len(line.lstrip(" ")) if line.lstrip().startswith("#") else -1


def slots(node: MappingNode) -> Iterator[tuple[str, Slot]]:
    """The lists of steps that a step has or may have, by name: `do`, `timeout`, `fallback`, `paths.0`, `any.1`."""
    for key in LISTS:
        yield key, Slot(node, key, value_of(node, key))
    for group in GROUPS:
        entries = value_of(node, group)
        if isinstance(entries, SequenceNode):
            for index, entry in enumerate(entries.value):
                if isinstance(entry, MappingNode):
                    yield f"{group}.{index}", Slot(entry, "do", value_of(entry, "do"))


def steps(text: Text) -> Iterator[tuple[MappingNode, Slot]]:
    """Every step of the text with the list that it stands in, parents first."""
    yield from _below(Slot(text.root, "steps", value_of(text.root, "steps")))


def inside(node: MappingNode) -> Iterator[tuple[MappingNode, Slot]]:
    """Every step inside a step, with the list that it stands in."""
    for _, inner in slots(node):
        yield from _below(inner)


def _below(slot: Slot) -> Iterator[tuple[MappingNode, Slot]]:
    if not isinstance(slot.list, SequenceNode):
        return
    for item in slot.list.value:
        if isinstance(item, MappingNode):
            yield item, slot
            yield from inside(item)


def step_id(node: MappingNode) -> str | None:
    """The id of a step as it is written."""
    value = value_of(node, "id")
    return str(value.value) if isinstance(value, ScalarNode) else None


def kind_of_step(node: MappingNode) -> str:
    """The key that names the kind of a step; `step` if there is none."""
    named = [key.value for key, _ in node.value if key.value in KINDS]
    return next((name for name in named if name != "exit"), named[0] if named else "step")


def find(text: Text, identifier: str) -> tuple[MappingNode, Slot]:
    """The step with this id. Raises NotFound."""
    for node, slot in steps(text):
        if step_id(node) == identifier:
            return node, slot
    raise NotFound("step", identifier, "It may have been renamed or deleted; reload the journey.")


def find_slot(text: Text, parent: str | None, name: str) -> Slot:
    """The list called `name` of a step, or of the journey. Raises NotFound or InvalidInput."""
    if parent is None:
        if name != "steps":
            raise InvalidInput(f"A journey has no list `{name}`.")
        return Slot(text.root, "steps", value_of(text.root, "steps"))
    node, _ = find(text, parent)
    kind = kind_of_step(node)
    found = dict(slots(node)).get(name)
    if found is None or kind not in KINDS or name.split(".")[0] not in KINDS[kind].options:
        raise InvalidInput(f"`{kind}` has no list `{name}`.")
    return found
