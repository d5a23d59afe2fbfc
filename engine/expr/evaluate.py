"""The verdict on one contact as of `now`, and when it may change by itself. Pure; agrees with `compile_sql`."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.expr import ast, comparing
from engine.expr.aggregating import aggregate
from engine.expr.durations import flips_at, shift
from engine.expr.facts import ALWAYS, NEVER, EventFact, Facts, MessageFact, Verdict
from engine.expr.happening import in_window, message_in_window
from engine.expr.values import Operand, View, literal, read_path

ONCE, NOT_ONCE = ast.Count("at least", 1), ast.Count("exactly", 0)


def evaluate(node: ast.Node, facts: Facts, now: dt.datetime) -> Verdict:
    """Whether the rule holds for these facts at `now` (aware), and the first instant at which time may change that."""
    return judge(node, View(facts, now))


def evaluate_value(value: ast.Value, facts: Facts, now: dt.datetime) -> Decimal | None:
    """A value as a number; None where it is missing or no number."""
    return operand(value, View(facts, now)).number()


def judge(node: ast.Node, view: View) -> Verdict:
    """The verdict at a place in the tree."""
    return _JUDGES[type(node)](node, view)


# Combining ------------------------------------------------------------------------------------------------------------


def every(verdicts: Iterable[Verdict]) -> Verdict:
    """All: a true one may fall with its first, a false one rises only once the last of its false ones can."""
    known = list(verdicts)
    false = [verdict.changes_at for verdict in known if not verdict.value]
    if not false:
        return Verdict(True, comparing.earliest(*(verdict.changes_at for verdict in known)))
    return Verdict(False, None if None in false else max(moment for moment in false if moment))


def some(verdicts: Iterable[Verdict]) -> Verdict:
    """Any, by the same reasoning."""
    return opposite(every(opposite(verdict) for verdict in verdicts))


def opposite(verdict: Verdict) -> Verdict:
    """Not."""
    return Verdict(not verdict.value, verdict.changes_at)


def counted(verdicts: Sequence[Verdict], count: ast.Count | None) -> Verdict:
    """Whether the number of true ones fits; it needs as many changes as the number is off by."""
    if count is None and ALWAYS in verdicts:
        return ALWAYS
    count = count or ONCE
    number, times = sum(verdict.value for verdict in verdicts), count.times
    if count.bound == "exactly":
        if number == times:
            return Verdict(True, comparing.earliest(_nth_change(verdicts, True, 1), _nth_change(verdicts, False, 1)))
        return Verdict(False, _nth_change(verdicts, number > times, abs(number - times)))
    if count.bound == "at most":
        return opposite(counted(verdicts, ast.Count("at least", times + 1)))
    if number >= times:
        return Verdict(True, _nth_change(verdicts, True, number - times + 1))
    return Verdict(False, _nth_change(verdicts, False, times - number))


def _nth_change(verdicts: Sequence[Verdict], value: bool, n: int) -> dt.datetime | None:
    """The `n`th instant at which one of those that are `value` now turns."""
    moments = sorted([v.changes_at for v in verdicts if v.value is value and v.changes_at])
    return moments[n - 1] if len(moments) >= n else None


# What people did ------------------------------------------------------------------------------------------------------


def _did(node: ast.Did, view: View) -> Verdict:
    verdicts = happened(node.event, node.where, node.window, view)
    return counted(verdicts, NOT_ONCE if node.never else node.count)


def _message(node: ast.Message, view: View) -> Verdict:
    return counted(message_verdicts(node, view), NOT_ONCE if node.never else node.count)


def named(event: ast.EventName, view: View) -> list[EventFact]:
    """The contact's events of that name or alias."""
    name = view.facts.aliases.get(event.name, "") if event.alias else event.name
    return [fact for fact in view.facts.events if fact.name == name]


def happened(event: ast.EventName, where: ast.Node | None, window: ast.Window | None, view: View) -> list[Verdict]:
    """For each event of the name, whether it counts."""
    if where is None:
        return [in_window(fact, window, view) for fact in named(event, view)]
    return [_counts(fact, where, window, view) for fact in named(event, view)]


def _counts(fact: EventFact, where: ast.Node | None, window: ast.Window | None, view: View) -> Verdict:
    inside = in_window(fact, window, view)
    if where is None:
        return inside
    return every([inside, judge(where, view.within(fact.properties))])


def message_verdicts(node: ast.Message, view: View) -> list[Verdict]:
    """For each message, or event about one, that the condition speaks of: whether it counts."""
    if node.verb == "received":
        return [
            message_in_window(fact, node.window, view) for fact in view.facts.messages if _is_about(fact, node, view)
        ]
    events = named(ast.EventName(ast.VERB_EVENTS[node.verb]), view)
    return [in_window(fact, node.window, view) for fact in events if _tells_of(fact, node, view)]


