"""Rules inside a journey file: read by `engine.expr`, their errors moved to the file's line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from ruamel.yaml.nodes import Node, ScalarNode

from engine import expr
from engine.errors import LanguageError
from engine.expr import ast
from journeys.language.reader import Place, Reader
from journeys.language.steps import RuleText
from journeys.language.tree import QUOTE_HINT, start

LONGEST_RULE = 20_000
_PLACES = {"enter": "`where` of `enter`", "step": "a step", "goal": "the goal", "exit": "an exit rule"}
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|“[^”]*”')


def read_rule(reader: Reader, node: Node, place: Place) -> RuleText:
    """The rule at `node`; where it stands decides what its windows and `event.` mean (semantics, "Rules")."""
    value = reader.scalar(node, "A rule")
    reader.string(value, "A rule", LONGEST_RULE)
    _refuse_swallowed(reader, value)
    rest = _after(reader, value)
    text = str(value.value)
    try:
        tree = expr.with_former_names(_parsed(text, place, reader.aliases), reader.former)
    except LanguageError as error:
        raise _moved(reader, value, error, rest) from None
    if rest.startswith("#") and (not rest.startswith("# ") or _STRING.search(rest)):
        reader.note(value, "YAML reads what follows ` #` as a comment.", hint=QUOTE_HINT, severity="warning")
    rule = RuleText(text.strip(), tree, *start(value))
    _refuse_out_of_place(reader, value, tree, place)
    reader.rules.append((rule, value, place))
    return rule


def parts(node: Any) -> Iterator[Any]:
    """Every part of a rule's tree, parents first."""
    yield node
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item):
                yield from parts(item)


def _refuse_out_of_place(reader: Reader, value: ScalarNode, tree: Any, place: Place) -> None:
    for part in parts(tree):
        if isinstance(part, ast.Path) and part.root == "event" and place in ("goal", "exit"):
            message = f"`event.` is the event that started the journey; {_PLACES[place]} does not see it."
            reader.refuse_at(*reader.inside(value, part.at.line, part.at.column), message)
        wrong = {"enter": ast.SinceEntry | ast.SinceStep, "step": ()}.get(place, ast.SinceStep)
        if isinstance(part, wrong):
            since = "entry" if isinstance(part, ast.SinceEntry) else "step"
            message = f"`since {since}` has no meaning in {_PLACES[place]}."
            reader.refuse_at(*reader.inside(value, part.at.line, part.at.column), message)


def _parsed(text: str, place: Place, aliases: frozenset[str] | None) -> Any:
    tree = expr.parse(text) if aliases is None else expr.parse(text, aliases)
    return tree if place == "enter" else expr.since_entry_default(tree)


def _moved(reader: Reader, node: ScalarNode, error: LanguageError, rest: str) -> Exception:
    line, column = reader.inside(node, error.line, error.column)
    hint = error.hint
    open_quote = _STRING.sub("", str(node.value)).count('"') % 2 == 1
    if not node.style and (rest.startswith(",") or (rest.startswith("#") and open_quote)):
        hint = QUOTE_HINT
    return reader.refuse_at(line, column, error.message, error.expected, hint)


def _after(reader: Reader, node: ScalarNode) -> str:
    """What the file has after an unquoted scalar, on its line."""
    if node.style:
        return ""
    end = node.end_mark.index
    return reader.text[end:].split("\n", 1)[0].strip() if end < len(reader.text) else ""


def _refuse_swallowed(reader: Reader, node: ScalarNode) -> None:
    """An entry `- ` that is indented too far becomes part of the text above it."""
    if node.style:
        return
    lines = reader.text[node.start_mark.index : node.end_mark.index].split("\n")
    for number, line in enumerate(lines[1:], 2):
        if line.lstrip().startswith("- "):
            column = len(line) - len(line.lstrip()) + 1
            message = "This `- ` belongs to the text above it."
            hint = "Indent it less, or put the text into quotes."
            raise reader.refuse_at(start(node)[0] + number - 1, column, message, hint=hint)
