"""Rules of segments, parsed, with what they look at."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.contacts.changes import NEW_CONTACT
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

    @property
    def periodic(self) -> bool:
        """Whether its verdicts change without a word in an inbox."""
        return self.reads.time or self.reads.messages or bool(self.reads.journeys)

    def touched_by(self, kind: str, names: Iterable[str]) -> bool:
        """Whether a change of this kind and these names (see `engine.model.ChangeInbox`) can change a verdict."""
        changed = {name.split(".")[0] for name in names} if kind == "attribute" else set(names)
        match kind:
            case "event":
                return self.reads.any_event or not self.reads.events.isdisjoint(changed)
            case "attribute":
                return NEW_CONTACT in changed or not self.reads.attributes.isdisjoint(changed)
            case "consent":
                wide = "" in changed and bool(self.reads.channels)
                return wide or not self.reads.topics.isdisjoint(changed)
            case "list":
                return not self.reads.lists.isdisjoint(changed)
        return not self.reads.segments.isdisjoint(changed)


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
    rules = []
    for id_, slug, text in session.execute(select(Segment.id, Segment.slug, Segment.rule).order_by(Segment.id)):
        try:
            node, reads = _parsed(text, tuple(sorted(schema.aliases.items())))
        except LanguageError as error:
            log.error("segment's rule does not read", segment=slug, error=str(error))
        else:
            rules.append(Rule(id_, slug, node, reads))
    return in_order(rules)


@functools.lru_cache(maxsize=1024)
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
