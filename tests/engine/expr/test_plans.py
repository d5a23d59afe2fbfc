"""What PostgreSQL does first when it looks for those a rule is true of."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from engine import segments
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.db import driver
from engine.expr.compile_sql import matching
from engine.expr.load import load

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("rule", ['plan is "pro" and seats >= 20', 'seats >= 20 and plan is "pro"'])
def test_a_text_is_compared_before_a_number_is_dug_out(session: Session, rule: str) -> None:
    identify(session, [Profile("c1", attributes={"plan": "pro", "seats": 20})], NOW)
    schema = load(session)
    statement = matching(segments.resolve(rule, schema), schema, NOW)
    compiled = statement.compile(dialect=session.connection().dialect)
    plan = driver(session).execute(f"explain {compiled}", compiled.params).fetchall()
    (condition,) = [line for (line,) in plan if "@@" in line]
    assert condition.index("->>") < condition.index("@@")
