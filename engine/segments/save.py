"""Save a segment's rule, if it reads, knows its names, and does not read itself."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import workspace
from engine.contacts.changes import SEGMENTS_READ_MESSAGES
from engine.errors import InvalidInput, LanguageError
from engine.expr import Dependencies, Schema, dependencies, find_cycle, parse
from engine.expr.load import load as load_schema
from engine.model import Segment
from engine.segments.rules import load_rules, resolve

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
HEAR = text("""
with held as (select id from segments where slug = any(:slugs) and not heard order by id for no key update)
update segments s set heard = true from held where s.id = held.id""")
LOCK = text("select pg_advisory_xact_lock(hashtext(current_schema() || ' save segments'))")


def save(session: Session, slug: str, rule: str, name: str | None = None) -> Segment:
    """Make the segment, or give it this rule. A new rule asks for a full refresh.

    Raises InvalidInput for a slug that cannot be one, LanguageError for a rule that does not read, that names what is
    not there, or that leads back to this segment. Nothing is saved then.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidInput(
            "cannot be a segment's name", where=slug, hint="Use a-z, 0-9 and -, beginning with a letter or digit."
        )
    session.execute(LOCK)  # two rules saved at once must not close a circle
    schema = load_schema(session)
    reads = _check(session, slug, rule, schema)
    found = session.execute(select(Segment).where(Segment.slug == slug)).scalar()
    if found is None:
        found = Segment(slug=slug, name=name or slug, rule=rule)
        session.add(found)
    elif found.rule != rule:
        found.rule, found.stale, found.asks = rule, True, Segment.asks + 1
    found.name = name or found.name
    session.flush()
    hear(session, reads.segments)
    _listen_to_messages(session, reads, schema)
    return found


def hear(session: Session, slugs: Collection[str]) -> None:
    """From the commit of this transaction on, who enters and leaves these segments is announced."""
    if slugs:
        session.execute(HEAR, {"slugs": list(slugs)})


def _listen_to_messages(session: Session, reads: Dependencies, schema: Schema) -> None:
    """Accepted messages are announced as long as some segment reads them."""
    heard = reads.messages or any(rule.reads.messages for rule in load_rules(session, schema))
    workspace.put(session, SEGMENTS_READ_MESSAGES, heard)


def _check(session: Session, slug: str, rule: str, schema: Schema) -> Dependencies:
    aliases = schema.aliases
    own = dependencies(parse(rule, aliases), aliases)
    reads = {slug: own.segments, **_others(session, slug, schema)}
    if cycle := find_cycle(slug, reads):
        way = " → ".join(cycle)
        raise LanguageError(f"the segment reads itself: {way}", hint="Take one of these segments out of the rule.")
    resolve(rule, schema)
    return own


def _others(session: Session, slug: str, schema: Schema) -> dict[str, frozenset[str]]:
    found = {}
    for other, rule in session.execute(select(Segment.slug, Segment.rule).where(Segment.slug != slug)):
        try:
            found[other] = dependencies(parse(rule, schema.aliases), schema.aliases).segments
        except LanguageError:
            continue  # it does not read and so leads nowhere
    return found
