"""Answers to what steps need to know of their contacts: one statement for a batch, always after the locks are held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, DateTime, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from engine.expr import ast
from engine.expr.compile_sql import Scope, condition
from engine.expr.compile_sql.operands import operand
from engine.expr.compile_sql.scope import Context
from engine.model import Contact, Enrolment
from engine.zones import zones_of
from journeys.decide import Needs, Row
from journeys.language.steps import RuleText
from journeys.runtime.catalogue import Catalogue, Version

INSTANT = DateTime(timezone=True)


class Question(NamedTuple):
    """An enrolment, the instant as of which it is asked, and when it arrived at its step."""

    id: int
    as_of: dt.datetime
    arrived_at: dt.datetime


def truths(
    session: Session, catalogue: Catalogue, key: Any, rules: Sequence[RuleText], questions: Sequence[Question]
) -> dict[int, tuple[bool, ...]]:
    """Enrolment id -> one truth a rule. `key` names the place of the rules; the statement is built once a catalogue."""
    found = _rows(session, catalogue, key, Needs(tuple(rules)), questions)
    return {row[0]: tuple(row[4:]) for row in found}


def answer(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    step_id: str,
    wanted: Needs,
    rows: Sequence[Row],
    now: dt.datetime,
) -> None:
    """Fill `truths`, `dates`, `zones` of every row. A row that waits is asked as of its deadline if that is past."""
    questions = [Question(row.id, _as_of(row, now), getattr(row, "arrived_at", None) or now) for row in rows]
    found = {row[0]: row for row in _rows(session, catalogue, (version.id, step_id), wanted, questions)}
    first_date = 4 + len(wanted.rules)
    zone = catalogue.workspace.zone
    by_phone = version.program.steps[step_id].kind == "sms"
    for row in rows:
        values = found[row.id]
        row.truths = tuple(values[4:first_date])
        row.dates = tuple(values[first_date:])
        if wanted.zone:
            row.zones = zones_of(values[2], values[3] if by_phone else None, zone)


def _as_of(row: Row, now: dt.datetime) -> dt.datetime:
    return min(now, row.deadline) if row.phase == "waiting" and row.deadline is not None else now


def _rows(
    session: Session, catalogue: Catalogue, key: Any, wanted: Needs, questions: Iterable[Question]
) -> Sequence[Any]:
    statement = catalogue.statements.get(key)
    if statement is None:
        statement = catalogue.statements[key] = _statement(catalogue, wanted)
    ids, as_of, arrived = zip(*questions, strict=True)
    return session.execute(statement, {"ids": list(ids), "as_of": list(as_of), "arrived": list(arrived)}).all()


def _statement(catalogue: Catalogue, wanted: Needs) -> Any:
    """id, contact_id, timezone, phone, a column a rule, a column a date."""
    asked = (
        func.unnest(
            bindparam("ids", type_=ARRAY(BigInteger)),
            bindparam("as_of", type_=ARRAY(INSTANT)),
            bindparam("arrived", type_=ARRAY(INSTANT)),
        )
        .table_valued(column("id", BigInteger), column("as_of", INSTANT), column("arrived", INSTANT))
        .render_derived(name="asked")
    )
    enrolment = Enrolment.__table__.c
    scope = Scope(
        contact=Contact.__table__,
        now=asked.c.as_of,
        entry=(enrolment.trigger_occurred_at, enrolment.trigger_received_at, enrolment.trigger_message_id),
        step_since=asked.c.arrived,
        event=enrolment.trigger_event,
        enrolment_id=enrolment.id,
        zone=catalogue.schema.zone,
        aliases=catalogue.schema.aliases,
    )
    rules = [condition(rule.node, catalogue.schema, scope).label(f"rule_{i}") for i, rule in enumerate(wanted.rules)]
    context = Context(scope, catalogue.schema, "row")
    dates = [
        operand(ast.Path(tuple(path.split("."))), context).readings["instant"].label(f"date_{i}")
        for i, path in enumerate(wanted.dates)
    ]
    return (
        select(Enrolment.id, Enrolment.contact_id, Contact.timezone, Contact.phone, *rules, *dates)
        .select_from(asked)
        .join(Enrolment, Enrolment.id == asked.c.id)
        .join(Contact, Contact.id == Enrolment.contact_id)
    )
