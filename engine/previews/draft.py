"""A content that is being written: checked as it would be saved, and shown before it is."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from engine.content import store, taken
from engine.content.check import compile_safely
from engine.content.compile import Compiled
from engine.content.snippets import Library
from engine.previews import message
from engine.workspace import Workspace

REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class Held:
    """Snippets as they are now, to be remembered by: equal where their versions and texts are."""

    numbers: tuple[tuple[str, int], ...]
    library: Library = field(hash=False)


@functools.lru_cache(maxsize=REMEMBERED)
def _compiled(text: str, channel: str, base: str | None, language: str, held: Held) -> Compiled:
    """Remembered, as the list of problems and the look of one text are asked for one after the other."""
    return compile_safely(text, channel, None, base, language, held.library)


def check(session: Session, text: str, channel: str, base: str | None = None, language: str = "") -> Compiled:
    """The text compiled, as the variant of `base` in `language` if that is given. Raises LanguageError."""
    library = taken.library(session, [text, base or ""])
    held = Held(tuple(sorted((name, snippet.number) for name, snippet in library.items())), library)

    def run(*_: object) -> Compiled:
        return _compiled(text, channel, base, language, held)

    return store.with_rules(session, run)(text, channel, None, base, language, library)


def render(
    session: Session,
    made: Compiled,
    channel: str,
    known: Workspace,
    site: str,
    now: dt.datetime,
    who: message.Person | None = None,
) -> message.Preview:
    """What `who` would get, or somebody with sample values."""
    content = message.Content("", channel, 0, 0, "", made.data, tuple(made.warnings), now)
    who = who or message.nobody(content)
    return message.render(session, content, who, known, site, now, store.build(made.data))
