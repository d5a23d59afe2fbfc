"""Consent to pixels and rewritten links, which is apart from consent to messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine import workspace
from engine.errors import InvalidInput
from engine.model import AuditLog

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


def set_countries(session: Session, words: str, actor: str, now: dt.datetime) -> None:
    """In these countries (`DE, FR`, or `*`) nobody is tracked who has not agreed; "" for none. Raises InvalidInput."""
    codes = [part.upper() for part in words.replace(",", " ").split()]
    for code in codes:
        if code != EVERYWHERE and not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise InvalidInput(f"“{code}” is no country", "countries", "Write codes such as DE, FR, or * for all.")
    known = list(dict.fromkeys(codes))
    workspace.save(session, untracked_countries=known)
    log = AuditLog(actor=actor, action="limit set", object="untracked countries", detail={"limit": known}, at=now)
    session.add(log)
