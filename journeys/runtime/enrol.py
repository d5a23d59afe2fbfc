"""New entries: the trigger's rule, the re-entry policy, the holdout, and exits that hold already."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine import partitions
from engine.db import driver
from engine.expr.values import dig
from engine.reports import rollup
from journeys.decide.split import is_held_out
from journeys.language.steps import Again
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.chain import not_too_long
from journeys.runtime.leave import exits
from journeys.runtime.step_log import Line, log
from journeys.runtime.triggered import satisfied


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why a contact may enter: its place in the order of events, and the event's properties."""

    contact_id: int
    occurred_at: dt.datetime
    received_at: dt.datetime
    message_id: str = ""
    properties: dict[str, Any] | None = None


LONGEST_KEY = 200


class Chosen(NamedTuple):
    """A trigger that leads to an entry."""

    version: Version
    trigger: Trigger
    entry_key: str
    held_out: bool
    first: bool


class Before(NamedTuple):
    """A contact's earlier entries into a journey."""

    contact_id: int
    active: bool
    last_entered: dt.datetime
    held_out: bool
    keys: Collection[str]


class Made(NamedTuple):
    """A new enrolment."""

    version_id: int
    id: int
    contact_id: int
    held_out: bool
    first: bool


Wanted = Mapping[Version, Sequence[Trigger]]

BEFORE = """
select e.journey_id, e.contact_id, bool_or(e.status = 'active'), max(e.entered_at), bool_or(e.held_out),
    array_agg(e.entry_key)
from unnest(%s::int8[], %s::int8[]) as asked(journey_id, contact_id)
join enrolments e on e.journey_id = asked.journey_id and e.contact_id = asked.contact_id
group by e.journey_id, e.contact_id
"""
INSERT = """
insert into enrolments (journey_id, version_id, contact_id, entry_key, status, phase, step_id, wake_at, entered_at,
    held_out, first_entry, trigger_occurred_at, trigger_received_at, trigger_message_id, trigger_event, goal_until)
select u.journey_id, u.version_id, u.contact_id, u.entry_key, case when u.held_out then 'held_out' else 'active' end,
    case when u.held_out then null else 'ready' end, u.step_id, case when u.held_out then null else instant.now end,
    instant.now, u.held_out, u.first_entry, u.occurred_at, u.received_at, u.message_id, u.event, u.goal_until
from (select %s::timestamptz as now) instant, unnest(%s::int8[], %s::int8[], %s::text[], %s::timestamptz[], %s::int8[],
    %s::text[], %s::bool[], %s::bool[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::jsonb[])
    as u(journey_id, version_id, step_id, goal_until, contact_id, entry_key, held_out, first_entry, occurred_at,
         received_at, message_id, event)
on conflict (journey_id, contact_id, entry_key) do nothing
returning version_id, id, contact_id, held_out, first_entry
"""


def enrol(session: Session, catalogue: Catalogue, wanted: Wanted, now: dt.datetime) -> list[int]:
    """Enter those of the triggers who may, at most one entry a contact and version a call. The caller has locked the
    contacts.

    Returns the new enrolments' ids; they are `ready` and take their first step in a later commit.
    """
    met = {version: satisfied(session, catalogue, version, triggers, now) for version, triggers in wanted.items()}
    chosen = _allowed(session, not_too_long(session, catalogue, met, now), now)
    if not chosen:
        return []
    made = _insert(session, chosen, now)
    asked: dict[Version, list[ask.Question]] = defaultdict(list)
    for one in made:
        version = catalogue.version(session, one.version_id)
        if version.program.journey.exits:
            asked[version].append(ask.Question(one.id, one.contact_id, now, now))
    exits(session, catalogue, asked, now)  # a rule that holds already ends the entry before its first step
    return [one.id for one in made]


def _allowed(session: Session, met: Wanted, now: dt.datetime) -> list[Chosen]:
    """Those whom the re-entry policy lets in."""
    asked = [(version.journey_id, one.contact_id) for version, triggers in met.items() for one in triggers]
    if not asked:
        return []
    journeys, contacts = zip(*asked, strict=True)
    rows = driver(session).execute(BEFORE, (list(journeys), list(contacts)), binary=True).fetchall()
    before = {row[:2]: Before(*row[1:]) for row in rows}
    chosen = []
    for version, triggers in met.items():
        journey = version.program.journey
        for trigger in triggers:
            known = before.get((version.journey_id, trigger.contact_id))
            key = entry_key(journey.enter.again, trigger)
            if known is None:
                held = is_held_out(journey.slug, trigger.contact_id, journey.holdout)
            elif may_again(journey.enter.again, key, known, now):
                held = known.held_out
            else:
                continue
            chosen.append(Chosen(version, trigger, key, held, known is None))
    return chosen


def entry_key(again: Again, trigger: Trigger) -> str:
    """What makes an entry unique within (journey, contact): semantics, "Entering, leaving". A long one by its hash."""
    if again.kind == "once":
        return ""
    if again.kind == "per":
        key = _text(dig(trigger.properties, tuple(again.path.removeprefix("event.").split("."))))
        return key if len(key) <= LONGEST_KEY else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return trigger.message_id or trigger.occurred_at.isoformat()


def may_again(again: Again, key: str, before: Before, now: dt.datetime) -> bool:
    """Whether a contact who entered before may enter once more under `key`."""
    if again.kind == "per":
        return key not in before.keys
    if before.active or again.kind == "once":
        return False
    if again.kind == "after":
        assert again.duration is not None
        return again.duration.after(before.last_entered) <= now
    return True


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, sort_keys=True)


def _insert(session: Session, chosen: Sequence[Chosen], now: dt.datetime) -> list[Made]:
    partitions.ensure(session, "messages", [now])
    columns = map(list, zip(*(_row(one, now) for one in chosen), strict=True))
    made = [Made(*row) for row in driver(session).execute(INSERT, (now, *columns)).fetchall()]
    versions = {one.version.id: one.version for one in chosen}
    lines = [
        Line(versions[one.version_id], one.id, one.contact_id, "held_out" if one.held_out else "entered")
        for one in made
    ]
    log(session, lines, now)
    for one in made:
        delta = rollup.EntryDelta("", "holdout" if one.held_out else "", now.date(), one.first)
        rollup.entries(session, versions[one.version_id].journey_id, [delta])
    return made


def _row(one: Chosen, now: dt.datetime) -> tuple[Any, ...]:
    version, trigger, key, held_out, first = one
    journey = version.program.journey
    goal_until = journey.goal.within.after(now) if journey.goal else None
    return (
        *(version.journey_id, version.id, version.program.first, goal_until, trigger.contact_id, key, held_out, first),
        *(trigger.occurred_at, trigger.received_at, trigger.message_id, json.dumps(trigger.properties or {})),
    )
