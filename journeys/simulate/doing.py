"""What a step does to a contact, done to the facts of a replay alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.contacts.score import total
from engine.contacts.write import resolved
from engine.expr import Facts
from journeys.decide.effects import AddPoints, ChangeLists, SetAttributes
from journeys.runtime.listening import Fact


def done(facts: Facts, effect: SetAttributes | AddPoints | ChangeLists) -> tuple[Facts, list[Fact]]:
    """The facts after `effect`, and what has changed."""
    match effect:
        case SetAttributes():
            return _with(facts, dict(effect.values))
        case AddPoints():
            return _with(facts, {effect.name: total(facts.attributes, effect.name, effect.points)})
        case ChangeLists():
            lists = (facts.lists | set(effect.add)) - set(effect.remove)
            changed = _changed("list", [*(lists - facts.lists), *(facts.lists - lists)])
            return facts._replace(lists=lists), changed


def _with(facts: Facts, values: Mapping[str, Any]) -> tuple[Facts, list[Fact]]:
    known = {**facts.attributes, **resolved(facts.attributes, values)}
    attributes = {name: value for name, value in known.items() if value is not None}
    return facts._replace(attributes=attributes), _changed("attribute", [name.split(".")[0] for name in values])


def _changed(kind: Any, names: Iterable[str]) -> list[Fact]:
    found = tuple(sorted(names))
    return [Fact(kind, found)] if found else []
