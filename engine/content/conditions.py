"""Blocks for those whom a rule selects: `{% when plan is "pro" %} … {% else %} … {% endwhen %}`.

Rules are a language of their own, so each is taken out of its tag before Jinja and MJML see the text, and its number
stays: `{% when 1 %}`. Rules that read alike have one number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.content.source import Source, Text
from engine.content.tags import Tag, scan
from engine.errors import LanguageError
from engine.rendering.when import name_of, prefix

most_rules = 20
statement = re.compile(r"(\{%[-+]?\s*when\b\s*)(.*?)(\s*[-+]?%\})", re.DOTALL).fullmatch
reads_event = re.compile(r"\bevent\s*\.").search
Rules = Sequence[Mapping[str, Any]]


def taken(source: Source, *, markup: bool) -> tuple[Source, list[dict[str, Any]]]:
    """The content with numbers in place of rules, and the rules: their text, and where each begins in the file.

    In the body of `markup` entities stand for signs, as editors write them. Raises LanguageError.
    """
    rules: dict[str, dict[str, Any]] = {}
    numbered = replace(
        source,
        subject=_numbered(source.subject, rules),
        preheader=_numbered(source.preheader, rules),
        body=_numbered(source.body, rules, markup=markup),
        text=_numbered(source.text, rules) if source.text else None,
    )
    return numbered, list(rules.values())


def _numbered(text: Text, rules: dict[str, dict[str, Any]], *, markup: bool = False) -> Text:
    pieces, last = [], 0
    for tag in scan(text.text, text.line) if "when" in text.text else ():
        if tag.kind == "{%" and tag.word == "when":
            pieces += [text.text[last : tag.start], _with_number(tag, rules, markup)]
            last = tag.end
        elif prefix in tag.text:
            raise LanguageError("Names that begin with cairn_ are Cairn's own.", tag.line, tag.column)
    return Text("".join(pieces) + text.text[last:], text.line)


def _with_number(tag: Tag, rules: dict[str, dict[str, Any]], markup: bool) -> str:
    """The tag with the number of its rule, as long as before: what stands behind it keeps its line and column."""
    parts = statement(tag.text)
    assert parts is not None
    before, written, after = parts.groups()
    rule = html.unescape(written) if markup else written
    if rule not in rules:
        if len(rules) == most_rules:
            hint = "save a rule as a segment, or write two contents"
            raise LanguageError(f"A content has at most {most_rules} rules.", tag.line, tag.column, hint=hint)
        lines = before.split("\n")
        column = len(lines[-1]) + (tag.column if len(lines) == 1 else 1)
        place = {"line": tag.line + len(lines) - 1, "column": column}
        rules[rule] = {"text": rule, **place}
    number = str(list(rules).index(rule) + 1)
    return before + number + re.sub(r"[^\n]", " ", written)[len(number) :] + after


def names_of(rules: Rules) -> list[str]:
    """What the renderer takes from the context for these rules."""
    names = [name_of(number) for number, _ in enumerate(rules, 1)]
    return names + ["event"] * any(reads_event(rule["text"]) for rule in rules)
