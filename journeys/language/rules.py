"""Rules inside a journey file: read by `engine.expr`, their errors moved to the file's line and column."""

from __future__ import annotations

import re
from typing import Any, Literal

from ruamel.yaml.nodes import Node, ScalarNode

from engine.errors import LanguageError
from journeys.language.reader import Reader
from journeys.language.steps import RuleText
from journeys.language.tree import QUOTE_HINT, start

Place = Literal["enter", "step", "goal", "exit"]
LONGEST_RULE = 20_000
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|“[^”]*”')


def read_rule(reader: Reader, node: Node, place: Place) -> RuleText:
    """The rule at `node`; where it stands decides what its windows and `event.` mean (semantics, "Rules")."""
    value = reader.scalar(node, "A rule")
    reader.string(value, "A rule", LONGEST_RULE)
    _refuse_swallowed(reader, value)
    rest = _after(reader, value)
    text = str(value.value)
    try:
        tree = _parsed(text, place)
    except LanguageError as error:
        raise _moved(reader, value, error, rest) from None
    if rest.startswith("#") and (not rest.startswith("# ") or _STRING.search(rest)):
        reader.note(value, "YAML reads what follows ` #` as a comment.", hint=QUOTE_HINT, severity="warning")
    return RuleText(text.strip(), tree, *start(value))


def _parsed(text: str, place: Place) -> Any:
    from engine import expr

    tree = expr.parse(text)
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
