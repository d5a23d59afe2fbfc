"""What a rule says, before it is saved: canonical form, English, how many contacts match, or where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import QueryCanceled
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from engine.errors import LanguageError
from engine.expr import ast, parse, unparse
from engine.expr.check import check as check_names
from engine.expr.compile_sql import matching
from engine.expr.english import english
from engine.expr.load import load as load_schema
from engine.expr.schema import Schema
from journeys.language.problems import Problem
from webapp.pages.work import Work

PATIENCE = "2s"


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """`problems` in the order of the text; with an error among them the rest is empty and nothing may be saved.

    `count` is None when counting takes longer than a person who types wants to wait.
    """

    problems: tuple[Problem, ...] = ()
    canonical: str = ""
    english: str = ""
    count: int | None = 0

    @property
    def refused(self) -> bool:
        """Whether the rule has an error."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def error_lines(self) -> str:
        """The lines that have an error, for the editor's marks."""
        return ",".join(str(problem.line) for problem in self.problems if problem.severity == "error")


def check_rule(opened: Work, written: str) -> RuleCheck | None:
    """The verdict on a rule; None for an empty text. Nothing is saved."""
    if not written.strip():
        return None
    schema = load_schema(opened.session)
    try:
        node = parse(written, schema.aliases)
    except LanguageError as error:
        return refused(error)
    found = RuleCheck(_named(node, schema))
    if found.refused:
        return found
    return RuleCheck(found.problems, unparse(node), english(node), count_matching(opened, node, schema))


def count_matching(opened: Work, node: ast.Node, schema: Schema) -> int | None:
    """How many contacts a rule matches; None if that takes PostgreSQL longer than `PATIENCE`."""
    ids = matching(node, schema, opened.now).subquery()
    try:
        with opened.session.begin_nested():
            opened.session.execute(text(f"set local statement_timeout = '{PATIENCE}'"))
            count = opened.session.execute(select(func.count()).select_from(ids)).scalar_one()
            opened.session.execute(text("set local statement_timeout = 0"))
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        return None
    return count


def _named(node: ast.Node, schema: Schema) -> tuple[Problem, ...]:
    """Problems with names that the workspace does not know."""
    return tuple(
        Problem(problem.severity, problem.line, problem.column, problem.message, (), problem.hint)
        for problem in check_names(node, schema)
    )


def refused(error: LanguageError) -> RuleCheck:
    """The verdict on a rule that cannot be saved."""
    return RuleCheck((Problem("error", error.line, error.column, error.message, error.expected, error.hint),))
