"""Save a segment's rule, if it reads, knows its names, and does not read itself."""

from __future__ import annotations

import re

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, LanguageError
from engine.expr import Schema, dependencies, find_cycle, parse
from engine.expr.load import load as load_schema
from engine.model import Segment
from engine.segments.rules import resolve

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
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
    _check(session, slug, rule, schema)
    found = session.execute(select(Segment).where(Segment.slug == slug)).scalar()
    if found is None:
        found = Segment(slug=slug, name=name or slug, rule=rule)
        session.add(found)
    elif found.rule != rule:
        found.rule, found.stale = rule, True
    found.name = name or found.name
    session.flush()
    return found


def _check(session: Session, slug: str, rule: str, schema: Schema) -> None:
    aliases = schema.aliases
    own = dependencies(parse(rule, aliases), aliases).segments
    reads = {slug: own, **_others(session, slug, schema)}
    if cycle := find_cycle(slug, reads):
        way = " → ".join(cycle)
        raise LanguageError(f"the segment reads itself: {way}", hint="Take one of these segments out of the rule.")
    resolve(rule, schema)


def _others(session: Session, slug: str, schema: Schema) -> dict[str, frozenset[str]]:
    found = {}
    for other, rule in session.execute(select(Segment.slug, Segment.rule).where(Segment.slug != slug)):
        try:
            found[other] = dependencies(parse(rule, schema.aliases), schema.aliases).segments
        except LanguageError:
            continue  # it does not read and so leads nowhere
    return found
