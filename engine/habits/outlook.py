"""What is known of somebody's hours, as people look at it: counts, how likely each hour is, and the best one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.habits.estimate import Choice, Everybody, Habits, Profile, choose, hours, slot_of
from engine.habits.store import EVERYBODY, counts_of, zone_of
from engine.quiet import Hours


class Hour(NamedTuple):
    """An hour of the day: messages opened or clicked first in it, on any day, and the part of the opens of the coming
    24 hours that is expected in it. `quiet`: it begins in quiet hours, in which nothing is sent."""

    hour: int
    messages: int
    share: float
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """`hours` are 24, from midnight; `choice` is what `at: best` chooses now. `zone` is the one in which they count."""

    zone: ZoneInfo
    hours: tuple[Hour, ...]
    choice: Choice

    @property
    def messages(self) -> int:
        """How many stand behind it."""
        return sum(one.messages for one in self.hours)


def of(session: Session, contact_id: int, now: dt.datetime, workspace: ZoneInfo, quiet: Hours | None) -> Outlook:
    """That of a contact, or of EVERYBODY in the zone of the workspace; `quiet` are the hours that email keeps."""
    known = counts_of(session, [contact_id])
    counts = known.get(contact_id, {})
    everybody = Everybody(known.get(EVERYBODY, {}))
    own = Profile(counts) if counts and contact_id != EVERYBODY else None
    zone = zone_of(session, contact_id, workspace)
    choice = choose(Habits(own, everybody, quiet), (zone,), (), now)
    messages = Counter[int]()
    for slot, number in counts.items():
        messages[slot % 24] += number
    return Outlook(zone, _hours(messages, _shares(own, everybody, zone, now), quiet), choice)


def _shares(own: Profile | None, everybody: Everybody, zone: ZoneInfo, now: dt.datetime) -> dict[int, float]:
    """By hour of the day that comes next; an hour that a clock change skips has none."""
    slots = {slot % 24: slot for at in hours(zone, now) for slot in [slot_of(at, zone)]}
    prior = everybody.shares
    return {hour: own.share(slot, prior[slot]) if own else prior[slot] for hour, slot in slots.items()}


def _hours(messages: Counter[int], shares: dict[int, float], quiet: Hours | None) -> tuple[Hour, ...]:
    return tuple(
        Hour(hour, messages[hour], shares.get(hour, 0.0), quiet is not None and quiet.hold(dt.time(hour)))
        for hour in range(24)
    )
