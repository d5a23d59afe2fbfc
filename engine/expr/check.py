"""What a rule says that the workspace does not know, or that surely means something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeGuard

from engine.expr import ast
from engine.expr.clashes import clashes
from engine.expr.schema import BUILT_IN, Schema
from engine.expr.screen import nearest
from engine.expr.walk import values

Place = Literal["segment", "enter", "journey", "goal_value", "content"]
_JOURNEY = ("journey", "goal_value", "content")


@dataclass(frozen=True, slots=True)
class Problem:
    """Line and column count from 1. An `error` must not be saved; a `warning` may be right once data has come."""

    severity: Literal["error", "warning"]
    message: str
    line: int
    column: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a condition stands: the rule's place, and the event whose properties bare names are (None in `any`)."""

    schema: Schema
    place: Place
    inside: bool = False
    event: str | None = None


def check(node: ast.Node | ast.Value, schema: Schema, place: Place = "segment") -> list[Problem]:
    """Problems in the order of the text. Unknown fields and events warn; unknown segments and the like err."""
    at = _Where(schema, place)
    found = _value(node, at) if isinstance(node, _VALUES) else _node(node, at)
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.column))


_VALUES = (ast.Text, ast.Number, ast.Boolean, ast.Date, ast.Moment, ast.Path, ast.Aggregate)


def _problem(severity: Literal["error", "warning"], part: ast.Part, message: str, hint: str = "") -> Problem:
    return Problem(severity, message, part.at.line, part.at.column, hint)


def _node(node: ast.Node, at: _Where) -> Iterator[Problem]:
    match node:
        case ast.And(items) | ast.Or(items):
            traps = list(_where_traps(items, at))
            # A trap says more about its place than that the contact has no such field.
            places = {(trap.line, trap.column) for trap in traps}
            found = (problem for item in items for problem in _node(item, at))
            yield from (problem for problem in found if (problem.line, problem.column) not in places)
            yield from traps
        case ast.Not(item):
            yield from _node(item, at)
        case ast.Did(event=event, where=where, window=window):
            yield from _happening(event, where, window, at)
        case ast.Sequence(first=first, second=second, window=window):
            yield from _happening(first.event, first.where, window, at)
            yield from _happening(second.event, second.where, None, at)
        case ast.Message():
            yield from _message(node, at)
        case ast.Membership() | ast.Subscribed() | ast.Consents():
            yield from _known_name(node, at)
        case _:
            yield from _comparison(node, at)


def _happening(
    event: ast.EventName, where: ast.Node | None, window: ast.Window | None, at: _Where
) -> Iterator[Problem]:
    name = at.schema.aliases.get(event.name, "") if event.alias else event.name
    yield from _event(event, name, at)
    yield from _window(window, at)
    if where is not None:
        yield from _node(where, _Where(at.schema, at.place, True, name))


def _event(event: ast.EventName, name: str, at: _Where) -> Iterator[Problem]:
    if event.alias and not name:
        meant = nearest(event.name, at.schema.aliases)
        hint = f"Did you mean `{meant}`?" if meant else f"write {event.name} is true, or did “{event.name}”"
        yield _problem("error", event, f"“{event.name}” alone says nothing: it is no name for an event", hint)
    elif name not in at.schema.events and name not in ast.VERB_EVENTS.values():
        word = nearest(name, at.schema.aliases)
        hint = _meant(name, at.schema.events) or (f"Did you mean `{word}`?" if word else "")
        yield _problem("warning", event, f"no event “{name}” has come in yet", hint)


def _meant(name: str, known: Iterable[str]) -> str:
    meant = nearest(name, known)
    return f"Did you mean `{meant}`?" if meant else ""


def _known(name: str, known: Iterable[str]) -> str:
    """The nearest name, or what there is."""
    names = sorted(known)
    if not names:
        return "there is none yet"
    return _meant(name, names) or (f"there is {', '.join(names)}" if len(names) <= 5 else "")


def _window(window: ast.Window | None, at: _Where) -> Iterator[Problem]:
    if isinstance(window, ast.SinceStep) and at.place == "content":
        yield _problem("error", window, "“since step” has no meaning in a content", "write since entry")
    elif isinstance(window, (ast.SinceEntry, ast.SinceStep)) and at.place not in _JOURNEY:
        what = "entry" if isinstance(window, ast.SinceEntry) else "step"
        where = "a segment" if at.place == "segment" else "enter.where"
        yield _problem("error", window, f"“since {what}” has no meaning in {where}", "write in the last 30 days")
    if (
        isinstance(window, ast.BetweenDates)
        and window.last.value.isoformat()[:10] < window.first.value.isoformat()[:10]
    ):
        yield _problem("warning", window, "the time ends before it begins", "write the earlier date first")


def _message(node: ast.Message, at: _Where) -> Iterator[Problem]:
    yield from _window(node.window, at)
    if node.content is not None and node.content not in at.schema.contents:
        yield _problem("error", node, f"there is no content “{node.content}”", _known(node.content, at.schema.contents))
    if node.step is None:
        return
    if at.place not in _JOURNEY:
        yield _problem("error", node, f"“{node.verb} step” has a meaning inside a journey only", "name a content")
    elif at.schema.steps is not None and node.step not in at.schema.steps:
        yield _problem("error", node, f"this journey has no step “{node.step}”", _known(node.step, at.schema.steps))


