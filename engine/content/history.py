"""The versions of a content: what each said, what changed from one to another, and bringing one back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.content import attachments, store, variants
from engine.errors import NotFound
from engine.model.content import Content, ContentVersion
from engine.rendering import attached

CONTEXT = 2
SAME, GONE, NEW, SKIPPED = " ", "-", "+", "@"

LISTED = text("""
with said as (
    select distinct on (detail ->> 'version') detail ->> 'version' as number, actor from audit_log
    where object = :object and action in ('save', 'restore') order by detail ->> 'version', id desc)
select v.number, min(v.created_at) as saved_at, bool_or(v.id = c.current_version_id) as current,
    array_agg(v.language order by v.id) as languages, min(said.actor) as actor
from content_versions v join contents c on c.id = v.content_id
left join said on said.number = cast(v.number as text)
where v.content_id = :content group by v.number order by v.number desc limit :most
""")


class Listed(NamedTuple):
    """A version in a list; `actor` saved it on a page, None for the command line and for snippets."""

    number: int
    saved_at: dt.datetime
    current: bool
    languages: list[str]
    actor: str | None


@dataclass(frozen=True)
class Kept:
    """A version as it is kept: its rows by language, the default's under "" and first."""

    number: int
    rows: Mapping[str, ContentVersion]

    @property
    def texts(self) -> dict[str, str]:
        """The author's files by language."""
        return {language: row.source for language, row in self.rows.items()}

    @property
    def snippets(self) -> dict[str, int]:
        """The snippets in it with the numbers of their versions."""
        return {name: number for row in self.rows.values() for name, number in row.snippets.items()}

    def file(self, name: str) -> bytes | None:
        """The bytes of an attachment."""
        for row in self.rows.values():
            if entity := attachments.kept(row.compiled).get(name):
                return attached.data(entity)
        return None


class Line(NamedTuple):
    """A line of a comparison: SAME, GONE or NEW with its number in its own text, or SKIPPED with how many were."""

    kind: str
    number: int
    text: str


def listing(session: Session, content: Content, most: int) -> list[Listed]:
    """The newest versions of a content, the newest first."""
    values = {"content": content.id, "object": f"content {content.slug}", "most": most}
    return [Listed(*row) for row in session.execute(LISTED, values)]


def find(session: Session, content: Content, number: int) -> Kept:
    """A version by its number. Raises NotFound."""
    query = select(ContentVersion).where(ContentVersion.content_id == content.id, ContentVersion.number == number)
    rows = list(session.scalars(query.order_by(ContentVersion.id)))
    if not rows:
        raise NotFound(f"version of {content.slug}", str(number), "`cairn content versions` names them all.")
    return Kept(number, {variants.DEFAULT: rows[0]} | {row.language: row for row in rows[1:]})


def restore(session: Session, content: Content, number: int, now: dt.datetime) -> ContentVersion:
    """Save what a version said as the newest one, with its languages and attachments.

    Raises NotFound, and LanguageError where its text cannot be saved any more, such as for a snippet that is gone.
    """
    kept = find(session, content, number)
    texts = kept.texts
    own = texts.pop(variants.DEFAULT)
    return store.save(session, own, content.slug, content.channel, now, read=kept.file, others=texts)


def compared(old: Kept | None, new: Kept) -> dict[str, list[Line]]:
    """By language what changed in the text; languages that are alike are left out."""
    before, after = (old.texts if old else {}), new.texts
    languages = dict.fromkeys([*after, *before])
    found = {tag: difference(before.get(tag, ""), after.get(tag, "")) for tag in languages}
    return {tag: lines for tag, lines in found.items() if lines}


def newer_snippets(old: Kept | None, new: Kept) -> list[str]:
    """The snippets of which the one version holds another text than the other."""
    before = old.snippets if old else {}
    return sorted(name for name, number in new.snippets.items() if name in before and before[name] != number)


def difference(old: str, new: str) -> list[Line]:
    """What changed from one text to another, with some lines around it; nothing if they are the same."""
    before, after = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, before, after, autojunk=len(before) + len(after) > 4000)
    found: list[Line] = []
    end = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        first = group[0][3]
        found += _skipped(first - end)
        end = group[-1][4]
        for operation in group:
            found += _lines(operation, before, after)
    return found + (_skipped(len(after) - end) if found else [])


def _skipped(count: int) -> list[Line]:
    return [Line(SKIPPED, count, "")] if count > 0 else []


def _lines(operation: tuple[str, int, int, int, int], before: list[str], after: list[str]) -> Iterator[Line]:
    kind, old_from, old_to, new_from, new_to = operation
    if kind == "equal":
        yield from _numbered(SAME, after, range(new_from, new_to))
        return
    yield from _numbered(GONE, before, range(old_from, old_to))
    yield from _numbered(NEW, after, range(new_from, new_to))


def _numbered(kind: str, lines: list[str], places: Iterable[int]) -> Iterator[Line]:
    return (Line(kind, place + 1, lines[place]) for place in places)


def by_slug(session: Session, slug: str) -> Content:
    """Raises NotFound."""
    found = session.scalars(select(Content).where(Content.slug == slug.replace("\0", ""))).one_or_none()
    if found is None:
        raise NotFound("content", slug, "`cairn content list` names them all.")
    return found
