"""Snippets: pieces of text that contents take in by `{% snippet "footer" colour="#333" %}` when they are compiled.

The tag is replaced by the snippet's text, and `param.colour` in it by what the tag gives, so that nothing of it is left
to do when a message is rendered. Lines of the content stay where they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from engine.content.body import is_mjml, without_comments
from engine.content.source import Text, max_source, parse_snippet
from engine.content.tags import Tag, scan
from engine.errors import LanguageError
from engine.translation import matching

WORD = "snippet"
LINE = "line"
DEEPEST = 10
call = re.compile(r"\{%[-+]?\s*snippet\s+(\"[\w.-]+\"|'[\w.-]+')(.*?)[-+]?%\}", re.DOTALL).fullmatch
argument = re.compile(
    r"[\s,]*(?P<name>[a-zA-Z_]\w*)\s*=\s*"
    r"(?:\"(?P<double>[^\"\\]*)\"|'(?P<single>[^'\\]*)'|(?P<number>\d+(?:\.\d+)?)|(?P<path>[a-zA-Z_]\w*(?:\.\w+)*))"
)
parameter = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?<![\w.])param\.(\w+)", re.DOTALL)
whole = re.compile(r"\{\{[-+]?\s*param\.(\w+)\s*[-+]?\}\}").fullmatch
assigned = re.compile(r"\{%[-+]?\s*(?:for|set|with|macro)\s+([^%]*?)(?:\s+in\b|=|%\})")
HOW = '{% snippet "name" colour="#333", title=event.title %}'


@dataclass(frozen=True)
class Value:
    """What stands for a parameter: a `literal`, or the path of a variable."""

    text: str
    literal: bool


@dataclass(frozen=True)
class Piece:
    """The file of a snippet in one language. A parameter without a default is None and must be given."""

    body: Text
    params: Mapping[str, Value | None]
    language: str


@dataclass(frozen=True)
class Snippet:
    """A snippet as it is saved: `kind` is `email` or `sms` (plain text, for both), `texts` its files by language.

    The file of the default language is under "".
    """

    kind: str
    number: int
    texts: Mapping[str, str]

    def piece(self, language: str) -> Piece:
        """The file for a content in a language."""
        tag = matching.lookup([language], [tag for tag in self.texts if tag])
        own = self.file("")
        return own if tag is None or matching.lookup([language], [own.language or "und"]) else self.file(tag)

    def file(self, language: str) -> Piece:
        """The file of exactly this language; its parameters are those of the default's. Raises LanguageError."""
        own = read(self.texts[language])
        return Piece(own.body, read(self.texts[""]).params, language) if language else own


Library = Mapping[str, Snippet]


@dataclass
class Expanded:
    """A body with its snippets in it: their numbers by name, by line which stand there, those not translated."""

    text: Text
    used: dict[str, int] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)


def names(text: str) -> set[str]:
    """The snippets that a text names; also what is not read, such as comments."""
    plain = text.replace('\\"', '"').replace("''", "'")  # as YAML writes quotes inside quotes
    return {match[1][1:-1] for tag in re.findall(r"\{%.*?%\}", plain, re.DOTALL) if (match := call(tag))}


def read(text: str) -> Piece:
    """A snippet's file. Raises LanguageError with the author's line."""
    body, params, language = parse_snippet(text)
    values = {name: None if given is None else Value(plain(given), literal=True) for name, given in params.items()}
    for name, value in values.items():
        if value and ("{{" in value.text or "{%" in value.text):
            raise LanguageError(f"The default of {name} holds a Jinja tag.", 2, hint="a default is a plain value")
    return Piece(body, values, language)


