"""Ids for steps that have none."""

from __future__ import annotations

import re

from ruamel.yaml.nodes import MappingNode, ScalarNode

from journeys.language import blocks
from journeys.language.blocks import Text, read_text, steps
from journeys.language.tree import in_flow

_NAMED = ("email", "sms", "branch", "split", "journey", "event", "webhook")


def with_ids(source: str) -> str:
    """The text with an id for every step that has none, unique in the file. Raises LanguageError if it is not YAML."""
    return named(read_text(source))


def named(text: Text) -> str:
    """The same for a text that has been read."""
    source = text.source
    found = [node for node, _ in steps(text)]
    taken = {blocks.step_id(node) for node in found}
    inserted: list[tuple[int, str]] = []
    for node in found:
        if blocks.value_of(node, "id") is None and node.value:
            name = _new_id(node, taken)
            taken.add(name)
            inserted.append(_insertion(text, node, name))
    for offset, piece in sorted(inserted, reverse=True):
        source = source[:offset] + piece + source[offset:]
    return source


def _new_id(node: MappingNode, taken: set[str | None]) -> str:
    kind = blocks.kind_of_step(node)
    value = blocks.value_of(node, kind)
    named = isinstance(value, ScalarNode) and kind in _NAMED
    words = re.sub(r"[^a-z0-9]+", "-", str(value.value).lower()) if named and value is not None else ""
    base = words.strip("-")[:48].strip("-") or kind.replace("_", "-")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _insertion(text: Text, node: MappingNode, name: str) -> tuple[int, str]:
    """Where the id goes, and its text: below the kind, beside it in flow style, above it if the kind is long."""
    key, value = node.value[0]
    end = blocks.pair_end(text, key, value)
    if in_flow(node):
        return end, f", id: {name}"
    pad = " " * node.start_mark.column
    if not isinstance(value, ScalarNode) and not in_flow(value):
        return int(key.start_mark.index), f"id: {name}{text.newline}{pad}"
    line = text.line_of(end - 1)
    last = not text.lines[line].endswith("\n")
    written = f"{pad}id: {name}"
    return text.start(line + 1), f"{text.newline}{written}" if last else f"{written}{text.newline}"
