"""Who a content says that it is from, and where answers to it go: `Name <address>`, or an address."""

from __future__ import annotations

import re

from engine.errors import LanguageError
from engine.rendering.errors import RenderError
from engine.rendering.headers import named_address, split_address

identity_name = re.compile(r"[a-z0-9][a-z0-9-]{0,62}").fullmatch


def check(text: str, key: str, line: int) -> str:
    """The text, if mail can name it under `key` (from, reply_to). `from` may be the name of an identity instead.

    Letters outside ASCII before the @ are refused: not every server takes them. Raises LanguageError.
    """
    if not text or (key == "from" and identity_name(text)):
        return text
    try:
        local = split_address(named_address(text)[1])[0]
    except RenderError:
        local = ""
    if not local.isascii() or not re.fullmatch(r"[^@\s<>,;()\"]+", local):
        of_from = key == "from"
        what = "is neither an email address nor an identity" if of_from else "is no email address"
        known = ("Name <name@example.com>", *(("shop",) if of_from else ()))
        hint = "before the @ use letters a-z, digits and . _ + -: not every server takes others"
        raise LanguageError(f"{key}: “{text}” {what}.", line, expected=known, hint=hint)
    return text


def sender(text: str) -> dict[str, str] | None:
    """Name and address of a `from` that is no identity."""
    if not text or identity_name(text):
        return None
    name, address = named_address(text)
    return {"name": name, "address": address}