def _known_name(node: ast.Membership | ast.Subscribed | ast.Consents, at: _Where) -> Iterator[Problem]:
    schema = at.schema
    if isinstance(node, ast.Membership):
        known = {"segment": schema.segments, "list": schema.lists, "journey": schema.journeys}[node.kind]
        if node.slug not in known:
            yield _problem("error", node, f"there is no {node.kind} “{node.slug}”", _known(node.slug, known))
    elif isinstance(node, ast.Subscribed) and node.topic not in schema.topics:
        yield _problem("error", node, f"there is no topic “{node.topic}”", _known(node.topic, schema.topics))
    if not isinstance(node, ast.Membership) and node.channel not in CHANNELS:
        yield _problem("error", node, f"there is no channel “{node.channel}”", _known(node.channel, CHANNELS))


CHANNELS = ("email", "sms")


def _comparison(node: ast.Comparing, at: _Where) -> Iterator[Problem]:
    for value in values(node):
        if isinstance(node, ast.Comparison) and value is node.right and _is_bare_text(value, at):
            message = f"no contact has a field “{value.parts[0]}” yet"
            yield _problem("warning", value, message, f'put texts in double quotes: "{value.parts[0]}"')
        else:
            yield from _value(value, at)
    if isinstance(node, ast.AnyItem):
        yield from _node(node.condition, _Where(at.schema, at.place, True))
    for part, message, hint in clashes(node, lambda path: _type(path, at)):
        yield _problem("warning", part, message, hint)


def _is_bare_text(value: ast.Value, at: _Where) -> TypeGuard[ast.Path]:
    """Whether it stands where a text without its quotes would, and is no name that is known."""
    if not isinstance(value, ast.Path) or value.root or at.inside or len(value.parts) > 1:
        return False
    name = value.parts[0]
    known = {*at.schema.attributes, *BUILT_IN}
    return _type(value, at) is None and name not in at.schema.aliases and not nearest(name, known)


def _value(value: ast.Value, at: _Where) -> Iterator[Problem]:
    if isinstance(value, ast.Aggregate):
        yield from _happening(value.event, value.where, value.window, at)
        name = at.schema.aliases.get(value.event.name, "") if value.event.alias else value.event.name
        yield from _value(value.path, _Where(at.schema, at.place, True, name))
    elif isinstance(value, ast.Path):
        yield from _path(value, at)


def _path(path: ast.Path, at: _Where) -> Iterator[Problem]:
    if path.root == "event":
        if at.place == "segment":
            yield _problem(
                "error", path, "“event.” is a journey's trigger event, and a segment has none", "write did … where …"
            )
    elif path.root == "" and at.inside:
        yield from _property(path, at)
    elif path.parts[0] in at.schema.aliases and path.parts[0] not in at.schema.attributes:
        event = at.schema.aliases[path.parts[0]]
        yield _problem("error", path, f"“{path.parts[0]}” is a name for an event, not a field", f'write did "{event}"')
    elif _type(path, at) is None:
        known = {*at.schema.attributes, *BUILT_IN}
        name = ".".join(path.parts)
        yield _problem("warning", path, f"no contact has a field “{name}” yet", _meant(name, known))


def _property(path: ast.Path, at: _Where) -> Iterator[Problem]:
    known = at.schema.events.get(at.event or "", {})
    if known and path.parts[0] not in known:
        name = ".".join(path.parts)
        hint = f"write contact.{name}" if path.parts[0] in {*at.schema.attributes, *BUILT_IN} else _meant(name, known)
        yield _problem("warning", path, f"“{at.event}” has come without “{name}” so far", hint)


def _type(path: ast.Path, at: _Where) -> str | None:
    """The known type of a field; None if it is unknown; "" if nothing is known about it."""
    first, name = path.parts[0], ".".join(path.parts)
    if path.root == "event":
        return ""
    if path.root == "" and at.inside:
        return at.schema.events.get(at.event or "", {}).get(name, "")
    known = {**at.schema.attributes, **BUILT_IN}
    return known.get(name) or ("" if first in known else None)


def _where_traps(items: tuple[ast.Node, ...], at: _Where) -> Iterator[Problem]:
    """`where a > 5 and b is "x"`: only `a > 5` belongs to `where`."""
    for one, two in pairwise(items):
        path = next((v for v in values(two) if isinstance(v, ast.Path)), None) if isinstance(one, ast.Did) else None
        if not isinstance(one, ast.Did) or not one.open_where or path is None or path.root:
            continue
        name = at.schema.aliases.get(one.event.name, "") if one.event.alias else one.event.name
        if path.parts[0] in at.schema.attributes and path.parts[0] not in at.schema.events.get(name, {}):
            continue
        hint = "write where (… and …) if it is about the event, or where (…) if it is about the contact"
        yield _problem("warning", two, f"“{'.'.join(path.parts)}” is read as the contact's, not as part of where", hint)
