"""Links of a text: each address without variables becomes a tracking address by position."""

from __future__ import annotations

import re

from engine.content.links import Link
from engine.content.tags import scan
from engine.rendering import utm

ADDRESS = re.compile(r"https?://[^\s<>\"“”«»]*[^\s<>\"“”«».,;:!?)\]'’]", re.IGNORECASE)
"""Without what ends the sentence around it."""
MOST = 255
"""A token has one byte for the position."""


def rewrite(body: str, tags: str) -> tuple[str, list[Link]]:
    """The text with `{{ cairn_l1 }}` and so on for its addresses, and the links by position, from 1.

    An address that a variable or a block is part of is left alone. `tags` are added to the others (utm.query).
    """
    links: list[Link] = []
    pieces, last = [], 0
    for start, end in [*((tag.start, tag.end) for tag in scan(body)), (len(body), len(body))]:
        pieces += [_rewritten(body[last:start], start < len(body), tags, links), body[start:end]]
        last = end
    return "".join(pieces), links


def _rewritten(piece: str, goes_on: bool, tags: str, links: list[Link]) -> str:
    """A piece between tags; `goes_on`: a tag follows, which may be part of the last address."""

    def place(match: re.Match[str]) -> str:
        if (goes_on and not re.search(r"\s", piece[match.start() :])) or len(links) == MOST:
            return match[0]
        links.append(Link(len(links) + 1, utm.tagged(match[0], tags), dynamic=False))
        return f"{{{{ cairn_l{len(links)} }}}}"

    return ADDRESS.sub(place, piece)
