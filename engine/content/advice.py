"""What is right but unwise about an email: each a warning with the author's line and what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

from engine.content.contrast import faint
from engine.content.source import Source, Text
from engine.content.tags import filler, masked, scan

Note = dict[str, Any]
most_of_a_kind = 5
longest_subject = 70
least_text = 40
schemes = re.compile(r"(?:https?://|mailto:|tel:|sms:|#[\w-])", re.IGNORECASE).match
links = frozenset({"a", "area", "mj-button", "mj-social-element", "mj-navbar-link"})
# Read out in a list of links these say nothing (WCAG 2.4.4).
saying_nothing = """
click here|click|here|link|this link|more|read more|learn more|this
hier|hier klicken|klick hier|klicken sie hier|mehr|mehr lesen|weiterlesen
aquí|haz clic aquí|haga clic aquí|más|leer más|aqui|clique aqui|saiba mais
ici|cliquez ici|plus|lire la suite|en savoir plus|qui|clicca qui|leggi tutto|hier klikken|lees meer
"""
vague = frozenset(saying_nothing.strip().replace("\n", "|").split("|"))
pictures = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg")
heading = re.compile(r"h([1-6])").fullmatch
addresses = ("href", "src", "background-url", "background")


def note(kind: str, line: int, message: str, hint: str) -> Note:
    """A warning as it is stored with a version."""
    return {"kind": kind, "line": line, "message": message, "hint": hint}


def advise(source: Source, body: Text, page: str, text: str) -> list[Note]:
    """Warnings about an email: `body` is the author's without comments, `page` and `text` are the compiled parts."""
    reader = Reader(body)
    found = [
        *of_heading(source),
        *of_language(source, body),
        *reader.read(),
        *of_contrast(body, page),
        *of_text(source, text),
    ]
    return limited(sorted(found, key=lambda one: int(one["line"])))


def limited(found: Iterable[Note]) -> list[Note]:
    """At most `most_of_a_kind` of each kind; the last one says how many more there are."""
    seen: Counter[str] = Counter()
    kept: dict[tuple[str, int], Note] = {}
    for one in found:
        seen[one["kind"]] += 1
        kept.setdefault((one["kind"], min(seen[one["kind"]], most_of_a_kind)), one)
    for kind, count in seen.items():
        if count > most_of_a_kind:
            kept[kind, most_of_a_kind]["message"] += f" There are {count - most_of_a_kind} more like it."
    return list(kept.values())


def constant(text: str) -> str:
    """A template without its tags."""
    return masked(text, scan(text)).replace(filler, "")


def of_heading(source: Source) -> Iterator[Note]:
    """Subject and preview text."""
    length = len(" ".join(constant(source.subject.text).split()))
    if length > longest_subject:
        message = f"The subject has {length} characters without its variables; phones show about 40."
        yield note("subject", source.subject.line, message, f"say it in fewer than {longest_subject}")
    if not source.preheader.text.strip():
        message = "There is no preheader: beside the subject, inboxes show the first words of the body."
        yield note("preheader", 1, message, "add preheader: to the front matter")


def of_language(source: Source, body: Text) -> Iterator[Note]:
    """Screen readers choose their voice by the language of the page."""
    root = re.search(r"<(mjml|html)\b[^>]*>", body.text, re.IGNORECASE)
    said = re.search(r"\slang\s*=\s*[\"']?([\w-]*)", root[0], re.IGNORECASE) if root else None
    if said and source.language and said[1].split("-")[0].lower() != source.language.split("-")[0]:
        line = body.line + body.text.count("\n", 0, root.start() if root else 0)
        message = f"The page says that its language is “{said[1]}”, the content that it is {source.language}."
        yield note("lang", line, message, "leave lang= out: the language of the content is written there")
    if root and not source.language and not said:
        line = body.line + body.text.count("\n", 0, root.start())
        message = "The page does not say its language; screen readers read it in that of the reader's device."
        yield note("lang", line, message, f'write language: en in the front matter, or <{root[1].lower()} lang="en">')


def of_text(source: Source, text: str) -> Iterator[Note]:
    """The plain text part, for who reads no HTML."""
    length = len("".join(re.sub(r"https?://\S+", "", text).split()))
    if length < least_text:
        line = source.text.line if source.text else 1
        message = f"The plain text part has {length} characters; filters distrust mail that is pictures alone."
        yield note("text", line, message, "write more text, or text: in the front matter")


