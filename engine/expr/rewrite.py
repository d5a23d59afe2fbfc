"""What a rule means inside a journey: behaviour without a window is since entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar, cast

from engine.expr import ast

Tree = TypeVar("Tree", bound=ast.Part)


def since_entry_default(tree: Tree) -> Tree:
    """The rule or value with `since entry` wherever people's behaviour is asked about without a window.

    For steps, goals and exits; not for `enter.where` or segments. `ever` and every other window stay as they are.
    """
    return cast(Tree, _rewrite(tree))


def with_former_names(tree: Tree, former: Mapping[str, tuple[str, ...]]) -> Tree:
    """The rule with the names that its steps had before, by the ids that they have now."""
    return cast(Tree, _renamed(tree, former)) if former else tree


def _renamed(part: ast.Part, former: Mapping[str, tuple[str, ...]]) -> ast.Part:
    match part:
        case ast.And(items) | ast.Or(items):
            return replace(part, items=tuple(cast(ast.Node, _renamed(item, former)) for item in items))
        case ast.Not(item):
            return replace(part, item=_renamed(item, former))  # type: ignore[arg-type]
        case ast.Message(step=str(step)) if step in former:
            return replace(part, former=former[step])
    return part


def _rewrite(part: ast.Part) -> ast.Part:
    match part:
        case ast.And(items) | ast.Or(items):
            return replace(part, items=tuple(cast(ast.Node, _rewrite(item)) for item in items))
        case ast.Not(item):
            return replace(part, item=_rewrite(item))  # type: ignore[arg-type]
        case ast.Did(window=None) | ast.Message(window=None) | ast.Sequence(window=None) | ast.Aggregate(window=None):
            return replace(part, window=ast.SinceEntry())
        case ast.Comparison(left, _, right):
            return replace(part, left=_rewrite(left), right=_rewrite(right))  # type: ignore[arg-type]
        case ast.Between(value, low, high):
            return replace(part, value=_rewrite(value), low=_rewrite(low), high=_rewrite(high))  # type: ignore[arg-type]
        case ast.InList(value=value) | ast.IsSet(value=value) | ast.IsWithin(value=value) | ast.Ago(value=value):
            return replace(part, value=_rewrite(value))  # type: ignore[arg-type]
    return part
