"""The hour at which a contact is best reached: where its own opens and clicks, smoothed by everybody's, are densest.

A slot is an hour of the local week: 24 x weekday + hour, Monday 0:00 being 0. The share of a day's opens that fall into
one of its hours is estimated by a hierarchical Dirichlet prior (MacKay and Peto, "A hierarchical Dirichlet language
model", Natural Language Engineering 1(3), 1995; for its strength as a number of observations see Zhai and Lafferty, ACM
TOIS 22(2), 2004), in two steps, each of which gives way as data comes:

    by_hour(h)   = (n(h) + OWN x prior(d, h)) / (n + OWN)           all days together, towards the prior
    share(d, h)  = (n(d, h) + DAY x by_hour(h)) / (n(d) + DAY)      this weekday, towards all days together

The prior of a contact are the shares of everybody, estimated the same way with `DEFAULT` as theirs. So who has no
history gets everybody's best hour, and without any history it is 10 o'clock. An open counts half for its hour and a
quarter for each neighbour, as habits do not keep to the full hour. Pure: the same answer to the same question.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from engine.quiet import Hours, over_at

OWN, DAY = 4.0, 20.0
"""So many opens weigh as much as the prior."""
DEFAULT_HOUR = 10
HOUR = dt.timedelta(hours=1)
WINDOW = 24
"""The message leaves within so many hours."""
_near = [1 / (1 + min(abs(hour - DEFAULT_HOUR), 24 - abs(hour - DEFAULT_HOUR))) for hour in range(24)]
DEFAULT = tuple(weight / sum(_near) for weight in _near) * 7
"""By slot; the hours nearest to `DEFAULT_HOUR` come next."""

By = Literal["own", "everybody", "default"]
"""Whose history chose: the contact's, everybody's, or nobody's, as there is none yet."""
Kept = tuple[tuple[Hours, tuple[ZoneInfo, ...]], ...]
"""Quiet hours, each with the zones in which they hold."""


class Choice(NamedTuple):
    """When the message leaves, the slot of the contact's week that this is, and whose history chose it."""

    at: dt.datetime
    slot: int
    by: By


class Profile:
    """Smoothed counts of one contact, or of everybody: by slot, by hour of the day, by weekday, and all."""

    __slots__ = ("by_day", "by_hour", "by_slot", "total")

    def __init__(self, counts: Mapping[int, int]) -> None:
        self.by_slot: dict[int, float] = {}
        self.by_hour, self.by_day, self.total = [0.0] * 24, [0.0] * 7, 0.0
        for slot, count in counts.items():
            day, hour = divmod(slot, 24)
            self.by_day[day] += count
            self.total += count
            for near, weight in ((hour, count / 2), ((hour - 1) % 24, count / 4), ((hour + 1) % 24, count / 4)):
                self.by_hour[near] += weight
                self.by_slot[24 * day + near] = self.by_slot.get(24 * day + near, 0.0) + weight

    def share(self, slot: int, prior: float) -> float:
        """The part of its weekday's opens that falls into a slot; `prior` is what is thought without this history."""
        day, hour = divmod(slot, 24)
        always = (self.by_hour[hour] + OWN * prior) / (self.total + OWN)
        return (self.by_slot.get(slot, 0.0) + DAY * always) / (self.by_day[day] + DAY)


class Everybody:
    """The shares of all contacts together, by slot; `known` if there is any history. Compared by identity."""

    __slots__ = ("known", "shares")

    def __init__(self, counts: Mapping[int, int]) -> None:
        profile = Profile(counts)
        self.known = profile.total > 0
        self.shares = [profile.share(slot, prior) for slot, prior in enumerate(DEFAULT)]


NOBODY = Everybody({})


class Habits(NamedTuple):
    """What is known of a contact's hours. `quiet` are the workspace's quiet hours, which are no choice."""

    own: Profile | None = None
    everybody: Everybody = NOBODY
    quiet: Hours | None = None


UNKNOWN = Habits()


def slot_of(at: dt.datetime, zone: ZoneInfo) -> int:
    """The hour of the week in `zone`."""
    local = at.astimezone(zone)
    return 24 * local.weekday() + local.hour


def choose(habits: Habits, zones: tuple[ZoneInfo, ...], quiet: Kept, now: dt.datetime) -> Choice:
    """The best hour from `now` to a day later in the first of the zones: now, if that is in it, else when it begins.

    Hours that begin in quiet hours are no choice, unless all do. Of equals the first is taken.
    """
    if habits.quiet is not None:
        quiet = (*quiet, (habits.quiet, zones))
    if habits.own is None or habits.own.total <= 0:
        return _for_everybody(habits.everybody, zones, quiet, now)
    own, shares = habits.own, habits.everybody.shares
    at, slot = max(_candidates(zones, quiet, now), key=lambda one: own.share(one[1], shares[one[1]]))
    return Choice(at, slot, "own")


@lru_cache(maxsize=1024)
def _for_everybody(everybody: Everybody, zones: tuple[ZoneInfo, ...], quiet: Kept, now: dt.datetime) -> Choice:
    """People without a history live in few zones, so their answer is kept: a batch asks with one `now`."""
    at, slot = max(_candidates(zones, quiet, now), key=lambda one: everybody.shares[one[1]])
    return Choice(at, slot, "everybody" if everybody.known else "default")


@lru_cache(maxsize=1024)
def _candidates(zones: tuple[ZoneInfo, ...], quiet: Kept, now: dt.datetime) -> tuple[tuple[dt.datetime, int], ...]:
    """Instants with their slots, the first one now; those in no quiet hours, if there are such."""
    instants = hours(zones[0], now)
    allowed = [at for at in instants if all(over_at(kept, places, at) is None for kept, places in quiet)]
    return tuple((at, slot_of(at, zones[0])) for at in allowed or instants)


def hours(zone: ZoneInfo, now: dt.datetime) -> list[dt.datetime]:
    """`now`, and the beginnings of the hours of `zone` that follow within a day."""
    local = now.astimezone(zone)
    first = now - dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return [now.astimezone(dt.UTC), *((first + number * HOUR).astimezone(dt.UTC) for number in range(1, WINDOW))]
