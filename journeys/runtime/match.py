"""What happened to contacts, taken out of the inboxes and applied to those journeys and segments that it concerns.

Most events concern nobody. They are put away in three steps, each dearer than the one before and for fewer events: by
name, in the statement that takes them; by their properties, in memory; by whether the contact has an open entry that
minds them, in one statement without locks. Only the rest is locked and applied.

One transaction at a time does this in a workspace: events of a contact are then applied in their order however many
workers there are, and nobody can begin an entry between the look for open entries and the locks. See
`journeys.runtime.turn`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine import segments
from engine.attribution import convert
from engine.contacts.changes import NEW_CONTACT
from engine.db import driver
from journeys.runtime import timed, turn
from journeys.runtime.apply import Happening, apply
from journeys.runtime.catalogue import STAMP, Catalogue
from journeys.runtime.enrol import Trigger
from journeys.runtime.listening import Fact
from journeys.runtime.touching import asked_by

BATCH = 10_000
ROUNDS = 200  # events of one contact that a batch applies, each after the other: some milliseconds each
Clock = Callable[[Session], dt.datetime]
Ask = Callable[[segments.SegmentIndex], segments.Asked]

# Who holds the turn is alone, so rows need no lock. Of events that nobody hears only the number comes back.
CLAIM_EVENTS = f"""
with claimed as (
    delete from event_inbox where ctid = any(array(
        select ctid from event_inbox where available_at <= %s
        order by available_at, occurred_at, received_at, message_id limit %s))
    and (select {STAMP}) = %s
    returning id, contact_id, name, occurred_at, received_at, message_id, properties::text, triggers)
select * from claimed where %s::text[] is null or name = any(%s)
union all select count(*), null, null, null, null, null, null, null from claimed
"""
CLAIM_CHANGES = f"""
delete from change_inbox where ctid = any(array(select ctid from change_inbox order by id limit %s))
and (select {STAMP}) = %s returning id, contact_id, kind, names
"""
CLAIM_JOINS = """
delete from change_inbox where kind = 'segment_entered' and %s = any(names) returning id, contact_id, kind, names
"""
LOCK_CONTACTS = "select id from contacts where id = any(%s) order by id for no key update"
OPEN = """
select distinct contact_id, version_id from enrolments
where contact_id = any(%s) and version_id = any(%s)
    and (status in ('active', 'held_out') or (goal_at is null and goal_until >= %s))
