"""What a content names, against what the workspace knows: its sender, its feeds, and all in the rules of its blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from engine.content.conditions import Rules
from engine.errors import LanguageError
from engine.expr import Schema, check, parse
from engine.expr.screen import place
from engine.feeds.query import query


def checked(rules: Rules, schema: Schema) -> list[dict[str, Any]]:
    """Warnings about the rules of a content, in the names that the workspace knows.

    Raises LanguageError, at the author's line, for a rule that does not read or names what there is not.
    """
    warnings = []
    for rule in rules:
        try:
            problems = check(parse(rule["text"], schema.aliases), schema, "content")
        except LanguageError as error:
            line, column = placed(rule, error.line, error.column)
            raise LanguageError(_said(error.message), line, column, error.expected, error.hint) from error
        for problem in problems:
            line, column = placed(rule, problem.line, problem.column)
            if problem.severity == "error":
                raise LanguageError(_said(problem.message), line, column, hint=problem.hint)
            warnings.append({"kind": "rule", "line": line, "message": _said(problem.message), "hint": problem.hint})
    return warnings


def check_products(queries: Rules, feeds: Collection[str]) -> None:
    """Raises LanguageError, at the author's line, for a query that does not read or names a feed that there is not."""
    for one in queries:
        try:
            feed = query(one["text"]).feed
        except LanguageError as error:
            line, column = placed(one, error.line, error.column)
            raise LanguageError(f"{error.message}.", line, column, error.expected, error.hint) from error
        if feed not in feeds:
            near = get_close_matches(feed, feeds, 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"make it with `cairn feeds add {feed} URL`"
            line, column = placed(one, *place(one["text"], one["text"].index(feed)))
            raise LanguageError(f"There is no product feed “{feed}”.", line, column, hint=hint)


def check_sender(slug: str, identities: Collection[str]) -> None:
    """Raises LanguageError if `from` names an identity that there is not; each message would wait for it."""
    if slug not in {*identities, "workspace"}:
        near = get_close_matches(slug, identities, 1)
        hint = f"Did you mean `{near[0]}`?" if near else f"make it with `cairn identities add {slug} ADDRESS`"
        raise LanguageError(f"from: there is no identity “{slug}”, and it is no address.", hint=hint)


def _said(message: str) -> str:
    return f"In this rule: {message}."


def placed(rule: Mapping[str, Any], line: int, column: int) -> tuple[int, int]:
    """A place in a rule as line and column of the file."""
    return rule["line"] + line - 1, column + (rule["column"] - 1 if line == 1 else 0)
