"""What may come next in a rule that is being written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lark import Token
from lark.exceptions import LarkError, UnexpectedInput

from engine.errors import LanguageError
from engine.expr.ast import DEFAULT_ALIASES, VERB_EVENTS
from engine.expr.check import CHANNELS
from engine.expr.literals import write_part, write_text
from engine.expr.parse import parser
from engine.expr.schema import BUILT_IN, Schema
from engine.expr.screen import MAX_BYTES, screen
from engine.expr.tokens import RESERVED, keywords

Kind = Literal[
    "keyword", "event", "field", "property", "segment", "list", "journey", "topic", "content", "step", "channel"
]
_WORDS_BACK = 2
_EVENT_FOLLOWS = ("DID", "THEN", "WITHOUT", "OVER")
_NAMES_ALSO = frozenset(["VERB", "SUBSCRIBED", "CONSENTS", "NULL"])
_BEHAVIOUR = _NAMES_ALSO | {"DID", "NEVER", "IN"}
_CLAUSES = frozenset(
    ["WHERE", "AT_LEAST", "AT_MOST", "EXACTLY", "ONCE", "TWICE", "IN_THE_LAST", "SINCE", "BEFORE", "BETWEEN_DATE",
     "EVER", "AND", "OR",
     "THEN", "WITHOUT"]
)  # fmt: skip
_COMPARING = frozenset(
    ["IS", "NOT", "CONTAINS", "MATCHES", "STARTS_WITH", "ENDS_WITH", "BETWEEN", "IN", "MORE", "LESS", "ANY"]
)
_QUOTES = ('"', "“", "„", "`")
_BETWEEN = frozenset('()[],"“”„')


@dataclass(frozen=True, slots=True)
class Completion:
    """What to write, and what it is. `detail` is the type of a field."""

    text: str
    kind: Kind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completions:
    """`items` may replace the characters from `start` up to `end`; offsets into the rule, from 0."""

    start: int
    end: int
    items: tuple[Completion, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the cursor stands: the tokens before it, and what the grammar takes next."""

    tokens: Sequence[Token]
    terminals: frozenset[str]
    schema: Schema = field(default_factory=Schema)

    def kind(self, back: int = 1) -> str:
        return self.tokens[-back].type if len(self.tokens) >= back else ""


def complete(text: str, cursor: int, schema: Schema) -> Completions:
    """What may stand at `cursor` (offset from 0, cut to the text), given what the workspace knows.

    Keywords that fit the grammar come first, then names by kind, each sorted. Nothing for a rule that is wrong before
    the cursor.
    """
    cursor = max(0, min(cursor, len(text)))
    if len(text) > MAX_BYTES:
        return Completions(cursor, cursor)
    first, found = cursor, list[Completion]()
    for start in _starts(text[:cursor]):
        place = _place(text[:start], schema)
        items = [item for item in _items(place) if _begins(item.text, text[start:cursor])] if place else []
        first = first if found or not items else start
        found += [replace(item, text=text[first:start] + item.text) for item in items]
    return Completions(first, cursor, tuple(found))


def _begins(offered: str, typed: str) -> bool:
    if typed[:1] in _QUOTES and offered[0] not in _QUOTES:
        return False
    return offered.lower() != typed.lower() and _plain(offered).startswith(_plain(typed))


def _plain(text: str) -> str:
    """Lower case, single spaces (a last one stays), without quotes and backticks, which nobody types in full."""
    return re.sub(r"\s+", " ", re.sub(r'["“”„`]', "", text)).lower()


def _starts(before: str) -> Iterator[int]:
    """Where the piece under the cursor may begin: an open text, or one, two or three words, the longest first."""
    quoted = _open_text(before)
    if quoted is not None:
        yield quoted
        return
    starts = [_word_start(before)]
    for _ in range(_WORDS_BACK):
        earlier = before[: starts[-1]].rstrip()
        if (start := _word_start(earlier)) == len(earlier):
            break
        starts.append(start)
    yield from reversed(starts)


def _word_start(before: str) -> int:
    """The offset at which the word at the end begins."""
    start = len(before)
    while start and before[start - 1] not in _BETWEEN and not before[start - 1].isspace():
        start -= 1
    return start


def _open_text(before: str) -> int | None:
    """The offset of the quote that no second one closes."""
    start, quote, position = None, "", 0
    while position < len(before):
        char = before[position]
        if start is None and char in '"“„':
            start, quote = position, '"' if char == '"' else "”“"
        elif start is not None and char == "\\":
            position += 1
        elif start is not None and char in quote:
            start = None
        position += 1
    return start


