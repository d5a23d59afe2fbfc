"""Going through a tree."""

from __future__ import annotations

from collections.abc import Iterator

from engine.expr import ast

ASKING = (ast.Did, ast.Message, ast.Sequence, ast.Membership, ast.Subscribed, ast.Consents)


def nodes(root: ast.Node) -> Iterator[ast.Node]:
    """The node and all conditions below it, those inside `where` and `any` included; parents first."""
    return (node for node, _ in behaviours(root, aggregates=True))


def asks(root: ast.Node) -> bool:
    """Whether the rule looks further than at the contact itself."""
    return any(map(questions, nodes(root)))


def questions(node: ast.Node) -> int:
    """How often the condition, apart from those below it, asks what people did, got and belong to."""
    return isinstance(node, ASKING) + sum(isinstance(value, ast.Aggregate) for value in values(node))


def behaviours(root: ast.Node, aggregates: bool = False) -> Iterator[tuple[ast.Node, bool]]:
    """Every condition, parents first, and whether it stands inside a `where` or `any`.

    Conditions of aggregates are left out unless asked for.
    """
    stack: list[tuple[ast.Node, bool]] = [(root, False)]
    while stack:
        node, inside = stack.pop()
        yield node, inside
        below = [(child, inside) for child in _parts(node)] + [(child, True) for child in _conditions(node)]
        if aggregates:
            below += [(v.where, True) for v in values(node) if isinstance(v, ast.Aggregate) and v.where is not None]
        stack.extend(reversed(below))


def _parts(node: ast.Node) -> tuple[ast.Node, ...]:
    match node:
        case ast.And(items) | ast.Or(items):
            return items
        case ast.Not(item):
            return (item,)
    return ()


def _conditions(node: ast.Node) -> tuple[ast.Node, ...]:
    """Conditions in which bare names are an event's or an item's."""
    match node:
        case ast.Did(where=where) if where is not None:
            return (where,)
        case ast.Sequence(first=first, second=second):
            return tuple(side.where for side in (first, second) if side.where is not None)
        case ast.AnyItem(condition=condition):
            return (condition,)
    return ()


def values(node: ast.Node) -> tuple[ast.Value, ...]:
    """Values directly in a comparison, literals of lists excepted."""
    match node:
        case ast.Comparison(left, _, right):
            return (left, right)
        case ast.Between(value, low, high):
            return (value, low, high)
        case ast.InList(value=value) | ast.IsSet(value=value) | ast.IsWithin(value=value) | ast.Ago(value=value):
            return (value,)
        case ast.AnyItem(path=path):
            return (path,)
    return ()
