"""Flow style (`{email: …}`, `[…]`) written out as block lines, so that lines can be moved, added and removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from journeys.language import blocks, emit
from journeys.language.blocks import Text, read_text
from journeys.language.emit import Remarks
from journeys.language.tree import in_flow

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)


def written_out(source: str, locate: Callable[[Text], Node]) -> Text:
    """The text in which no flow collection stands around the node, and the node itself is none (unless empty)."""
    text = read_text(source)
    outer = _outermost(text.root, locate(text), None)
    while outer is not None:
        text = read_text(_expand(text, *outer))
        outer = _outermost(text.root, locate(text), None)
    return text


def _outermost(node: Node, target: Node, key: ScalarNode | None) -> tuple[Node, ScalarNode | None] | None:
    if in_flow(node) and node.value:
        return node, key
    if node is target:
        return None
    for name, child in _children(node):
        if child is target or _contains(child, target):
            return _outermost(child, target, name)
    return None


def _children(node: Node) -> Iterator[tuple[ScalarNode | None, Node]]:
    if isinstance(node, MappingNode):
        yield from node.value
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield None, item


def _contains(node: Node, target: Node) -> bool:
    if isinstance(node, ScalarNode):
        return False
    return any(child is target or _contains(child, target) for _, child in _children(node))


def _expand(text: Text, node: Node, key: ScalarNode | None) -> str:
    source, newline = text.source, text.newline
    begin, end = node.start_mark.index, node.end_mark.index
    line_end = source.find("\n", end)
    line_end = len(source) if line_end < 0 else line_end
    rest = source[end:line_end].rstrip()
    loose, remarks = _comments(text, node, begin if key is None else blocks.colon(text, key), end)
    lines = emit.expanded(text, node, remarks)
    if key is not None:
        colon = blocks.colon(text, key)
        pad = " " * (key.start_mark.column + 2)
        head, body = source[:colon] + rest, [*loose, *lines]
    else:
        pad = " " * node.start_mark.column
        line = text.start(text.line_of(begin))
        lead = source[line:begin]
        margin = " " * (len(lead) - len(lead.lstrip()))
        above = "".join(margin + one + newline for one in loose)
        head, body = source[:line] + above + lead + lines[0] + rest, lines[1:]
    return head + "".join(newline + pad + one for one in body) + source[line_end:]


def _comments(text: Text, node: Node, begin: int, end: int) -> tuple[list[str], dict[int, Remarks]]:
    """Comments that belong to the whole, and those of entries of lists inside, by the offset of the entry."""
    spans = list(_scalars(node))
    items = sorted(((item.start_mark.index, item.end_mark.index) for item in _entries(node)), key=lambda item: item[1])
    loose: list[str] = []
    remarks: dict[int, Remarks] = {}
    for match in _COMMENT.finditer(text.source, begin, end):
        if any(low <= match.start() < high for low, high in spans):
            continue
        owner, beside = _owner(text.source, match.start(), items)
        if owner is None:
            loose.append(match[0].rstrip())
        elif beside and not remarks.setdefault(owner, Remarks()).beside:
            remarks[owner].beside = match[0].rstrip()
        else:
            remarks.setdefault(owner, Remarks()).above.append(match[0].rstrip())
    return loose, remarks


def _owner(source: str, offset: int, items: list[tuple[int, int]]) -> tuple[int | None, bool]:
    """The entry that a comment belongs to, and whether it stands at the end of the entry's line.

    That is the last entry that ends on the comment's line before it; else the next one; else the last.
    """
    line = source.rfind("\n", 0, offset) + 1
    ended = [item for item in items if line < item[1] <= offset]
    if ended:
        return ended[-1][0], True
    following = [item[0] for item in items if item[0] > offset]
    return (min(following) if following else items[-1][0] if items else None), False


def _entries(node: Node) -> Iterator[Node]:
    """The mappings in lists inside a node."""
    for _, child in _children(node):
        if isinstance(node, SequenceNode) and isinstance(child, MappingNode):
            yield child
        yield from _entries(child)


def _scalars(node: Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, ScalarNode):
        yield node.start_mark.index, node.end_mark.index
    for key, child in _children(node):
        if key is not None:
            yield key.start_mark.index, key.end_mark.index
        yield from _scalars(child)
