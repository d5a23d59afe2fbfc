"""The patterns of `matches`: the part of regular expressions that PostgreSQL and Python read alike, in linear time."""

from __future__ import annotations

from engine.errors import LanguageError
from engine.expr import ast


def check_pattern(value: ast.Value) -> None:
    """Raise LanguageError unless the right side of `matches` is a pattern of the subset."""
    if not isinstance(value, ast.Text):
        raise LanguageError(
            "matches takes a quoted pattern", value.at.line, value.at.column, ("a quoted text",), 'write matches "^A[0-9]+$"'
        )


def to_postgres(pattern: str, ignore_case: bool = False) -> str:
    return pattern.lower() if ignore_case else pattern
