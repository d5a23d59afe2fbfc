"""What a condition on an event asks of the event alone: cheap to test in memory, and what fails it concerns nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.expr import Dependencies, ast, dependencies
from engine.expr.evaluate import judge
from engine.expr.facts import ALWAYS as TRUE
from engine.expr.facts import NEVER as FALSE
from engine.expr.facts import Facts, Verdict
from engine.expr.schema import Schema
from engine.expr.values import View, dig
from engine.expr.walk import nodes, values

Texts = tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class Where:
    """A condition in three parts, dearest last; it holds if all hold. Without any it always does.

    `texts` are (path, text) of properties that must be this text, `event` looks at nothing but the event, `rest` also
    at the contact. `inside`: bare names are the event's, as in `did "A" where (…)`; in `enter.where` the contact's.
    """

    texts: Texts = ()
    event: tuple[ast.Node, ...] = ()
    rest: ast.Node | None = None
    inside: bool = False

    def has_texts(self, properties: Mapping[str, Any]) -> bool:
        """Whether the texts are as they must be."""
        return all(dig(properties, path) == text for path, text in self.texts)

    def verdict(self, properties: Mapping[str, Any], schema: Schema, now: dt.datetime) -> Verdict:
        """Of all but `rest`; false with a `changes_at` when time alone may make it true."""
        if self.texts and not self.has_texts(properties):
            return FALSE
        if not self.event:
            return TRUE
        view = View(Facts(event=properties, zone=schema.zone, aliases=schema.aliases), now, properties, self.inside)
        found = [judge(node, view) for node in self.event]
        never = any(not one.value and one.changes_at is None for one in found)
        return Verdict(all(one.value for one in found), None if never else now)


ALWAYS = Where()


def where(node: ast.Node | None, aliases: Mapping[str, str], *, inside: bool = False) -> Where:
    """Sort the parts of a condition by what they look at."""
    if node is None:
        return ALWAYS
    texts: list[tuple[tuple[str, ...], str]] = []
    event: list[ast.Node] = []
    rest: list[ast.Node] = []
    for item in node.items if isinstance(node, ast.And) else (node,):
        if (text := _text(item, inside)) is not None:
            texts.append(text)
        else:
            (event if _only_event(item, aliases, inside) else rest).append(item)
    return Where(tuple(texts), tuple(event), _together(rest), inside)


def _text(node: ast.Node, inside: bool) -> tuple[tuple[str, ...], str] | None:
    """`event.kind is "a"` as path and text; inside a `where` `kind is "a"`, as `event.` is the trigger there."""
    match node:
        case ast.Comparison(ast.Path(parts, root), "is", ast.Text(text)) if root == ("" if inside else "event"):
            return parts, text
    return None


def _only_event(node: ast.Node, aliases: Mapping[str, str], inside: bool) -> bool:
    """Inside a `where` of a step, `event.` is the trigger event of an entry, which is not at hand."""
    if inside and any(isinstance(value, ast.Path) and value.root == "event" for value in _values(node)):
        return False
    probe = ast.Did(PROBE, where=node) if inside else node
    reads = dependencies(probe, aliases)
    return replace(reads, events=reads.events - {PROBE.name}, time=False) == Dependencies()


PROBE = ast.EventName("\0")


def _values(node: ast.Node) -> Iterator[ast.Value]:
    return (value for each in nodes(node) for value in values(each))


def _together(items: Sequence[ast.Node]) -> ast.Node | None:
    if len(items) < 2:
        return items[0] if items else None
    return ast.And(tuple(items))


def occurrences(rule: ast.Node, aliases: Mapping[str, str]) -> dict[str, tuple[Where, ...]]:
    """By name, the events that can change the rule's verdict: one that fits none of its conditions cannot."""
    found: dict[str, list[Where]] = {}
    for event, condition in _occurrences(rule):
        name = aliases.get(event.name) if event.alias else event.name
        if name:
            found.setdefault(name, []).append(where(condition, aliases, inside=True))
    return {name: tuple(several) for name, several in found.items()}


def _occurrences(rule: ast.Node) -> Iterator[tuple[ast.EventName, ast.Node | None]]:
    for node in nodes(rule):
        match node:
            case ast.Did(event, condition):
                yield event, condition
            case ast.Sequence(first, _, second):
                yield from [(first.event, first.where), (second.event, second.where)]
            case ast.Message(verb) if verb in ast.VERB_EVENTS:
                yield ast.EventName(ast.VERB_EVENTS[verb]), None
        yield from ((value.event, value.where) for value in values(node) if isinstance(value, ast.Aggregate))
