"""The rules language. The SQL backend is imported apart (`engine.expr.compile_sql`), so that this stays pure."""

from engine.expr.parse import parse, parse_value
from engine.expr.schema import Schema
from engine.expr.unparse import unparse

__all__ = ["Schema", "parse", "parse_value", "unparse"]
