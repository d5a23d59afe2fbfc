"""How much one rule may ask: the database joins once for each question about behaviour, and plans every join."""

from __future__ import annotations

from engine.errors import LanguageError
from engine.expr import ast
from engine.expr.walk import nodes, questions

MAX_CONDITIONS = 400
MAX_QUESTIONS = 100
"""Questions about what people did, got and belong to. Planning a hundred takes half a second, four hundred a minute."""


def refuse_bulk(root: ast.Node) -> None:
    """Raise LanguageError where the rule has more conditions, or more questions, than it may."""
    conditions = asked = 0
    for node in nodes(root):
        conditions += not isinstance(node, (ast.And, ast.Or, ast.Not))
        asked += questions(node)
        if conditions > MAX_CONDITIONS:
            raise _too_much(node, f"more than {MAX_CONDITIONS} conditions")
        if asked > MAX_QUESTIONS:
            raise _too_much(node, f"more than {MAX_QUESTIONS} conditions on what people did, got or belong to")


def _too_much(node: ast.Node, what: str) -> LanguageError:
    return LanguageError(f"the rule has {what}", node.at.line, node.at.column, hint="save its parts as segments")
