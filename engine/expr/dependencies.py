"""What a rule looks at: which facts can change its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.expr import ast
from engine.expr.walk import behaviours, nodes, values


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Names by kind. `attributes` are first parts of paths and fields of the contact.

    time: the verdict may change with no new fact. any_event: it reads the contact's latest event, whatever its name.
    messages: it reads accepted messages. channels: consent on these is read.
    """

    events: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    journeys: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    contents: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    time: bool = False
    any_event: bool = False
    messages: bool = False


def dependencies(node: ast.Node | ast.Value, aliases: Mapping[str, str] | None = None) -> Dependencies:
    """Everything that the rule or value reads. Unknown aliases name no event."""
    found = list(_found(node, ast.DEFAULT_ALIASES if aliases is None else aliases))

    def named(kind: str) -> frozenset[str]:
        return frozenset(name for known, name in found if known == kind)

    names = {field: named(field) for field in _NAMED}
    flags = {kind for kind, _ in found}
    return Dependencies(
        **names, time="time" in flags, any_event="last_seen_at" in names["attributes"], messages="messages" in flags
    )


_NAMED = ("events", "attributes", "segments", "lists", "journeys", "topics", "channels", "contents", "steps")
Found = Iterator[tuple[str, str]]


def _found(root: ast.Node | ast.Value, aliases: Mapping[str, str]) -> Found:
    if isinstance(root, (ast.Path, ast.Aggregate)):
        yield from _of_value(root, aliases, inside=False)
    elif not isinstance(root, (ast.Text, ast.Number, ast.Boolean, ast.Date, ast.Moment)):
        for node, inside in behaviours(root):
            yield from _of_node(node, aliases)
            for value in values(node):
                yield from _of_value(value, aliases, inside)


def _of_node(node: ast.Node, aliases: Mapping[str, str]) -> Found:
    match node:
        case ast.Did(event=event, window=window):
            yield from _of_event(event, window, aliases)
        case ast.Sequence(first=first, link=link, second=second, window=window):
            yield from _of_event(first.event, window, aliases)
            yield from _of_event(second.event, None, aliases)
            yield from [("time", "")] if link == "without" else []
        case ast.Message():
            yield from _of_message(node)
        case ast.Membership(kind, slug):
            yield f"{kind}s", slug
        case ast.Subscribed(topic, channel):
            yield from [("topics", topic), ("channels", channel)]
        case ast.Consents(channel):
            yield from [("channels", channel), *([("attributes", "email")] if channel == "email" else [])]
        case ast.IsWithin() | ast.Ago():
            yield "time", ""


def _of_event(event: ast.EventName, window: ast.Window | None, aliases: Mapping[str, str]) -> Found:
    name = aliases.get(event.name) if event.alias else event.name
    yield from [("events", name)] if name else []
    yield from [("time", "")] if isinstance(window, ast.Last) else []


def _of_message(node: ast.Message) -> Found:
    yield ("messages", "") if node.verb == "received" else ("events", ast.VERB_EVENTS[node.verb])
    yield from [("contents", node.content)] if node.content is not None else []
    yield from [("steps", node.step)] if node.step is not None else []
    yield from [("time", "")] if isinstance(node.window, ast.Last) else []


def _of_value(value: ast.Value, aliases: Mapping[str, str], inside: bool) -> Found:
    if isinstance(value, ast.Path) and (value.root == "contact" or (value.root == "" and not inside)):
        yield "attributes", value.parts[0]
    elif isinstance(value, ast.Aggregate):
        yield from _of_event(value.event, value.window, aliases)
        if value.where is not None:
            for node, _ in behaviours(value.where):
                for part in values(node):
                    yield from _of_value(part, aliases, inside=True)
                yield from _of_node(node, aliases)


def reads_contact(where: ast.Node) -> bool:
    """Whether the condition of a `where` reaches out to the contact."""
    return any(isinstance(v, ast.Path) and v.root == "contact" for node in nodes(where) for v in values(node))


def find_cycle(slug: str, reads: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The way from a segment back to itself, such as ("a", "b", "a"); empty if there is none.

    `reads` maps each segment to the segments that its rule reads.
    """
    pending: list[tuple[str, ...]] = [(slug,)]
    seen: set[str] = set()
    while pending:
        way = pending.pop()
        for name in sorted(reads.get(way[-1], frozenset())):
            if name == slug:
                return (*way, name)
            if name not in seen:
                seen.add(name)
                pending.append((*way, name))
    return ()
