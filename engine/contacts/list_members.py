"""Who is on a list, and changes to it of many people at a time, by their names or as a segment."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.find import find_all
from engine.db import Database
from engine.errors import NotFound
from engine.reports.spreadsheet import safe_cell

BATCH = 5000
"""Contacts a transaction: who writes to one of them waits no longer than that takes."""

LISTED = text("""
select l.slug, l.name, (select count(*) from list_memberships m where m.list_id = l.id and m.removed_at is null) as size
from lists l where cast(:slug as text) is null or l.slug = :slug order by l.name, l.slug""")
MEMBERS = text("""
select m.id, c.public_id, c.external_id, c.email, c.phone, c.attributes, m.added_at
from list_memberships m join lists l on l.id = m.list_id join contacts c on c.id = m.contact_id
where l.slug = :slug and m.removed_at is null and c.erased_at is null and m.id < :before
order by m.id desc limit :limit""")
OF = text("""
select l.slug, l.name, m.added_at from list_memberships m join lists l on l.id = m.list_id
where m.contact_id = :id and m.removed_at is null order by l.name""")
PEOPLE = text("""
select m.contact_id from segment_memberships m join segments s on s.id = m.segment_id
where s.slug = :slug and m.left_at is null and m.contact_id > :after order by m.contact_id limit :limit""")
SEGMENT = text("select 1 from segments where slug = :slug")


class Change(Protocol):
    """`lists.put_on` or `lists.take_off`."""

    def __call__(
        self, session: Session, slugs: Sequence[str], contact_ids: Collection[int], now: dt.datetime
    ) -> int: ...


class Changed(NamedTuple):
    """How many contacts are on, or off, the list who were not, and the names that nobody has."""

    number: int
    unknown: list[str]


def listed(session: Session, slug: str | None = None) -> Sequence[Any]:
    """Every list, or the one, with `slug`, `name` and `size`."""
    return session.execute(LISTED, {"slug": slug}).all()


def expect(session: Session, slug: str) -> Any:
    """The list as `listed` has it. Raises NotFound."""
    found = listed(session, slug.replace("\0", ""))
    if not found:
        raise NotFound("list", slug, f"Make it first: cairn lists create {slug}")
    return found[0]


def members(session: Session, slug: str, before: int | None = None, limit: int = 51) -> Sequence[Any]:
    """Who is on the list, latest first; `before` is the `id` of the row where the last page ended."""
    return session.execute(MEMBERS, {"slug": slug, "before": before or 2**62, "limit": limit}).all()


def of(session: Session, contact_id: int) -> Sequence[Any]:
    """The lists that the contact is on."""
    return session.execute(OF, {"id": contact_id}).all()


def change_named(session: Session, change: Change, slug: str, names: Iterable[str], now: dt.datetime) -> Changed:
    """Put those with these names (external ids, addresses, numbers) on the list, or take them off."""
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    found = find_all(session, wanted)
    number = change(session, [slug], sorted(set(found.values())), now)
    return Changed(number, [name for name in wanted if name not in found])


def change_all_named(
    database: Database, change: Change, slug: str, names: Iterable[str], now: dt.datetime
) -> Iterator[Changed]:
    """The same of any number, a batch a transaction."""
    names = iter(names)
    while batch := list(itertools.islice(names, BATCH)):
        with database.transaction() as session:
            expect(session, slug)
            done = change_named(session, change, slug, batch, now)
        yield done


def change_segment(database: Database, change: Change, slug: str, segment: str, now: dt.datetime) -> Iterator[int]:
    """Put everybody who is in the segment on the list, or take them off, a batch a transaction. Raises NotFound."""
    with database.transaction() as session:
        expect(session, slug)
    for batch in in_segment(database, segment):
        with database.transaction() as session:
            done = change(session, [slug], batch, now)
        yield done


def in_segment(database: Database, segment: str) -> Iterator[list[int]]:
    """The contacts who are in the segment, in batches, with no transaction open between them. Raises NotFound."""
    with database.transaction() as session:
        if session.execute(SEGMENT, {"slug": segment}).first() is None:
            raise NotFound("segment", segment, "`cairn segments list` lists those that there are.")
    after = 0
    while True:
        with database.transaction() as session:
            values = {"slug": segment, "after": after, "limit": BATCH}
            batch = [int(id_) for id_ in session.execute(PEOPLE, values).scalars()]
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = batch[-1]


def as_cells(row: Any) -> tuple[str, ...]:
    """A row of `members` for a spreadsheet: external id, address, number, and since when."""
    names = (safe_cell(str(value or "")) for value in (row.external_id, row.email, row.phone))
    return (*names, row.added_at.isoformat())
