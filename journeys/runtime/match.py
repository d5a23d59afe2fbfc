"""What happened to contacts, applied to journeys: waits met, exits, goals, new entries.

Events of one contact are applied one after the other, in the order (occurred_at, received_at, message_id), each wholly
before the next: the wait that it meets, with the steps behind it; then exits; then goals; then new entries. Events of
different contacts go together, so a batch takes as many rounds as its busiest contact has events.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine import segments
from engine.attribution import convert
from engine.db import driver
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.enrol import Trigger, enrol
from journeys.runtime.entry import ENTRY_COLUMNS, Entry
from journeys.runtime.leave import GoalEvent, Open, exits, goals
from journeys.runtime.listening import Fact
from journeys.runtime.run import run
from journeys.runtime.write import write

BATCH = 2000
CLAIM_EVENTS = """
delete from event_inbox where id = any(array(
    select id from event_inbox where available_at <= %s
    order by available_at, occurred_at, received_at, message_id limit %s for update skip locked))
returning id, contact_id, name, occurred_at, received_at, message_id, properties, triggers
"""
CLAIM_CHANGES = """
delete from change_inbox where id = any(array(
    select id from change_inbox order by id limit %s for update skip locked))
returning id, contact_id, kind, names, created_at
"""
CLAIM_JOINS = """
delete from change_inbox where id = any(array(
    select id from change_inbox where kind = 'segment_entered' and %s = any(names) order by id for update skip locked))
