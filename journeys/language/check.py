"""What is wrong with a journey that reads: names that do not exist, and what is not executed yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from journeys.language.parse import read
from journeys.language.problems import Problem, did_you_mean, in_order
from journeys.language.program import walk
from journeys.language.reader import Reader
from journeys.language.rules import parts
from journeys.language.steps import Email, Journey, ListStep, Sms, Split, StartJourney, Step, Webhook

EXECUTED_STEPS = frozenset({"email", "sms", "wait", "wait_for", "branch", "split", "set", "exit"})
EXECUTED_TRIGGERS = frozenset({"event", "segment"})
EXECUTED_OPTIONS = frozenset({"topic", "quiet", "cap", "at", "if", "expires"})
EXECUTED_SPLITS = frozenset({"share"})
_KEEP = "Take it out to publish; the draft may keep it."
_TRIGGER_KEYS = {"schedule": "schedule", "api": "api", "date": "date"}


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


def problems(
    text: str, schema: Any = None, names: Names | None = None, aliases: Iterable[str] | None = None
) -> list[Problem]:
    """Everything that is wrong with `text`, in its order.

    With `schema` (`engine.expr.Schema`) unknown attributes, events and type clashes are warned of, and contents,
    segments, lists, topics and journeys that do not exist are errors. `names` says more exactly which contents are
    emails and which are texts, and knows the webhooks.
    """
    known = schema.aliases if schema is not None and aliases is None else aliases
    reading = read(text, known)
    found = list(reading.problems)
    if schema is not None:
        names = _names_of(schema) if names is None else names
        ids = [] if reading.partial is None else [step.id for step in walk(reading.partial.steps)]
        found += _rule_warnings(reading.reader, replace(schema, steps=frozenset(ids)))
    if names is not None:
        found += _names_in_rules(reading.reader, names)
    if names is not None and reading.partial is not None:
        found += _names_in_steps(reading.partial, names)
    if reading.journey is not None:
        found += _unknown_steps(reading.reader, reading.journey)
    return _without_echoes(in_order(found))


def _names_of(schema: Any) -> Names:
    return Names(
        schema.contents, schema.contents, schema.segments, schema.lists, frozenset(schema.topics), schema.journeys
    )


def _without_echoes(found: list[Problem]) -> list[Problem]:
    """A warning about what is an error already is left out."""
    errors = {(problem.line, problem.column) for problem in found if problem.severity == "error"}
    return [one for one in found if one.severity == "error" or (one.line, one.column) not in errors]


def unsupported(journey: Journey) -> list[Problem]:
    """What `journey` asks for and the executor does not do yet; publishing refuses these by name."""
    found: list[Problem] = []
    if journey.enter.kind not in EXECUTED_TRIGGERS:
        found.append(_not_yet(f"`enter` by `{_TRIGGER_KEYS[journey.enter.kind]}`", journey.enter.line, 1))
    if journey.send.expires is not None and "expires" not in EXECUTED_OPTIONS:
        found.append(_not_yet("`expires` of `send`", 1, 1))
    for step in walk(journey.steps):
        found += [_not_yet(what, step.line, step.column) for what in _not_executed(step)]
    return found


def _not_executed(step: Step) -> Iterator[str]:
    if step.kind not in EXECUTED_STEPS:
        yield f"The step kind `{step.kind}` (`{step.id}`)"
    if isinstance(step, Split) and step.winner is not None and "winner" not in EXECUTED_SPLITS:
        yield f"`winner` of the split `{step.id}`"
    if isinstance(step, Email | Sms):
        options = {"expires": step.send.expires is not None, "fallback": bool(step.send.fallback)}
        for name, used in options.items():
            if used and name not in EXECUTED_OPTIONS:
                yield f"`{name}` of the step `{step.id}`"


def _not_yet(what: str, line: int, column: int) -> Problem:
    return Problem("error", line, column, f"{what} is not executed yet.", hint=_KEEP)


def _rule_warnings(reader: Reader, schema: Any) -> list[Problem]:
    from engine import expr

    found = []
    for rule, node in reader.rules:
        for warning in expr.check(rule.node, schema):
            line, column = reader.inside(node, warning.line, warning.column)
            found.append(Problem("warning", line, column, warning.message, hint=warning.hint))
    return found


def _unknown_steps(reader: Reader, journey: Journey) -> list[Problem]:
    """`opened step "id"` names a step of this journey."""
    ids = {step.id for step in walk(journey.steps)}
    found = []
    for rule, node in reader.rules:
        for part in parts(rule.node):
            name = getattr(part, "step", None) if type(part).__name__ == "Message" else None
            if name is not None and name not in ids:
                place = reader.inside(node, part.at.line, part.at.column)
                found.append(Problem("error", *place, f"There is no step `{name}`.", hint=did_you_mean(name, ids)))
    return found


def _names_in_rules(reader: Reader, names: Names) -> list[Problem]:
    found = []
    for rule, node in reader.rules:
        for part in parts(rule.node):
            for kind, name, known in _named(part, names):
                place = reader.inside(node, part.at.line, part.at.column)
                found += _unknown(kind, name, known, *place)
    return found


def _named(part: Any, names: Names) -> Iterator[tuple[str, str, frozenset[str] | None]]:
    kind = type(part).__name__
    if kind == "Membership":
        known = {"segment": names.segments, "list": names.lists, "journey": names.journeys}[part.kind]
        yield part.kind, part.slug, known
    if kind == "Subscribed":
        yield "topic", part.topic, names.topics
    if kind == "Message" and part.content is not None and names.emails is not None and names.texts is not None:
        yield "content", part.content, names.emails | names.texts


def _names_in_steps(journey: Journey, names: Names) -> list[Problem]:
    found = _unknown("segment", journey.enter.segment, names.segments, journey.enter.line, 1)
    found += _unknown("topic", journey.send.topic, names.topics, 1, 1)
    for step in walk(journey.steps):
        for kind, name, known in _used(step, names):
            found += _unknown(kind, name, known, step.line, step.column)
    return found


def _used(step: Step, names: Names) -> Iterator[tuple[str, str, frozenset[str] | None]]:
    match step:
        case Email():
            yield "email content", step.content, names.emails
        case Sms():
            yield "text message content", step.content, names.texts
        case Webhook():
            yield "webhook", step.webhook, names.webhooks
        case StartJourney():
            yield "journey", step.journey, names.journeys
        case ListStep():
            for name in (*step.add, *step.remove):
                yield "list", name, names.lists
    if isinstance(step, Email | Sms):
        yield "topic", step.send.topic, names.topics


def _unknown(kind: str, name: str, known: frozenset[str] | None, line: int, column: int) -> list[Problem]:
    if not name or known is None or name in known:
        return []
    return [Problem("error", line, column, f"There is no {kind} `{name}`.", hint=did_you_mean(name, known))]
