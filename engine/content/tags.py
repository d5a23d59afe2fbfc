"""Jinja tags in a text: where they are, and placeholders for them that MJML and HTML tools leave alone."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace

from engine.errors import LanguageError

opening = re.compile(r"\{\{|\{%|\{#")
closing = {"{{": "}}", "{%": "%}", "{#": "#}"}
word = re.compile(r"\{%[-+]?\s*(\w+)")
blocks = {
    "if": "endif",
    "when": "endwhen",
    "products": "endproducts",
    "for": "endfor",
    "set": "endset",
    "filter": "endfilter",
    "macro": "endmacro",
    "with": "endwith",
}
blocks["call"] = "endcall"
filler = "\ue000"


@dataclass(frozen=True)
class Tag:
    """A Jinja tag: kind `{{`, `{%` or `{#`; offsets in its text; line and column from 1 in the author's file."""

    kind: str
    start: int
    end: int
    line: int
    column: int
    text: str

    @property
    def word(self) -> str:
        """The keyword of a statement: `if`, `endfor`, …; empty otherwise."""
        match = word.match(self.text)
        return match[1] if match else ""


def scan(text: str, first_line: int = 1) -> list[Tag]:
    """All Jinja tags of a text, in order. Raises LanguageError for one that is never closed."""
    tags: list[Tag] = []
    position = 0
    while match := opening.search(text, position):
        start = match.start()
        line = text.count("\n", 0, start) + first_line
        column = start - text.rfind("\n", 0, start)
        end = find_end(text, start, match[0])
        if end < 0:
            raise LanguageError(f"“{match[0]}” is never closed.", line, column, (closing[match[0]],))
        tags.append(Tag(match[0], start, end, line, column, text[start:end]))
        position = end
    return tags


def find_end(text: str, start: int, kind: str) -> int:
    """The offset behind the tag that opens at `start`, or -1. Quoted texts and braces inside it are skipped."""
    if kind == "{#":
        end = text.find("#}", start + 2)
        return end + 2 if end >= 0 else -1
    position, depth = start + 2, 0
    while position < len(text):
        character = text[position]
        if not depth and text.startswith(closing[kind], position):
            return position + 2
        if character in "\"'":
            position = closing_quote(text, position)
            if position < 0:
                return -1
        depth += (character == "{") - (character == "}")
        position += 1
    return -1


def closing_quote(text: str, position: int) -> int:
    """The offset of the quote that closes the one at `position`, or -1."""
    quote, position = text[position], position + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == quote:
            return position
        position += 1
    return -1


def masked(text: str, tags: list[Tag]) -> str:
    """`text` with every tag overwritten by a filler of the same length and line breaks: offsets and lines stay."""
    pieces, position = [], 0
    for tag in tags:
        pieces += [text[position : tag.start], re.sub(r"[^\n]", filler, tag.text)]
        position = tag.end
    return "".join(pieces) + text[position:]


@dataclass(frozen=True)
class Swap:
    """Placeholders for tags: words of letters and digits that occur nowhere in the text."""

    prefix: str
    tags: dict[str, Tag] = field(default_factory=dict)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches one placeholder."""
        return re.compile(self.prefix + r"\d{5}z")

    def add(self, tag: Tag) -> str:
        """A new placeholder for an author's tag; editors write `&lt;` inside tags, so entities are resolved here."""
        return self.put(replace(tag, text=html.unescape(tag.text)))

    def put(self, tag: Tag) -> str:
        """A new placeholder for a tag as it is."""
        name = f"{self.prefix}{len(self.tags):05}z"
        self.tags[name] = tag
        return name

    def back(self, text: str) -> str:
        """`text` with the tags in place of their placeholders."""
        return self.pattern.sub(lambda match: self.tags[match[0]].text, text)

    def statements(self, text: str) -> list[str]:
        """The placeholders of statements in `text`, in order."""
        return [name for name in self.pattern.findall(text) if self.tags[name].kind == "{%"]


def new_swap(text: str) -> Swap:
    """An empty swap whose prefix does not occur in `text`."""
    number = 0
    while f"cairnq{number}q" in text:
        number += 1
    return Swap(f"cairnq{number}q")
