"""Put people on lists and take them off."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contacts.changes import announce
from engine.contacts.write import lock
from engine.db import driver, int_array, text_array
from engine.errors import InvalidInput
from engine.model import List

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
PUT_ON = """
with added as (
    insert into list_memberships (list_id, contact_id, added_at)
    select l.id, asked.contact_id, %s
    from lists l, unnest(%s::int8[]) as asked(contact_id) where l.slug = any(%s::text[])
    order by l.id, asked.contact_id
    on conflict (list_id, contact_id) where removed_at is null do nothing returning list_id, contact_id)
select a.contact_id, l.slug from added a join lists l on l.id = a.list_id
"""
TAKE_OFF = """
update list_memberships m set removed_at = %s from lists l
where l.id = m.list_id and m.contact_id = any(%s::int8[]) and l.slug = any(%s::text[]) and m.removed_at is null
returning m.contact_id, l.slug
"""


def create(session: Session, slug: str, name: str | None = None) -> None:
    """Make a list; one that exists stays as it is, but for a `name` that is given. Raises InvalidInput for a slug that
    cannot be one."""
    if not SLUG.fullmatch(slug):
        hint = "Use a-z, 0-9 and -, beginning with a letter or digit."
        raise InvalidInput("cannot be a list's name", where=slug, hint=hint)
    found = session.execute(select(List).where(List.slug == slug)).scalar()
    if found is None:
        session.add(List(slug=slug, name=name or slug))
    elif name:
        found.name = name
    session.flush()


def put_on(session: Session, slugs: Sequence[str], contact_ids: Collection[int], now: dt.datetime) -> int:
    """Put contacts on each of the lists; who is on it already stays, and a list that is gone takes nobody.

    Returns how often somebody was put on a list.
    """
    return _change(session, PUT_ON, slugs, contact_ids, now)


def take_off(session: Session, slugs: Sequence[str], contact_ids: Collection[int], now: dt.datetime) -> int:
    """Take contacts off each of the lists; returns how often somebody was taken off one."""
    return _change(session, TAKE_OFF, slugs, contact_ids, now)


def _change(
    session: Session, statement: str, slugs: Sequence[str], contact_ids: Collection[int], now: dt.datetime
) -> int:
    """The contacts are locked first, as everybody does who writes to them; those who changed are announced."""
    if not slugs or not contact_ids:
        return 0
    ids = lock(session, contact_ids, "no key update")
    changed = driver(session).execute(statement, (now, int_array(sorted(ids)), text_array(slugs))).fetchall()
    announce(session, [(contact_id, "list", [slug]) for contact_id, slug in changed], now)
    return len(changed)
