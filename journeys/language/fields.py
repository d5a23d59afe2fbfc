"""Setting and removing one field of a step, or of the journey, in the author's text."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import InvalidInput
from journeys.language import blocks, emit
from journeys.language.blocks import Text, find, read_text
from journeys.language.tree import in_flow

Key = str | int


def set_field(source: str, identifier: str | None, path: str | tuple[Key, ...], value: Any) -> str:
    """Set a field to plain data: `set_field(text, "activated", "up_to", "2 days")`.

    `identifier` None means the journey itself. `path` goes down with dots: `paths.0.when`, `enter.where`; a tuple where
    a name holds a dot. Raises NotFound, InvalidInput or LanguageError.
    """
    text = read_text(source)
    owner, key = _owner(text, identifier, path)
    pair = next((pair for pair in owner.value if pair[0].value == key), None)
    if pair is not None:
        return _replaced(text, owner, pair[0], pair[1], value)
    return _appended(text, owner, key, value)


def remove_field(source: str, identifier: str | None, path: str | tuple[Key, ...]) -> str:
    """Take a field out, with what stands on its lines. A field that is not there is no error."""
    text = read_text(source)
    owner, key = _owner(text, identifier, path)
    names = [name.value for name, _ in owner.value]
    if key not in names:
        return source
    if len(names) == 1:
        raise InvalidInput(f"`{key}` is the only field here.", hint="Delete the step.")
    index = names.index(key)
    return _without_flow(text, owner, index) if in_flow(owner) else _without(text, owner, index)


def _owner(text: Text, identifier: str | None, path: str | tuple[Key, ...]) -> tuple[MappingNode, str]:
    """The mapping that holds the last part of `path`, and that part."""
    parts: tuple[Key, ...] = tuple(path.split(".")) if isinstance(path, str) else path
    node: Node | None = text.root if identifier is None else find(text, identifier)[0]
    for part in parts[:-1]:
        if isinstance(node, SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
        else:
            node = blocks.value_of(node, str(part)) if isinstance(node, MappingNode) else None
    if not isinstance(node, MappingNode):
        raise InvalidInput(f"There is no field `{'.'.join(str(part) for part in parts)}`.")
    return node, str(parts[-1])


def _replaced(text: Text, owner: MappingNode, key: ScalarNode, value: Node, new: Any) -> str:
    source = text.source
    colon, end = blocks.colon(text, key), blocks.pair_end(text, key, value)
    begin = min(end, int(value.start_mark.index))
    if in_flow(owner):
        return f"{source[:colon]} {emit.flow(new)}{source[end:]}"
    lead = source[colon:begin] if begin < end and "\n" not in source[colon:begin] else " "
    quoted = isinstance(value, ScalarNode) and value.style == '"'
    return f"{source[:colon]}{lead or ' '}{_single(new, quoted)}{source[end:]}"


def _single(value: Any, quoted: bool = False) -> str:
    return emit.flow(value) if isinstance(value, dict | list | tuple) else emit.scalar(value, quoted=quoted)


def _appended(text: Text, owner: MappingNode, key: str, value: Any) -> str:
    name = emit.named(key)
    if in_flow(owner):
        end = int(owner.end_mark.index) - 1
        lead = ", " if owner.value else ""
        return f"{text.source[:end].rstrip()}{lead}{name}: {emit.flow(value)}{text.source[end:]}"
    after = next((pair for pair in owner.value if pair[0].value == "id"), None) or _first_short(owner)
    pad = " " * owner.start_mark.column
    written = f"{name}: {_single(value)}{text.newline}"
    if after is None:
        first = owner.value[0][0].start_mark.index
        return f"{text.source[:first]}{written}{pad}{text.source[first:]}"
    line = text.line_of(blocks.pair_end(text, *after) - 1) + 1
    before = text.source[: text.start(line)]
    gap = "" if before.endswith("\n") else text.newline
    return f"{before}{gap}{pad}{written}{text.source[text.start(line) :]}"


def _first_short(owner: MappingNode) -> tuple[ScalarNode, Node] | None:
    """The first field on one line: a new field may stand below it."""
    return next((pair for pair in owner.value if isinstance(pair[1], ScalarNode) or in_flow(pair[1])), None)


def _without(text: Text, owner: MappingNode, index: int) -> str:
    key, value = owner.value[index]
    if index == 0:
        following = owner.value[1][0].start_mark.index
        return text.source[: key.start_mark.index] + text.source[following:]
    first = text.line_of(key.start_mark.index)
    end = text.line_of(blocks.pair_end(text, key, value) - 1) + 1
    return text.source[: text.start(first)] + text.source[text.start(end) :]


def _without_flow(text: Text, owner: MappingNode, index: int) -> str:
    if index == 0:
        begin, end = owner.value[0][0].start_mark.index, owner.value[1][0].start_mark.index
    else:
        begin = blocks.pair_end(text, *owner.value[index - 1])
        end = blocks.pair_end(text, *owner.value[index])
    return text.source[:begin] + text.source[end:]
