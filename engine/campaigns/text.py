"""The author's own file of a campaign: changes are spliced into it, so that comments, order and blank lines stay."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.campaigns.definition import KEYS, Definition, as_mapping, as_yaml, parse
from engine.errors import InvalidInput


def spliced(source: str, definition: Definition) -> str:
    """The file with what the definition says otherwise, and nothing else changed.

    A file that does not read, or in which nothing can be spliced (one flow mapping), is written anew.
    """
    try:
        text = _spliced(source, as_mapping(parse(source)), as_mapping(definition))
        return text if parse(text) == definition else as_yaml(definition)
    except (InvalidInput, YAMLError):
        return as_yaml(definition)


def _spliced(source: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    for key in [each for each in KEYS if before.get(each) != after.get(each)]:
        source = _with(source, key, after.get(key))
    return source


def _with(source: str, key: str, value: Any) -> str:
    """The file with another value of one key, or without the key."""
    root = YAML(typ="rt", pure=True).compose(source)
    if not isinstance(root, MappingNode) or root.flow_style:
        raise InvalidInput("is no mapping by lines", "campaign")
    lines = source.splitlines(keepends=True)
    found = {name.value: (name, node) for name, node in root.value}
    written = _dumped(key, value) if value is not None else ""
    if key not in found:
        place = _place(found, key)
        if place and not lines[place - 1].endswith("\n"):
            lines[place - 1] += "\n"
        return "".join([*lines[:place], written, *lines[place:]])
    name, node = found[key]
    scalar = written.removeprefix(f"{key}: ").rstrip("\n")
    if isinstance(node, ScalarNode) and isinstance(value, str) and not node.style and "\n" not in scalar and node.value:
        return source[: node.start_mark.index] + scalar + source[node.end_mark.index :]
    return "".join([*lines[: name.start_mark.line], written, *lines[_end(node) :]])


def _dumped(key: str, value: Any) -> str:
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 110
    yaml.dump({key: value}, out)
    return out.getvalue()


def _place(found: dict[str, tuple[Node, Node]], key: str) -> int:
    """The line before which a new key stands: behind the last one that goes before it."""
    earlier = [found[name][1] for name in KEYS[: KEYS.index(key)] if name in found]
    return max((_end(node) for node in earlier), default=0)


def _end(node: Node) -> int:
    """The line behind a value. A block's mark lies behind comments that follow; its last leaf's does not."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    return int(mark.line) + (0 if mark.column == 0 and mark.line > node.start_mark.line else 1)
