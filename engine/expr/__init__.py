"""The rules language. Its SQL side (`engine.expr.compile_sql`, `engine.expr.load`) is imported apart: this is pure."""

from engine.expr.check import Problem, check
from engine.expr.complete import Completion, Completions, complete
from engine.expr.dependencies import Dependencies, dependencies, find_cycle
from engine.expr.english import english
from engine.expr.evaluate import evaluate, evaluate_value
from engine.expr.explain import Explanation, Seen, explain
from engine.expr.facts import EventFact, EventKey, Facts, MessageFact, Verdict
from engine.expr.parse import parse, parse_value
from engine.expr.rewrite import since_entry_default, with_former_names
from engine.expr.schema import Schema
from engine.expr.unparse import unparse, write_value

__all__ = [
    "Completion",
    "Completions",
    "Dependencies",
    "EventFact",
    "EventKey",
    "Explanation",
    "Facts",
    "MessageFact",
    "Problem",
    "Schema",
    "Seen",
    "Verdict",
    "check",
    "complete",
    "dependencies",
    "english",
    "evaluate",
    "evaluate_value",
    "explain",
    "find_cycle",
    "parse",
    "parse_value",
    "since_entry_default",
    "unparse",
    "with_former_names",
    "write_value",
]
