"""Which segments have to look at whom after events: by the events' names, and by what they say."""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from engine.expr import parse
from engine.expr.schema import Schema
from engine.segments import Asked, SegmentIndex
from engine.segments.rules import Rule
from journeys.runtime.where import Where, occurrences

Happened = tuple[int, str, Mapping[str, Any]]
"""Contact id, name and properties of an event."""


def asked_by(index: SegmentIndex, events: Iterable[Happened], schema: Schema, now: dt.datetime) -> Asked:
    """The contacts whom each segment has to judge: an event that fits no condition of a rule on its name cannot touch
    a membership."""
    asked: Asked = defaultdict(set)
    aliases = tuple(sorted(schema.aliases.items()))
    for contact_id, name, properties in events:
        for id_ in index.touched("event", (name,)):
            if contact_id not in asked[id_] and _minds(index.rules[id_], aliases, name, properties, schema, now):
                asked[id_].add(contact_id)
    return {id_: ids for id_, ids in asked.items() if ids}


def _minds(
    rule: Rule,
    aliases: tuple[tuple[str, str], ...],
    name: str,
    properties: Mapping[str, Any],
    schema: Schema,
    now: dt.datetime,
) -> bool:
    if rule.reads.any_event:
        return True
    verdicts = (one.verdict(properties, schema, now) for one in _wheres(rule.text, aliases).get(name, ()))
    return any(one.value or one.changes_at is not None for one in verdicts)


@functools.lru_cache(maxsize=10_000)
def _wheres(text: str, aliases: tuple[tuple[str, str], ...]) -> dict[str, tuple[Where, ...]]:
    known = dict(aliases)
    return occurrences(parse(text, known), known)
