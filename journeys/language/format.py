"""`cairn journeys fmt`: one way to lay a file out. Idempotent; comments, order and the author's words stay.

Two spaces a level, list entries two deeper than their key, at most one blank line, no trailing spaces, one space after
`key:` and `-`, a line break at the end. Steps without an id get one, made of what they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml.nodes import Node, ScalarNode

from journeys.language import blocks
from journeys.language.blocks import Text, last_offset, read_text
from journeys.language.naming import named
from journeys.language.tree import in_flow

STEP = 2


def fmt(source: str) -> str:
    """The canonical text. Raises LanguageError if `source` is not YAML; other mistakes stay as they are."""
    text = read_text(source.removeprefix("\ufeff").replace("\r\n", "\n"))
    for change in (named, _spaced):
        changed = change(text)
        text = text if changed == text.source else read_text(changed)
    return _laid_out(text)


def _spaced(text: Text) -> str:
    """One space after `key:`."""
    source = text.source
    for begin, end in sorted(set(_gaps(text, text.root)), reverse=True):
        if source[begin:end].strip(" ") == "" and end - begin > 1:
            source = source[:begin] + " " + source[end:]
    return source


def _gaps(text: Text, node: Node) -> Iterator[tuple[int, int]]:
    if in_flow(node) or isinstance(node, ScalarNode):
        return
    for item in node.value:
        if isinstance(item, tuple):
            key, value = item
            yield blocks.colon(text, key), min(value.start_mark.index, blocks.pair_end(text, key, value))
            yield from _gaps(text, value)
        else:
            yield from _gaps(text, item)


@dataclass(slots=True)
class _Layout:
    """By line: the old and new column of its first token (`tokens`), what follows its dash (`after_dash`), how far
    a line that continues a value moves (`shifts`), and the new column of a comment that belongs to an entry
    (`comments`); `literal` lines are kept to the letter."""

    tokens: dict[int, tuple[int, int]] = field(default_factory=dict)
    after_dash: dict[int, tuple[int, int]] = field(default_factory=dict)
    shifts: dict[int, int] = field(default_factory=dict)
    comments: dict[int, int] = field(default_factory=dict)
    literal: set[int] = field(default_factory=set)


def _laid_out(text: Text) -> str:
    layout = _Layout()
    _measure(text, text.root, 0, layout)
    lines: list[str] = []
    for number, line in enumerate(text.lines):
        written = _line(text, number, line.rstrip("\n"), layout)
        if written or number in layout.literal or (lines and lines[-1]):
            lines.append(written)
    return "\n".join(lines).strip("\n") + "\n"


def _measure(text: Text, node: Node, column: int, layout: _Layout) -> None:
    """Give the lines of a block at `column` their new columns."""
    if in_flow(node) or isinstance(node, ScalarNode):
        return
    for item in node.value:
        key, value = item if isinstance(item, tuple) else (None, item)
        begin = int(key.start_mark.index) if key is not None else blocks.dash(text, value)
        line = text.line_of(begin)
        old = begin - text.start(line)
        layout.tokens.setdefault(line, (old, column))
        if key is None and text.line_of(value.start_mark.index) == line and not _empty(value):
            layout.after_dash[line] = (value.start_mark.column, column + STEP)
        if key is None:
            _own_comments(text, value, line, column, layout)
        inner = column + STEP
        if isinstance(value, ScalarNode) or in_flow(value):
            _continue(text, key, value, line, (old, column), layout)
        _measure(text, value, inner, layout)


def _own_comments(text: Text, item: Node, line: int, column: int, layout: _Layout) -> None:
    """The comments of a list's entry stay its own: above it in its column, or below it and deeper."""
    first, end = blocks.span(text, item)
    last = text.line_of(max(last_offset(text, item) - 1, text.start(line))) + 1
    layout.comments.update(dict.fromkeys(range(first, line), column))
    layout.comments.update(dict.fromkeys(range(last, end), column + STEP))


def _empty(value: Node) -> bool:
    """Whether nothing is written; ruamel then gives the place of what comes next, be it a comment."""
    return isinstance(value, ScalarNode) and not value.style and not value.value


def _continue(text: Text, key: Node | None, value: Node, line: int, columns: tuple[int, int], layout: _Layout) -> None:
    """The further lines of a value move with its first line."""
    end = last_offset(text, value) if key is None else blocks.pair_end(text, key, value)
    last = text.line_of(end - 1)
    literal = isinstance(value, ScalarNode) and value.style in ("|", ">")
    old, new = columns
    for number in range(line + 1, last + 1):
        layout.shifts[number] = new - old
        if literal:
            layout.literal.add(number)


def _line(text: Text, number: int, line: str, layout: _Layout) -> str:
    bare = line.lstrip(" ")
    if number in layout.after_dash:
        bare = "- " + line[layout.after_dash[number][0] :]
    if number in layout.tokens:
        return " " * layout.tokens[number][1] + bare.rstrip()
    if number in layout.shifts:
        moved = " " * max(0, len(line) - len(bare) + layout.shifts[number]) + bare
        return moved if number in layout.literal and bare.strip() else moved.rstrip()
    if not bare.strip():
        return ""
    column = layout.comments.get(number)
    if column is None:
        column = _comment_column(text, number, len(line) - len(bare), layout)
    return " " * column + bare.rstrip()


def _comment_column(text: Text, number: int, column: int, layout: _Layout) -> int:
    """A comment stands with the line below it, or, if it is indented deeper, with what it follows."""
    below = next((layout.tokens[line] for line in range(number + 1, len(text.lines)) if line in layout.tokens), (0, 0))
    if column <= below[0]:
        return below[1]
    for line in range(number - 1, -1, -1):
        for place in (layout.after_dash.get(line), layout.tokens.get(line)):
            if place is not None and place[0] == column:
                return place[1]
        if line in layout.tokens and layout.tokens[line][0] < column:
            return below[1]
    return below[1]
