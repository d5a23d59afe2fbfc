"""What is wrong with a journey that reads: names that do not exist, and rules that cannot mean what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from engine import expr
from engine.expr import Schema
from engine.expr.ast import Message
from journeys.language.parse import read
from journeys.language.problems import Problem, did_you_mean, in_order
from journeys.language.program import walk
from journeys.language.reader import Reader
from journeys.language.rules import parts
from journeys.language.steps import Email, Journey, ListStep, Notify, Sms, StartJourney, Step, Webhook


@dataclass(frozen=True, slots=True)
class Names:
    """What exists in the workspace, by slug. None is not compared."""

    emails: frozenset[str] | None = None
    texts: frozenset[str] | None = None
    segments: frozenset[str] | None = None
    lists: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    journeys: frozenset[str] | None = None
    webhooks: frozenset[str] | None = None
    identities: frozenset[str] | None = None


def problems(
    text: str, schema: Schema | None = None, names: Names | None = None, aliases: Iterable[str] | None = None
) -> list[Problem]:
    """Everything that is wrong with `text`, in its order.

    With `schema` unknown attributes and events and type clashes are warned of, and contents, segments, lists and
    journeys that do not exist are errors; a topic that only sends name is a warning, for publishing makes it. `names`
    says more exactly which contents are emails and which are texts, and knows the webhooks.
    """
    reading = read(text, schema.aliases if schema is not None and aliases is None else aliases)
    found = list(reading.problems)
    partial = reading.partial
    if partial is None:
        return found
    if schema is None:
        found += _unknown_steps(reading.reader, partial)
    else:
        found += _in_rules(reading.reader, with_journey(schema, partial))
        names = _names_of(schema) if names is None else names
    if names is not None:
        found += _in_steps(partial, names)
    return in_order(found)


def _names_of(schema: Schema) -> Names:
    contents, topics = schema.contents, frozenset(schema.topics)
    return Names(contents, contents, schema.segments, schema.lists, topics, schema.journeys)


def with_journey(schema: Schema, journey: Journey) -> Schema:
    """The schema with what the file itself brings: its steps, and the topics that its sends name."""
    steps = list(walk(journey.steps))
    sends = [journey.send, *(step.send for step in steps if isinstance(step, Email | Sms))]
    topics = {send.topic: "subscribed" for send in sends if send.topic}
    return replace(schema, steps=frozenset(step.id for step in steps), topics=topics | dict(schema.topics))


def _in_rules(reader: Reader, schema: Schema) -> list[Problem]:
    found = []
    for rule, node, place in reader.rules:
        for one in expr.check(rule.node, schema, "enter" if place == "enter" else "journey"):
            where = reader.inside(node, one.line, one.column)
            found.append(Problem(one.severity, *where, one.message, hint=one.hint))
    return found


def _unknown_steps(reader: Reader, journey: Journey) -> list[Problem]:
    """`opened step "id"` names a step of this journey."""
    ids = {step.id for step in walk(journey.steps)}
    found = []
    for rule, node, _ in reader.rules:
        for part in parts(rule.node):
            if isinstance(part, Message) and part.step is not None and part.step not in ids:
                where = reader.inside(node, part.at.line, part.at.column)
                hint = did_you_mean(part.step, ids)
                found.append(Problem("error", *where, f"There is no step `{part.step}`.", hint=hint))
    return found


def _in_steps(journey: Journey, names: Names) -> list[Problem]:
    found = _unknown("segment", journey.enter.segment, names.segments, journey.enter.line, 1)
    found += _new_topic(journey.send.topic, names, 1, 1)
    found += _sender(journey.send.from_, names, 1, 1)
    for step in walk(journey.steps):
        for kind, name, known in _used(step, names):
            found += _unknown(kind, name, known, step.line, step.column)
        if isinstance(step, Email | Sms):
            found += _new_topic(step.send.topic, names, step.line, step.column)
            found += _sender(step.send.from_, names, step.line, step.column)
    return found


def _new_topic(name: str, names: Names, line: int, column: int) -> list[Problem]:
    if not name or names.topics is None or name in names.topics:
        return []
    hint = did_you_mean(name, names.topics)
    return [Problem("warning", line, column, f"There is no topic `{name}` yet; publishing makes it.", hint=hint)]


def _sender(name: str, names: Names, line: int, column: int) -> list[Problem]:
    return _unknown("identity", name, names.identities, line, column) if name else []


def _used(step: Step, names: Names) -> Iterator[tuple[str, str, frozenset[str] | None]]:
    match step:
        case Email():
            yield "email content", step.content, names.emails
        case Sms():
            yield "text message content", step.content, names.texts
        case Webhook():
            yield "webhook", step.webhook, names.webhooks
        case Notify() if "@" not in step.to:
            yield "webhook", step.to, names.webhooks
        case StartJourney():
            yield "journey", step.journey, names.journeys
        case ListStep():
            for name in (*step.add, *step.remove):
                yield "list", name, names.lists


def _unknown(kind: str, name: str, known: frozenset[str] | None, line: int, column: int) -> list[Problem]:
    if not name or known is None or name in known:
        return []
    return [Problem("error", line, column, f"There is no {kind} `{name}`.", hint=did_you_mean(name, known))]
