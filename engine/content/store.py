"""Contents in the database: save a version, load its renderer, preview it. The caller's transaction is the boundary."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from engine.content import attachments, taken, variants
from engine.content.check import compile_safely
from engine.content.compile import Compiled, compile_source
from engine.content.rules import check_products, check_sender, checked
from engine.content.trial import sample_envelope
from engine.errors import InvalidInput, NotFound
from engine.expr.load import load as load_schema
from engine.model.base import new_public_id
from engine.model.content import Content, ContentLink, ContentVersion
from engine.model.feed import Feed
from engine.model.identity import Identity
from engine.rendering import email, sms
from engine.rendering.envelope import Envelope, RenderedEmail, RenderedSms

Renderer = email.Renderer | sms.SmsRenderer
# Version ids are unique within a workspace only, so each workspace's engine has a cache of its own.
renderers: WeakKeyDictionary[Any, OrderedDict[int, Renderer]] = WeakKeyDictionary()
max_renderers = 200
# Campaigns under way are checked again with the new version at once, before much of it leaves.
WAKE_CAMPAIGNS = text("""
update campaigns set next_at = least(next_at, cast(:now as timestamptz))
where state = 'sending' and id in (select campaign_id from campaign_arms where content_id = :id)
""")
channels = {".mjml": "email", ".html": "email", ".txt": "sms"}


def save(
    session: Session,
    source_text: str,
    slug: str,
    channel: str,
    now: dt.datetime,
    known: frozenset[str] | None = None,
    *,
    ours: bool = False,
    read: attachments.Read | None = None,
    others: Mapping[str, str] | None = None,
) -> ContentVersion:
    """Compile a content file and make it the current version of `slug`; an unchanged source makes no new version.

    `known` are the dotted paths of attributes and event properties, for warnings. `ours` says that the text comes with
    Cairn: it is compiled in this process, tens of times faster than in one with limits. `read` gives the attachments by
    name; without it those of the current version stay. `others` are the variants' files by language: all languages make
    one version, of which the row of the default is returned. Raises LanguageError (VariantError where a file is read),
    with nothing saved, when one does not compile or takes too much; InvalidInput when the slug belongs to the other
    channel.
    """
    texts = {variants.DEFAULT: source_text} | variants.checked(others or {})
    library = taken.library(session, texts.values())  # before the content: who saves a snippet locks in this order
    content = locked(session, slug, channel)
    current = rows_of(session, content.current_version_id) if content and content.current_version_id else {}
    if {language: each.source for language, each in current.items()} == texts and all(
        attachments.unchanged(each.compiled, read) and taken.unchanged(each.snippets, library)
        for each in current.values()
    ):
        return current[variants.DEFAULT]
    run = with_rules(session, compile_source if ours else compile_safely)
    made = variants.compile_all(texts, channel, known, run, library)
    for language, each in made.items():
        before = current.get(language, current.get(variants.DEFAULT))
        wanted = each.data.get("attachments", [])
        each.data["files"] = attachments.gathered(wanted, read, before.compiled if before else None)
    return add_version(session, content or created(session, slug, channel, now), texts, made, now)


def rows_of(session: Session, version_id: int) -> dict[str, ContentVersion]:
    """All languages of a version, the default's row under `variants.DEFAULT` and first."""
    default = session.get_one(ContentVersion, version_id)
    query = select(ContentVersion).where(
        ContentVersion.content_id == default.content_id,
        ContentVersion.number == default.number,
        ContentVersion.id != default.id,
    )
    others = {each.language: each for each in session.scalars(query.order_by(ContentVersion.language))}
    return {variants.DEFAULT: default} | others


def created(session: Session, slug: str, channel: str, now: dt.datetime) -> Content:
    """A content that was not there, locked."""
    fields = {"slug": slug, "channel": channel, "created_at": now, "public_id": new_public_id()}
    session.execute(postgresql.insert(Content).values(fields).on_conflict_do_nothing())
    content = locked(session, slug, channel)
    assert content is not None
    return content


