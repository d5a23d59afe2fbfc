"""Going through a tree."""

from __future__ import annotations

from collections.abc import Iterator

from engine.expr import ast


def nodes(root: ast.Node) -> Iterator[ast.Node]:
    """The node and all conditions below it, those inside `where` and `any` included; parents first."""
    stack: list[ast.Node] = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(children(node))))


def children(node: ast.Node) -> Iterator[ast.Node]:
    """Conditions directly below a node."""
    match node:
        case ast.And(items) | ast.Or(items):
            yield from items
        case ast.Not(item):
            yield item
        case ast.Did(where=where):
            yield from [where] if where is not None else []
        case ast.Sequence(first=first, second=second):
            yield from [side.where for side in (first, second) if side.where is not None]
        case ast.AnyItem(condition=condition):
            yield condition
    for value in values(node):
        if isinstance(value, ast.Aggregate) and value.where is not None:
            yield value.where


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
