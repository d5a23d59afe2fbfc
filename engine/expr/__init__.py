"""The rules language. The SQL backend is imported apart (`engine.expr.compile_sql`), so that this stays pure."""

from engine.expr.evaluate import evaluate, evaluate_value
from engine.expr.facts import EventFact, EventKey, Facts, MessageFact, Verdict
from engine.expr.parse import parse, parse_value
from engine.expr.schema import Schema
from engine.expr.unparse import unparse, write_value

__all__ = [
    "EventFact",
    "EventKey",
    "Facts",
    "MessageFact",
    "Schema",
    "Verdict",
    "evaluate",
    "evaluate_value",
    "parse",
    "parse_value",
    "unparse",
    "write_value",
]
