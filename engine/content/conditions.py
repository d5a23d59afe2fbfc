"""Blocks for those whom a rule selects and blocks for products.

`{% when plan is "pro" %} … {% else %} … {% endwhen %}`, `{% products 4 viewed from "shop" %} … {% endproducts %}`.
Rules and queries are languages of their own, so each is taken out of its tag before Jinja and MJML see the text, and
its number stays: `{% when 1 %}`. What reads alike has one number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.content.source import Source, Text
from engine.content.tags import Tag, scan
from engine.errors import LanguageError
from engine.rendering.when import name_of, prefixes, words

most = 20
statement = re.compile(r"(\{%[-+]?\s*(?:when|products)\b\s*)(.*?)(\s*[-+]?%\})", re.DOTALL).fullmatch
reads_event = re.compile(r"\bevent\s*\.").search
Rules = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Taken:
    """What was taken out of a content, by its text: where each begins in the file. Its number is its place."""

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    products: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """As stored."""
        return {"rules": list(self.rules.values()), "products": list(self.products.values())}

    def names(self) -> list[str]:
        """What the renderer takes from the context for them."""
        names = [name_of(number) for number, _ in enumerate(self.rules, 1)]
        names += [name_of(number, "products") for number, _ in enumerate(self.products, 1)]
        return names + ["event"] * any(map(reads_event, self.rules))


def taken(source: Source, *, markup: bool) -> tuple[Source, Taken]:
    """The content with numbers in place of rules and queries, and these.

    In the body of `markup` entities stand for signs, as editors write them. Raises LanguageError.
    """
    found = Taken()
    numbered = replace(
        source,
        subject=_numbered(source.subject, found),
        preheader=_numbered(source.preheader, found),
        body=_numbered(source.body, found, markup=markup),
        text=_numbered(source.text, found) if source.text else None,
    )
    return numbered, found


def _numbered(text: Text, found: Taken, *, markup: bool = False) -> Text:
    pieces, last = [], 0
    for tag in scan(text.text, text.line) if any(word in text.text for word in words) else ():
        if tag.kind == "{%" and tag.word in words:
            known = found.rules if tag.word == "when" else found.products
            pieces += [text.text[last : tag.start], _with_number(tag, known, markup)]
            last = tag.end
        elif any(prefix in tag.text for prefix in prefixes):
            raise LanguageError("Names that begin with cairn_ are Cairn's own.", tag.line, tag.column)
    return Text("".join(pieces) + text.text[last:], text.line)


def _with_number(tag: Tag, known: dict[str, dict[str, Any]], markup: bool) -> str:
    """The tag with the number of its text, as long as before: what stands behind it keeps its line and column."""
    parts = statement(tag.text)
    assert parts is not None
    before, written, after = parts.groups()
    text = html.unescape(written) if markup else written
    if text not in known:
        if len(known) == most:
            hint = "save a rule as a segment, or write two contents"
            what = "rules" if tag.word == "when" else "product blocks"
            raise LanguageError(f"A content has at most {most} {what}.", tag.line, tag.column, hint=hint)
        lines = before.split("\n")
        column = len(lines[-1]) + (tag.column if len(lines) == 1 else 1)
        known[text] = {"text": text, "line": tag.line + len(lines) - 1, "column": column}
    number = str(list(known).index(text) + 1)
    return before + number + re.sub(r"[^\n]", " ", written)[len(number) :] + after
