"""What can be told of one rendering: where its links lead, how it looks in the dark, what is wrong for this contact."""

from __future__ import annotations

import html
import re
from typing import Any

from engine.content.advice import limited, note, schemes
from engine.content.compile import html_warning
from engine.previews.message import PREFERENCES, UNSUBSCRIBE, Content, Preview

anchor = re.compile(r"<a\b[^>]*?\shref\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
dark_query = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
light_query = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)", re.IGNORECASE)
dark_page = "<style>:root{color-scheme:dark;background:#121212}</style>"


def links(page: str) -> list[str]:
    """The destinations of a page in order, each once; unsubscribing and preferences, which we add, are left out."""
    found = dict.fromkeys(html.unescape(match[1] or match[2] or "").strip() for match in anchor.finditer(page))
    return [address for address in found if not address.endswith((UNSUBSCRIBE, PREFERENCES))]


def has_dark(page: str) -> bool:
    """Does the author say how the page looks in the dark?"""
    return dark_query.search(page) is not None


def dark(page: str) -> str:
    """The page as a program in dark mode shows it: the rules for the dark always hold, those for light never."""
    return dark_page + light_query.sub("(max-width:0)", dark_query.sub("(min-width:0)", page))


def findings(content: Content, preview: Preview) -> list[dict[str, Any]]:
    """The warnings of the version and those of this rendering, by line; those of a version that say more go first."""
    stored = [dict(each) for each in content.warnings]
    known = {each.get("variable") for each in stored} | {each["kind"] for each in stored if each["kind"] == "size"}
    found = []
    for name in preview.missing:
        if name not in known:
            hint = f"add a default: {{{{ {name}|default(…) }}}}, or defaults: in the front matter"
            found.append(note("missing", 0, f"“{name}” has no value here.", hint))
    if preview.size > html_warning and "size" not in known:
        message = f"The HTML is {preview.size // 1000} kB here; Gmail hides what is past 102 kB."
        found.append(note("size", 0, message, "shorten it, or use fewer sections"))
    for address in links(preview.html):
        if address in {"", "#"} or not schemes(address):
            found.append(
                note("link", 0, f"A link leads to “{address[:80]}” here.", "check the variable in its address")
            )
    return stored + limited(found)
