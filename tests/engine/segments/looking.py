"""What the tests of segments look at."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def members(session: Session, slug: str) -> set[int]:
    """Who is in the segment, as stored."""
    query = "select contact_id from segment_memberships m join segments s on s.id = m.segment_id where slug = :slug "
    return set(session.execute(text(query + "and left_at is null"), {"slug": slug}).scalars())


def announced(session: Session) -> list[tuple[int, str, list[str]]]:
    """Take what the inbox says about segments."""
    rows = session.execute(
        text("delete from change_inbox where kind like 'segment%' returning contact_id, kind, names")
    ).all()
    return [tuple(row) for row in rows]
