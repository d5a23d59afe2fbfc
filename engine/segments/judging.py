"""Whom of some contacts a rule is true of, and until when that holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal
from sqlalchemy.orm import Session

from engine.db import int_array
from engine.expr import Schema
from engine.expr.compile_sql.among import pays
from engine.expr.compile_sql.judging import judged_among
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.refresh import INSTANT, MANY, members_among
from engine.segments.rules import Rule


class Verdicts(NamedTuple):
    """Ids of the members, and until when the verdict on a contact holds, member or not, where time may change it."""

    members: set[int]
    expiries: Mapping[int, dt.datetime]


STATEMENTS: dict[tuple[int, str], tuple[Rule, Schema, Any]] = {}
"""Kept as in `engine.segments.refresh`."""


def judge(session: Session, rule: Rule, schema: Schema, ids: Collection[int], now: dt.datetime) -> Verdicts:
    """The verdicts on these contacts at `now`."""
    if not rule.timed:
        return Verdicts(members_among(session, rule, schema, ids, now), {})
    asked = int_array(sorted(ids))
    if len(ids) < MANY:
        members, expiring, moments = session.execute(_kept(rule, schema), {"ids": asked, "now": now}).one()
    else:
        with planned(session, planning.TOGETHER if pays(rule.node) else planning.SOME):
            statement = judged_among(rule.node, schema, literal(now, INSTANT), together=True)
            members, expiring, moments = session.execute(statement, {"ids": asked}).one()
    return Verdicts(set(members), dict(zip(expiring, moments, strict=True)))


def _kept(rule: Rule, schema: Schema) -> Any:
    key = (rule.segment_id, rule.slug)
    kept = STATEMENTS.get(key)
    if kept and kept[0].node == rule.node and kept[1] == schema:
        return kept[2]
    statement = judged_among(rule.node, schema, bindparam("now", type_=INSTANT))
    STATEMENTS[key] = (rule, schema, statement)
    return statement
