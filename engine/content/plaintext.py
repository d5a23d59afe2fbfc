"""The plain text of a page: headings, paragraphs, lists, tables and links, with Jinja statements in their places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from engine.content.components import void
from engine.content.tags import Swap

skipped = frozenset(["head", "style", "script", "title", "template", "noscript", "svg", "select"])
paragraph_names = "p h1 h2 h3 h4 h5 h6 ul ol blockquote pre table section article header footer center"
paragraphs = frozenset(paragraph_names.split())
rows = frozenset(["div", "tr", "td", "th", "li", "dt", "dd", "tbody", "thead", "address", "figure"])
kept_when_hidden = frozenset(["if", "elif", "else", "endif", "when", "endwhen", "for", "endfor", "set", "endset"])
headings = {"h1": "=", "h2": "-"}
hidden = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE).search


@dataclass(frozen=True)
class Event:
    """A step through the page: `data`, `start`, `end` or `statement`; `text` is the data, tag name or placeholder."""

    kind: str
    text: str
    attributes: dict[str, str] = field(default_factory=dict)


class Reader(HTMLParser):
    """The page as events; statements inside comments (Outlook's) count, their markup does not."""

    def __init__(self, page: str, swap: Swap) -> None:
        super().__init__(convert_charrefs=True)
        self.swap = swap
        self.events: list[Event] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A start tag."""
        self.events.append(Event("start", tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """An end tag."""
        self.events.append(Event("end", tag))

    def handle_data(self, data: str) -> None:
        """Text, cut at statements."""
        last = 0
        for match in self.swap.pattern.finditer(data):
            if self.swap.tags[match[0]].kind == "{%":
                self.events += [Event("data", data[last : match.start()]), Event("statement", match[0])]
                last = match.end()
        self.events.append(Event("data", data[last:]))

    def handle_comment(self, data: str) -> None:
        """A comment: only the statements in it."""
        self.events += [Event("statement", name) for name in self.swap.statements(data)]


class Writer:
    """Builds the text. `breaks` are the line breaks and `blank` the space still owed before the next word."""

    def __init__(self, swap: Swap) -> None:
        self.swap = swap
        self.out: list[str] = []
        self.breaks = 0
        self.blank = False
        self.began = False
        self.marks: list[tuple[int, bool, bool]] = []
        self.tables: list[bool] = []
        self.lists: list[int] = []
        self.links: list[tuple[str, int]] = []
        self.headings: list[int] = []
        self.skip: list[str] = []

    def owe(self, breaks: int) -> None:
        """At least so many line breaks before what follows."""
        self.breaks = max(self.breaks, breaks)
        self.blank = False

    def write(self, text: str) -> None:
        """Text that is not to be collapsed, after what is owed."""
        if self.breaks and self.began:
            self.out.append("\n" * self.breaks)
        elif self.blank and self.began and not self.breaks:
            self.out.append(" ")
        self.breaks, self.blank, self.began = 0, False, True
        self.out.append(text)

    def data(self, data: str) -> None:
        """Text with its blanks collapsed."""
        words = re.sub(r"[\s\u200b-\u200d\u2060\u034f\ufeff\u00ad]+", " ", data.replace("\u00a0", " "))
        if words.startswith(" "):
            self.blank = self.blank or self.breaks == 0
        if words.strip():
            self.write(words.strip())
            self.blank = words.endswith(" ")

    def pay(self, *, inline: bool, listed: bool) -> None:
        """Settle before a block what its first round must not owe again: all for words, the empty line for rows."""
        if inline:
            self.write("")
        elif listed and self.breaks == 2 and self.began:
            self.out.append("\n")
            self.breaks = 1

    def statement(self, name: str, *, inline: bool, listed: bool) -> None:
        """A Jinja statement. Breaks owed are paid inside a block of paragraphs, before one of words or of rows."""
        word = self.swap.tags[name].word
        if (
            word in {"elif", "else", "endif", "endwhen", "endfor", "endproducts"}
            and self.blank
            and self.began
            and not self.skip
        ):
            self.out.append(" ")
            self.blank = False
        if self.skip and word not in kept_when_hidden:
            return
        if word in {"elif", "else"} and self.marks:
            self.breaks, self.blank, self.began = self.marks[-1]
        elif word.startswith("end") and self.marks:
            self.marks.pop()
        elif not self.skip and word in {"if", "when", "for", "products"} and (self.breaks or self.blank):
            self.pay(inline=inline, listed=listed and word in {"for", "products"})
        if word in {"if", "when", "for", "products", "with", "filter", "call", "macro"}:
            self.marks.append((self.breaks, self.blank, self.began))
        self.out.append(name)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag in skipped or hidden(attributes.get("style", "")) or "hidden" in attributes:
            if tag not in void:
                self.skip.append(tag)
            return
        if tag == "br":
            self.breaks = min(self.breaks + 1, 2)
            self.blank = False
        elif tag == "hr":
            self.owe(2)
            self.write("-" * 40)
            self.owe(2)
        elif tag == "img":
            self.image(attributes)
        elif tag == "a":
            self.links.append((attributes.get("href", ""), len(self.out)))
        else:
            self.block(tag, attributes)

    def image(self, attributes: dict[str, str]) -> None:
        """An image counts by its text if it is what a link shows."""
        if self.links and len(self.out) == self.links[-1][1]:
            self.data(attributes.get("alt", ""))

    def block(self, tag: str, attributes: dict[str, str]) -> None:
        """A paragraph, row, cell, list or item begins."""
        if tag == "table":
            self.tables.append(attributes.get("role") != "presentation")
        if tag in ("td", "th") and self.tables and self.tables[-1]:
            self.blank = True
            return
        if tag in paragraphs:
            nested = tag in ("ul", "ol") and self.lists
            self.owe(1 if nested else 2)
        elif tag in rows:
            self.owe(1)
        if tag in ("ul", "ol"):
            self.lists.append(0 if tag == "ul" else 1)
        elif tag == "li":
            self.item()
        if tag in headings:
            self.headings.append(len(self.out))

    def item(self) -> None:
        """The bullet or number of a list item; inside a loop numbers are not known."""
        number = self.lists[-1] if self.lists else 0
        self.write("  " * max(0, len(self.lists) - 1) + (f"{number}." if number and not self.marks else "-"))
        self.blank = True
        if number:
            self.lists[-1] = number + 1

    def end(self, tag: str) -> None:
        """An element ends."""
        if self.skip:
            if tag == self.skip[-1]:
                self.skip.pop()
            return
        if tag == "a" and self.links:
            self.link(*self.links.pop())
        elif tag in headings and self.headings:
            self.underline(headings[tag], "".join(self.out[self.headings.pop() :]).strip())
        if tag == "table" and self.tables:
            self.tables.pop()
        if tag in ("ul", "ol") and self.lists:
            self.lists.pop()
        if tag in paragraphs:
            self.owe(1 if tag in ("ul", "ol") and self.lists else 2)
        elif tag in rows and not (tag in ("td", "th") and self.tables and self.tables[-1]):
            self.owe(1)

    def link(self, address: str, since: int) -> None:
        """The address of a link, in brackets after its text."""
        shown = "".join(self.out[since:]).strip()
        if not address or address.startswith("#") or not shown:
            return
        address = address.removeprefix("mailto:").removeprefix("tel:")
        if shown == address:
            return
        self.write(f" ({address})") if not self.breaks else self.write(f"({address})")

    def underline(self, sign: str, shown: str) -> None:
        """A line under a heading whose length is known."""
        if shown and not self.swap.pattern.search(shown) and "\n" not in shown:
            self.breaks = 1
            self.write(sign * min(len(shown), 60))


def inline_blocks(events: list[Event], swap: Swap) -> set[int]:
    """The indexes of statements that open a block without any paragraph or row inside."""
    found: set[int] = set()
    opened: list[tuple[int, bool]] = []
    for index, event in enumerate(events):
        if event.kind == "statement":
            word = swap.tags[event.text].word
            if word in {"if", "when", "for", "products"}:
                opened.append((index, True))
            elif word in {"endif", "endwhen", "endfor", "endproducts"} and opened:
                begin, inline = opened.pop()
                if inline:
                    found.add(begin)
                elif opened:
                    opened[-1] = (opened[-1][0], False)
        elif event.kind == "start" and opened and event.text in paragraphs | rows | {"br", "hr"}:
            opened[-1] = (opened[-1][0], False)
    return found


def first_element(events: list[Event], index: int) -> str:
    """The name of the first element or `data` after a statement."""
    following = (event for event in events[index + 1 : index + 50] if event.kind != "statement")
    return next((event.text if event.kind == "start" else "data" for event in following if event.text.strip()), "")


def derive(page: str, swap: Swap) -> str:
    """The plain text of a page, with the placeholders of expressions and statements in their places."""
    events = Reader(page, swap).events
    inline = inline_blocks(events, swap)
    writer = Writer(swap)
    for index, event in enumerate(events):
        if event.kind == "statement":
            writer.statement(event.text, inline=index in inline, listed=first_element(events, index) in {"li", "tr"})
        elif event.kind == "start":
            if not writer.skip:
                writer.start(event.text, event.attributes)
            elif event.text == writer.skip[-1] and event.text not in void:
                writer.skip.append(event.text)
        elif event.kind == "end":
            writer.end(event.text)
        elif not writer.skip:
            writer.data(event.text)
    return re.sub(r"[ \t]+\n", "\n", "".join(writer.out)).strip("\n") + "\n"
