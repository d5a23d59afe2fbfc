"""One happening a contact, applied to its entries: the wait that it meets with the steps behind it, exits, goals, new
entries.

Events of one contact are applied one after the other, in the order (occurred_at, received_at, message_id), each wholly
before the next. Events of different contacts go together, so a batch takes as many rounds as its busiest contact has
events.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from engine.db import driver
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.enrol import Trigger, enrol
from journeys.runtime.entry import ENTRY_COLUMNS, Entry
from journeys.runtime.leave import GoalEvent, Open, exits, goals
from journeys.runtime.listening import Ears, Fact
from journeys.runtime.run import run
from journeys.runtime.write import write

OPEN = f"""
select {ENTRY_COLUMNS}, e.version_id, e.status, e.goal_until, e.goal_at from enrolments e
where e.contact_id = any(%s) and (e.status in ('active', 'held_out') or (e.goal_at is null and e.goal_until >= %s))
order by e.id for update
"""


class Happening(NamedTuple):
    """Facts of a contact, with the event if there is one."""

    contact_id: int
    facts: tuple[Fact, ...]
    trigger: Trigger | None = None
    name: str = ""
    entered_segments: tuple[str, ...] = ()


class Known(NamedTuple):
    """An open enrolment as it was when its contact was locked."""

    entry: Entry
    status: str
    goal_until: dt.datetime | None
    goal_at: dt.datetime | None


def apply(session: Session, catalogue: Catalogue, happened: Sequence[Happening], now: dt.datetime) -> None:
    """Apply at most one happening a contact. Their contacts are locked."""
    batch = _Batch(session, catalogue, {one.contact_id: one for one in happened}, now)
    known = batch.open()
    for version, entries in known.items():
        batch.move_on(version, entries)
    exits(session, catalogue, {version: batch.leaving(version, known[version]) for version in known}, now)
    goals(session, catalogue, {version: batch.hoping(version, known[version]) for version in known}, now)
    enrol(session, catalogue, _triggers(catalogue, happened, now), now)


class _Batch(NamedTuple):
    """What the steps of one round share."""

    session: Session
    catalogue: Catalogue
    of_contact: dict[int, Happening]
    now: dt.datetime

    def open(self) -> dict[Version, list[Known]]:
        """Every active or held-out enrolment of these contacts, and those with a goal that was open when the first of
        their events happened; locked, by version."""
        oldest = min((one.trigger.occurred_at for one in self.of_contact.values() if one.trigger), default=self.now)
        values = (sorted(self.of_contact), min(oldest, self.now))
        found: dict[Version, list[Known]] = defaultdict(list)
        for *entry, version_id, status, goal_until, goal_at in driver(self.session).execute(OPEN, values, binary=True):
            version = self.catalogue.version(self.session, version_id)
            found[version].append(Known(Entry(*entry), status, goal_until, goal_at))
        return found

    def move_on(self, version: Version, known: Sequence[Known]) -> None:
        """Run those who have not taken their first step yet, and those whose wait may be met now."""
        if version.state not in ("live", "draining"):
            return
        woken = [
            one.entry
            for one in known
            if one.status == "active"
            and (one.entry.phase == "ready" or self.minds(version.listening.steps.get(one.entry.step_id), one))
        ]
        if woken:
            moves = run(self.session, self.catalogue, version, woken, self.now)
            write(self.session, self.catalogue, version, moves, self.now)

    def leaving(self, version: Version, known: Sequence[Known]) -> list[ask.Question]:
        """Those whose exit rules may hold now."""
        return [
            ask.Question(one.entry.id, one.entry.contact_id, self.now, self.now)
            for one in known
            if one.status in ("active", "held_out") and self.minds(version.listening.exits, one)
        ]

    def hoping(self, version: Version, known: Sequence[Known]) -> list[Open]:
        """Those whose goal may be met now."""
        return [
            Open(one.entry.id, one.entry.contact_id, one.goal_until, self.goal_event(one))
            for one in known
            if one.goal_at is None and one.goal_until is not None and self.minds(version.listening.goal, one)
        ]

    def minds(self, ears: Ears | None, one: Known) -> bool:
        """Whether what happened to the entry's contact can change a verdict."""
        happening = self.of_contact[one.entry.contact_id]
        if ears is None:
            return False
        if happening.trigger is None:
            return any(ears.hears(fact) for fact in happening.facts)
        return ears.minds(happening.name, happening.trigger.properties or {}, self.catalogue.schema, self.now)

    def goal_event(self, one: Known) -> GoalEvent:
        """What may meet the entry's goal."""
        happening = self.of_contact[one.entry.contact_id]
        trigger = happening.trigger
        if trigger is None:
            return GoalEvent(self.now)
        return GoalEvent(trigger.occurred_at, happening.name, trigger.message_id, trigger.properties)


def _triggers(catalogue: Catalogue, happened: Sequence[Happening], now: dt.datetime) -> dict[Version, list[Trigger]]:
    """What may start a journey, by the versions that people may enter."""
    index = catalogue.index
    found: dict[Version, list[Trigger]] = defaultdict(list)
    for one in happened:
        if one.trigger is not None and one.name in index.starts:
            for version, _ in index.starts[one.name].candidates(one.trigger.properties or {}):
                found[version].append(one.trigger)
        for slug in one.entered_segments:
            for version in index.joins.get(slug, ()):
                found[version].append(Trigger(one.contact_id, now, now))
    return {version: found[version] for version in catalogue.live if version in found}