"""


class Crowded(Exception):
    """One contact has more of the events than ROUNDS."""


class Event(NamedTuple):
    """A row of the inbox whose name somebody hears."""

    id: int
    contact_id: int
    name: str
    occurred_at: dt.datetime
    received_at: dt.datetime
    message_id: str
    properties: dict[str, Any]
    triggers: bool

    @property
    def fact(self) -> Fact:
        """What became true of the contact."""
        return Fact("event", (self.name,))


def match_events(
    session: Session, catalogue: Catalogue, clock: Clock, limit: int = BATCH, taken: list[int] | None = None
) -> int:
    """Take at most `limit` events out of the inbox and apply them, in one transaction. Returns how many were taken,
    none if it is somebody else's turn.

    `taken` is given the inbox ids of those that somebody may mind before they are looked at, so that the caller knows
    them if that fails. The clock is read again once the contacts are locked: who waited for them must not judge them as
    of an instant before that of whoever held them.

    Raises Crowded, to be rolled back, if one contact has so many of the events that the turn would be held for too
    long; the caller takes fewer then. It cannot be raised while `limit` is at most ROUNDS.
    """
    if not turn.is_mine(session):
        return 0
    count, rows = _claim_events(session, catalogue, clock(session), limit)
    if taken is not None:
        taken += [row[0] for row in rows]
    if not rows:
        return count
    rows.sort(key=lambda row: row[3:6])
    events = [Event._make((*row[:6], json.loads(row[6]), row[7])) for row in rows]
    before, touches = clock(session), catalogue.index.touches
    minded, earning = _minded(session, catalogue, events, before), _earning(catalogue, events)
    touching = [(event.contact_id, event.name, event.properties) for event in events if touches(event.fact)]
    ask = _asker(catalogue.segments, lambda segments: asked_by(segments, touching, catalogue.schema, before))
    queues = _queues(events, minded)
    now, held = _lock(session, catalogue, clock, minded.union(one.contact_id for one in earning), ask)
    convert.record(session, catalogue.workspace, earning)
    segments.refresh_held(session, held, now)
    while queues:
        apply(session, catalogue, [queue.pop(0) for queue in queues.values()], now)
        queues = {contact_id: queue for contact_id, queue in queues.items() if queue}
    return count


def match_changes(
    session: Session, catalogue: Catalogue, clock: Clock, limit: int = BATCH, taken: list[int] | None = None
) -> int:
    """Take at most `limit` changes of contacts, apply those of each contact together. Returns how many were taken.

    `taken` and `clock` as in `match_events`.
    """
    if not turn.is_mine(session):
        return 0
    rows: list[Any] = []
    while not rows:
        rows = driver(session).execute(CLAIM_CHANGES, (limit, catalogue.stamp), binary=True).fetchall()
        if not rows and not catalogue.follow(session):
            return 0
    if taken is not None:
        taken += [row[0] for row in rows]
    _apply_changes(session, catalogue, rows, clock)
    return len(rows)


def match_joins(session: Session, catalogue: Catalogue, segment: str, clock: Clock) -> None:
    """Bring `segment` up to date and apply who joined it so far, before a further journey listens to it."""
    segments.refresh(session, segment, clock)
    rows = driver(session).execute(CLAIM_JOINS, (segment,), binary=True).fetchall()
    if rows:
        _apply_changes(session, catalogue, rows, clock)


def _claim_events(
    session: Session, catalogue: Catalogue, now: dt.datetime, limit: int
) -> tuple[int, list[tuple[Any, ...]]]:
    """How many were taken, and the rows of those that somebody hears.

    The statement takes nothing if the catalogue is older than itself: a journey that was published in between might
    hear what this catalogue would put away.
    """
    while True:
        names = catalogue.index.names()
        values = (now, limit, catalogue.stamp, names, names)
        *rows, (count, *_) = driver(session).execute(CLAIM_EVENTS, values, binary=True).fetchall()
        if count or not catalogue.follow(session):
            return count, rows


def _minded(session: Session, catalogue: Catalogue, events: Sequence[Event], now: dt.datetime) -> set[int]:
    """Contacts of whom some event may start a journey, or may matter to an open entry."""
    index, oldest = catalogue.index, now
    starting: set[int] = set()
    asked: dict[int, set[int]] = defaultdict(set)
    for event in events:
        if not event.triggers:
            continue
        if index.started(event.name, event.properties, now):
            starting.add(event.contact_id)
        if versions := index.minded(event.name, event.properties, now):
            asked[event.contact_id] |= versions
            oldest = min(oldest, event.occurred_at)
    return starting | _with_open_entries(session, asked, oldest)


def _with_open_entries(session: Session, asked: Mapping[int, Iterable[int]], oldest: dt.datetime) -> set[int]:
    """Contacts with an open entry at one of the versions asked for; goals count that were open at `oldest`."""
    if not asked:
        return set()
    versions = sorted(set().union(*asked.values()))
    rows = driver(session).execute(OPEN, (sorted(asked), versions, oldest), binary=True).fetchall()
    return {contact_id for contact_id, version_id in rows if version_id in asked[contact_id]}


def _queues(events: Sequence[Event], minded: set[int]) -> dict[int, list[Happening]]:
    """What is to be applied of each contact, in its order. Raises Crowded."""
    queues: dict[int, list[Happening]] = defaultdict(list)
    for event in events:
        if event.triggers and event.contact_id in minded:
            queues[event.contact_id].append(_happening(event))
    if any(len(queue) > ROUNDS for queue in queues.values()):
        raise Crowded("A contact has too many events for one transaction.")
    return queues


def _happening(event: Event) -> Happening:
    trigger = Trigger(event.contact_id, event.occurred_at, event.received_at, event.message_id, event.properties)
    return Happening(event.contact_id, (event.fact,), trigger, event.name)


def _apply_changes(session: Session, catalogue: Catalogue, claimed: Sequence[Any], clock: Clock) -> None:
    facts: dict[int, list[Fact]] = defaultdict(list)
    entered: dict[int, list[str]] = defaultdict(list)
    for _, contact_id, kind, names in claimed:
        facts[contact_id].append(Fact("segment" if kind.startswith("segment_") else kind, tuple(names)))
        if kind == "segment_entered":
            entered[contact_id] += names
    index = catalogue.index
    watched = _watched(catalogue, ((id_, fact) for id_, several in facts.items() for fact in several))
    asked = {id_: found for id_, several in facts.items() if (found := frozenset().union(*map(index.hearers, several)))}
    joining = {id_ for id_, slugs in entered.items() if not index.joins.keys().isdisjoint(slugs)}
    _follow_dates(session, catalogue, facts, clock(session))
    minded = joining | _with_open_entries(session, asked, clock(session))
    changes: dict[tuple[str, tuple[str, ...]], set[int]] = {(f.kind, f.names): ids for f, ids in watched.items()}
    now, held = _lock(session, catalogue, clock, minded, _asker(catalogue.segments, lambda index: index.ask(changes)))
    segments.refresh_held(session, held, now)
    happened = [Happening(id_, tuple(facts[id_]), entered_segments=tuple(entered[id_])) for id_ in sorted(minded)]
    if happened:
        apply(session, catalogue, happened, now)


def _follow_dates(
    session: Session, catalogue: Catalogue, facts: Mapping[int, Sequence[Fact]], now: dt.datetime
) -> None:
    """Entries by a date move with the attribute, and with the contact's zone."""
    for version, date in catalogue.index.dates:
        wanted = {date.path.split(".")[0], "timezone", NEW_CONTACT}
        moved = [
            id_
            for id_, several in facts.items()
            if any(fact.kind == "attribute" and not wanted.isdisjoint(fact.names) for fact in several)
        ]
        if moved:
            timed.follow(session, version.journey_id, date, moved, catalogue.workspace.zone, now)


