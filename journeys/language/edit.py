"""Edits by step id that splice the author's text: whatever they do not concern keeps every byte.

A place is a parent step (None for the journey), the name of one of its lists (`steps`, `do`, `timeout`, `fallback`,
`paths.0`, `any.1`), and the step to stand after (None to stand first). Steps in flow style (`{email: …}`) are written
out as blocks before their structure changes, each with its comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import InvalidInput, NotFound
from journeys.language import blocks, emit
from journeys.language.blocks import Slot, Text, find, last_offset, span, step_id
from journeys.language.expand import written_out
from journeys.language.kinds import KINDS
from journeys.language.tree import in_flow


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is to stand."""

    parent: str | None = None
    slot: str = "steps"
    after: str | None = None


def add(source: str, step: Mapping[str, Any], place: Place) -> str:
    """Insert a step, given as plain data with one kind key. Raises NotFound, InvalidInput or LanguageError."""
    if not any(key in KINDS for key in step):
        raise InvalidInput("A step needs a kind.", hint=f"One of {', '.join(KINDS)}.")
    return _insert(source, emit.dashed(emit.block(step)), place)


def delete(source: str, identifier: str) -> str:
    """Remove a step with its comments and everything inside it."""
    return _cut(source, identifier)[0]


def move(source: str, identifier: str, place: Place) -> str:
    """Take a step with its comments and everything inside it to another place."""
    node, _ = find(blocks.read_text(source), identifier)
    inside = {identifier, *(step_id(inner) for inner, _ in blocks.inside(node))}
    if place.parent in inside or place.after in inside:
        raise InvalidInput(f"The step `{identifier}` cannot move into itself.")
    rest, lines = _cut(source, identifier)
    return _insert(rest, lines, place)


def wrap(source: str, first: str, last: str, step: Mapping[str, Any], slot: str = "paths.0") -> str:
    """Put the steps from `first` to `last`, which stand in one list, into a list of a new step that takes their place.

    `step` is plain data with that list empty or absent: a branch with `paths: [{when: RULE}, {else: null}]`, or a
    `repeat` with `slot` "do". The steps keep their comments, and the lines between them. Raises NotFound, InvalidInput
    or LanguageError.
    """
    text = written_out(source, lambda text: find(text, first)[0])
    node, held = find(text, first)
    end = next((item for item in _siblings(held, node) if step_id(item) == last), None)
    if end is None:
        raise NotFound("step", last, f"It does not stand below `{first}` in the same list; reload the journey.")
    low, high = span(text, node)[0], span(text, end)[1]
    column = blocks.dash(text, node) - text.start(text.line_of(blocks.dash(text, node)))
    lines = [_dedented(line, column) for line in text.lines[low:high]]
    whole = [" " * column + line if line else "" for line in _wrapped(step, slot, lines)]
    return text.source[: text.start(low)] + _joined(whole, text) + text.source[text.start(high) :]


def _siblings(slot: Slot, node: MappingNode) -> list[MappingNode]:
    """The step and those below it in its list."""
    assert isinstance(slot.list, SequenceNode)
    items: list[MappingNode] = slot.list.value
    return items[items.index(node) :]


def _wrapped(step: Mapping[str, Any], slot: str, lines: list[str]) -> list[str]:
    """The lines of a step with other steps' lines in one of its lists."""
    head = "journey: x\nsteps:\n"
    alone = head + "".join(f"  {line}\n" for line in emit.dashed(emit.block(step)))
    filled = _insert(alone, lines, Place(str(step.get("id")), slot))
    return [line[2:] for line in filled.removeprefix(head).split("\n")[:-1]]


def _cut(source: str, identifier: str) -> tuple[str, list[str]]:
    """The text without the step, and the lines of the step, without indentation and breaks."""
    text = written_out(source, lambda text: find(text, identifier)[0])
    node, slot = find(text, identifier)
    first, end = span(text, node)
    column = blocks.dash(text, node) - text.start(text.line_of(blocks.dash(text, node)))
    lines = [_dedented(line, column) for line in text.lines[first:end]]
    before = _closed_up(text, first) if _would_part(text, first, end) else text.source[: text.start(first)]
    if isinstance(slot.list, SequenceNode) and len(slot.list.value) == 1:
        colon = blocks.colon(text, next(key for key, value in slot.owner.value if value is slot.list))
        before = before[:colon] + " []" + before[colon:]
    return before + text.source[text.start(end) :], lines


