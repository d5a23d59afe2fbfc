"""A tree as one SQL condition."""

from __future__ import annotations

from sqlalchemy import and_, not_, or_

from engine.expr import ast
from engine.expr.compile_sql import behaviour, membership
from engine.expr.compile_sql.compare import compare
from engine.expr.compile_sql.scope import Condition, Context


def walk(node: ast.Node, context: Context) -> Condition:
    """Every part is true or false, never NULL, so `not` and `or` mean what they say."""
    match node:
        case ast.And(items):
            return and_(*(walk(item, context) for item in items))
        case ast.Or(items):
            return or_(*(walk(item, context) for item in items))
        case ast.Not(item):
            return not_(walk(item, context))
        case ast.Did():
            return behaviour.did(node, context)
        case ast.Message():
            return behaviour.message(node, context)
        case ast.Sequence():
            return behaviour.sequence(node, context)
        case ast.Membership():
            return membership.member(node, context)
        case ast.Subscribed():
            return membership.subscribed(node, context)
        case ast.Consents():
            return membership.consents(node, context)
    return compare(node, context)
