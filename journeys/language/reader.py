"""Helpers that take typed values off the node tree and collect what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import LanguageError
from journeys.language.hints import for_block, for_key
from journeys.language.problems import Problem, Severity
from journeys.language.steps import RuleText
from journeys.language.tree import QUOTE_HINT, in_flow, kind_of, offsets, place, start, tag_of

T = TypeVar("T")
LONGEST_NAME = 200
Fields = dict[str, Node]
Place = Literal["enter", "step", "goal", "exit"]
Pairs = tuple[tuple[str, Any], ...]


class Unreadable(Exception):
    """The value could not be read; the problem is already noted."""


class Reader:
    """Collects the problems of one text. Every method that cannot give its value notes why and raises Unreadable."""

    def __init__(self, text: str, aliases: frozenset[str] | None = None) -> None:
        self.text = text
        self.aliases = aliases
        self.problems: list[Problem] = []
        self.rules: list[tuple[RuleText, ScalarNode, Place]] = []
        self.guessed: set[tuple[Node, str]] = set()
        self.former: dict[str, tuple[str, ...]] = {}

    def note(
        self, node: Node, message: str, expected: tuple[str, ...] = (), hint: str = "", severity: Severity = "error"
    ) -> None:
        """Remember a problem at the beginning of `node`."""
        self.problems.append(Problem(severity, *start(node), message, expected, hint))

    def refuse(self, node: Node, message: str, expected: tuple[str, ...] = (), hint: str = "") -> Unreadable:
        """Remember an error and give the exception to raise."""
        self.note(node, message, expected, hint)
        return Unreadable()

    def refuse_at(
        self, line: int, column: int, message: str, expected: tuple[str, ...] = (), hint: str = ""
    ) -> Unreadable:
        """Remember an error at a place of the file and give the exception to raise."""
        self.problems.append(Problem("error", line, column, message, expected, hint))
        return Unreadable()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Go on after the block if a value in it could not be read."""
        try:
            yield
        except Unreadable:
            return

    def optional(self, fields: Fields, key: str, read: Callable[[Node], T], default: T) -> T:
        """`read` the field `key`; `default` where it is absent, or unreadable (then that is noted)."""
        value = default
        if key in fields:
            with self.collecting():
                value = read(fields[key])
        return value

    def mapping(self, node: Node, what: str) -> dict[str, tuple[ScalarNode, Node]]:
        """Key and value nodes by name; keys are text and stand once."""
        if not isinstance(node, MappingNode):
            message = f"{what} holds `key: value` lines, not {kind_of(node)}."
            raise self.refuse(node, message, ("key: value",), for_block(what))
        found: dict[str, tuple[ScalarNode, Node]] = {}
        for key, value in node.value:
            if tag_of(key) == "merge":
                self.note(key, f"{what} has no merge key; a key is plain text.")
            elif key.value in found:
                self.note(key, f"`{key.value}` stands here twice.", hint="Keep one of the two.")
            else:
                found[key.value] = (key, value)
        return found

    def fields(self, node: Node, what: str, allowed: Collection[str]) -> Fields:
        """The value nodes of a mapping whose keys are among `allowed`."""
        found = self.mapping(node, what)
        flow = in_flow(node)
        for name, (key, value) in found.items():
            if name not in allowed:
                self.unknown_key(node, key, what, allowed, cut=flow and tag_of(value) == "null")
        return {name: value for name, (_, value) in found.items() if name in allowed}

    def unknown_key(self, node: Node, key: ScalarNode, what: str, allowed: Collection[str], cut: bool = False) -> None:
        """Note a key of `node` that `what` does not have; `cut` if it is rather the rest of a value cut at a comma."""
        meant, hint = for_key(key.value, allowed)
        self.guessed.add((node, meant))
        hint = QUOTE_HINT if cut else hint
        self.note(key, f"{what} has no `{key.value[:60]}`.", tuple(sorted(allowed)), hint)

    def required(self, fields: Fields, key: str, node: Node, what: str, example: str) -> Node:
        """The node of a field that must be there."""
        if (node, key) in self.guessed and key not in fields:
            raise Unreadable  # the misspelt key is noted, and says it all
        if key not in fields:
            raise self.refuse(node, f"{what} has no `{key}`.", (f"{key}:",), f"Add `{example}`.")
        return fields[key]

    def items(self, node: Node, what: str) -> list[Node]:
        """The nodes of a list."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        raise self.refuse(node, f"{what} is a list, not {kind_of(node)}.", ("- …",), "Begin each entry with `- `.")

    def scalar(self, node: Node, what: str) -> ScalarNode:
        """A single value, whatever its type."""
        if isinstance(node, ScalarNode) and (node.style or tag_of(node) != "null"):
            return node
        written = self.text[node.start_mark.index : node.end_mark.index]
        hint = QUOTE_HINT if in_flow(node) and any(quote in written for quote in "\"'“") else ""
        if isinstance(node, ScalarNode):
            hint = "Write a value after the colon, or take the key out."
        raise self.refuse(node, f"{what} is text, not {kind_of(node)}.", ("text",), hint)

    def string(self, node: Node, what: str, longest: int = LONGEST_NAME, numbers: bool = False) -> str:
        """A text. Unless `numbers`, what YAML takes for a number or for true or false must be quoted to be text."""
        value = self.scalar(node, what)
        if not numbers and not value.style and tag_of(value) in ("int", "float", "bool"):
            raise self.refuse(node, f"{what} is text, not {kind_of(node)}.", ("text",), f'Write "{value.value}".')
        text = str(value.value).strip()
        if not text:
            raise self.refuse(node, f"{what} is empty.", ("text",))
        if len(text) > longest:
            raise self.refuse(node, f"{what} is longer than {longest} characters.")
        return text

    def boolean(self, node: Node, what: str) -> bool:
        """`true` or `false`."""
        if isinstance(node, ScalarNode) and tag_of(node) == "bool" and not node.style:
            return bool(node.value.lower() == "true")
        hint = "Write `true` or `false`, without quotes." if isinstance(node, ScalarNode) else ""
        raise self.refuse(node, f"{what} is true or false, not {kind_of(node)}.", ("true", "false"), hint)

    def integer(self, node: Node, what: str) -> int:
        """A whole number of at most nine digits."""
        if isinstance(node, ScalarNode) and tag_of(node) == "int" and not node.style:
            text = node.value.replace("_", "")
            if text.lstrip("+-").isdigit() and len(text) <= 10:
                return int(text)
        raise self.refuse(node, f"{what} is a whole number, not {kind_of(node)}.", ("a whole number",))

    def parsed(self, node: Node, what: str, parse: Callable[[str], T]) -> T:
        """The value that `parse` makes of the scalar's text; its errors get the place of the node."""
        text = " ".join(self.string(node, what, numbers=True).split())
        try:
            return parse(text)
        except LanguageError as error:
            raise self.refuse(node, error.message, error.expected, error.hint) from None

    def literal(self, node: Node, what: str) -> Any:
        """Plain data: text, number, true, false, null, and lists and mappings of them."""
        if isinstance(node, SequenceNode):
            return [self.literal(item, what) for item in node.value]
        if isinstance(node, MappingNode):
            return {name: self.literal(value, what) for name, (_, value) in self.mapping(node, what).items()}
        tag = "str" if getattr(node, "style", None) else tag_of(node)
        if tag == "null":
            return None
        if tag == "bool":
            return self.boolean(node, what)
        return self._number(node, what, tag) if tag in ("int", "float") else str(node.value)

    def literals(self, node: Node, what: str) -> Pairs:
        """A mapping of plain data, in the file's order."""
        return tuple((name, self.literal(value, what)) for name, (_, value) in self.mapping(node, what).items())

    def _number(self, node: Node, what: str, tag: str) -> int | float:
        text = str(node.value).replace("_", "")
        if tag == "int" and len(text) <= 19 and text.lstrip("+-").isdigit():
            return int(text)
        if tag == "float" and (number := _finite(text)) is not None:
            return number
        raise self.refuse(node, f"{what} has a number that cannot be stored.", ("12", "3.5"), "Put it into quotes.")

    def inside(self, node: ScalarNode, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file of a place (from 1) in the scalar's value."""
        lines = str(node.value).split("\n")
        before = sum(len(text) + 1 for text in lines[: line - 1])
        places = offsets(self.text, node)
        return place(self.text, places[min(before + column - 1, len(places) - 1)])


def _finite(text: str) -> float | None:
    """The number; None for infinity, for what is none, and for `.`, which YAML takes for a number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
