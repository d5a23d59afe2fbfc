"""What an explanation says, as plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.expr.explain import Explanation


@dataclass(frozen=True, slots=True)
class Gate:
    """One question of the gate and what it saw. `waiting`: the message has not been at the gate yet."""

    name: str
    verdict: Literal["passed", "refused", "not asked", "waiting"]
    seen: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessageStory:
    """A message. `decided_at` is when it was at the gate; `reply` is the server's.

    `language` is that of the variant it was sent in, or would be now; `because` says why, by what the contact says now.
    Both are empty for a content without variants.
    """

    step: str | None
    visit: int | None
    channel: str
    content: str
    state: str
    reason: str | None
    queued_at: dt.datetime
    decided_at: dt.datetime | None
    accepted_at: dt.datetime | None
    attempts: int
    reply: str | None
    gates: tuple[Gate, ...]
    language: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call of an endpoint or a note by mail. `status` is of HTTP; `next_at` the next try of one that is pending."""

    step: str
    visit: int
    to: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None
    next_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the journey with its verdict now. `what`: wait, exit, goal; of a step `if`, or `path` and its name."""

    what: str
    explained: Explanation


@dataclass(frozen=True, slots=True)
class StepStory:
    """A line of the step log. `step` is empty for what concerns the whole entry.

    `detail` is of then. `rules` are the step's `if` or the rules of its paths, with what they see now.
    """

    at: dt.datetime
    step: str
    kind: str
    visit: int
    outcome: str
    detail: Mapping[str, Any] | None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where an active entry stands. `wakes_at` is when it is looked at again by itself, `deadline` when a wait ends."""

    step: str
    kind: str
    phase: str
    since: dt.datetime | None
    wakes_at: dt.datetime
    deadline: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the contact; `rules` are those that may still move or end it, with what they see now."""

    version: int
    status: str
    reason: str | None
    entered_at: dt.datetime
    ended_at: dt.datetime | None
    goal_at: dt.datetime | None
    held_out: bool
    arms: Mapping[str, str]
    trigger: Mapping[str, Any]
    steps: tuple[StepStory, ...]
    messages: tuple[MessageStory, ...]
    calls: tuple[CallStory, ...]
    waiting: Waiting | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something that could have let the contact in did not.

    why: never_happened, not_live, set_aside, not_looked_at, where, again, imported, late, joined_before, not_a_member,
    state, unknown. `rule` is the one that was false, with the values of today.
    """

    why: str
    words: str
    at: dt.datetime | None = None
    message_id: str = ""
    version: int | None = None
    rule: Explanation | None = None
    seen: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A contact and a journey: entries, oldest first, and what did not lead to one, newest first."""

    journey: str
    state: str
    live_version: int | None
    contact: str
    verdict: str
    entries: tuple[Entry, ...]
    refusals: tuple[Refusal, ...]


def as_json(story: Any) -> dict[str, Any]:
    """A story for programs; instants are ISO 8601."""
    found: dict[str, Any] = _plain(asdict(story))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
