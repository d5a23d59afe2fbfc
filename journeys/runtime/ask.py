"""Answers to what steps need to know of their contacts: one statement for a batch, always after the locks are held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, DateTime, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from engine.db import int_array
from engine.expr import ast
from engine.expr.compile_sql import Scope, condition
from engine.expr.compile_sql.operands import operand
from engine.expr.compile_sql.scope import Context
from engine.habits import store
from engine.habits.estimate import Habits
from engine.messages.limits import Limits
from engine.model import Contact, Enrolment
from engine.quiet import Hours
from engine.workspace import Workspace
from engine.zones import zones_of
from journeys.decide import Needs
from journeys.language.program import Program
from journeys.language.steps import RuleText
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry

INSTANT = DateTime(timezone=True)
Moment = tuple[dt.datetime, dt.datetime]


class Question(NamedTuple):
    """An enrolment and its contact, the instant as of which it is asked, and when it arrived at its step."""

    id: int
    contact_id: int
    as_of: dt.datetime
    arrived_at: dt.datetime


def truths(
    session: Session, catalogue: Catalogue, key: Any, rules: Sequence[RuleText], questions: Sequence[Question]
) -> dict[int, tuple[bool, ...]]:
    """Enrolment id -> one truth a rule. `key` names the place of the rules; the statement is built once a catalogue."""
    moments = [(one.as_of, one.arrived_at) for one in questions]
    found = _rows(session, catalogue, key, Needs(tuple(rules)), questions, moments)
    return {row[0]: tuple(row[1:]) for row in found}


def answer(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    step_id: str,
    wanted: Needs,
    rows: Sequence[Entry],
    now: dt.datetime,
) -> None:
    """Fill `truths`, `dates`, `zones` of every row, and `habits` of those that arrive.

    A row that waits is asked as of its deadline if that is past.
    """
    moments = [(_as_of(row, now), row.arrived_at or now) for row in rows]
    answers = _rows(session, catalogue, (version.id, "step", step_id), wanted, rows, moments)
    found = {values[0]: values for values in answers}
    first_date = 1 + len(wanted.rules)
    zone = catalogue.workspace.zone
    by_phone = version.program.steps[step_id].kind == "sms"
    for row in rows:
        values = found[row.id]
        row.truths = values[1:first_date]
        if wanted.dates:
            row.dates = values[first_date : first_date + len(wanted.dates)]
        if wanted.zone:
            row.zones = zones_of(values[-2], values[-1] if by_phone else None, zone)
    if wanted.habits:
        _know_habits(session, catalogue, version, step_id, [row for row in rows if row.phase == "ready"])


def _know_habits(session: Session, catalogue: Catalogue, version: Version, step_id: str, rows: Sequence[Entry]) -> None:
    if not rows:
        return
    quiet = quiet_hours(catalogue.workspace, version.program, step_id)
    profiles, everybody = store.read(session, {row.contact_id for row in rows})
    unknown = Habits(None, everybody, quiet)
    for row in rows:
        own = profiles.get(row.contact_id)
        row.habits = Habits(own, everybody, quiet) if own else unknown


def quiet_hours(workspace: Workspace, program: Program, step_id: str) -> Hours | None:
    """The workspace's for what a step sends: the message would wait for their end."""
    return Limits.of(workspace).hours_of(program.steps[step_id].kind, program.sends[step_id].topic or None)


def _as_of(row: Entry, now: dt.datetime) -> dt.datetime:
    return min(now, row.deadline) if row.phase == "waiting" and row.deadline is not None else now


def _rows(
    session: Session,
    catalogue: Catalogue,
    key: Any,
    wanted: Needs,
    asked: Sequence[Question] | Sequence[Entry],
    moments: Sequence[Moment],
) -> Sequence[Any]:
    """Many are asked as of the same moment, so each carries the number of its moment."""
    statement = catalogue.statements.get(key)
    if statement is None:
        statement = catalogue.statements[key] = _statement(catalogue, wanted)
    numbers: dict[Moment, int] = {}
    chosen = [numbers.setdefault(moment, len(numbers)) for moment in moments]
    as_of, arrived = zip(*numbers, strict=True)
    values = {
        "ids": int_array(one.id for one in asked),
        "contacts": int_array(one.contact_id for one in asked),
        "moments": int_array(chosen),
        "numbers": int_array(numbers.values()),
        "as_of": list(as_of),
        "arrived": list(arrived),
    }
    return session.execute(statement, values).all()


def _statement(catalogue: Catalogue, wanted: Needs) -> Any:
    """id, a column a rule, a column a date, and timezone and phone if they are wanted.

    Of the enrolment rules may ask for the trigger; where none does, PostgreSQL leaves that outer join out.
    """
    asked = (
        func.unnest(_integers("ids"), _integers("contacts"), _integers("moments"))
        .table_valued(column("id", BigInteger), column("contact_id", BigInteger), column("moment", BigInteger))
        .render_derived(name="asked")
    )
    moment = (
        func.unnest(
            _integers("numbers"), bindparam("as_of", type_=ARRAY(INSTANT)), bindparam("arrived", type_=ARRAY(INSTANT))
        )
        .table_valued(column("number", BigInteger), column("as_of", INSTANT), column("arrived", INSTANT))
        .render_derived(name="moment")
    )
    enrolment = Enrolment.__table__.c
    scope = Scope(
        contact=Contact.__table__,
        now=moment.c.as_of,
        entry=(enrolment.trigger_occurred_at, enrolment.trigger_received_at, enrolment.trigger_message_id),
        step_since=moment.c.arrived,
        event=enrolment.trigger_event,
        enrolment_id=asked.c.id,
        zone=catalogue.schema.zone,
        aliases=catalogue.schema.aliases,
    )
    rules = [condition(rule.node, catalogue.schema, scope).label(f"rule_{i}") for i, rule in enumerate(wanted.rules)]
    context = Context(scope, catalogue.schema, "row")
    dates = [
        operand(ast.Path(tuple(path.split("."))), context).readings["instant"].label(f"date_{i}")
        for i, path in enumerate(wanted.dates)
    ]
    contact = Contact.__table__.c
    return (
        select(asked.c.id, *rules, *dates, *((contact.timezone, contact.phone) if wanted.zone else ()))
        .select_from(asked)
        .join(moment, moment.c.number == asked.c.moment)
        .join(Contact.__table__, contact.id == asked.c.contact_id)
        .outerjoin(Enrolment.__table__, enrolment.id == asked.c.id)
    )


def _integers(name: str) -> Any:
    return cast(bindparam(name, type_=Text), ARRAY(BigInteger))
