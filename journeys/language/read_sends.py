"""Send options: of the journey (`send:`) and of each step that sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ruamel.yaml.nodes import Node, ScalarNode

from journeys.language import values
from journeys.language.reader import Fields, Reader
from journeys.language.rules import read_rule
from journeys.language.steps import SendOptions, Step
from journeys.language.tree import tag_of

T = TypeVar("T")
JOURNEY_OPTIONS = ("topic", "quiet", "cap", "at", "expires", "from")
STEP_OPTIONS = (*JOURNEY_OPTIONS, "if", "fallback")
TEXT_OPTIONS = tuple(name for name in STEP_OPTIONS if name != "from")


def read_options(reader: Reader, fields: Fields, fallback: tuple[Step, ...] = ()) -> SendOptions:
    """The options among `fields`; `none` lifts one of the journey."""
    lifted = frozenset(name for name in JOURNEY_OPTIONS if name in fields and _is_none(fields[name]))
    kept = {name: node for name, node in fields.items() if name not in lifted}

    def one(name: str, what: str, parse: Callable[[str], T]) -> T | None:
        def read(node: Node) -> T:
            return reader.parsed(node, what, parse)

        return reader.optional(kept, name, read, None)

    return SendOptions(
        topic=reader.optional(kept, "topic", lambda node: reader.string(node, "A topic"), ""),
        quiet=one("quiet", "`quiet`", values.quiet),
        cap=one("cap", "`cap`", values.cap),
        at=one("at", "`at`", values.at),
        expires=one("expires", "`expires`", values.duration),
        from_=reader.optional(kept, "from", lambda node: reader.string(node, "An identity"), ""),
        if_=reader.optional(kept, "if", lambda node: read_rule(reader, node, "step"), None),
        fallback=fallback,
        lifted=lifted,
    )


def read_send(reader: Reader, node: Node) -> SendOptions:
    """The journey's `send:`."""
    options = read_options(reader, reader.fields(node, "`send`", JOURNEY_OPTIONS))
    for name in sorted(options.lifted):
        reader.note(node, f"`{name}: none` lifts nothing here.", hint="Leave it out.", severity="warning")
    return options


def _is_none(node: Any) -> bool:
    return isinstance(node, ScalarNode) and tag_of(node) == "str" and node.value.strip() == "none"
