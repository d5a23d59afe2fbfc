"""A step that is being read: its nodes, and the shared ways to take values off them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ruamel.yaml.nodes import Node, ScalarNode

from journeys.language.reader import Fields, Reader
from journeys.language.rules import read_rule
from journeys.language.steps import RuleText, Step
from journeys.language.tree import tag_of

T = TypeVar("T")
Steps = tuple[Step, ...]
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Draft:
    """`fields` are the nodes of the step by key, `common` what every step has, `steps` reads a list of steps."""

    reader: Reader
    steps: Callable[[Node, str], Steps]
    node: Node
    kind: str
    fields: Fields
    common: dict[str, Any]

    @property
    def value(self) -> Node:
        """The node beside the key that names the kind."""
        return self.fields[self.kind]

    def optional(self, key: str, read: Callable[[Node], T], default: T) -> T:
        """`read` the field, or `default`."""
        return self.reader.optional(self.fields, key, read, default)

    def required(self, key: str, example: str) -> Node:
        """The node of a field that this kind must have."""
        return self.reader.required(self.fields, key, self.node, f"`{self.kind}`", example)

    def inner(self, key: str, fields: Fields | None = None) -> Steps:
        """The steps below `key`, of this step or of `fields`; none if it is absent."""
        return self.reader.optional(
            self.fields if fields is None else fields, key, lambda node: self.steps(node, f"`{key}`"), ()
        )

    def rule(self, node: Node) -> RuleText:
        """A rule of a step."""
        return read_rule(self.reader, node, "step")

    def title(self) -> str:
        """The label beside the kind, which may be left empty."""
        return "" if is_null(self.value) else self.reader.string(self.value, f"`{self.kind}`")


def is_null(node: Node) -> bool:
    """Whether nothing is written."""
    return isinstance(node, ScalarNode) and not node.style and tag_of(node) == "null"


def is_boolean(node: Node) -> bool:
    """Whether `true` or `false` is written, without quotes."""
    return isinstance(node, ScalarNode) and not node.style and tag_of(node) == "bool"


def read_id(reader: Reader, node: Node, what: str) -> str:
    """The id of a step or the slug of a journey."""
    text = reader.string(node, what)
    if not _ID.fullmatch(text):
        hint = "Letters, digits, `-`, `_` and `.`; at most 64, the first a letter or digit."
        raise reader.refuse(node, f"`{text[:80]}` cannot be an id.", ("welcome-email",), hint)
    return text
