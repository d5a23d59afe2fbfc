"""What a rule looks at: which facts can change its verdict."""

from __future__ import annotations

from engine.expr import ast
from engine.expr.walk import nodes, values


def reads_contact(where: ast.Node) -> bool:
    """Whether the condition of a `where` reaches out to the contact."""
    return any(isinstance(v, ast.Path) and v.root == "contact" for node in nodes(where) for v in values(node))
