"""What somebody sees who opens a rendered page: its words, links that can be found and clicked, and where it leads.

Hidden is what inline styles, attributes or the page's own style sheets take out of sight: not displayed, transparent,
without size, far outside, or in the colour of its background.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from engine.content.contrast import Look, declarations, inside, ratio, style_rule, void

SILENT = frozenset({"style", "title", "script", "template", "head", "noscript", "textarea", "select"})
SMALLEST = 2.0
FAINTEST = 1.15
FAR = -999.0
URL = re.compile(r"url\(\s*['\"]?([^'\")]+)", re.IGNORECASE)
SHEET = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
PRINT = re.compile(r"@media\s+print[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", re.IGNORECASE)
SIMPLE = re.compile(r"\s*([a-z][\w-]*)?((?:[.#][\w-]+)*)\s*\Z", re.IGNORECASE)
NUMBER = re.compile(r"-?\d*\.?\d+")
LEADING = ("href", "src", "background", "action", "formaction", "poster", "data")


@dataclass(frozen=True)
class Shown:
    """`links` are addresses of links that are seen; `addresses` all that the page leads to or loads, seen or not."""

    words: str
    links: frozenset[str]
    addresses: frozenset[str]


def shown(page: str) -> Shown:
    """Read a rendered page. Never raises: broken markup is read as browsers read it, as far as the parser does."""
    reader = Reader(hiding(page))
    reader.feed(page)
    reader.close()
    sheets = {found for sheet in SHEET.findall(page) for found in URL.findall(sheet)}
    return Shown(" ".join("".join(reader.words).split()), frozenset(reader.links), frozenset(reader.addresses | sheets))


def hiding(page: str) -> frozenset[tuple[str, frozenset[str]]]:
    """(tag or empty, classes and ids) of what rules hide on any screen; of a selector the last simple one counts."""
    found = set()
    for sheet in SHEET.findall(page):
        for selectors, body in style_rule.findall(PRINT.sub("", sheet)):
            if not _hides(dict(declarations(body.replace("!important", "")))):
                continue
            for selector in selectors.split(","):
                simple = SIMPLE.match(selector.strip().rpartition(" ")[2])
                if simple and (simple[1] or simple[2]):
                    found.add(((simple[1] or "").lower(), frozenset(re.findall(r"[.#][\w-]+", simple[2]))))
    return frozenset(found)


def _hides(style: dict[str, str]) -> bool:
    """Whether declarations take an element out of sight."""
    style = {name: value.removesuffix("!important").strip() for name, value in style.items()}
    if style.get("display") == "none" or style.get("visibility") in {"hidden", "collapse"}:
        return True
    if _number(style, "opacity") == 0:
        return True
    clipped = style.get("overflow") == "hidden" and any(
        _number(style, name) == 0 for name in ("max-height", "height", "max-width", "width")
    )
    return clipped or min(_number(style, name, 0) for name in ("text-indent", "left", "top", "margin-left")) <= FAR


def _number(style: dict[str, str], name: str, default: float = 1.0) -> float:
    """The number that a value begins with; sizes in em and % are taken as large unless they are 0."""
    value = style.get(name, "")
    found = NUMBER.match(value)
    if not found:
        return default
    number = float(found[0])
    return number if number <= 0 or not value.endswith(("em", "%")) else max(number, default)


class Reader(HTMLParser):
    """Follows what hides through a page. Each open element: how it looks, whether it is seen, the size of its text."""

    def __init__(self, hidden_by: frozenset[tuple[str, frozenset[str]]]) -> None:
        super().__init__()
        self.hidden_by = hidden_by
        self.open: list[tuple[Look, bool, float]] = [(Look(""), True, SMALLEST)]
        self.words: list[str] = []
        self.links: set[str] = set()
        self.addresses: set[str] = set()
        self.link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._collect(given)
        outer, seen, size = self.open[-1]
        style = dict(declarations(given.get("style", "")))
        own = {"." + name for name in given.get("class", "").split()} | {f"#{given.get('id', '')}"}
        ruled = any(name in ("", tag) and marks <= own for name, marks in self.hidden_by)
        seen = seen and tag not in SILENT and "hidden" not in given and not ruled and not _hides(style)
        if tag in {"a", "area"} and given.get("href"):
            self.link = given["href"].strip()
        if tag == "area" or (tag == "img" and given.get("width") != "1" and given.get("height") != "1"):
            self._seen_link(seen)
        if tag not in void:
            self.open.append((inside(outer, tag, given, unsure=False), seen, _number(style, "font-size", size)))

    def _collect(self, given: dict[str, str]) -> None:
        found = [given[name].strip() for name in LEADING if given.get(name)]
        found += [one.strip().split(" ")[0] for one in given.get("srcset", "").split(",")]
        found += URL.findall(given.get("style", ""))
        self.addresses |= {one for one in found if one}

    def _seen_link(self, seen: bool) -> None:
        if seen and self.link:
            self.links.add(self.link)

    def handle_endtag(self, tag: str) -> None:
        place = next((index for index in range(len(self.open) - 1, 0, -1) if self.open[index][0].tag == tag), 0)
        if place:
            del self.open[place:]
        if tag == "a":
            self.link = ""

    def handle_data(self, data: str) -> None:
        look, seen, size = self.open[-1]
        faint = look.colour and look.background and ratio(look.colour, look.background) < FAINTEST
        if not seen or size < SMALLEST or faint:
            return
        self.words.append(data)
        if any(character.isalnum() for character in data):
            self._seen_link(True)
