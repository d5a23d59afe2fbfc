"""Snippets in the database, and the contents that take them in.

Whoever saves a content locks its snippets for sharing, then the content; whoever saves a snippet locks that, then the
contents. So no content is compiled with a snippet that is just being replaced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.content.snippets import DEEPEST, Library, Snippet, names
from engine.errors import NotFound

READ = text("""
select s.slug, s.kind, v.number, v.sources from snippets s join snippet_versions v on v.id = s.current_version_id
where s.slug = any(:slugs) order by s.slug for share of s""")
ALL = text("""
select s.slug, s.kind, v.number, v.created_at,
    array(select key from jsonb_object_keys(v.sources) key where key <> '' order by key) as languages
from snippets s join snippet_versions v on v.id = s.current_version_id order by s.slug""")
ONE = text("""
select s.slug, s.kind, v.number, v.created_at, v.sources from snippets s
join snippet_versions v on v.id = s.current_version_id where s.slug = :slug""")
COUNTS = text("""
select held.slug, count(distinct c.id) from contents c join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
cross join lateral jsonb_object_keys(v.snippets) as held(slug) group by held.slug""")
CONTENTS = text("""
select distinct c.id, c.slug, d.number from contents c join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
where v.snippets ? :slug order by c.slug""")

SOURCES = text("""
select s.slug, v.sources from snippets s join snippet_versions v on v.id = s.current_version_id
where s.slug <> :slug order by s.slug""")


class Listed(NamedTuple):
    """A snippet as lists show it; `languages` are those of its variants."""

    slug: str
    kind: str
    number: int
    saved_at: dt.datetime
    languages: list[str]


class User(NamedTuple):
    """A content whose current version holds a snippet."""

    id: int
    slug: str
    number: int


def library(session: Session, texts: Iterable[str]) -> Library:
    """The snippets that these texts name, and those in them, locked so that nobody replaces them meanwhile."""
    found: dict[str, Snippet] = {}
    wanted = {name for each in texts for name in names(each)}
    for _ in range(DEEPEST + 1):
        missing = wanted - found.keys()
        if not missing:
            break
        rows = session.execute(READ, {"slugs": sorted(missing)}).all()
        found |= {row.slug: Snippet(row.kind, row.number, row.sources) for row in rows}
        wanted = {name for row in rows for each in row.sources.values() for name in names(each)}
    return found


def unchanged(held: Mapping[str, Any], known: Library) -> bool:
    """Whether a version of a content holds the snippets as they are now."""
    return all(name in known and known[name].number == number for name, number in held.items())


def listing(session: Session) -> list[Listed]:
    """All snippets by name."""
    return [Listed(*row) for row in session.execute(ALL)]


def counts(session: Session) -> dict[str, int]:
    """How many contents hold each snippet now; one that nobody holds is left out."""
    return {row[0]: row[1] for row in session.execute(COUNTS)}


def find(session: Session, slug: str) -> tuple[Listed, Snippet]:
    """The snippet of this name. Raises NotFound."""
    row = session.execute(ONE, {"slug": slug.replace("\0", "")}).first()
    if row is None:
        raise NotFound("snippet", slug, "`cairn snippets list` names them all.")
    languages = sorted(tag for tag in row.sources if tag)
    listed = Listed(row.slug, row.kind, row.number, row.created_at, languages)
    return listed, Snippet(row.kind, row.number, row.sources)


def file(listed: Listed, snippet: Snippet, language: str) -> str:
    """The author's file in a language, the default's for "". Raises NotFound."""
    if language not in snippet.texts:
        has = f"It has {', '.join(listed.languages) or 'one language'}."
        raise NotFound(f"variant of {listed.slug}", language, has)
    return snippet.texts[language]


def users(session: Session, slug: str) -> list[User]:
    """The contents that hold a snippet now, also those that hold it in another one."""
    return [User(*row) for row in session.execute(CONTENTS, {"slug": slug})]


def holders(session: Session, slug: str) -> list[str]:
    """The other snippets that hold this one."""
    rows = session.execute(SOURCES, {"slug": slug})
    return [row.slug for row in rows if any(slug in names(each) for each in row.sources.values())]