returning contact_id, kind, names, created_at
"""
LOCK_CONTACTS = "select id from contacts where id = any(%s) order by id for no key update"
OPEN = f"""
select {ENTRY_COLUMNS}, e.version_id, e.status, e.goal_until, e.goal_at from enrolments e
where e.contact_id = any(%s) and (e.status in ('active', 'held_out') or (e.goal_at is null and e.goal_until >= %s))
order by e.id for update
"""


class Happening(NamedTuple):
    """A fact of a contact, with the event if it is one."""

    contact_id: int
    facts: tuple[Fact, ...]
    trigger: Trigger | None = None
    name: str = ""
    entered_segments: tuple[str, ...] = ()


def match_events(
    session: Session, catalogue: Catalogue, now: dt.datetime, limit: int = BATCH, taken: list[int] | None = None
) -> int:
    """Take at most `limit` events out of the inbox and apply them, in one transaction. Returns how many were taken.

    `taken` is given the inbox ids before they are applied, so that the caller knows them if that fails.
    """
    rows = driver(session).execute(CLAIM_EVENTS, (now, limit), binary=True).fetchall()
    if taken is not None:
        taken += [row[0] for row in rows]
    if not rows:
        return 0
    catalogue.follow(session)
    claimed = sorted((row[1:] for row in rows), key=lambda row: row[2:5])
    _lock(session, {row[0] for row in claimed})
    _earn(session, catalogue, claimed)
    _refresh_segments(session, catalogue, [(row[0], Fact("event", (row[1],))) for row in claimed], now)
    queues: dict[int, list[Happening]] = defaultdict(list)
    for contact_id, name, occurred_at, received_at, message_id, properties, triggers in claimed:
        if triggers and _is_heard(catalogue, name):
            trigger = Trigger(contact_id, occurred_at, received_at, message_id, properties)
            queues[contact_id].append(Happening(contact_id, (Fact("event", (name,)),), trigger, name))
    while queues:
        apply(session, catalogue, [queue.pop(0) for queue in queues.values()], now)
        queues = {contact_id: queue for contact_id, queue in queues.items() if queue}
    return len(claimed)


def match_changes(
    session: Session, catalogue: Catalogue, now: dt.datetime, limit: int = BATCH, taken: list[int] | None = None
) -> int:
    """Take at most `limit` changes of contacts, apply those of each contact together. Returns how many were taken.

    `taken` as in `match_events`.
    """
    rows = driver(session).execute(CLAIM_CHANGES, (limit,), binary=True).fetchall()
    if taken is not None:
        taken += [row[0] for row in rows]
    if rows:
        catalogue.follow(session)
    _apply_changes(session, catalogue, [row[1:] for row in rows], now)
    return len(rows)


def match_joins(session: Session, catalogue: Catalogue, segment: str, now: dt.datetime) -> None:
    """Bring `segment` up to date and apply who joined it so far, before a further journey listens to it."""
    segments.refresh(session, segment, now)
    _apply_changes(session, catalogue, driver(session).execute(CLAIM_JOINS, (segment,), binary=True).fetchall(), now)


def _apply_changes(session: Session, catalogue: Catalogue, claimed: Sequence[Any], now: dt.datetime) -> None:
    if not claimed:
        return
    _lock(session, {row[0] for row in claimed})
    facts: dict[int, list[Fact]] = defaultdict(list)
    entered: dict[int, list[str]] = defaultdict(list)
    for contact_id, kind, names, _ in claimed:
        facts[contact_id].append(Fact("segment" if kind.startswith("segment_") else kind, tuple(names)))
        if kind == "segment_entered":
            entered[contact_id] += names
    _refresh_segments(session, catalogue, [(id_, fact) for id_, several in facts.items() for fact in several], now)
    happened = [Happening(id_, tuple(several), entered_segments=tuple(entered[id_])) for id_, several in facts.items()]
    apply(session, catalogue, happened, now)


def apply(session: Session, catalogue: Catalogue, happened: Sequence[Happening], now: dt.datetime) -> None:
    """Apply at most one happening a contact. Their contacts are locked."""
    of_contact = {one.contact_id: one for one in happened}
    for version, rows in _open(session, catalogue, of_contact, now).items():
        _move_on(session, catalogue, version, rows, of_contact, now)
        _leave(session, catalogue, version, rows, of_contact, now)
    for version in catalogue.live:
        enrol(session, catalogue, version, _triggers(version, happened, now), now)


def _lock(session: Session, contact_ids: set[int]) -> None:
    driver(session).execute(LOCK_CONTACTS, (sorted(contact_ids),))


def _earn(session: Session, catalogue: Catalogue, claimed: Sequence[Any]) -> None:
    """Conversions come first: every event with revenue is one, whether or not a journey listens."""
    found = []
    for contact_id, name, occurred_at, _, message_id, properties, triggers in claimed:
        amount = convert.revenue(catalogue.workspace, name, properties) if triggers else None
        if amount is not None:
            found.append(
                convert.NewConversion("revenue", contact_id, None, None, name, message_id, occurred_at, amount)
            )
    convert.record(session, catalogue.workspace, found)


def _refresh_segments(
    session: Session, catalogue: Catalogue, facts: Sequence[tuple[int, Fact]], now: dt.datetime
) -> None:
    grouped: dict[Fact, set[int]] = defaultdict(set)
    for contact_id, fact in facts:
        grouped[fact].add(contact_id)
    for fact, ids in grouped.items():
        segments.refresh_contacts(session, sorted(ids), fact.kind, fact.names, now, catalogue.schema)


def _is_heard(catalogue: Catalogue, name: str) -> bool:
    return any(
        version.listening.any_event
        or name in version.listening.all_events
        or (version.live and version.program.journey.enter.event == name)
        for version in catalogue.versions.values()
    )


class Known(NamedTuple):
    """An open enrolment as it was when its contact was locked."""

    entry: Entry
    status: str
    goal_until: dt.datetime | None
    goal_at: dt.datetime | None


def _open(
    session: Session, catalogue: Catalogue, of_contact: dict[int, Happening], now: dt.datetime
) -> dict[Version, list[Known]]:
    """Every active or held-out enrolment of these contacts, and those with a goal that was open when the first of their
    events happened; locked, by version."""
    oldest = min((one.trigger.occurred_at for one in of_contact.values() if one.trigger), default=now)
    rows = driver(session).execute(OPEN, (sorted(of_contact), min(oldest, now)), binary=True).fetchall()
    found: dict[Version, list[Known]] = defaultdict(list)
    for *values, version_id, status, goal_until, goal_at in rows:
        found[catalogue.version(session, version_id)].append(Known(Entry(*values), status, goal_until, goal_at))
    return found


def _move_on(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    known: Sequence[Known],
    of_contact: dict[int, Happening],
    now: dt.datetime,
) -> None:
    """Run those who have not taken their first step yet, and those whose wait may be met now."""
    if version.state not in ("live", "draining"):
        return
    woken = [
        one.entry
        for one in known
        if one.status == "active" and (one.entry.phase == "ready" or _hears(version, one, of_contact))
    ]
    if woken:
        write(session, catalogue, version, run(session, catalogue, version, woken, now), now)


def _hears(version: Version, one: Known, of_contact: dict[int, Happening]) -> bool:
    ears = version.listening.steps.get(one.entry.step_id)
    return ears is not None and any(ears.hears(fact) for fact in of_contact[one.entry.contact_id].facts)


def _leave(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    known: Sequence[Known],
    of_contact: dict[int, Happening],
    now: dt.datetime,
) -> None:
    """Exits, then goals."""
    heard = version.listening
    leaving = [
        ask.Question(one.entry.id, one.entry.contact_id, now, now)
        for one in known
        if one.status in ("active", "held_out") and _any(heard.exits, of_contact[one.entry.contact_id])
    ]
    exits(session, catalogue, version, leaving, now)
    hoping = [
        Open(one.entry.id, one.entry.contact_id, one.goal_until, _goal_event(of_contact[one.entry.contact_id], now))
        for one in known
        if one.goal_at is None and one.goal_until is not None and _any(heard.goal, of_contact[one.entry.contact_id])
    ]
    goals(session, catalogue, version, hoping, now)


def _any(ears: Any, happening: Happening) -> bool:
    return any(ears.hears(fact) for fact in happening.facts)


def _goal_event(happening: Happening, now: dt.datetime) -> GoalEvent:
    trigger = happening.trigger
    if trigger is None:
        return GoalEvent(now)
    return GoalEvent(trigger.occurred_at, happening.name, trigger.message_id, trigger.properties)


def _triggers(version: Version, happened: Sequence[Happening], now: dt.datetime) -> list[Trigger]:
    """Those of `happened` that start `version`'s journey."""
    enter = version.program.journey.enter
    if enter.kind == "event":
        return [one.trigger for one in happened if one.trigger is not None and one.name == enter.event]
    if enter.kind == "segment":
        return [Trigger(one.contact_id, now, now) for one in happened if enter.segment in one.entered_segments]
    return []