def add_version(
    session: Session, content: Content, texts: Mapping[str, str], made: Mapping[str, Compiled], now: dt.datetime
) -> ContentVersion:
    """Make this the current version of a locked content; the row of the default language."""
    number = next_number(session, content.id)
    rows = [
        ContentVersion(
            content_id=content.id,
            number=number,
            language=compiled.data["language"],
            source=texts[language],
            compiled=compiled.data,
            snippets=compiled.data["snippets"],
            warnings=compiled.warnings,
            created_at=now,
        )
        for language, compiled in made.items()
    ]
    for row in rows:  # one after the other, so that the default's id is the lowest
        session.add(row)
        session.flush()
    content.current_version_id, content.sender = rows[0].id, rows[0].compiled.get("identity") or None
    content.variants = {row.language: row.id for row in rows} if len(rows) > 1 else None
    add_links(session, rows)
    session.execute(WAKE_CAMPAIGNS, {"id": content.id, "now": now})
    return rows[0]


def with_rules(session: Session, run: variants.Compile) -> variants.Compile:
    """`run`, which then checks sender, rules and queries against what the workspace knows. It raises LanguageError."""

    def compiled(*arguments: Any) -> Compiled:
        one = run(*arguments)
        rules, products = one.data["rules"], one.data["products"]
        if sender := one.data.get("identity"):
            check_sender(sender, set(session.scalars(select(Identity.slug))))
        if products:
            check_products(products, set(session.scalars(select(Feed.slug))))
        return Compiled(one.data, one.warnings + checked(rules, load_schema(session))) if rules else one

    return compiled


def locked(session: Session, slug: str, channel: str) -> Content | None:
    """The content of this name, locked until the transaction ends. Raises InvalidInput if it is of another channel."""
    content = session.scalars(select(Content).where(Content.slug == slug).with_for_update()).one_or_none()
    if content and content.channel != channel:
        raise InvalidInput(f"“{slug}” is an {content.channel} content.", "channel", "Choose another name.")
    return content


def next_number(session: Session, content_id: int) -> int:
    """The number of a content's next version, from 1."""
    highest = session.scalar(select(func.max(ContentVersion.number)).where(ContentVersion.content_id == content_id))
    return (highest or 0) + 1


def add_links(session: Session, versions: Iterable[ContentVersion]) -> None:
    """The links of versions, for the click handler."""
    rows = [{"content_version_id": each.id, **link} for each in versions for link in each.compiled["links"]]
    if rows:
        session.execute(insert(ContentLink), rows)
    session.flush()


def load_renderer(session: Session, content_version_id: int) -> Renderer:
    """The renderer of a version, built once per process and workspace. Raises NotFound."""
    cache = renderers.setdefault(session.get_bind(), OrderedDict())
    found = cache.get(content_version_id)
    if found is None:
        found = build(compiled_of(session, content_version_id))
        while len(cache) >= max_renderers:
            cache.popitem(last=False)
        cache[content_version_id] = found
    return found


def compiled_of(session: Session, content_version_id: int) -> Mapping[str, Any]:
    """The stored artefact of a version. Raises NotFound."""
    compiled = session.scalar(select(ContentVersion.compiled).where(ContentVersion.id == content_version_id))
    if compiled is None:
        raise NotFound("content version", str(content_version_id))
    return dict(compiled)


def build(compiled: Mapping[str, Any]) -> Renderer:
    """The renderer of an artefact."""
    return sms.load(compiled) if compiled["channel"] == "sms" else email.load(compiled)


def preview(
    source_text: str,
    channel: str,
    context: Mapping[str, Any],
    envelope: Envelope | None = None,
) -> tuple[RenderedEmail | RenderedSms, list[dict[str, Any]]]:
    """A message from an unsaved text by the pipeline that sends, and the warnings.

    Links keep their destinations unless the envelope tracks them. Raises LanguageError, RenderError.
    """
    compiled = compile_safely(source_text, channel)
    sample = envelope or replace(sample_envelope(), click_urls=None, open_url="")
    if channel == "sms":
        links = {"unsubscribe_url": sample.unsubscribe_url, "preferences_url": sample.preferences_url}
        return sms.load(compiled.data).render(context, links), compiled.warnings
    return email.load(compiled.data).render(context, sample), compiled.warnings
