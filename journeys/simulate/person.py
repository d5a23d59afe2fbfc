"""One contact with the history that a draft is replayed over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engine.expr import Facts
from engine.habits.estimate import UNKNOWN, Habits


class Turn(NamedTuple):
    """A change of the contact in the span: consent (`channel`, `name` the topic, `state`), a segment or a list.

    For segments and lists `state` is `in` or `out`.
    """

    at: dt.datetime
    kind: Literal["consent", "segment", "list"]
    name: str
    state: str
    channel: str = ""


class Sent(NamedTuple):
    """A message that the contact got; `counts`: to the workspace's caps."""

    at: dt.datetime
    channel: str
    topic: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Person:
    """`facts` hold all events that the draft reads, in their order, and everything else as it was at the span's start.

    Attributes are those of today: their history is not kept. `suppressed` maps a channel to since when;
    at `called_at` a program lets the contact in. `habits` are those of today, where the draft asks for them.
    `sent` is what it really got, where caps count it.
    """

    id: int
    name: str
    facts: Facts
    turns: tuple[Turn, ...] = ()
    suppressed: Mapping[str, dt.datetime] = field(default_factory=dict)
    called_at: dt.datetime | None = None
    habits: Habits = UNKNOWN
    sent: tuple[Sent, ...] = ()
