"""Why a contact did not enter: what could have let it in, and what stood in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.events.record import LATE
from engine.expr import parse
from engine.expr.ast import Node
from engine.expr.dependencies import dependencies
from engine.expr.explain import Explanation, explain
from engine.expr.values import dig
from engine.facts import facts_of_contact
from journeys.explain.values import Entry, Refusal
from journeys.language.steps import Journey
from journeys.runtime.catalogue import Catalogue
from journeys.runtime.enrol import Before, Trigger, entry_key, may_again

MOST = 10
EVENTS = text("""
select e.occurred_at, e.received_at, e.message_id, e.properties, e.source, i.id is not null as waits, i.error,
    (select max(v.number) from journey_versions v
     where v.journey_id = :journey_id and v.published_at <= e.received_at) as version
from events e left join event_inbox i on i.message_id = e.message_id
where e.contact_id = :contact_id and e.name = :name and e.message_id <> all(:taken)
order by e.occurred_at desc, e.received_at desc limit :limit
""")
KEYS = text("""
select entry_key, status, entered_at, ended_at, held_out from enrolments
where journey_id = :journey_id and contact_id = :contact_id
""")
STAYS = text("""
select m.entered_at, m.left_at, s.rule, j.first
from segments s left join segment_memberships m on m.segment_id = s.id and m.contact_id = :contact_id
cross join (select min(published_at) as first from journey_versions where journey_id = :journey_id) j
where s.slug = :segment order by m.entered_at desc nulls last limit 1
""")
INVITED = text("""
select message_id, available_at, error from entry_inbox
where journey_id = :journey_id and contact_id = :contact_id order by id desc limit :limit
""")


class Asked(NamedTuple):
    """Whom and what it is about."""

    session: Session
    catalogue: Catalogue
    journey: Journey
    journey_id: int
    state: str
    contact_id: int
    now: dt.datetime

    @property
    def ids(self) -> dict[str, int]:
        """For statements."""
        return {"journey_id": self.journey_id, "contact_id": self.contact_id}


def refusals(asked: Asked, entries: Sequence[Entry]) -> tuple[Refusal, ...]:
    """The latest first; empty when everything that could let the contact in did."""
    enter = asked.journey.enter
    invited = tuple(_invited(asked))
    if enter.kind == "event":
        return (*invited, *_events(asked, [str(entry.trigger["message_id"]) for entry in entries]))
    if entries or invited:
        return invited
    if enter.kind == "segment":
        return (_segment(asked),)
    words = f"Nothing has let this contact in yet: people enter by {enter.kind}."
    return (Refusal("never_happened", words, seen=_date(asked)),)


def _invited(asked: Asked) -> Iterator[Refusal]:
    """Who is to enter and has not yet, or could not."""
    for message_id, available_at, error in asked.session.execute(INVITED, asked.ids | {"limit": MOST}):
        at = available_at if available_at.year > 1970 else None
        if error:
            yield Refusal("set_aside", f"The entry was set aside: {error}", at, message_id)
        else:
            yield Refusal("not_looked_at", "The contact is about to be let in.", at, message_id)


def _date(asked: Asked) -> dict[str, Any] | None:
    """The attribute that a trigger by date counts from."""
    date = asked.journey.enter.date
    if date is None:
        return None
    facts = facts_of_contact(asked.session, asked.catalogue.schema, asked.contact_id, frozenset(), False)
    return {date.path: dig(facts.attributes, tuple(date.path.split(".")))}


def _events(asked: Asked, taken: list[str]) -> Iterator[Refusal]:
    name = asked.journey.enter.event
    values = {**asked.ids, "name": name, "taken": taken, "limit": MOST}
    rows = asked.session.execute(EVENTS, values).all()
    before = asked.session.execute(KEYS, asked.ids).all()
    if not rows and not taken:
        yield Refusal("never_happened", f"“{name}” never happened to this contact.")
    for row in rows:
        why, words, rule, seen = _why(asked, row, before)
        yield Refusal(why, words, row.occurred_at, row.message_id, row.version, rule, seen)


Why = tuple[str, str, Explanation | None, dict[str, Any] | None]


def _why(asked: Asked, row: Any, before: Sequence[Any]) -> Why:
    """In the order in which the real run comes upon it; what it cannot tell from the ledger, it says."""
    if row.version is None:
        return "not_live", "The journey was not live yet when this was received.", None, None
    if row.waits:
        if row.error:
            return "set_aside", f"It was set aside: {row.error}", None, None
        return "not_looked_at", "It has not been looked at yet.", None, None
    where = asked.journey.enter.where
    if where is not None:
        found = _explained(asked, where.node, row.received_at, row.properties)
        if not found.verdict:
            return "where", "The rule of the trigger is false, by the values of today.", found, None
    if seen := _refused_again(asked, row, before):
        return "again", "The contact had entered before.", None, seen
    if row.source == "import":
        return "imported", "It was imported: only an import with --trigger starts journeys.", None, None
    if row.received_at - row.occurred_at > LATE:
        return "late", "It was received more than 24 hours after it happened.", None, None
    if asked.state != "live":
        return "state", f"The journey lets nobody in: it is {asked.state}.", None, None
    return "unknown", "The ledger does not tell; the journey may have let nobody in then.", None, None


def _refused_again(asked: Asked, row: Any, rows: Sequence[Any]) -> dict[str, Any] | None:
    """What the rule for entering again saw, if it refused."""
    earlier = [one for one in rows if one.entered_at <= row.received_at]
    if not earlier:
        return None
    again = asked.journey.enter.again
    open_ = [one for one in earlier if not one.held_out and (one.ended_at is None or one.ended_at > row.received_at)]
    last = max(one.entered_at for one in earlier)
    known = Before(asked.contact_id, bool(open_), last, False, [one.entry_key for one in earlier])
    key = entry_key(again, Trigger(asked.contact_id, row.occurred_at, row.received_at, row.message_id, row.properties))
    if may_again(again, key, known, row.received_at):
        return None
    return {"again": again.kind, "last_entered": last, "in_it_then": bool(open_)}


def _segment(asked: Asked) -> Refusal:
    segment = asked.journey.enter.segment
    row = asked.session.execute(STAYS, {**asked.ids, "segment": segment}).first()
    if row is None:
        return Refusal("not_a_member", f"There is no segment “{segment}”.")
    if row.entered_at is None:
        rule = _explained(asked, parse(row.rule, asked.catalogue.schema.aliases), asked.now, None)
        return Refusal("not_a_member", f"The contact has never been in “{segment}”.", rule=rule)
    seen = {"joined": row.entered_at, "left": row.left_at, "first_published": row.first}
    if row.first is None or row.entered_at <= row.first:
        words = f"The contact joined “{segment}” before the journey was published, and `existing` is not set."
        return Refusal("joined_before", words, row.entered_at, seen=seen)
    if asked.state != "live":
        return Refusal("state", f"The journey lets nobody in: it is {asked.state}.", row.entered_at, seen=seen)
    return Refusal("unknown", "The ledger does not tell; `where` may have been false then.", row.entered_at, seen=seen)


def _explained(asked: Asked, rule: Node, at: dt.datetime, event: Any) -> Explanation:
    reads = dependencies(rule, asked.catalogue.schema.aliases)
    names = frozenset(reads.events)
    facts = facts_of_contact(asked.session, asked.catalogue.schema, asked.contact_id, names, reads.any_event, event)
    return explain(rule, facts, at)
