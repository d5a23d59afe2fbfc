"""New entries: the trigger's rule, the re-entry policy, the holdout, and exits that hold already."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions
from engine.expr.values import dig
from engine.reports import rollup
from journeys.decide.split import is_held_out
from journeys.language.steps import Again
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.triggered import satisfied
from journeys.runtime.write import log


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
    keys: Sequence[str]


class Made(NamedTuple):
    """A new enrolment."""

    id: int
    contact_id: int
    held_out: bool
    first: bool


BEFORE = text("""
select contact_id, bool_or(status = 'active'), max(entered_at), bool_or(held_out),
       array_agg(entry_key)
from enrolments where journey_id = :journey_id and contact_id = any(:ids) group by contact_id
""")
INSERT = text("""
insert into enrolments (journey_id, version_id, contact_id, entry_key, status, phase, step_id, wake_at, entered_at,
    held_out, first_entry, trigger_occurred_at, trigger_received_at, trigger_message_id, trigger_event, goal_until)
select :journey_id, :version_id, u.contact_id, u.entry_key, case when u.held_out then 'held_out' else 'active' end,
       case when u.held_out then null else 'ready' end, :first,
       case when u.held_out then null else cast(:now as timestamptz) end,
       :now, u.held_out, u.first_entry, u.occurred_at, u.received_at, u.message_id, u.event::jsonb, :goal_until
from unnest(cast(:contacts as bigint[]), cast(:keys as text[]), cast(:held as boolean[]), cast(:firsts as boolean[]),
            cast(:occurred as timestamptz[]),
            cast(:received as timestamptz[]), cast(:messages as text[]), cast(:events as text[]))
     as u(contact_id, entry_key, held_out, first_entry, occurred_at, received_at, message_id, event)
on conflict (journey_id, contact_id, entry_key) do nothing
returning id, contact_id, held_out, first_entry
""")


def enrol(
    session: Session, catalogue: Catalogue, version: Version, triggers: Sequence[Trigger], now: dt.datetime
) -> list[int]:
    """Enter those of `triggers` who may, at most one entry a contact a call. Contacts must be locked by the caller.

    Returns the new enrolments' ids; they are `ready` and take their first step in a later commit.
    """
    met = satisfied(session, catalogue, version, triggers, now)
    chosen = _allowed(session, version, met, now)
    if not chosen:
        return []
    made = _insert(session, version, chosen, now)
    if version.program.journey.exits:
        _exit_at_entry(session, catalogue, version, made, now)
    return [one.id for one in made]


def _allowed(session: Session, version: Version, triggers: Sequence[Trigger], now: dt.datetime) -> list[Chosen]:
    """Those whom the re-entry policy lets in."""
    journey = version.program.journey
    ids = [trigger.contact_id for trigger in triggers]
    rows = session.execute(BEFORE, {"journey_id": version.journey_id, "ids": ids}).all() if ids else []
    before = {row[0]: Before(*row) for row in rows}
    chosen = []
    for trigger in triggers:
        known = before.get(trigger.contact_id)
        key = entry_key(journey.enter.again, trigger)
        if known is not None and not may_again(journey.enter.again, key, known, now):
            continue
        held = known.held_out if known is not None else is_held_out(journey.slug, trigger.contact_id, journey.holdout)
        chosen.append(Chosen(trigger, key, held, known is None))
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


def _insert(session: Session, version: Version, chosen: Sequence[Chosen], now: dt.datetime) -> list[Made]:
    journey = version.program.journey
    partitions.ensure(session, "messages", [now])
    made = session.execute(
        INSERT,
        {
            "journey_id": version.journey_id,
            "version_id": version.id,
            "first": version.program.first,
            "now": now,
            "goal_until": journey.goal.within.after(now) if journey.goal else None,
            "contacts": [one.trigger.contact_id for one in chosen],
            "keys": [one.entry_key for one in chosen],
            "held": [one.held_out for one in chosen],
            "firsts": [one.first for one in chosen],
            "occurred": [one.trigger.occurred_at for one in chosen],
            "received": [one.trigger.received_at for one in chosen],
            "messages": [one.trigger.message_id for one in chosen],
            "events": [json.dumps(one.trigger.properties or {}) for one in chosen],
        },
    ).all()
    rows = [Made(*row) for row in made]
    log(session, version, [(r.id, r.contact_id, "", "held_out" if r.held_out else "entered", None) for r in rows], now)
    arms = [rollup.EntryDelta("", "holdout" if row.held_out else "", now.date(), row.first) for row in rows]
    rollup.entries(session, version.journey_id, arms)
    return rows


def _exit_at_entry(
    session: Session, catalogue: Catalogue, version: Version, made: Sequence[Made], now: dt.datetime
) -> None:
    """An exit rule that holds already ends the entry before its first step."""
    from journeys.runtime.leave import exits

    exits(session, catalogue, version, [ask.Question(one.id, one.contact_id, now, now) for one in made], now)