def plain(value: Any) -> str:
    """A value of YAML as Jinja writes it out."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def expand(source: Text, channel: str, language: str, library: Library) -> Expanded:
    """A part of a content with the text of its snippets in place of their tags. Raises LanguageError.

    `channel` is `email` for a body of markup, `sms` for plain text, LINE for plain text of one line.
    """
    if WORD not in source.text:
        return Expanded(source)
    found = Expanded(source)
    body = without_comments(source) if channel == "email" else source
    found.text = Text(Expansion(channel, language, library, found).of(body, ()), source.line)
    return found


@dataclass(frozen=True)
class Expansion:
    """One content's; `stack` is always the snippets in which a text stands, the outermost first."""

    channel: str
    language: str
    library: Library
    found: Expanded

    def of(self, source: Text, stack: tuple[str, ...], place: Tag | None = None) -> str:
        """`source` expanded. Errors inside snippets are told at `place`, the tag in the author's content."""
        pieces, last = [], 0
        for tag in scan(source.text, source.line):
            if tag.word != WORD:
                continue
            pieces += [source.text[last : tag.start], self.taken(tag, place or tag, stack)]
            last = tag.end
        text = "".join(pieces) + source.text[last:]
        if len(text) > max_source:
            raise fault(place, f"The content is longer than {max_source:,} characters with its snippets.")
        return text

    def taken(self, tag: Tag, place: Tag, stack: tuple[str, ...]) -> str:
        """The text of the snippet that a tag names."""
        name, given = arguments(tag, place)
        snippet = self.library.get(name)
        if snippet is None:
            near = get_close_matches(name, self.library, 1)
            hint = f"Did you mean `{near[0]}`?" if near else "`cairn snippets list` shows those that there are"
            raise fault(place, f"There is no snippet “{name}”.", hint)
        if name in stack or len(stack) >= DEEPEST:
            way = " → ".join([*stack, name])
            raise fault(place, f"Snippets stand in each other without end: {way}.", "take one of them out")
        if self.channel != "email" and snippet.kind != "sms":
            raise fault(place, f"“{name}” is a snippet with markup; plain text takes .txt snippets.")
        piece = snippet.piece(self.language)
        self.note(name, snippet, piece, place)
        values = bound(name, piece, given, place)
        text = filled(self.written(snippet, piece.body), values, html_text=self.channel == "email", place=place)
        return self.of(Text(text, place.line), (*stack, name), place)

    def note(self, name: str, snippet: Snippet, piece: Piece, place: Tag) -> None:
        """Remember what stands on this line, and tell of a language that is missing."""
        self.found.used[name] = snippet.number
        self.found.lines.setdefault(place.line, name)
        own = piece.language.split("-")[0]
        if self.language and own and own != self.language.split("-")[0]:
            message = f"The snippet “{name}” has no {self.language}; its {piece.language} stands here."
            hint = f"add {name}.{self.language} beside its file"
            self.found.warnings.append({"kind": "translation", "line": place.line, "message": message, "hint": hint})

    def written(self, snippet: Snippet, body: Text) -> str:
        """The text on one line, so that the content's own lines stay; plain text shows as plain text in HTML."""
        text = body.text.strip("\n")
        if self.channel != "email":
            brk = " " if self.channel == LINE else '{{ "\\n" }}'
            return outside(text, lambda part: part.replace("\n", brk))
        if snippet.kind == "sms":
            return outside(text, lambda part: html.escape(part, quote=False).replace("\n", "<br>"))
        return outside(without_comments(Text(text, 1)).text, lambda part: part.replace("\n", " "))


def outside(text: str, change: Callable[[str], str]) -> str:
    """`text` with its parts between Jinja tags changed; inside tags line breaks become blanks."""
    pieces, last = [], 0
    for tag in scan(text):
        pieces += [change(text[last : tag.start]), tag.text.replace("\n", " ")]
        last = tag.end
    return "".join(pieces) + change(text[last:])


def arguments(tag: Tag, place: Tag) -> tuple[str, dict[str, Value]]:
    """Name and parameters of a tag. Raises LanguageError."""
    match = call(tag.text)
    if match is None:
        raise fault(place, "A snippet is called by its name in quotes.", HOW)
    given: dict[str, Value] = {}
    rest, position = match[2].rstrip(" ,\n"), 0
    while position < len(rest):
        one = argument.match(rest, position)
        if one is None:
            raise fault(place, f"“{rest[position:].strip()[:40]}” is no parameter of a snippet.", HOW)
        text = next(value for key, value in one.groupdict().items() if key != "name" and value is not None)
        literal = one["path"] is None or text in ("true", "false")
        if literal and ("{{" in text or "{%" in text):
            raise fault(place, f"The value of {one['name']} holds a Jinja tag.", "write the variable without quotes")
        given[one["name"]] = Value(text, literal)
        position = one.end()
    return match[1][1:-1], given


