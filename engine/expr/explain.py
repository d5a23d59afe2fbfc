"""Why a rule holds for a contact or does not: the verdict of each part, with the values that it saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.expr import ast
from engine.expr.english import english
from engine.expr.evaluate import happened, judge, message_verdicts, named, operand
from engine.expr.facts import EventFact, Facts, Verdict
from engine.expr.happening import in_window
from engine.expr.unparse import unparse, write_value
from engine.expr.values import View
from engine.expr.walk import values


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that was looked at. `value` is a JSON value or an instant; None: there is none."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict of one part. `changes_at`: the first instant at which time alone may change it.

    `parts` are what it is made of. A condition on events with `where` shows that condition for the latest event that
    lies in its window, a condition on a list's items for the first item that meets it, else for the first.
    """

    rule: str
    english: str
    verdict: bool
    changes_at: dt.datetime | None
    seen: tuple[Seen, ...] = ()
    parts: tuple[Explanation, ...] = ()


def explain(node: ast.Node, facts: Facts, now: dt.datetime) -> Explanation:
    """The rule's verdict for these facts at `now` (aware), as `evaluate` gives it, taken apart."""
    return _explain(node, View(facts, now))


def _explain(node: ast.Node, view: View) -> Explanation:
    verdict = judge(node, view)
    seen, parts = tuple(_seen(node, view)), tuple(_parts(node, view))
    return Explanation(unparse(node), english(node), verdict.value, verdict.changes_at, seen, parts)


def _parts(node: ast.Node, view: View) -> Iterator[Explanation]:
    match node:
        case ast.And(items) | ast.Or(items):
            yield from (_explain(item, view) for item in items)
        case ast.Not(item):
            yield _explain(item, view)
        case ast.Did(event=event, where=where, window=window):
            yield from _latest(event, where, window, view)
        case ast.Sequence(first=first, second=second, window=window):
            yield from _latest(first.event, first.where, window, view)
            yield from _latest(second.event, second.where, None, view)
        case ast.AnyItem(path, condition):
            items = operand(path, view).raw
            if isinstance(items, list | tuple) and items:
                met = (item for item in items if judge(condition, view.within(item)).value)
                yield _explain(condition, view.within(next(met, items[0])))


def _latest(
    event: ast.EventName, where: ast.Node | None, window: ast.Window | None, view: View
) -> Iterator[Explanation]:
    inside = [fact for fact in named(event, view) if in_window(fact, window, view).value]
    if where is not None and inside:
        yield _explain(where, view.within(max(inside, key=lambda fact: fact.key).properties))


def _seen(node: ast.Node, view: View) -> Iterator[Seen]:
    match node:
        case ast.Did(event=event, where=where, window=window):
            yield from _events(event, happened(event, where, window, view), view)
        case ast.Sequence(first=first, second=second, window=window):
            yield from _events(first.event, happened(first.event, first.where, window, view), view)
            yield from _events(second.event, happened(second.event, second.where, None, view), view)
        case ast.Message():
            yield Seen(f"times {node.verb}", _true(message_verdicts(node, view)))
        case ast.Membership(kind):
            stays = {"segment": view.facts.segments, "list": view.facts.lists, "journey": view.facts.journeys}
            yield Seen(f"{kind}s", sorted(stays[kind]))
        case ast.Subscribed(topic, channel):
            yield Seen(channel, view.facts.consent.get((channel, "")))
            yield Seen(f"{topic} on {channel}", view.facts.consent.get((channel, topic)))
            yield Seen(f"{topic} by default", view.facts.topics.get(topic))
        case ast.Consents(channel):
            yield Seen(channel, view.facts.consent.get((channel, "")))
        case ast.And() | ast.Or() | ast.Not():
            return
        case _:
            yield from _values(node, view)


def _values(node: ast.Comparing, view: View) -> Iterator[Seen]:
    for value in values(node):
        if isinstance(value, ast.Path | ast.Aggregate):
            yield Seen(write_value(value), operand(value, view).raw)


def _events(event: ast.EventName, verdicts: Sequence[Verdict], view: View) -> Iterator[Seen]:
    facts = [fact for fact in named(event, view) if fact.occurred_at <= view.now]
    yield Seen(f"{event.name}: times", len(facts))
    yield Seen(f"{event.name}: times that count", _true(verdicts))
    yield Seen(f"{event.name}: last", _last(facts))


def _last(facts: Sequence[EventFact]) -> dt.datetime | None:
    return max((fact.occurred_at for fact in facts), default=None)


def _true(verdicts: Sequence[Verdict]) -> int:
    return sum(verdict.value for verdict in verdicts)
