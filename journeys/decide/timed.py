"""Entries by the clock: the slots of a schedule, and dates of contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from engine.expr import literals
from journeys.decide.localtime import next_time
from journeys.language.steps import DateOffset, LocalTime, Schedule

INSTANT = dt.timedelta(microseconds=1)


def next_slot(schedule: Schedule, workspace: ZoneInfo, after: dt.datetime) -> dt.datetime:
    """The first slot after `after`, in UTC."""
    zone = workspace if schedule.zone == "workspace" else ZoneInfo(schedule.zone)
    moment = after + INSTANT
    while True:
        slot = next_time(LocalTime(schedule.time, schedule.zone, schedule.weekdays), zone, moment)
        if schedule.day is None or slot.astimezone(zone).day == schedule.day:
            return slot
        moment = slot + INSTANT


def slots(schedule: Schedule, workspace: ZoneInfo, after: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """The slots after `after` and up to `until`."""
    while (after := next_slot(schedule, workspace, after)) <= until:
        yield after


def slot_id(slot: dt.datetime) -> str:
    """The message id of an entry by a slot."""
    return f"schedule:{slot.astimezone(dt.UTC).isoformat()}"


def date_entry(date: DateOffset, value: object, zone: ZoneInfo) -> tuple[dt.datetime, str] | None:
    """When a contact with this value of the attribute enters, and the message id; None for what is no date.

    A date without a time begins at midnight in `zone`, the contact's. It is the same date in every zone: who moves west
    on the day does not enter once more.
    """
    is_day = isinstance(value, str) and literals.is_day(value)
    if isinstance(value, str):
        value = literals.parse_moment(value, zone if is_day else dt.UTC)
    if not isinstance(value, dt.datetime):
        return None
    named = value.astimezone(zone).date() if is_day else value.astimezone(dt.UTC)
    return date.at(value), f"date:{named.isoformat()}"
