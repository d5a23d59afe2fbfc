"""Campaign tags in the addresses of links, as web analytics read them.

https://support.google.com/analytics/answer/10917952
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

KEYS = ("source", "medium", "campaign", "term", "content", "id")


def query(tags: Mapping[str, str]) -> str:
    """`utm_source=…&utm_medium=…`, in the order of KEYS; "" without tags."""
    return "&".join(f"utm_{key}={quote(tags[key], safe='')}" for key in KEYS if tags.get(key))


def tagged(url: str, tags: str) -> str:
    """The address with the tags that it does not have yet; its fragment stays last."""
    if not tags:
        return url
    rest, mark, fragment = url.partition("#")
    _, asked, own = rest.partition("?")
    known = {pair.partition("=")[0].lower() for pair in own.split("&")}
    new = "&".join(pair for pair in tags.split("&") if pair.partition("=")[0] not in known)
    joint = "" if not new or rest.endswith(("?", "&")) else "&" if asked else "?"
    return f"{rest}{joint}{new}{mark}{fragment}"
