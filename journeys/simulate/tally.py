"""What a replay counts. Tallies of different people add up, in any order, to the same one."""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from journeys.language.steps import Email, Sms

MOST_MESSAGED = 10
NOT_GONE_ON = ("waiting", "held", "timed_out", "settled", "fell_back")
"""Outcomes that are not a step passed; of the last two `queued` has spoken already."""


class Drawn(NamedTuple):
    """An entry at a split that chooses a winner: its arm, since when, and what it brought at which instants."""

    arm: str
    at: dt.datetime
    gains: tuple[tuple[dt.datetime, Decimal], ...]


@dataclass(slots=True)
class Tally:
    """Counts of a replay. `steps` maps a step to its outcomes, `arrived` to arrivals, `paths` to ways taken.

    `sent` and `withheld` count messages by step and, for `withheld`, by reason (`cap`, `unsubscribed`, …); `days` and
    `hours` count sent messages by UTC day and by hour of the day; `per_contact` counts people by number of messages.
    `delayed` counts by step how often the workspace's quiet hours held a message, `waiting` those that are held at the
    end of the span. `put_offs` counts by UTC day what was held (`held` at the step, `quiet` by the workspace) or
    withheld, by reason.
    `drawn` has the entries at splits that choose a winner.
    """

    people: int = 0
    entries: int = 0
    holdout: int = 0
    conversions: int = 0
    held_out_conversions: int = 0
    value: Decimal = Decimal(0)
    ended: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    steps: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    paths: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sent: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    withheld: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    delayed: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    put_offs: dict[dt.date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    days: Counter[dt.date] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    per_contact: Counter[int] = field(default_factory=Counter)
    most: list[tuple[int, str]] = field(default_factory=list)
    drawn: dict[str, list[Drawn]] = field(default_factory=lambda: defaultdict(list))

    def arrive(self, step_id: str) -> None:
        """An entry that has come to a step."""
        self.arrived[step_id] += 1

    def log(self, step_id: str, outcome: str, path: str | None) -> None:
        """A line of the step log."""
        self.steps[step_id][outcome] += 1
        if path is not None:
            self.paths[step_id][path] += 1

    def message(self, step: Email | Sms, now: dt.datetime) -> None:
        """A message that would have been handed over."""
        self.sent[step.id] += 1
        self.channels[step.kind] += 1
        self.days[now.date()] += 1
        self.hours[now.hour] += 1

    def put_off(self, now: dt.datetime, reason: str) -> None:
        """A message does not leave today as it might have."""
        self.put_offs[now.date()][reason] += 1

    def delay(self, step_id: str, now: dt.datetime) -> None:
        """The workspace's quiet hours hold a message."""
        self.delayed[step_id] += 1
        self.put_off(now, "quiet")

    def withhold(self, step_id: str, reason: str, now: dt.datetime) -> None:
        """A message ends unsent."""
        self.withheld[step_id][reason] += 1
        self.put_off(now, reason)

    def person(self, name: str, messages: int) -> None:
        """Everything of a contact has been counted."""
        self.people += 1
        self.per_contact[messages] += 1
        if messages and (len(self.most) < MOST_MESSAGED or _first((messages, name)) < _first(self.most[-1])):
            self.most = _top([*self.most, (messages, name)])

    def add(self, other: Tally) -> None:
        """Take in the counts of other people."""
        for name in ("people", "entries", "holdout", "conversions", "held_out_conversions", "value", "waiting"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("ended", "arrived", "sent", "channels", "days", "hours", "per_contact", "delayed"):
            getattr(self, name).update(getattr(other, name))
        for name in ("steps", "paths", "withheld"):
            mine: dict[str, Counter[str]] = getattr(self, name)
            for step_id, counts in getattr(other, name).items():
                mine[step_id].update(counts)
        for day, reasons in other.put_offs.items():
            self.put_offs[day].update(reasons)
        for step_id, drawn in other.drawn.items():
            self.drawn[step_id] += drawn
        self.most = _top([*self.most, *other.most])


def _top(found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return heapq.nsmallest(MOST_MESSAGED, found, key=_first)


def _first(one: tuple[int, str]) -> tuple[int, str]:
    """Most messages first, then by name."""
    return -one[0], one[1]


def as_json(tally: Tally, prices: dict[str, Decimal], step_ids: list[str], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The tally for machines. Costs are the messages' prices, one part each for SMS. `notes` say what is not known."""
    cost = sum((prices.get(channel, Decimal(0)) * count for channel, count in tally.channels.items()), Decimal(0))
    return {
        "people": tally.people,
        "entries": tally.entries,
        "holdout": tally.holdout,
        "messages": tally.sent.total(),
        "conversions": tally.conversions,
        "held_out_conversions": tally.held_out_conversions,
        "value": str(tally.value),
        "cost": str(cost),
        "ended": dict(sorted(tally.ended.items())),
        "withheld": dict(sorted(sum(tally.withheld.values(), Counter[str]()).items())),
        "waiting": tally.waiting,
        "by_step": {step_id: _step_json(tally, step_id) for step_id in step_ids},
        "by_day": {day.isoformat(): tally.days.get(day, 0) for day in _every_day(tally.days)},
        "put_off_by_day": {
            day.isoformat(): dict(sorted(tally.put_offs[day].items())) if day in tally.put_offs else {}
            for day in _every_day(tally.put_offs)
        },
        "by_hour": {str(hour): tally.hours.get(hour, 0) for hour in range(24)},
        "messages_per_contact": {str(number): count for number, count in sorted(tally.per_contact.items())},
        "most_messaged": [{"contact": name, "messages": number} for number, name in tally.most],
        "notes": list(notes),
    }


def _every_day(days: Collection[dt.date]) -> list[dt.date]:
    """From the first of these days to the last, those between too."""
    if not days:
        return []
    first, last = min(days), max(days)
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def _step_json(tally: Tally, step_id: str) -> dict[str, Any]:
    outcomes = tally.steps.get(step_id, Counter())
    gone_on = sum(count for name, count in outcomes.items() if name not in NOT_GONE_ON)
    return {
        "entered": tally.arrived[step_id],
        "passed": gone_on,
        "timed_out": outcomes["timed_out"],
        "messages": tally.sent[step_id],
        "held": outcomes["held"],
        "delayed": tally.delayed[step_id],
        "skipped": outcomes["skipped"],
        "withheld": dict(sorted(tally.withheld.get(step_id, Counter()).items())),
        "paths": dict(sorted(tally.paths.get(step_id, Counter()).items())),
    }