def _is_about(fact: MessageFact, node: ast.Message, view: View) -> bool:
    if node.content is not None and fact.content != node.content:
        return False
    return node.step is None or (
        fact.step in node.steps and fact.journey is not None and fact.journey == view.facts.journey
    )


def _tells_of(fact: EventFact, node: ast.Message, view: View) -> bool:
    said = fact.properties.get
    if node.content is not None and said("content") != node.content:
        return False
    journey = view.facts.journey
    return node.step is None or (said("step") in node.steps and journey is not None and said("journey") == journey)


def _sequence(node: ast.Sequence, view: View) -> Verdict:
    later = sorted(named(node.second.event, view), key=lambda fact: fact.occurred_at)
    times = [fact.occurred_at for fact in later]
    verdicts = []
    for fact in named(node.first.event, view):
        end = shift(fact.occurred_at, node.within, 1)
        span = slice(bisect.bisect_right(times, fact.occurred_at), bisect.bisect_right(times, end))
        followed = some(_counts(other, node.second.where, None, view) for other in later[span])
        if node.link == "without":
            followed = every([Verdict(end <= view.now, flips_at(end, view.now, False)), opposite(followed)])
        verdicts.append(every([_counts(fact, node.first.where, node.window, view), followed]))
    return some(verdicts)


# Memberships and consent ----------------------------------------------------------------------------------------------


def _membership(node: ast.Membership, view: View) -> Verdict:
    facts = view.facts
    stays = {"segment": facts.segments, "list": facts.lists, "journey": facts.journeys}
    return ALWAYS if node.slug in stays[node.kind] else NEVER


def _subscribed(topic: str, channel: str, facts: Facts) -> bool:
    if topic not in facts.topics or facts.consent.get((channel, ""), "subscribed") != "subscribed":
        return False
    silent = facts.topics[topic] if channel == "email" else "unsubscribed"
    return facts.consent.get((channel, topic), silent) == "subscribed"


def _consents(channel: str, facts: Facts) -> bool:
    said = facts.consent.get((channel, ""))
    return said == "subscribed" or (said is None and channel == "email" and facts.email is not None)


# Comparisons ----------------------------------------------------------------------------------------------------------


def operand(value: ast.Value, view: View) -> Operand:
    """A literal, field or aggregate."""
    match value:
        case ast.Path():
            return read_path(value, view)
        case ast.Aggregate(event=event, where=where, window=window):
            facts = named(event, view)
            return aggregate(value, facts, [_counts(fact, where, window, view) for fact in facts])
    return literal(value)


def _comparison(node: ast.Comparison, view: View) -> Verdict:
    return comparing.comparison(operand(node.left, view), node.operator, operand(node.right, view), view)


def _between(node: ast.Between, view: View) -> Verdict:
    ends = operand(node.low, view), operand(node.high, view)
    return comparing.between(operand(node.value, view), *ends, node.negated, view)


def _in_list(node: ast.InList, view: View) -> Verdict:
    read = operand(node.value, view)
    return Verdict(comparing.in_list(read, node.items, view) is not node.negated, read.changes_at)


def _is_set(node: ast.IsSet, view: View) -> Verdict:
    read = operand(node.value, view)
    return Verdict(read.present is not node.negated, read.changes_at)


def _any_item(node: ast.AnyItem, view: View) -> Verdict:
    items = operand(node.path, view).raw
    if not isinstance(items, (list, tuple)):
        return NEVER
    return some(judge(node.condition, view.within(item)) for item in items)


_JUDGES: Mapping[type, Callable[[Any, View], Verdict]] = {
    ast.And: lambda node, view: every(judge(item, view) for item in node.items),
    ast.Or: lambda node, view: some(judge(item, view) for item in node.items),
    ast.Not: lambda node, view: opposite(judge(node.item, view)),
    ast.Did: _did,
    ast.Message: _message,
    ast.Sequence: _sequence,
    ast.Membership: _membership,
    ast.Subscribed: lambda node, view: Verdict(_subscribed(node.topic, node.channel, view.facts), None),
    ast.Consents: lambda node, view: Verdict(_consents(node.channel, view.facts), None),
    ast.Comparison: _comparison,
    ast.Between: _between,
    ast.InList: _in_list,
    ast.IsSet: _is_set,
    ast.IsWithin: lambda node, view: comparing.is_within(operand(node.value, view), node, view),
    ast.Ago: lambda node, view: comparing.ago(operand(node.value, view), node, view),
    ast.AnyItem: _any_item,
}
"""By kind of node: a table finds it at once, where a chain of cases asks them one by one."""
