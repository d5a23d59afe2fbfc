"""Verdicts together with until when they hold, for rules that time alone may change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, bindparam, cast, func, null, or_, select
from sqlalchemy.sql import Select

from engine.expr import ast
from engine.expr.compile_sql import living
from engine.expr.compile_sql.crossing import in_time
from engine.expr.compile_sql.expiry import expiry
from engine.expr.compile_sql.operands import Column
from engine.expr.compile_sql.scope import Context, Scope
from engine.expr.compile_sql.walk import walk
from engine.expr.schema import Schema
from engine.model import Contact

NEVER = cast(null(), DateTime(timezone=True))


def judged(node: ast.Node, schema: Schema, now: Column) -> Select[Any]:
    """(id, holds, expires_at) of all contacts for whom the rule is true at `now`, or whom time alone may let in.

    Erased contacts are left out.
    """
    contact = Contact.__table__.alias()
    context = Context(Scope(contact=contact, now=now), schema, "set")
    found = _columns(node, context)
    source: Any = contact
    for joined, on in context.joins:
        source = source.outerjoin(joined, on)
    return found.select_from(source)


def judged_among(node: ast.Node, schema: Schema, now: Column) -> Select[Any]:
    """As `judged`, of the contacts whose ids are bound to `ids`."""
    contact = Contact.__table__.alias()
    found = _columns(node, Context(Scope(contact=contact, now=now), schema, "row"))
    return found.where(contact.c.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))


def _columns(node: ast.Node, context: Context) -> Select[Any]:
    contact, at = context.scope.contact, expiry(node, context)
    holds, expires_at = walk(node, context), NEVER if at is None else in_time(at)
    wanted = or_(holds, expires_at.is_not(None))
    columns = contact.c.id, holds.label("holds"), expires_at.label("expires_at")
    return select(*columns).where(living(contact, wanted), wanted)
