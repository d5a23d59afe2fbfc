"""What a rule says, before it is saved: canonical form, English, how many contacts match, or where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expr.check import check as check_names
from engine.expr.english import english
from engine.expr.load import load as load_schema
from sqlalchemy import func, select

from engine.errors import LanguageError
from engine.expr import parse, unparse
from engine.expr.compile_sql import matching
from webapp.pages.work import Work


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """Either `problem`, or the rest. `warnings` name unknown attributes and events."""

    problem: LanguageError | None = None
    canonical: str = ""
    english: str = ""
    count: int = 0
    warnings: tuple[str, ...] = ()


def check_rule(opened: Work, text: str) -> RuleCheck | None:
    """The verdict on a rule; None for an empty text. Nothing is saved."""
    if not text.strip():
        return None
    schema = load_schema(opened.session)
    try:
        node = parse(text, schema.aliases)
        warnings = tuple(str(problem) for problem in check_names(node, schema))
        ids = matching(node, schema, opened.now).subquery()
        count = opened.session.execute(select(func.count()).select_from(ids)).scalar_one()
    except LanguageError as error:
        return RuleCheck(problem=error)
    return RuleCheck(None, unparse(node), english(node), count, warnings)
