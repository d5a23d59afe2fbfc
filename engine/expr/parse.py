"""Text to tree, with errors that say where, what was expected, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedInput, UnexpectedToken

from engine.errors import LanguageError
from engine.expr import ast
from engine.expr.build import Builder
from engine.expr.bulk import refuse_bulk
from engine.expr.hints import ending_hint, hint
from engine.expr.screen import place, screen
from engine.expr.tokens import human


def parse(text: str, aliases: Iterable[str] = ast.DEFAULT_ALIASES) -> ast.Node:
    """The rule as a tree. `aliases`: the workspace's names for events, such as `purchased`.

    Raises LanguageError with line, column, what was expected and a hint.
    """
    node = cast(ast.Node, _run("rule", text, frozenset(aliases)))
    refuse_bulk(node)
    return node


def parse_value(text: str, aliases: Iterable[str] = ast.DEFAULT_ALIASES) -> ast.Value:
    """A value, such as `event.mrr` or `sum of total over "Order Completed"`. Raises LanguageError."""
    value = cast(ast.Value, _run("value_rule", text, frozenset(aliases)))
    if isinstance(value, ast.Aggregate) and value.where is not None:
        refuse_bulk(value.where)
    return value


@lru_cache(maxsize=16)
def parser(start: str, aliases: frozenset[str]) -> Lark:
    """The LALR parser for `rule` or `value_rule`; it builds the tree while it reads."""
    grammar = resources.files("engine.expr").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", start=start, transformer=Builder(aliases), maybe_placeholders=False)


def _run(start: str, text: str, aliases: frozenset[str]) -> Any:
    screen(text)
    try:
        return parser(start, aliases).parse(text)
    except UnexpectedInput as error:
        raise _explain(error, text) from None


def _explain(error: UnexpectedInput, text: str) -> LanguageError:
    expected, terminals = _expected(error)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        line, column = place(text, len(text.rstrip()))
        message = "the rule is empty" if not text.strip() else "the rule ends too early"
        return LanguageError(message, line, column, expected, ending_hint(text, terminals))
    offset = cast(int, error.pos_in_stream)
    found = str(error.token) if isinstance(error, UnexpectedToken) else _run_of(text, offset)
    line, column = place(text, offset)
    open_text = found in ('"', "“", "„")
    message = "the text that begins here does not end" if open_text else f"did not expect {_shown(found)} here"
    return LanguageError(message, line, column, expected, hint(text, offset, terminals, found))


def _run_of(text: str, offset: int) -> str:
    """What a person sees at a place that no word of the language begins."""
    return cast(re.Match[str], re.compile(r"[\w.]+(?:[,'’-]\w+)*|.", re.DOTALL).match(text, offset))[0]


def _shown(found: str) -> str:
    short = found if len(found) <= 40 else found[:39] + "…"
    return short if short[:1] in "\"“„'" and len(short) > 1 else f"“{short}”"


def _expected(error: UnexpectedInput) -> tuple[tuple[str, ...], set[str]]:
    parser: Any = error.interactive_parser
    terminals: set[str] = set(parser.accepts())
    return human(terminals), terminals
