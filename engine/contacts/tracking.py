"""Consent to pixels and rewritten links, which is apart from consent to messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

CHANNEL = "tracking"  # in the history of consent, beside email and sms
EVERYWHERE = "*"


def is_tracked(said: str | None, contact: Mapping[str, Any], untracked: Collection[str]) -> bool:
    """Whether messages to this contact carry a pixel and tracked links.

    `said` is the contact's own word, which decides. Without one nobody is tracked whose attribute `country` is among
    the `untracked` countries (ISO 3166 codes in capitals; `*` are all, and those whose country is unknown).
    """
    if said is not None or not untracked:
        return said in (None, "subscribed")
    country = contact.get("country")
    return EVERYWHERE not in untracked and not (isinstance(country, str) and country.strip().upper() in untracked)
