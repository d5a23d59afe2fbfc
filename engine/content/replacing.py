"""Saving a snippet: it is tried out, and every content that holds it becomes a new version with the new text.

Messages that are queued take the version that is current when they leave, as after any change of a content; those that
were sent keep theirs. Either all contents take the new text or nothing is saved.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from engine.content import snippets, store, taken, variants
from engine.content.check import compile_safely
from engine.content.snippets import Snippet
from engine.content.taken import User
from engine.errors import InvalidInput, LanguageError
from engine.model import Content, SnippetVersion
from engine.model import Snippet as Row

LOCK = text("select pg_advisory_xact_lock(hashtext(current_schema() || ' save snippets'))")
slug_pattern = re.compile(r"\w[\w.-]{0,99}").fullmatch
MOST_TOLD = 10
# What is worth saying of a snippet alone; the rest concerns whole messages.
TOLD = frozenset({"unknown", "alt", "link", "http", "contrast", "table"})


class Saved(NamedTuple):
    """The number of the version, the contents that became new versions, and warnings by language."""

    number: int
    contents: list[User]
    warnings: list[tuple[str, Mapping[str, Any]]]


def save(session: Session, texts: Mapping[str, str], slug: str, kind: str, now: dt.datetime) -> Saved:
    """Save the files of a snippet by language, the default's under "", and compile anew the contents that hold it.

    `kind` is `email`, or `sms` for plain text. Unchanged files make no new version. Raises VariantError for a file that
    does not read, InvalidInput for a bad name, a snippet of the other kind, and for a content that would break.
    """
    if not slug_pattern(slug):
        raise InvalidInput("is no name of a snippet", where=slug, hint="Use letters, digits, “-”, “_” and “.”.")
    texts = {variants.DEFAULT: texts[variants.DEFAULT]} | variants.checked({k: v for k, v in texts.items() if k})
    session.execute(LOCK)  # two snippets that are saved at once must not close a circle, nor wait for each other
    row, number = _row(session, slug, kind, now), 1
    if row.current_version_id is not None:
        before = session.get_one(SnippetVersion, row.current_version_id)
        if before.sources == texts:
            return Saved(before.number, [], [])
        number = before.number + 1
    warnings = tried(session, Snippet(kind, number, texts), slug)
    version = SnippetVersion(snippet_id=row.id, number=number, sources=texts, created_at=now)
    session.add(version)
    session.flush()
    row.current_version_id = version.id
    session.flush()
    return Saved(number, _compiled_anew(session, slug, now), warnings)


def delete(session: Session, slug: str) -> None:
    """Forget a snippet with its versions. Raises NotFound, and InvalidInput while contents or snippets hold it."""
    session.execute(LOCK)
    taken.find(session, slug)
    session.execute(select(Row.id).where(Row.slug == slug).with_for_update())  # who saves a content waits, or is seen
    held = [f"the content “{user.slug}”" for user in taken.users(session, slug)]
    held += [f"the snippet “{name}”" for name in taken.holders(session, slug)]
    if held:
        more = f" and {len(held) - MOST_TOLD} more" if len(held) > MOST_TOLD else ""
        message = f"is still held by {', '.join(held[:MOST_TOLD])}{more}"
        raise InvalidInput(message, where=f"snippet {slug}", hint="Take it out of them first.")
    session.execute(sql_delete(Row).where(Row.slug == slug))


def _row(session: Session, slug: str, kind: str, now: dt.datetime) -> Row:
    """The snippet, locked; made if it was not there."""
    fields = {"slug": slug, "kind": kind, "created_at": now}
    session.execute(postgresql.insert(Row).values(fields).on_conflict_do_nothing())
    row = session.scalars(select(Row).where(Row.slug == slug).with_for_update()).one()
    if row.kind != kind:
        other = "plain text" if row.kind == "sms" else "for email"
        raise InvalidInput(f"“{slug}” is a snippet {other}", where="snippet", hint="Choose another name.")
    return row


def tried(session: Session, snippet: Snippet, slug: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Warnings about each file, compiled and rendered in a content of its own. Raises VariantError."""
    library = {**taken.library(session, snippet.texts.values()), slug: snippet}
    found: list[tuple[str, Mapping[str, Any]]] = []
    for language in snippet.texts:
        lower = 0
        try:
            if language and not snippets.read(snippet.texts[variants.DEFAULT]).language:
                raise LanguageError("Its default file does not say its language.", hint="language: en")
            sample, lower = snippets.sample(snippet.file(language), snippet.kind)
            made = store.with_rules(session, compile_safely)(sample, snippet.kind, None, None, language, library)
        except LanguageError as error:
            error.line = max(error.line - lower, 1)
            raise variants.VariantError(language, error) from error
        notes = [each | {"line": max(each["line"] - lower, 1)} for each in made.warnings if each["kind"] in TOLD]
        found += [(language, each) for each in notes]
    return found


def _compiled_anew(session: Session, slug: str, now: dt.datetime) -> list[User]:
    """The contents that hold the snippet, each now a version with its new text."""
    users = taken.users(session, slug)
    ids = [user.id for user in users]
    rows = session.scalars(select(Content).where(Content.id.in_(ids)).order_by(Content.slug).with_for_update()).all()
    found = []
    for content in rows:
        assert content.current_version_id is not None
        texts = {language: row.source for language, row in store.rows_of(session, content.current_version_id).items()}
        try:
            version = store.save(session, texts.pop(variants.DEFAULT), content.slug, content.channel, now, others=texts)
        except LanguageError as error:
            hint = "Nothing is saved. Change that content first, or the snippet."
            message = f"would break the content “{content.slug}”, line {error.line}: {error.message}"
            raise InvalidInput(message, where=f"snippet {slug}", hint=hint) from error
        found.append(User(content.id, content.slug, version.number))
    return found