def of_contrast(body: Text, page: str) -> Iterator[Note]:
    """Faint text, at the line where the author wrote it."""
    seen = set()
    for one in faint(masked(page, scan(page))):
        words = one.text.strip(filler + " ").split(filler)[0].strip()
        if words and (words, one.colour) not in seen:
            seen.add((words, one.colour))
            place = body.text.find(words.split(" ")[0] if words not in body.text else words)
            line = body.line + body.text.count("\n", 0, max(place, 0))
            message = f"“{words[:40]}” is hard to read: {one.colour} on {one.background} is {one.ratio:.1f} to 1."
            yield note("contrast", line, message, "use colours with at least 4.5 to 1, large text 3 to 1")


class Reader(HTMLParser):
    """Images, links and tables as the author wrote them, MJML or HTML."""

    def __init__(self, body: Text) -> None:
        super().__init__()
        self.body, self.defaults = body, False
        self.found: list[Note] = []
        self.link: tuple[int, bool] | None = None
        self.words: list[str] = []
        self.level = 0

    def read(self) -> list[Note]:
        """All warnings, in order."""
        self.feed(masked(self.body.text, scan(self.body.text)))
        self.close()
        return self.found

    def tell(self, kind: str, message: str, hint: str, line: int | None = None) -> None:
        """Keep a warning, at the place of the parser if no line is given."""
        self.found.append(note(kind, line or self.getpos()[0] + self.body.line - 1, message, hint))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.defaults = self.defaults or tag == "mj-attributes"
        if self.defaults:  # what components have in common, not components
            return
        given = {name: value or "" for name, value in attrs}
        if tag in {"img", "mj-image"}:
            self.image(given)
        if tag == "table" and given.get("role") not in {"presentation", "none"}:
            hint = 'write <table role="presentation"> for layout, or <mj-table> for data'
            self.tell("table", "Screen readers announce this table as data.", hint)
        for name in addresses:
            if given.get(name, "").strip().lower().startswith("http://"):
                self.tell("http", f"{given[name].strip()[:80]} is not encrypted.", "use https://")
        if level := heading(tag):
            self.heading(int(level[1]))
        if tag in links and not ("name" in given and "href" not in given):
            self.address(given.get("href", "").strip())
            self.link = (self.getpos()[0] + self.body.line - 1, bool(given.get("aria-label") or given.get("title")))
            self.words = ["…"] if self.link[1] else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in links:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.defaults = self.defaults and tag != "mj-attributes"
        if tag in links and self.link:
            line, named = self.link
            if not named and tag not in {"area", "mj-social-element"}:
                self.tell("link", "A link has no text.", "say where it leads, such as “Read the story”", line)
            said = " ".join("".join(self.words).split())
            if said.strip(" .!:»›→>").casefold() in vague:
                hint = "say where it leads: screen readers read links out alone"
                self.tell("words", f"“{said}” does not say where the link leads.", hint, line)
            self.link = None

    def handle_data(self, data: str) -> None:
        if self.link:
            self.words.append(data)
            self.link = (self.link[0], self.link[1] or bool(data.strip()))

    def image(self, given: dict[str, str]) -> None:
        """An image speaks for itself, or says with alt="" that it need not."""
        if "alt" not in given:
            hint = 'say what it shows in alt="…", or write alt="" for decoration'
            self.tell("alt", f"The image {given.get('src', '').replace(filler, '')[:80]} has no alt text.", hint)
        alt = given.get("alt", "").strip()
        if alt.lower().endswith(pictures):
            self.tell("alt", f"The alt text “{alt[:80]}” is the name of a file.", "say what the image shows")
        if self.link and alt:
            self.link = (self.link[0], True)
            self.words.append(alt)

    def heading(self, level: int) -> None:
        """People jump from heading to heading and take a missing level for a missing part."""
        if self.level and level > self.level + 1:
            message = f"A heading of level {level} follows one of level {self.level}."
            self.tell("heading", message, f"write <h{self.level + 1}>; its size is a matter of style")
        self.level = level

    def address(self, href: str) -> None:
        """Where a link leads."""
        if href in {"", "#"}:
            self.tell("link", "A link leads nowhere.", 'write an address: href="https://…"')
        elif not href.startswith(filler) and not schemes(href):
            self.tell("link", f"“{href.replace(filler, '…')[:80]}” is no address.", "begin it with https://")
