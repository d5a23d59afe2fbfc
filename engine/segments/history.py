"""Who was in a segment: by the history of its memberships, or, where that can be known, by its rule asked of the past.

The history tells who was in it by the rule of that time, from the segment's first refresh on. The rule of today can be
asked of any instant, but only if it reads what has a history: events, messages, and who was in segments, lists and
journeys. Attributes and consent are known as they are today. Both leave out who has been erased or merged since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.errors import InvalidInput, NotFound
from engine.expr import Dependencies, dependencies
from engine.expr.compile_sql import matching
from engine.expr.load import load as load_schema
from engine.model import Contact, Segment
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.rules import resolve

TICK = dt.timedelta(microseconds=1)
MEMBERS = text("""
select m.contact_id from segment_memberships m
where m.segment_id = :id and m.entered_at <= :at and (m.left_at is null or m.left_at > :at)
    and exists (select from contacts c where c.id = m.contact_id and c.erased_at is null)
order by m.contact_id""")
FIRST = text("select min(entered_at) from segment_memberships where segment_id = :id")
# The instants sort both ends of every stay into buckets in one pass, however many instants there are.
TURNS = text("""
select width_bucket(m.entered_at, cast(:after as timestamptz[])) as came,
    width_bucket(m.left_at, cast(:after as timestamptz[])) as went, count(*) as people
from segment_memberships m where m.segment_id = :id
    and exists (select from contacts c where c.id = m.contact_id and c.erased_at is null)
group by 1, 2""")


def members_at(session: Session, slug: str, at: dt.datetime) -> list[int]:
    """Ids of the contacts who were in the segment at an instant, in order. Raises NotFound."""
    return list(session.execute(MEMBERS, {"id": _segment(session, slug).id, "at": at}).scalars())


def counts_at(session: Session, slug: str, instants: Sequence[dt.datetime]) -> list[int]:
    """How many were in the segment at each of the instants, which are in order. Raises NotFound."""
    values = {"id": _segment(session, slug).id, "after": literal(instant + TICK for instant in instants)}
    changes = [0] * (len(instants) + 1)
    for came, went, people in session.execute(TURNS, values):
        changes[came] += people
        changes[len(instants) if went is None else went] -= people
    counts: list[int] = []
    for change in changes[:-1]:
        counts.append(change + (counts[-1] if counts else 0))
    return counts


def matching_at(session: Session, rule: str, at: dt.datetime) -> list[int]:
    """Ids of the contacts of whom the rule was true at an instant, by all that is known of it today, in order.

    Who was not yet known then is left out. Raises LanguageError, and InvalidInput for a rule whose past nobody knows.
    """
    schema = load_schema(session)
    node = resolve(rule, schema)
    if names := without_history(dependencies(node, schema.aliases)):
        hint = "Ask for the stored members of that time, or for the rule as of now."
        raise InvalidInput(f"what the rule reads has no history: {', '.join(names)}", "as of", hint)
    known = matching(node, schema, at)
    wanted = select(Contact.id).where(Contact.id.in_(known), Contact.created_at <= at).order_by(Contact.id)
    with planned(session, planning.ALL):
        return list(session.execute(wanted).scalars())


def without_history(reads: Dependencies) -> list[str]:
    """What a rule reads of which only the present state is kept: attributes, and consent."""
    attributes = sorted(reads.attributes - {"created_at"})
    return [*attributes, *(f"consent on {channel}" for channel in sorted(reads.channels))]


def known_since(session: Session, slug: str) -> dt.datetime | None:
    """When the first member came in; of before nothing is known. None: nobody ever did. Raises NotFound."""
    return session.execute(FIRST, {"id": _segment(session, slug).id}).scalar()


def _segment(session: Session, slug: str) -> Segment:
    found = session.execute(select(Segment).where(Segment.slug == slug)).scalar_one_or_none()
    if found is None:
        raise NotFound("segment", slug)
    return found
