"""Find contacts by what a person would type."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import NotFound

FIND = text("""
select id, coalesce(external_id, email, phone, public_id) from contacts
where erased_at is null and (external_id = :text or lower(email) = lower(:text) or phone = :text or public_id = :text)
order by coalesce(external_id = :text, false) desc, id limit 1
""")
# Each name by itself, so that every index is used; an external id counts before an address, as above.
FIND_ALL = text("""
select asked.name, found.id from unnest(cast(:names as text[])) as asked(name) cross join lateral (
    select id, 1 as place from contacts where external_id = asked.name and erased_at is null
    union all select id, 2 from contacts where lower(email) = lower(asked.name) and erased_at is null
    union all select id, 3 from contacts where phone = asked.name and erased_at is null
    order by place, id limit 1) as found""")


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


def find_all(session: Session, names: Collection[str]) -> dict[str, int]:
    """The contacts with these external ids, email addresses or phone numbers, by name; who is not known is left out."""
    clean = [name for name in names if "\0" not in name]
    return {row.name: row.id for row in session.execute(FIND_ALL, {"names": clean})} if clean else {}
