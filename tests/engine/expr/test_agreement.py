"""The two evaluators say the same about every rule and contact, on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, func, literal, select
from sqlalchemy.orm import Session

from engine.expr import Schema, ast, evaluate, evaluate_value, parse, unparse
from engine.expr.compile_sql import Scope, condition, matching, value
from engine.model import Contact, Enrolment
from tests.engine.expr import population, rules

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu")
phases = (Phase.explicit, Phase.generate, Phase.shrink)
relaxed = settings(phases=phases, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


instants = st.sampled_from(population.INSTANTS) | st.just(population.NOW + dt.timedelta(days=40))


@settings(relaxed, max_examples=150)
@given(node=rules.rules, now=instants, zone=st.sampled_from(ZONES))
@example(node=parse('not (plan contains "x") or plan is not "y"'), now=population.NOW, zone="UTC")
def test_all_contacts_at_once(
    town: Session, residents: list[population.Resident], node: ast.Node, now: dt.datetime, zone: str
) -> None:
    with town.begin_nested():
        found = set(town.scalars(matching(node, Schema(zone=zone), now)))
    expected = {one.id for one in residents if evaluate(node, one.at(now)._replace(zone=zone), now).value}
    assert found == expected, unparse(node)


@settings(relaxed, max_examples=150)
@given(node=rules.rules, now=instants, zone=st.sampled_from(ZONES), capped=st.booleans())
def test_rows_with_their_entries(
    town: Session, residents: list[population.Resident], node: ast.Node, now: dt.datetime, zone: str, capped: bool
) -> None:
    scope = entered_scope(now, capped)
    chosen = condition(node, Schema(zone=zone), scope)
    query = select(scope.contact.c.id, chosen).where(Enrolment.contact_id == scope.contact.c.id)
    with town.begin_nested():
        found = {row[0]: row[1] for row in town.execute(query)}
    for one in residents:
        moment = min(now, one.deadline) if capped else now
        facts = one.at(moment, entered=True)._replace(zone=zone)
        assert found[one.id] is evaluate(node, facts, moment).value, (unparse(node), one)


def entered_scope(now: dt.datetime, capped: bool) -> Scope:
    """Columns of the enrolment, as the executor gives them; capped: each row is judged as of its deadline."""
    bound = literal(now, DateTime(timezone=True))
    return Scope(
        contact=Contact.__table__.alias(),
        now=func.least(bound, Enrolment.deadline) if capped else bound,
        entry=(Enrolment.trigger_occurred_at, Enrolment.trigger_received_at, Enrolment.trigger_message_id),
        step_since=Enrolment.arrived_at,
        event=Enrolment.trigger_event,
        enrolment_id=Enrolment.id,
    )


@settings(relaxed, max_examples=150)
@given(node=rules.rules, now=instants)
def test_a_condition_on_a_set_is_the_same_and_never_null(town: Session, node: ast.Node, now: dt.datetime) -> None:
    contact = Contact.__table__.alias()
    scope = Scope(contact=contact, now=literal(now, DateTime(timezone=True)))
    both = select(condition(node, Schema(), scope, "set"), condition(node, Schema(), scope, "row"))
    with town.begin_nested():
        verdicts = town.execute(both.select_from(contact)).all()
    for one, two in verdicts:
        assert one is two
        assert one is not None


@settings(relaxed, max_examples=150)
@given(wanted=rules.values, now=instants)
def test_values(town: Session, residents: list[population.Resident], wanted: ast.Value, now: dt.datetime) -> None:
    scope = entered_scope(now, False)
    query = select(scope.contact.c.id, value(wanted, Schema(), scope)).where(Enrolment.contact_id == scope.contact.c.id)
    with town.begin_nested():
        found = {row[0]: row[1] for row in town.execute(query)}
    for one in residents:
        assert found[one.id] == evaluate_value(wanted, one.at(now, entered=True), now)


@settings(relaxed, max_examples=300)
@given(node=rules.rules, now=instants, share=st.floats(0, 0.999))
def test_nothing_changes_before_it_is_said_to(
    residents: list[population.Resident], node: ast.Node, now: dt.datetime, share: float
) -> None:
    for one in residents[:25]:
        facts = one.at(now, entered=True)
        verdict = evaluate(node, facts, now)
        if verdict.changes_at is not None:
            assert verdict.changes_at > now
            end = min(verdict.changes_at - dt.timedelta(microseconds=1), now + dt.timedelta(days=4000))
        else:
            end = now + dt.timedelta(days=4000)
        for moment in (end, now + (end - now) * share, *between(facts, now, end)):
            assert evaluate(node, facts, moment).value is verdict.value, (unparse(node), moment, verdict)


def between(facts: object, now: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """Instants of the calendar at which windows turn."""
    steps = (dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=30), dt.timedelta(days=31))
    return [now + step for step in steps if now + step <= end]
