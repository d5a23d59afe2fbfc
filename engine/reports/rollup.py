"""Counters, raised in the commits that change the ledger. `rebuild` makes them anew from it (I4)."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

METRICS = (
    *("sent", "undelivered", "raw_opens", "human_opens", "raw_clicks", "human_clicks", "unsubscribes"),
    *("delivered", "bounced", "complained", "untracked"),
    *("conversions", "revenue", "cost"),
)


ENTRY_METRICS = ("entries", "goals", "contacts", "conversions", "value", "value_squared")


class MessageDelta(NamedTuple):
    """Metrics to add for messages of a step on a day; `metrics` has names of `METRICS`. Campaigns use journey_id 0."""

    journey_id: int
    step_id: str
    channel: str
    day: dt.date
    metrics: Mapping[str, int | Decimal]


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Counters raised in the block are written at its end, each row once and in one order.

    Every worker raises the same few rows: a transaction holds them as shortly as it can, and two never meet crosswise.
    """
    if PENDING in session.info:
        yield
        return
    pending = session.info[PENDING] = _Pending()
    try:
        yield
    finally:
        del session.info[PENDING]
    messages(session, pending.messages)
    for (journey_id, day), counts in sorted(pending.steps.items()):
        steps(session, journey_id, day, counts)
    for journey_id, deltas in sorted(pending.entries.items()):
        entries(session, journey_id, deltas)


PENDING = "rollups"


@dataclass
class _Pending:
    messages: list[MessageDelta] = field(default_factory=list)
    steps: dict[tuple[int, dt.date], Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    entries: dict[int, list[EntryDelta]] = field(default_factory=lambda: defaultdict(list))


def messages(session: Session, deltas: Iterable[MessageDelta]) -> None:
    """Add to the counters of messages. Rows are touched in key order, so concurrent commits wait and never deadlock."""
    if (pending := session.info.get(PENDING)) is not None:
        pending.messages += deltas
        return
    sums: dict[tuple[int, str, str, dt.date], dict[str, int | Decimal]] = defaultdict(lambda: defaultdict(int))
    for delta in deltas:
        key = (delta.journey_id, delta.step_id, delta.channel, delta.day)
        for name, value in delta.metrics.items():
            sums[key][name] += value
    if not sums:
        return
    rows = [
        {"journey_id": key[0], "step_id": key[1], "channel": key[2], "day": key[3]}
        | {name: sums[key].get(name, 0) for name in METRICS}
        for key in sorted(sums)
    ]
    session.execute(MESSAGES, rows)


def withheld(session: Session, counts: Mapping[tuple[int, str, str, dt.date, str], int]) -> None:
    """Add to what the gate withheld: (journey id, step id, channel, day, reason) -> messages."""
    rows = [
        {"journey_id": key[0], "step_id": key[1], "channel": key[2], "day": key[3], "reason": key[4]}
        | {"messages": counts[key]}
        for key in sorted(counts)
    ]
    if rows:
        session.execute(WITHHELD, rows)


def steps(session: Session, journey_id: int, day: dt.date, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the counters of the step log: (step id, outcome) -> rows."""
    if (pending := session.info.get(PENDING)) is not None:
        pending.steps[journey_id, day].update(counts)
        return
    rows = [
        {
            "journey_id": journey_id,
            "step_id": step_id,
            "outcome": outcome,
            "day": day,
            "count": counts[step_id, outcome],
        }
        for step_id, outcome in sorted(counts)
    ]
    if rows:
        session.execute(STEPS, rows)


class EntryDelta(NamedTuple):
    """What an entry adds to its arm: split id or '', arm, day of entry; whether it is the contact's first entry.

    The holdout is the arm `holdout` of split ''. A goal met has its `value`; a new entry has None.
    """

    split_id: str
    arm: str
    day: dt.date
    first: bool
    value: Decimal | None = None


def entries(session: Session, journey_id: int, deltas: Iterable[EntryDelta]) -> None:
    """Add entries and goals to the counters of their arms."""
    if (pending := session.info.get(PENDING)) is not None:
        pending.entries[journey_id] += deltas
        return
    sums: dict[tuple[str, str, dt.date], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for delta in deltas:
        counted = sums[delta.split_id, delta.arm, delta.day]
        if delta.value is None:
            counted["entries"] += 1
            counted["contacts"] += int(delta.first)
            continue
        counted["goals"] += 1
        if delta.first:
            counted["conversions"] += 1
            counted["value"] += delta.value
            counted["value_squared"] += delta.value**2
    rows = [
        {"journey_id": journey_id, "split_id": key[0], "arm": key[1], "day": key[2]}
        | {name: sums[key].get(name, 0) for name in ENTRY_METRICS}
        for key in sorted(sums)
    ]
    if rows:
        session.execute(ENTRIES, rows)


_sums = ", ".join(f"{name} = message_rollups.{name} + excluded.{name}" for name in METRICS)
MESSAGES = text(
    f"insert into message_rollups (journey_id, step_id, channel, day, {', '.join(METRICS)}) "
    f"values (:journey_id, :step_id, :channel, :day, {', '.join(':' + name for name in METRICS)}) "
    f"on conflict (journey_id, step_id, channel, day) do update set {_sums}"
)
STEPS = text(
    "insert into step_rollups (journey_id, step_id, outcome, day, count) "
    "values (:journey_id, :step_id, :outcome, :day, :count) "
    "on conflict (journey_id, step_id, outcome, day) do update set count = step_rollups.count + excluded.count"
)
WITHHELD = text(
    "insert into withheld_rollups (journey_id, step_id, channel, day, reason, messages) "
    "values (:journey_id, :step_id, :channel, :day, :reason, :messages) "
    "on conflict (journey_id, step_id, channel, day, reason) "
    "do update set messages = withheld_rollups.messages + excluded.messages"
)
_entry_sums = ", ".join(f"{name} = entry_rollups.{name} + excluded.{name}" for name in ENTRY_METRICS)
ENTRIES = text(
    f"insert into entry_rollups (journey_id, split_id, arm, day, {', '.join(ENTRY_METRICS)}) "
    f"values (:journey_id, :split_id, :arm, :day, {', '.join(':' + name for name in ENTRY_METRICS)}) "
    f"on conflict (journey_id, split_id, arm, day) do update set {_entry_sums}"
)
