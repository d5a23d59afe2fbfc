"""A content's text that is being written, as the form and the database have it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flask import request
from sqlalchemy.orm import Session

from engine.content import attachments, history, store
from engine.content.history import Kept
from engine.content.variants import DEFAULT
from engine.errors import InvalidInput, NotFound
from engine.model import Content, ContentVersion
from engine.translation import matching
from webapp.pages.journeys import posted_text
from webapp.pages.queries import contents as queries

STARTERS = {
    "email": """---
language: en
subject: "{{ first_name }}, welcome"
preheader: "What people read beside the subject"
defaults:
  first_name: there
---
<mjml>
  <mj-body>
    <mj-section padding="32px">
      <mj-column>
        <mj-text font-size="16px" line-height="26px">
          <p>Hello {{ first_name }},</p>
          <p>write here.</p>
        </mj-text>
        <mj-button href="https://www.example.com">Have a look</mj-button>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" line-height="18px" color="#5b626d">
          <p>{{ workspace.name }}{% if postal_address %}, {{ postal_address }}{% endif %}</p>
          <p><a href="{{ unsubscribe_url }}" style="color:#5b626d">Unsubscribe</a>
            · <a href="{{ preferences_url }}" style="color:#5b626d">Preferences</a></p>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
""",
    "sms": """---
language: en
defaults:
  first_name: there
---
Hello {{ first_name }}, write here.
""",
}
own_language = re.compile(r"^language:.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is being written. `number` is the version that its writer began with, 0 for a new content.

    `language` is the variant's, DEFAULT for the content's own; `base` is then the text that it is a variant of.
    `adding`: the content does not have it in this language yet. `files` are attachments that are kept.
    `copy` is the content that a new one begins as, with its other languages and its attachments.
    """

    slug: str
    channel: str
    text: str
    number: int = 0
    language: str = DEFAULT
    base: str | None = None
    languages: tuple[str, ...] = ()
    adding: bool = False
    files: tuple[str, ...] = ()
    copy: str = ""


def rows_of(session: Session, content: Content | None) -> dict[str, ContentVersion]:
    """The current version by language; none without one."""
    return store.rows_of(session, content.current_version_id) if content and content.current_version_id else {}


def blank(session: Session) -> Draft:
    """What a new content begins as: a starter, or another content. Raises NotFound."""
    if slug := request.values.get("copy", ""):
        own = stored(session, slug)
        return Draft("", own.channel, own.text, languages=own.languages, files=own.files, copy=own.slug)
    channel = "sms" if request.values.get("channel") == "sms" else "email"
    return Draft("", channel, STARTERS[channel])


def copied(session: Session, draft: Draft) -> Kept | None:
    """The content that a new one is a copy of, as it is now."""
    if not draft.copy:
        return None
    content = history.by_slug(session, draft.copy)
    newest = history.listing(session, content, 1)
    return history.find(session, content, newest[0].number) if newest else None


def posted(session: Session) -> Draft:
    """What stands in the editor. Raises NotFound."""
    slug, text = request.form.get("slug", ""), posted_text()
    if not slug:
        return Draft("", "sms" if request.form.get("channel") == "sms" else "email", text)
    return replace(stored(session, slug), text=text)


def stored(session: Session, slug: str) -> Draft:
    """The content as it is saved, in the language that is asked for or in its default one.

    Raises NotFound, and InvalidInput for a language that cannot be added.
    """
    found = queries.by_slug(session, slug.replace("\0", ""))
    if found is None:
        raise NotFound("content", slug)
    rows = rows_of(session, found)
    if not rows:
        return Draft(slug, found.channel, STARTERS[found.channel])
    own, language = rows[DEFAULT], request.values.get("language", "")
    languages = tuple(row.language for row in rows.values()) if len(rows) > 1 else ()
    kept = tuple(attachments.kept(own.compiled))
    draft = Draft(slug, found.channel, own.source, own.number, DEFAULT, None, languages, files=kept)
    if language in rows and language != DEFAULT:
        kept = tuple(attachments.kept(rows[language].compiled))
        return replace(draft, text=rows[language].source, language=language, base=own.source, files=kept)
    return _added(draft, own, language) if request.values.get("adding") == "1" else draft


def _added(draft: Draft, own: ContentVersion, language: str) -> Draft:
    """A new variant, which begins as the content's own text. Raises InvalidInput."""
    tag = matching.canonical(language.strip())
    if tag is None:
        raise InvalidInput(f"“{language.strip()[:40]}” is no language", hint="Write de, or pt-BR.")
    if not own.language:
        raise InvalidInput(
            "The text does not say its own language yet", hint="Write language: en between its --- lines."
        )
    if tag in (own.language, *draft.languages):
        raise InvalidInput(f"The content is there in {tag} already")
    text = own_language.sub("", own.source, count=1)
    return replace(draft, text=text, language=tag, base=own.source, adding=True)