def bound(name: str, piece: Piece, given: Mapping[str, Value], place: Tag) -> dict[str, Value]:
    """A value for each parameter. Raises LanguageError for one that is missing, or that the snippet does not have."""
    for key in given:
        if key not in piece.params:
            names = ", ".join(piece.params)
            hint = f"it has {names}" if names else f"begin the snippet with front matter that has params: {{{key}: }}"
            raise fault(place, f"The snippet “{name}” has no parameter {key}.", hint)
    values = {key: given.get(key, default) for key, default in piece.params.items()}
    missing = [key for key, value in values.items() if value is None]
    if missing:
        raise fault(
            place, f"The snippet “{name}” needs {', '.join(missing)}.", f'{{% snippet "{name}" {missing[0]}=… %}}'
        )
    own = set(re.findall(r"\w+", " ".join(assigned.findall(piece.body.text))))
    for value in values.values():
        if value and not value.literal and value.text.split(".")[0] in own:
            hint = "give the variable in the snippet another name"
            raise fault(place, f"The snippet “{name}” has a variable of its own called {value.text}.", hint)
    return {key: value for key, value in values.items() if value is not None}


def filled(text: str, values: Mapping[str, Value], *, html_text: bool, place: Tag | None) -> str:
    """A snippet's text with its parameters in it. Raises LanguageError for one that its front matter does not name."""
    pieces, last = [], 0

    def value(name: str) -> Value:
        if name not in values:
            raise fault(place, f"A snippet reads param.{name}, but its front matter has no such parameter.", "params:")
        return values[name]

    def inside(match: re.Match[str]) -> str:
        return match[0] if match[1] is None else written(value(match[1]))

    for tag in scan(text):
        alone = whole(tag.text)
        own = value(alone[1]) if alone else None
        if own and own.literal:
            done = html.escape(own.text) if html_text else own.text
        else:
            done = parameter.sub(inside, tag.text)
        pieces += [text[last : tag.start], done]
        last = tag.end
    return "".join(pieces) + text[last:]


def written(value: Value) -> str:
    """A value inside a Jinja tag."""
    simple = not value.literal or value.text in ("true", "false") or re.fullmatch(r"\d+(\.\d+)?", value.text)
    return value.text if simple else repr(value.text)


def fault(place: Tag | None, message: str, hint: str = "") -> LanguageError:
    """An error at a tag of the author's content."""
    return LanguageError(message, place.line if place else 1, place.column if place else 1, hint=hint)


def sample(piece: Piece, kind: str) -> tuple[str, int]:
    """A content that holds nothing but this snippet, and how many lines its text stands lower there.

    Parameters without a default are variables. Raises LanguageError for a snippet that does not read.
    """
    values = {name: value or Value(name, literal=False) for name, value in piece.params.items()}
    body = filled(piece.body.text, values, html_text=kind == "email", place=None)
    head = front(piece, "" if kind == "sms" else "subject: Snippet\n")
    before, after = ("", "") if kind == "sms" else around(body)
    return head + before + body + after, head.count("\n") + 1 - piece.body.line


def front(piece: Piece, keys: str) -> str:
    """Front matter that ends right above the line on which the snippet's text begins, where there is room for it."""
    keys += f"language: {piece.language}\n" if piece.language else ""
    blank = max(piece.body.line - 1 - 2 - keys.count("\n"), 0)
    return f"---\n{keys}" + "\n" * blank + "---\n"


def around(body: str) -> tuple[str, str]:
    """What MJML needs around a snippet, by its first component."""
    first = re.search(r"<(mj-\w+)", body)
    if first is None or not is_mjml(body):
        return "<mjml><mj-body><mj-section><mj-column><mj-text>", "</mj-text></mj-column></mj-section></mj-body></mjml>"
    if first[1] in ("mj-section", "mj-wrapper", "mj-hero"):
        return "<mjml><mj-body>", "</mj-body></mjml>"
    if first[1] in ("mj-column", "mj-group"):
        return "<mjml><mj-body><mj-section>", "</mj-section></mj-body></mjml>"
    return "<mjml><mj-body><mj-section><mj-column>", "</mj-column></mj-section></mj-body></mjml>"
