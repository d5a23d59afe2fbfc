"""Verdicts together with until when they hold, for rules that time alone may change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, bindparam, cast, func, literal, null, or_, select
from sqlalchemy.sql import Select

from engine.expr import ast
from engine.expr.compile_sql import living
from engine.expr.compile_sql.among import pays, unseen
from engine.expr.compile_sql.crossing import in_time
from engine.expr.compile_sql.expiry import expiry
from engine.expr.compile_sql.operands import Column
from engine.expr.compile_sql.scope import Among, Context, Scope
from engine.expr.compile_sql.walk import walk
from engine.expr.schema import Schema
from engine.model import Contact

NEVER = cast(null(), DateTime(timezone=True))
NOBODY = cast(literal("{}", Text), ARRAY(BigInteger))
NO_INSTANTS = cast(literal("{}", Text), ARRAY(DateTime(timezone=True)))


def judged(node: ast.Node, schema: Schema, now: Column) -> Select[Any]:
    """(id, holds, expires_at) of all contacts for whom the rule is true at `now`, or whom time alone may let in.

    Erased contacts are left out.
    """
    contact = Contact.__table__.alias()
    context = Context(Scope(contact=contact, now=now), schema, "set")
    return _concerned(_joined(_verdicts(node, context), context))


def judged_among(node: ast.Node, schema: Schema, now: Column, *, together: bool = False) -> Select[*tuple[Any, ...]]:
    """One row about the contacts whose ids are bound to `ids`, as PostgreSQL writes an array: an array each of the
    members, of those whose verdict expires, and of when it does. A row each would cost more than the verdicts.

    `together` reads the rows of all of them at once where that may pay, which it does if they are many.
    """
    contact, ids = Contact.__table__.alias(), cast(bindparam("ids", type_=Text), ARRAY(BigInteger))
    among = Among(unseen(ids)) if together and pays(node) else None
    context = Context(Scope(contact=contact, now=now), schema, "row", among=among)
    found = _verdicts(node, context)
    row: Any = _concerned(_joined(found, context).where(contact.c.id == func.any(ids))).subquery()
    expiring = row.c.expires_at.is_not(None)
    return select(
        func.coalesce(func.array_agg(row.c.id).filter(row.c.holds), NOBODY),
        func.coalesce(func.array_agg(row.c.id).filter(expiring), NOBODY),
        func.coalesce(func.array_agg(row.c.expires_at).filter(expiring), NO_INSTANTS),
    )


def _verdicts(node: ast.Node, context: Context) -> Select[Any]:
    contact, holds, at = context.scope.contact, walk(node, context), expiry(node, context)
    expires_at = NEVER if at is None else in_time(at)
    read = living(contact, or_(holds, expires_at.is_not(None)))
    return select(contact.c.id, holds.label("holds"), expires_at.label("expires_at")).where(read)


def _joined(verdicts: Select[Any], context: Context) -> Select[Any]:
    source: Any = context.scope.contact
    for joined, on in context.joins:
        source = source.outerjoin(joined, on)
    return verdicts.select_from(source)


def _concerned(verdicts: Select[Any]) -> Select[Any]:
    """Behind a fence, or verdicts would be worked out for the condition, and once more for the result."""
    found = verdicts.offset(0).subquery()
    return select(found).where(or_(found.c.holds, found.c.expires_at.is_not(None)))
