"""What happens to one contact in the span, in order. At one instant events come first, then changes, then entries."""

from __future__ import annotations

import datetime as dt
from bisect import insort
from operator import itemgetter
from typing import TypeAlias

from engine.expr import EventFact, Facts
from engine.expr.values import dig
from engine.zones import zones_of
from journeys.decide.timed import date_entry, slot_id, slots
from journeys.runtime.enrol import Trigger
from journeys.simulate.person import Person, Turn
from journeys.simulate.plan import Plan

EVENT, CHANGE, ENTRY = 0, 1, 2
FIRST = itemgetter(0, 1, 2)
What: TypeAlias = EventFact | Turn | Trigger
"""An event, a change, or an entry by something else, such as a step that starts the journey."""
Happening: TypeAlias = tuple[dt.datetime, int, int, What]
"""With its instant, its rank (of `EVENT`, `CHANGE`, `ENTRY`) and its number: the order of what happens."""


class Agenda:
    """What is still to come; what the contact's own steps cause is added on the way, behind what is there already."""

    def __init__(self, plan: Plan, person: Person) -> None:
        self._plan, self._id, self._names = plan, person.id, plan.heard
        self._end = plan.end
        start, end, names = plan.start, plan.end, plan.heard
        coming: list[Happening] = [
            (fact.occurred_at, EVENT, n, fact)
            for n, fact in enumerate(person.facts.events)
            if start <= fact.occurred_at < end and (names is None or fact.name in names)
        ]
        coming += [(turn.at, CHANGE, n, turn) for n, turn in enumerate(person.turns) if start <= turn.at < end]
        for n, entry in enumerate(entries(plan, person)):
            if start <= entry.occurred_at < end:
                coming.append((entry.occurred_at, ENTRY, n, entry))
        coming.sort(key=FIRST, reverse=True)
        self._coming = coming
        self._next = len(person.facts.events) + len(coming)

    def __bool__(self) -> bool:
        return bool(self._coming)

    @property
    def at(self) -> dt.datetime:
        """The instant of what comes next; the end of the span if nothing does."""
        return self._coming[-1][0] if self._coming else self._end

    def has_event_at(self, now: dt.datetime) -> bool:
        """Whether an event comes next, at this instant."""
        return bool(self._coming) and self._coming[-1][:2] == (now, EVENT)

    def pop(self) -> What:
        """What comes next."""
        return self._coming.pop()[3]

    def add(self, what: EventFact | Trigger) -> None:
        """Something that a step causes, at the instant that it bears."""
        if isinstance(what, EventFact) and not self._minds(what):
            return
        rank = EVENT if isinstance(what, EventFact) else ENTRY
        self._next += 1
        insort(self._coming, (what.occurred_at, rank, self._next, what), key=_last_first)

    def move_date(self, facts: Facts, now: dt.datetime) -> None:
        """The attribute that the contact enters by has changed."""
        self._coming = [one for one in self._coming if not _is_date(one[3])]
        if (entry := _by_date(self._plan, self._id, facts, now)) is not None and entry.occurred_at < self._end:
            self.add(entry)

    def _minds(self, fact: EventFact) -> bool:
        return self._names is None or fact.name in self._names


def entries(plan: Plan, person: Person) -> list[Trigger]:
    """Entries by the clock, and by a call."""
    enter, found = plan.journey.enter, []
    if enter.slots is not None:
        for slot in slots(enter.slots, plan.workspace.zone, plan.start, plan.end):
            found.append(Trigger(person.id, slot, slot, slot_id(slot), {}))
    if (entry := _by_date(plan, person.id, person.facts, plan.start)) is not None:
        found.append(entry)
    if person.called_at is not None:
        found.append(Trigger(person.id, person.called_at, person.called_at, "api", {}))
    return found


def _by_date(plan: Plan, person_id: int, facts: Facts, now: dt.datetime) -> Trigger | None:
    date = plan.journey.enter.date
    if date is None:
        return None
    given = facts.created_at if date.path == "created_at" else dig(facts.attributes, tuple(date.path.split(".")))
    entry = date_entry(date, given, zones_of(facts.timezone, None, plan.workspace.zone)[0])
    return Trigger(person_id, entry[0], entry[0], entry[1], {}) if entry is not None and entry[0] > now else None


def _is_date(what: What) -> bool:
    return isinstance(what, Trigger) and what.message_id.startswith("date:")


def _last_first(one: Happening) -> tuple[float, int, int]:
    at, rank, number, _ = one
    return (-at.timestamp(), -rank, -number)
