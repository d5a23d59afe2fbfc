"""Plain data to YAML text that reads back as the same data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import InvalidInput, LanguageError
from journeys.language.blocks import Text, colon, last_offset, pair_end
from journeys.language.tree import compose, escaped, in_flow, tag_of, unstorable

WIDTH = 100
LONGEST_KEY = 200


def scalar(value: Any, in_line: bool = False, quoted: bool = False) -> str:
    """One value on one line; `in_line` if braces or brackets stand around it. Raises InvalidInput.

    Text stays without quotes where YAML reads it back as the same text.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise InvalidInput(f"{type(value).__name__} cannot be written into a journey.")
    if not quoted and _reads_back(value, in_line):
        return value
    if '"' in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if unstorable(value):
        raise InvalidInput("A text with NUL or broken characters cannot be written into a journey.")
    return escaped(json.dumps(value, ensure_ascii=False))


def named(key: Any, in_line: bool = False) -> str:
    """A key. Raises InvalidInput for an empty one and for one longer than YAML reads back."""
    text = str(key)
    if not 0 < len(text) <= LONGEST_KEY:
        raise InvalidInput(f"A key has 1 to {LONGEST_KEY} characters.")
    return scalar(text, in_line)


def flow(value: Any) -> str:
    """Data on one line: `{topic: news, cap: 3 per week}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{named(key, True)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, in_line=True)


def block(value: Any) -> list[str]:
    """Data as block lines without indentation and breaks; short lists and mappings of scalars stay on one line."""
    if isinstance(value, Mapping) and value:
        return [line for key, item in value.items() for line in _entry(named(key) + ":", item)]
    if isinstance(value, list | tuple) and value:
        return [line for item in value for line in dashed(block(item))]
    return [flow(value) if isinstance(value, Mapping | list | tuple) else scalar(value)]


def dashed(lines: list[str]) -> list[str]:
    """The lines of one list entry."""
    return [("- " if index == 0 else "  ") + line for index, line in enumerate(lines)]


def data(node: Node) -> Any:
    """The plain data of a tree; numbers that do not fit become text."""
    if isinstance(node, MappingNode):
        return {str(key.value): data(value) for key, value in node.value}
    if not isinstance(node, ScalarNode):
        return [data(item) for item in node.value]
    tag = "str" if node.style else tag_of(node)
    readers: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "bool": lambda text: text.lower() == "true"}
    if tag == "null":
        return None
    try:
        return readers.get(tag, str)(node.value)
    except ValueError:
        return str(node.value)


@dataclass(slots=True)
class Remarks:
    """Comments of one entry of a list: those on lines of their own above it, and the one at the end of its line."""

    above: list[str] = field(default_factory=list)
    beside: str = ""


def expanded(text: Text, node: Node, remarks: Mapping[int, Remarks] = MappingProxyType({})) -> list[str]:
    """The block lines of a flow mapping or list of steps; everything inside that holds no steps stays as written.

    `remarks` has the comments of entries of lists, by the offset where the entry begins.
    """
    if isinstance(node, SequenceNode):
        return [line for item in node.value for line in _remarked(text, item, remarks)]
    if not isinstance(node, MappingNode) or not node.value:
        return [_raw(text, node)]
    lines: list[str] = []
    for key, value in node.value:
        name = text.source[key.start_mark.index : key.end_mark.index] + ":"
        if isinstance(value, SequenceNode) and any(isinstance(item, MappingNode) for item in value.value):
            lines += _under(name, expanded(text, value, remarks))
        else:
            empty = pair_end(text, key, value) == colon(text, key)
            lines.append(name if empty else f"{name} {_raw(text, value)}")
    return lines


def _remarked(text: Text, item: Node, remarks: Mapping[int, Remarks]) -> list[str]:
    own = remarks.get(item.start_mark.index, Remarks())
    first, *rest = dashed(expanded(text, item, remarks))
    return [*own.above, f"{first}  {own.beside}" if own.beside else first, *rest]


def _raw(text: Text, node: Node) -> str:
    written = text.source[node.start_mark.index : last_offset(text, node)]
    return flow(data(node)) if "\n" in written else written


def _entry(name: str, value: Any) -> list[str]:
    short = flow(value) if isinstance(value, Mapping | list | tuple) else scalar(value)
    nested = isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value)
    if not nested and len(name) + len(short) < WIDTH:
        return [f"{name} {short}" if value is not None else name]
    return _under(name, block(value))


def _under(name: str, lines: list[str]) -> list[str]:
    return [name, *("  " + line for line in lines)]


def _reads_back(value: str, flow_style: bool) -> bool:
    if not value or "\n" in value or value != value.strip() or value[0] in "-?:,[]{}#&*!|>'\"%@`":
        return False
    if any(sign in value for sign in (": ", " #", "\t")) or value.endswith(":"):
        return False
    if flow_style and any(sign in value for sign in ",[]{}:"):
        return False
    try:
        root = compose(f"k: {value}\n")
    except LanguageError:
        return False
    node = root.value[0][1]
    return isinstance(node, ScalarNode) and node.value == value and tag_of(node) == "str" and not in_flow(node)