def _asker(known: segments.SegmentIndex, ask: Ask) -> Ask:
    """As `ask`, which is answered at once of the index that is known."""
    answer = ask(known)
    return lambda index: answer if index is known else ask(index)


def _lock(
    session: Session, catalogue: Catalogue, clock: Clock, contact_ids: set[int], ask: Ask
) -> tuple[dt.datetime, segments.Held]:
    """Lock contacts in the order of their ids, those whom segments have to judge among them, and these segments; the
    instant after that."""
    concerned = contact_ids.union(*ask(catalogue.segments).values())
    if concerned:
        driver(session).execute(LOCK_CONTACTS, (sorted(concerned),))
    held = segments.hold(session, catalogue.segments, catalogue.schema, ask)
    return clock(session), held


def _earning(catalogue: Catalogue, events: Iterable[Event]) -> list[convert.NewConversion]:
    """Every event with revenue is a conversion, whether or not a journey listens."""
    found = []
    for _, contact_id, name, occurred_at, _, message_id, properties, triggers in events:
        amount = convert.revenue(catalogue.workspace, name, properties) if triggers else None
        if amount is not None:
            found.append(
                convert.NewConversion("revenue", contact_id, None, None, name, message_id, occurred_at, amount)
            )
    return found


def _watched(catalogue: Catalogue, facts: Iterable[tuple[int, Fact]]) -> dict[Fact, set[int]]:
    """Facts that may change who is in a segment, each with its contacts."""
    found: dict[Fact, set[int]] = defaultdict(set)
    for contact_id, fact in facts:
        if catalogue.index.touches(fact):
            found[fact].add(contact_id)
    return found
