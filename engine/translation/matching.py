"""Which of several languages somebody gets: the lookup of RFC 4647 (section 3.4) over tags of BCP 47 (RFC 5646)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONGEST = 100
tag_pattern = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*", re.IGNORECASE
).fullmatch
# The scripts and languages that are written from right to left, as far as mail is likely to hold them.
rtl_names = "ar arc ckb dv fa he ks ps sd ug ur yi adlm arab hebr nkoo syrc thaa"
RIGHT_TO_LEFT = frozenset(rtl_names.split())


def canonical(tag: str) -> str | None:
    """A language tag as it is written (RFC 5646, section 2.1.1), such as `pt-BR`, `zh-Hant`; None for what is none."""
    tag = tag.strip().replace("_", "-")
    if not tag_pattern(tag):
        return None
    first, *rest = tag.lower().split("-")
    return "-".join([first, *(cased(part) for part in rest)])


def cased(part: str) -> str:
    """A region in capitals, a script with one, all else small."""
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 and part.isalpha() else part


def direction(tag: str) -> str:
    """`rtl` or `ltr`; a script in the tag decides before its language."""
    parts = tag.lower().split("-")
    script = next((part for part in parts[1:] if len(part) == 4 and part.isalpha()), parts[0])
    return "rtl" if script in RIGHT_TO_LEFT else "ltr"


def wanted(contact: Mapping[str, Any]) -> tuple[object, object]:
    """What a contact says of their language, the weightier first: the attribute `language`, then the locale."""
    return contact.get("language"), contact.get("locale")


def lookup(wanted: Iterable[object], available: Iterable[str]) -> str | None:
    """The available tag for the first of the wanted ones that has one; None if none has: then the default is due.

    A wanted tag loses its last part until it is there: `pt-BR`, then `pt`. What is no text wants nothing.
    """
    known = {tag.lower(): tag for tag in available}
    found = (known[part] for each in wanted if isinstance(each, str) for part in shortened(each) if part in known)
    return next(found, None)


def shortened(tag: str) -> Iterator[str]:
    """`zh-hant-cn`, `zh-hant`, `zh`. A single letter before the end goes along, but no such tag is ever available."""
    parts = tag.strip().replace("_", "-").lower().split("-") if len(tag) <= LONGEST else []
    return ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
