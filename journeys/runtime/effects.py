"""Carry out what steps do besides moving people on, in the commit that moves them.

One function a kind of effect. It gets everybody at a step at once, before they go on, so that later steps of the same
run see what was done. A retry finds the whole commit or nothing of it, so nothing is done twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine.contacts import lists
from engine.contacts.identify import set_attributes
from engine.contacts.score import add_points
from engine.events.record import NewEvent, record
from engine.webhooks import queue
from journeys.decide.chain import message_id
from journeys.decide.effects import AddPoints, ChangeLists, Deliver, Effect, EmitEvent, SetAttributes, StartJourney
from journeys.language.steps import ListStep, Score, Set
from journeys.runtime import admit
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry

CHANGES_CONTACTS = (Set, Score, ListStep)
"""Kinds of step that write to contacts; a batch of a version that has one locks its contacts when it is claimed."""


class Place(NamedTuple):
    """Where and when it happens."""

    session: Session
    catalogue: Catalogue
    version: Version
    step_id: str
    now: dt.datetime


def apply(place: Place, effect: Effect, rows: Sequence[Entry]) -> None:
    """Do `effect` to the contacts of `rows`, which are locked enrolments at `place`."""
    APPLY[type(effect)](place, effect, rows)


def _set(place: Place, effect: SetAttributes, rows: Sequence[Entry]) -> None:
    set_attributes(place.session, {row.contact_id: dict(effect.values) for row in rows}, place.now)


def _score(place: Place, effect: AddPoints, rows: Sequence[Entry]) -> None:
    """A contact may be here with several entries."""
    times = Counter(row.contact_id for row in rows)
    add_points(place.session, effect.name, {id_: effect.points * count for id_, count in times.items()}, place.now)


def _lists(place: Place, effect: ChangeLists, rows: Sequence[Entry]) -> None:
    ids = [row.contact_id for row in rows]
    lists.put_on(place.session, effect.add, ids, place.now)
    lists.take_off(place.session, effect.remove, ids, place.now)


def _emit(place: Place, effect: EmitEvent, rows: Sequence[Entry]) -> None:
    """As every event: it is matched later, by whoever has the turn."""
    now, properties = place.now, dict(effect.properties)
    ids = [(row.contact_id, message_id(row.id, place.step_id, row.visit)) for row in rows]
    events = [NewEvent(contact_id, effect.name, now, id_, properties, None, "journey") for contact_id, id_ in ids]
    record(place.session, events, now)


def _start(place: Place, effect: StartJourney, rows: Sequence[Entry]) -> None:
    wanted = [admit.Start(row.contact_id, message_id(row.id, place.step_id, row.visit)) for row in rows]
    admit.start(place.session, effect.journey, wanted, place.now)


def _deliver(place: Place, effect: Deliver, rows: Sequence[Entry]) -> None:
    step = queue.Step(place.version.program.journey.slug, place.version.id, place.step_id)
    mail = "@" in effect.to
    what = queue.What("" if mail else effect.to, effect.to if mail else None, effect.template, effect.store or None)
    queue.enqueue(place.session, step, what, [(row.id, row.visit) for row in rows], place.now)


APPLY: dict[type[Any], Callable[[Place, Any, Sequence[Entry]], None]] = {
    SetAttributes: _set,
    AddPoints: _score,
    ChangeLists: _lists,
    EmitEvent: _emit,
    StartJourney: _start,
    Deliver: _deliver,
}
