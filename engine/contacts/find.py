"""Find one contact by what a person would type."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import NotFound

FIND = text("""
select id, coalesce(external_id, email, phone, public_id) from contacts
where erased_at is null and (external_id = :text or lower(email) = lower(:text) or phone = :text or public_id = :text)
order by coalesce(external_id = :text, false) desc, id limit 1
""")


class Found(NamedTuple):
    """A contact, and what to call it."""

    id: int
    name: str


def find(session: Session, text: str) -> Found:
    """The contact with this external id, email address, phone number or id on pages. Raises NotFound."""
    row = session.execute(FIND, {"text": text.replace("\0", "")}).first()
    if row is None:
        raise NotFound("contact", text, "Name an external id, an email address or a phone number.")
    return Found(*row)
