"""Every rule of `accepted.txt` is read, written, said and judged as it stands there, by both evaluators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import DateTime, Integer, func, literal, select, union_all
from sqlalchemy.orm import Session

from engine.expr import Verdict, english, evaluate, parse, unparse
from engine.expr.compile_sql import Scope, condition, matching
from engine.model import Contact, Enrolment
from tests.conftest import drop, new_database
from tests.corpora.rules.corpus import Accepted, accepted
from tests.corpora.rules.town import NOW, SCHEMA, build, names, residents

RULES = accepted()
PER_STATEMENT = 100


@pytest.fixture(scope="module")
def town(postgres_url: str) -> Iterator[Session]:
    database = new_database(postgres_url)
    with database.transaction() as session:
        build(session)
        session.flush()
        yield session
    drop(database)


def named(rule: Accepted, found: set[int]) -> str:
    """A line that shows what differs."""
    return f"{rule.rule} => {', '.join(names()[number - 1] for number in sorted(found)) or 'nobody'}"


def test_the_corpus_is_large_and_has_no_rule_twice() -> None:
    assert len(RULES) >= 300
    assert len({(rule.rule, rule.in_a_journey) for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule[:60])
def test_it_is_read_written_and_said(rule: Accepted) -> None:
    node = parse(rule.rule)
    assert unparse(node) == rule.written
    assert parse(rule.written) == node
    assert english(node) == rule.english


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule[:60])
def test_it_is_true_of_these_contacts(rule: Accepted) -> None:
    found = {one.id for one in residents() if _judged(rule, one).value}
    assert named(rule, found) == named(rule, set(rule.true_of))


def _judged(rule: Accepted, one: Any) -> Verdict:
    return evaluate(rule.node, one.entered if rule.in_a_journey else one.facts, NOW)


def test_the_database_finds_the_same_contacts(town: Session) -> None:
    """Each rule as a query for all contacts, a hundred rules a statement."""
    outside = [rule for rule in RULES if not rule.in_a_journey]
    for some in _chunks(outside):
        found = [
            select(literal(number, Integer), func.array(matching(rule.node, SCHEMA, NOW).scalar_subquery()))
            for number, rule in enumerate(some)
        ]
        for number, ids in town.execute(union_all(*found)):
            rule = some[number]
            assert named(rule, set(ids)) == named(rule, set(rule.true_of))


def test_the_database_judges_each_row_the_same(town: Session) -> None:
    """Each rule as a column beside each contact and its entry."""
    contact = Contact.__table__.alias()
    entry = (Enrolment.trigger_occurred_at, Enrolment.trigger_received_at, Enrolment.trigger_message_id)
    now = literal(NOW, DateTime(timezone=True))
    outside = Scope(contact=contact, now=now)
    inside = Scope(
        contact=contact, now=now, entry=entry, step_since=Enrolment.arrived_at, event=Enrolment.trigger_event,
        enrolment_id=Enrolment.id,
    )  # fmt: skip
    for some in _chunks(RULES):
        columns = [condition(rule.node, SCHEMA, inside if rule.in_a_journey else outside) for rule in some]
        rows = town.execute(select(contact.c.id, *columns).where(Enrolment.contact_id == contact.c.id)).all()
        assert len(rows) == len(names())
        for place, rule in enumerate(some, 1):
            assert {row[place] for row in rows} <= {True, False}, rule.rule
            assert named(rule, {row[0] for row in rows if row[place]}) == named(rule, set(rule.true_of))


def _chunks(rules: list[Accepted]) -> Iterator[list[Accepted]]:
    return (rules[start : start + PER_STATEMENT] for start in range(0, len(rules), PER_STATEMENT))