def _place(before: str, schema: Schema) -> _Place | None:
    """The state of the grammar after `before`; None if it is wrong already."""
    try:
        if before.strip():
            screen(before)
        interactive: Any = parser("rule", frozenset(schema.aliases)).parse_interactive(before)
        tokens = list(interactive.exhaust_lexer())
        return _Place(tokens, frozenset(interactive.accepts()), schema)
    except (UnexpectedInput, LanguageError, LarkError):
        return None


def _items(place: _Place) -> Iterator[Completion]:
    event = _event_around(place.tokens, place.schema)
    words = set(keywords(place.terminals - _senseless(place, event is not None)))
    yield from (Completion(word, "keyword") for word in sorted(words))
    yield from _names(place, event)


def _senseless(place: _Place, inside: bool) -> frozenset[str]:
    """What the grammar takes, but would be refused later or say nothing."""
    last = place.tokens[-1] if place.tokens else None
    ambiguous = {"IS", "AT_LEAST"} <= place.terminals and place.kind(2) not in _EVENT_FOLLOWS
    if last is not None and last.type == "PATH" and ambiguous:
        known = last.lower() in place.schema.aliases and str(last) not in place.schema.attributes
        return _COMPARING if known else _CLAUSES
    starts = "NEVER" in place.terminals or place.kind() == "NEVER"
    return _BEHAVIOUR if inside else frozenset() if starts else _NAMES_ALSO


def _names(place: _Place, event: str | None) -> Iterator[Completion]:
    """`event`: whose properties bare names are here; None for those of the contact."""
    schema = place.schema
    if "STRING" in place.terminals:
        kind, names = _quoted(place)
        yield from (Completion(write_text(name), kind) for name in sorted(names))
    if "PATH" not in place.terminals or place.kind() in _EVENT_FOLLOWS:
        return
    if place.kind() == "ON" or place.kind(2) == "CONSENTS":
        yield from (Completion(name, "channel") for name in CHANNELS)
    elif event is not None:
        yield from _fields(_properties(event, schema), "property")
        yield from (Completion(f"contact.{item.text}", "field", item.detail) for item in _contact_fields(schema))
    else:
        if "NEVER" in place.terminals or place.kind() == "NEVER":
            yield from (Completion(alias, "event", name) for alias, name in sorted(schema.aliases.items()))
        yield from _contact_fields(schema)


def _properties(event: str, schema: Schema) -> Mapping[str, str]:
    """Those of the event; those of all events while the rule has not named one yet."""
    every = {name: detail for known in schema.events.values() for name, detail in known.items()}
    return schema.events.get(event, {}) if event else every


def _contact_fields(schema: Schema) -> Iterator[Completion]:
    return _fields({**BUILT_IN, **schema.attributes}, "field")


def _fields(known: Mapping[str, str], kind: Kind) -> Iterator[Completion]:
    for name, detail in sorted(known.items()):
        parts = name.split(".")
        written = [write_part(parts[0], RESERVED), *map(write_part, parts[1:])]
        yield Completion(".".join(written), kind, detail)


def _quoted(place: _Place) -> tuple[Kind, Iterable[str]]:
    """Which names belong into the quotes that may open here."""
    schema = place.schema
    after: dict[str, tuple[Kind, Iterable[str]]] = {
        "SEGMENT": ("segment", schema.segments),
        "LIST": ("list", schema.lists),
        "JOURNEY": ("journey", schema.journeys),
        "TO": ("topic", schema.topics),
        "VERB": ("content", schema.contents),
        "STEP": ("step", schema.steps or ()),
    }
    events = {*schema.events, *VERB_EVENTS.values()}
    nothing: tuple[Kind, Iterable[str]] = ("event", ())
    return ("event", events) if place.kind() in _EVENT_FOLLOWS else after.get(place.kind(), nothing)


def _event_around(tokens: Sequence[Token], schema: Schema) -> str | None:
    """The event whose properties bare names are at this place: inside `where`, and in `sum of …`; else None."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        kind = tokens[index].type
        depth += (kind == "RPAR") - (kind == "LPAR")
        if kind == "WHERE" and (depth < 0 or (depth == 0 and index >= len(tokens) - 2)):
            return _event_before(tokens[:index], schema)
        if kind == "OF" and index == len(tokens) - 1:
            return ""
    return None


def _event_before(tokens: Sequence[Token], schema: Schema) -> str:
    """The name of the event that the `where` after these tokens belongs to; "" if it is not known."""
    for token in reversed(tokens):
        if token.type == "STRING":
            return token[1:-1]
        if token.type == "PATH":
            return schema.aliases.get(str(token), DEFAULT_ALIASES.get(str(token), ""))
    return ""
