"""Rules as SQL (SQLAlchemy Core). Every value is a bound parameter; no condition is ever NULL; no cast can fail.

Two ways to the same verdicts. Mode `row` correlates sub-selects to `scope.contact` and suits small batches, also with
columns per row for `now` and the entry. Mode `set` groups events once and joins, and suits all contacts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, FromClause, Numeric, cast, exists, null, select
from sqlalchemy.sql import Select
from sqlalchemy.sql.visitors import iterate

from engine.expr import ast
from engine.expr.compile_sql.operands import instant, operand
from engine.expr.compile_sql.scope import Context, Entry, Mode, Scope
from engine.expr.compile_sql.walk import walk
from engine.expr.schema import Schema
from engine.model import Contact

__all__ = ["Entry", "Mode", "Scope", "condition", "living", "matching", "value"]


def condition(node: ast.Node, schema: Schema, scope: Scope, mode: Mode = "row") -> ColumnElement[bool]:
    """The rule about `scope.contact`; true or false, never NULL.

    In mode `set`, `scope.now` and the entry must not belong to the enclosing select.
    """
    context = Context(scope, schema, mode)
    found = walk(node, context)
    if not context.joins:
        return found
    return scope.contact.c.id.in_(_matching(node, schema, scope))


def matching(node: ast.Node, schema: Schema, now: dt.datetime) -> Select[tuple[int]]:
    """Ids of all contacts, but erased ones, for whom the rule is true at `now` (aware)."""
    return _matching(node, schema, Scope(contact=Contact.__table__, now=instant(now)))


def value(node: ast.Value, schema: Schema, scope: Scope) -> ColumnElement[Any]:
    """A value as numeric; NULL where it is missing or no number."""
    number = operand(node, Context(scope, schema, "row")).readings.get("number")
    return cast(null(), Numeric) if number is None else number


def _matching(node: ast.Node, schema: Schema, scope: Scope) -> Select[tuple[int]]:
    contact = Contact.__table__.alias()
    context = Context(scope, schema, "set").with_contact(contact)
    found = walk(node, context)
    source: Any = contact
    for joined, on in context.joins:
        source = source.outerjoin(joined, on)
    return select(contact.c.id).select_from(source).where(living(contact, found), found)


def living(contact: FromClause, found: ColumnElement[bool]) -> ColumnElement[bool]:
    """Not erased. Where the rule reads no more of a contact than its id, the few erased come from their index, and the
    ids from theirs, so that no contact is read."""
    if any(column.table is contact and column.name != "id" for column in _columns(found)):
        return contact.c.erased_at.is_(None)
    erased = Contact.__table__.alias()
    return ~exists().where(erased.c.id == contact.c.id, erased.c.erased_at.is_not(None))


def _columns(found: ColumnElement[bool]) -> Iterator[ColumnClause[Any]]:
    return (part for part in iterate(found) if isinstance(part, ColumnClause))
