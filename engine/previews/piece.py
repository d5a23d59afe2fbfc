"""A snippet as it looks in a message that holds nothing else, with sample values for what it reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from engine.content import snippets, store, taken
from engine.content.compile import compile_source
from engine.content.snippets import Snippet
from engine.errors import CairnError, LanguageError
from engine.messages.compose import context
from engine.previews import message
from engine.previews.message import Preview
from engine.rendering import email as emails
from engine.workspace import Workspace


def preview(
    session: Session,
    listed: taken.Listed,
    snippet: Snippet,
    language: str,
    known: Workspace,
    site: str,
    now: dt.datetime,
) -> Preview:
    """The snippet in a language; what stands against it is the preview's `error`.

    It was tried out under limits when it was saved, so it is compiled in this process. Raises NotFound for a language
    that it does not have.
    """
    text = taken.file(listed, snippet, language)
    try:
        source, _ = snippets.sample(snippet.file(language), snippet.kind)
        library = {**taken.library(session, [source]), listed.slug: snippet}
        compiled = compile_source(source, snippet.kind, None, None, language, library).data
        own = message.Content(listed.slug, snippet.kind, 0, listed.number, text, compiled, (), listed.saved_at)
        renderer = store.build(compiled)
        who = message.decided(session, 0, renderer, message.nobody(own), now)
        if not isinstance(renderer, emails.Renderer):
            return message.made(renderer, who, known, site, now)
        bare = replace(message.envelope(who, known, site, now), transactional=True, postal_address="")
        return message.of_email(renderer.render(context(message.candidate(who, now), known), bare))
    except LanguageError as error:
        return Preview(error=error.message)
    except CairnError as error:
        return Preview(error=str(error))
