"""Text that is hard to read on its background, as far as inline colours tell (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import NamedTuple

Colour = tuple[float, float, float]
names: dict[str, Colour] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "navy": (0, 0, 128),
}
void = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
rgb = re.compile(r"rgb\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)").fullmatch
hexadecimal = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})").fullmatch
style_rule = re.compile(r"([^{}]*)\{([^{}]*)\}")
media = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
selected = re.compile(r"(?<![\w-])\.?[A-Za-z][\w-]*")
pixels = re.compile(r"([\d.]+)px").match
least, least_large = 4.5, 3.0
large, large_bold = 24.0, 18.66


class Faint(NamedTuple):
    """A text whose contrast is too low; `ratio` is from 1 to 21."""

    text: str
    ratio: float
    colour: str
    background: str


@dataclass(frozen=True)
class Look:
    """How text looks inside an element. A colour is None where it cannot be told from inline styles."""

    tag: str
    colour: Colour | None = (0, 0, 0)
    background: Colour | None = (255, 255, 255)
    size: float = 16.0
    bold: bool = False
    hidden: bool = False


def read_colour(text: str) -> Colour | None:
    """A colour of CSS; None for one that this cannot read."""
    text = text.strip().lower()
    if hexadecimal(text):
        digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := rgb(text):
        return int(found[1]), int(found[2]), int(found[3])
    return names.get(text)


def ratio(one: Colour, other: Colour) -> float:
    """The contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Colour) -> float:
    """Relative luminance of sRGB, from 0 to 1."""
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def shown(colour: Colour) -> str:
    """As `#rrggbb`."""
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def coloured_by_rules(page: str) -> frozenset[str]:
    """What style sheets colour, as `tag` or `.class`; rules for certain screens are left out."""
    sheets = "\n".join(re.findall(r"<style\b[^>]*>(.*?)</style>", page, re.DOTALL | re.IGNORECASE))
    rules = style_rule.findall(media.sub("", sheets))
    return frozenset(
        name for selector, body in rules if re.search(r"color|background", body) for name in selected.findall(selector)
    )


class Reader(HTMLParser):
    """Follows inline styles through a page and keeps what is faint."""

    def __init__(self, by_rules: frozenset[str]) -> None:
        super().__init__()
        self.by_rules = by_rules
        self.open = [Look("")]
        self.faint: list[Faint] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in void:
            given = {name: value or "" for name, value in attrs}
            own = {tag} | {"." + name for name in given.get("class", "").split()}
            self.open.append(inside(self.open[-1], tag, given, unsure=tag == "a" or bool(own & self.by_rules)))

    def handle_endtag(self, tag: str) -> None:
        place = next((index for index in range(len(self.open) - 1, 0, -1) if self.open[index].tag == tag), 0)
        if place:
            del self.open[place:]

    def handle_data(self, data: str) -> None:
        words, look = " ".join(data.split()), self.open[-1]
        unread = look.hidden or look.size <= 1 or look.tag in {"style", "title", "script"}
        if unread or not any(character.isalnum() for character in words) or not look.colour or not look.background:
            return
        found = ratio(look.colour, look.background)
        big = look.size >= large or (look.bold and look.size >= large_bold)
        if found < (least_large if big else least):
            self.faint.append(Faint(words, found, shown(look.colour), shown(look.background)))


def inside(outer: Look, tag: str, given: dict[str, str], *, unsure: bool) -> Look:
    """The look inside an element with these attributes; `unsure` says that more than they may colour it."""
    style = dict(declarations(given.get("style", "")))
    look = replace(outer, tag=tag)
    if unsure:
        look = replace(look, colour=None, background=outer.background if tag == "a" else None)
    if "color" in style:
        look = replace(look, colour=read_colour(style["color"]))
    background = style.get("background-color") or style.get("background") or given.get("bgcolor") or ""
    if background and background not in {"none", "transparent", "inherit"}:
        look = replace(look, background=read_colour(background.removesuffix("!important")))
    if size := pixels(style.get("font-size", "")):
        look = replace(look, size=float(size[1]))
    weight = style.get("font-weight") or ("bold" if tag in {"b", "strong", "h1", "h2", "h3", "th"} else "")
    if weight:
        look = replace(look, bold=weight in {"bold", "bolder", "600", "700", "800", "900"})
    return replace(look, hidden=True) if style.get("display") == "none" else look


def declarations(style: str) -> Iterator[tuple[str, str]]:
    """`a: b; c: d` as pairs in lower case."""
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        if value:
            yield name.strip().lower(), value.strip().lower()


def faint(page: str) -> list[Faint]:
    """The texts of a page without Jinja that are hard to read, in order."""
    reader = Reader(coloured_by_rules(page))
    reader.feed(page)
    reader.close()
    return reader.faint