def _would_part(text: Text, first: int, end: int) -> bool:
    """Whether the comments below these lines are those of a step around them, which stand right below its last line."""
    around = (span(text, node) for node, slot in blocks.steps(text) if slot.list is not None and not in_flow(slot.list))
    return any(low < first and end < high and blocks.all_comments(text, end, high) for low, high in around)


def _closed_up(text: Text, line: int) -> str:
    """The text above a line, without blank lines between the last one that is no comment and here."""
    content = line
    while content > 0 and (not text.lines[content - 1].strip() or blocks.all_comments(text, content - 1, content)):
        content -= 1
    kept = "".join(one for one in text.lines[content:line] if one.strip())
    return text.source[: text.start(content)] + kept


def _dedented(line: str, column: int) -> str:
    bare = line.rstrip("\r\n")
    return bare[column:] if not bare[:column].strip() else bare.lstrip()


def _insert(source: str, lines: list[str], place: Place) -> str:
    text = written_out(source, lambda text: _anchor(text, place))
    slot = _slot(text, place)
    if isinstance(slot.list, SequenceNode) and slot.list.value:
        line, column = _beside(text, slot.list, place)
        return _with_lines(text, line, lines, column)
    if place.after is not None:
        raise NotFound("step", place.after, "It may have moved; reload the journey.")
    key = next((key for key, _ in slot.owner.value if key.value == slot.key), None)
    if key is None:
        column = slot.owner.start_mark.column
        line = _end_of(text, slot.owner)
        return _with_lines(text, line, [f"{slot.key}:", *("  " + one for one in lines)], column)
    return _filled(text, key, slot.list, lines)


def _anchor(text: Text, place: Place) -> Node:
    """The innermost node that must be a block for the insertion."""
    slot = _slot(text, place)
    return slot.list if isinstance(slot.list, SequenceNode) and slot.list.value else slot.owner


def _slot(text: Text, place: Place) -> Slot:
    found = blocks.find_slot(text, place.parent, place.slot)
    if isinstance(found.list, MappingNode) or (isinstance(found.list, ScalarNode) and found.list.value):
        raise InvalidInput(f"`{place.slot}` of `{place.parent}` is not a list.")
    return found


def _beside(text: Text, listed: SequenceNode, place: Place) -> tuple[int, int]:
    """The line to insert at, and the column of the dashes."""
    dash = blocks.dash(text, listed.value[0])
    column = dash - text.start(text.line_of(dash))
    if place.after is None:
        return span(text, listed.value[0])[0], column
    for item in listed.value:
        if isinstance(item, MappingNode) and step_id(item) == place.after:
            return span(text, item)[1], column
    raise NotFound("step", place.after, f"It does not stand in `{place.slot}`; reload the journey.")


def _filled(text: Text, key: ScalarNode, empty: Node | None, lines: list[str]) -> str:
    """The text with `key: []` or `key:` given its first entry."""
    source = text.source
    colon = blocks.colon(text, key)
    end = max(colon, int(empty.end_mark.index)) if isinstance(empty, SequenceNode) else colon
    rest = blocks.read_text(source[:colon] + source[end:])
    column = key.start_mark.column + 2
    line = blocks.below_comments(rest, rest.line_of(colon - 1) + 1, column)
    return _with_lines(rest, line, lines, column)


def _end_of(text: Text, owner: MappingNode) -> int:
    """The line below a mapping: below the comments too that are its own, or a new last step would take them over."""
    if owner is text.root:
        return text.line_of(last_offset(text, owner) - 1) + 1
    return span(text, owner)[1]


def _with_lines(text: Text, line: int, lines: list[str], column: int) -> str:
    offset = text.start(line)
    before = text.source[:offset]
    if before and not before.endswith("\n"):
        before += text.newline
    added = _joined([" " * column + one if one else "" for one in lines], text)
    return before + added + text.source[offset:]


def _joined(lines: list[str], text: Text) -> str:
    return "".join(line + text.newline for line in lines)
