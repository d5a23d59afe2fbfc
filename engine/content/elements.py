"""A strict reader of the author's markup: elements with positions, each closed where it was opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from engine.content.components import void
from engine.content.source import Text
from engine.errors import LanguageError

stray = re.compile(r"<(?![a-zA-Z/!?])")


@dataclass(frozen=True)
class Element:
    """A start or end tag; `attributes` of a start tag; `start` and `end` are offsets."""

    name: str
    opens: bool
    start: int
    end: int
    attributes: tuple[tuple[str, str | None], ...] = ()
    closed: bool = False


class Reader(HTMLParser):
    """Collects elements and their offsets from masked markup."""

    def __init__(self, source: Text) -> None:
        super().__init__(convert_charrefs=False)
        self.source = source
        self.starts = [0]
        for line in source.text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.elements: list[Element] = []
        self.feed(source.text)
        self.close()

    def at(self) -> int:
        """Where the parser stands."""
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def fault(self, message: str, offset: int, hint: str = "") -> LanguageError:
        """A LanguageError at an offset."""
        line = self.source.text.count("\n", 0, offset)
        column = offset - self.source.text.rfind("\n", 0, offset)
        return LanguageError(message, self.source.line + line, column, hint=hint)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A start tag."""
        text = self.get_starttag_text() or ""
        start = self.at()
        closed = tag in void or text.endswith("/>")
        if any(set(name) & set("<\"'") for name, _ in attrs):
            raise self.fault(f"<{tag}> has a sign in it that belongs in quotes.", start, "check its quotes and its >")
        self.elements.append(Element(tag, True, start, start + len(text), tuple(attrs), closed))

    def handle_endtag(self, tag: str) -> None:
        """An end tag."""
        start = self.at()
        end = self.source.text.find(">", start) + 1
        self.elements.append(Element(tag, False, start, end))

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        """A comment; `</` before no letter would pass for one."""
        if not self.source.text.startswith("<!", self.at()):
            raise self.fault("“</” stands without a name.", self.at(), "remove it, or name the element it closes")

    def handle_decl(self, decl: str) -> None:
        """No document type: MJML writes its own."""
        raise self.fault(f"“<!{decl[:20]}>” cannot stand in MJML.", self.at(), "remove it")

    def handle_pi(self, data: str) -> None:
        """No processing instructions."""
        raise self.fault(f"“<?{data[:20]}>” cannot stand in MJML.", self.at(), "remove it")

    def handle_data(self, data: str) -> None:
        """Text; a bare `<` in it would end the message's markup."""
        match = stray.search(data)
        if match:
            raise self.fault("A “<” stands alone.", self.at() + match.start(), hint="write &lt; for the sign itself")


@dataclass(frozen=True)
class Place:
    """A stretch of the text: inside which element, and whether inside a tag (`attribute`) or between tags."""

    start: int
    parents: tuple[int, ...]
    attribute: bool


def places(reader: Reader) -> list[Place]:
    """The stretches of the markup in order; `parents` are indexes of open elements.

    Raises LanguageError for an element that is not closed, or closed where it is not open.
    """
    stack: list[int] = []
    found = [Place(0, (), False)]
    for index, element in enumerate(reader.elements):
        found.append(Place(element.start, tuple(stack), True))
        if element.opens and not element.closed:
            stack.append(index)
        elif not element.opens and element.name not in void:
            close(reader, stack, element)
        found.append(Place(element.end, tuple(stack), False))
    if stack:
        last = reader.elements[stack[-1]]
        raise reader.fault(f"<{last.name}> is never closed.", last.start, hint=f"add </{last.name}>")
    return found


def close(reader: Reader, stack: list[int], element: Element) -> None:
    """Take the element that an end tag closes from the stack. Raises LanguageError."""
    opened = reader.elements[stack[-1]] if stack else None
    if opened and opened.name == element.name:
        stack.pop()
        return
    if opened is None:
        raise reader.fault(f"</{element.name}> closes nothing.", element.start)
    hint = f"close <{opened.name}> first, or remove </{element.name}>"
    raise reader.fault(f"</{element.name}> stands where </{opened.name}> is expected.", element.start, hint)
