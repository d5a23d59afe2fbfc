"""Rules of segments, parsed, with what they look at."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import LanguageError
from engine.expr import Dependencies, Schema, check, dependencies, parse
from engine.expr.ast import Node
from engine.expr.compile_sql import matching
from engine.expr.load import load as load_schema
from engine.model import Segment
from engine.segments import planning
from engine.segments.planning import planned

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """A segment's rule, ready to be compiled."""

    segment_id: int
    slug: str
    node: Node
    reads: Dependencies
    text: str = ""

    @property
    def timed(self) -> bool:
        """Whether time alone may change a verdict."""
        return self.reads.time

    @property
    def periodic(self) -> bool:
        """Whether verdicts change without a word in an inbox, and at instants that cannot be foretold: people come into
        journeys and leave them by steps of their own."""
        return bool(self.reads.journeys)


def resolve(text: str, schema: Schema) -> Node:
    """The rule, with every name that it needs known. Raises LanguageError at the first that is not."""
    node = parse(text, schema.aliases)
    for problem in check(node, schema):
        if problem.severity == "error":
            raise LanguageError(problem.message, problem.line, problem.column, hint=problem.hint)
    return node


def count(session: Session, text: str, now: dt.datetime) -> int:
    """How many contacts the rule is true of at `now`. Raises LanguageError."""
    schema = load_schema(session)
    ids = matching(resolve(text, schema), schema, now).subquery()
    with planned(session, planning.ALL):
        return session.execute(select(func.count()).select_from(ids)).scalar_one()


def load_rules(session: Session, schema: Schema) -> list[Rule]:
    """All segments whose rule reads, each after those that it reads. What does not read is logged and left out."""
    rows = session.execute(select(Segment.id, Segment.slug, Segment.rule).order_by(Segment.id))
    return list(_ordered(tuple(tuple(row) for row in rows), tuple(sorted(schema.aliases.items()))))


@functools.lru_cache(maxsize=16)
def _ordered(rows: tuple[tuple[Any, ...], ...], aliases: tuple[tuple[str, str], ...]) -> tuple[Rule, ...]:
    """Kept as long as no rule changes: a thousand take some milliseconds to put in order."""
    rules = []
    for id_, slug, text in rows:
        try:
            node, reads = _parsed(text, aliases)
        except LanguageError as error:
            log.error("segment's rule does not read", segment=slug, error=str(error))
        else:
            rules.append(Rule(id_, slug, node, reads, text))
    return tuple(in_order(rules))


@functools.lru_cache(maxsize=10_000)
def _parsed(text: str, aliases: tuple[tuple[str, str], ...]) -> tuple[Node, Dependencies]:
    known = dict(aliases)
    node = parse(text, known)
    return node, dependencies(node, known)


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """Each after those that it reads; of those in a circle, which `save` refuses, some one comes first."""
    by_slug = {rule.slug: rule for rule in rules}
    ordered: dict[str, Rule] = {}
    for rule in rules:
        _visit(rule, by_slug, ordered, set())
    return list(ordered.values())


def _visit(rule: Rule, by_slug: Mapping[str, Rule], ordered: dict[str, Rule], under_way: set[str]) -> None:
    if rule.slug in ordered or rule.slug in under_way:
        return
    under_way.add(rule.slug)
    for slug in sorted(rule.reads.segments & by_slug.keys()):
        _visit(by_slug[slug], by_slug, ordered, under_way)
    ordered[rule.slug] = rule
