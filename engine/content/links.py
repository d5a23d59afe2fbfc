"""Links of a page: each http(s) address becomes a tracking address by position."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from engine.content.tags import Swap, Tag
from engine.rendering import utm

tag_pattern = re.compile(r"<(a|area|v:[a-z]+)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
href_pattern = re.compile(r"(\shref\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>\"']+)", re.IGNORECASE)
own = ("unsubscribe_url", "preferences_url", "confirm_url", "view_url")
own_only = re.compile(r"\s*\{\{-?\s*(?:" + "|".join(own) + r")\s*-?\}\}\s*").fullmatch
web = re.compile(r"\s*https?://", re.IGNORECASE).match


@dataclass(frozen=True)
class Link:
    """A link of a content: a fixed address, or (`dynamic`) the template of one."""

    position: int
    url: str
    dynamic: bool

    def as_json(self) -> dict[str, Any]:
        """As stored."""
        return {"position": self.position, "url": self.url, "dynamic": self.dynamic}


def rewrite(page: str, swap: Swap, *, tracking: bool, tags: str = "") -> tuple[str, list[Link]]:
    """The page with tracking addresses for its web links, and the links by position, from 1.

    Anchors, mailto:, tel:, sms: and Cairn's own pages are left alone. A link that begins with a variable is decided
    per contact; without tracking it is still checked for its scheme. `tags` are added to fixed addresses (utm.query).
    """
    links: list[Link] = []

    def tag(match: re.Match[str]) -> str:
        return f"<{match[1]}{href_pattern.sub(href, match[2], count=1)}>"

    def href(match: re.Match[str]) -> str:
        value = match[2][1:-1] if match[2][0] in "\"'" else match[2]
        address = html.unescape(value).strip()
        source = swap.back(address)
        kind = kind_of(address, source, swap)
        if kind == "kept" or (kind != "open" and not tracking):
            return match[0]
        position = len(links) + 1
        links.append(Link(position, utm.tagged(source, tags) if kind == "fixed" else source, kind != "fixed"))
        made_up = fixed_place(position, swap) if kind == "fixed" else place(position, address, swap)
        return f'{match[1]}"{made_up}"'

    return tag_pattern.sub(tag, page), links


def kind_of(address: str, source: str, swap: Swap) -> str:
    """`fixed` web address, `merged` (a web address with variables), `open` (known per contact), or `kept` as it is."""
    first = swap.pattern.search(address)
    if own_only(source) or not address:
        return "kept"
    if first is None:
        return "fixed" if web(address) else "kept"
    if first.start() == 0:
        return "open"
    return "merged" if web(address[: first.start()]) else "kept"


def fixed_place(position: int, swap: Swap) -> str:
    """A placeholder for the tracking address of a fixed link."""
    return swap.put(made(f"{{{{ cairn_l{position} }}}}"))


def place(position: int, address: str, swap: Swap) -> str:
    """Placeholders for an address that is put together per contact; with statements in it, it is captured first."""
    if swap.statements(address):
        begin, end = made(f"{{% set cairn_u{position} %}}"), made("{% endset %}")
        call = made(f"{{{{ cairn_link({position}, cairn_u{position}) }}}}")
        return swap.put(begin) + html.escape(address) + swap.put(end) + swap.put(call)
    parts, last = [], 0
    for match in swap.pattern.finditer(address):
        parts += [repr(address[last : match.start()]), expression(swap.tags[match[0]])]
        last = match.end()
    arguments = ", ".join(part for part in [*parts, repr(address[last:])] if part != "''")
    return swap.put(made(f"{{{{ cairn_link({position}, {arguments}) }}}}"))


def expression(tag: Tag) -> str:
    """The inside of `{{ … }}`, in brackets."""
    return "(" + tag.text[2:-2].strip("-+ \n\t") + ")"


def made(text: str) -> Tag:
    """A tag that we wrote, not the author."""
    return Tag(text[:2], 0, 0, 1, 1, text)
