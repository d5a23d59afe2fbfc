"""What the hits of one message amount to: classes, first open and click, events, counters. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.tracking.classify import Seen, Verdict, classify

OPENED = "Email Opened"
CLICKED = "Email Link Clicked"
DOUBLE_CLICK = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """A message that was hit, as the ledger has it. `content` and `journey` are slugs, `token` its outside name.

    `erased`: whom it went to has been forgotten since.
    """

    id: int
    origin_at: dt.datetime
    contact_id: int
    token: str
    channel: str
    content: str
    content_version_id: int | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    journey_id: int | None = None
    journey: str | None = None
    step: str | None = None
    state: str = "accepted"
    accepted_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    first_open_at: dt.datetime | None = None
    first_click_at: dt.datetime | None = None
    erased: bool = False

    @property
    def properties(self) -> dict[str, Any]:
        """What events about this message say of it; a new object each time."""
        return {"content": self.content, "step": self.step, "journey": self.journey, "message": self.token}

    def day(self, now: dt.datetime) -> dt.date:
        """The UTC day under which the reports count this message."""
        return (self.accepted_at or self.ended_at or now).astimezone(dt.UTC).date()


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A hit that waits for its class."""

    id: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class TrackedEvent:
    """An event to record. `position` is the clicked link's, None for opens."""

    name: str
    message_id: str
    occurred_at: dt.datetime
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`verdicts` are in the order of the hits; `first_open_at` and `first_click_at` are None when nothing changes."""

    message: TrackedMessage
    hits: Sequence[StoredHit]
    verdicts: tuple[Verdict, ...]
    events: tuple[TrackedEvent, ...]
    metrics: Mapping[str, int | Decimal]
    first_open_at: dt.datetime | None
    first_click_at: dt.datetime | None

    @property
    def classes(self) -> tuple[str, ...]:
        """What the hits are, in their order."""
        return tuple(verdict.kind for verdict in self.verdicts)

    @property
    def proves_delivery(self) -> bool:
        """A person clicked in a message of which nobody knew whether it was accepted."""
        return self.message.state == "unknown" and self.first_click_at is not None


def judge(message: TrackedMessage, hits: Sequence[StoredHit]) -> Outcome:
    """Classify the hits and say what follows.

    Human and proxy opens count, and of clicks the human ones; a human click implies an open, since mail programs may
    hold back images. The first open of a message is an event and each human click is one; a double click is one click.
    """
    verdicts = tuple(classify([hit.seen for hit in hits], message.accepted_at))
    judged = sorted(zip(hits, verdicts, strict=True), key=lambda pair: (pair[0].seen.at, pair[0].id))
    opens = [hit for hit, said in judged if hit.seen.kind == "open" and said.kind in ("human", "proxy_open")]
    clicks = [hit for hit, said in judged if hit.seen.kind == "click" and said.kind == "human"]
    opened = _opened(message, opens, clicks)
    first_click = clicks[0].seen.at if clicks and message.first_click_at is None else None
    metrics: dict[str, int | Decimal] = {
        "raw_opens": sum(hit.seen.kind == "open" for hit in hits),
        "raw_clicks": sum(hit.seen.kind == "click" for hit in hits),
        "human_opens": int(opened is not None),
        "human_clicks": int(first_click is not None),
    }
    events = [opened] if opened else []
    events += [
        TrackedEvent(CLICKED, f"hit-{hit.id}", hit.seen.at, hit.seen.position) for hit in _without_repeats(clicks)
    ]
    first_open = opened.occurred_at if opened else None
    return Outcome(message, hits, verdicts, tuple(events), metrics, first_open, first_click)


def _opened(message: TrackedMessage, opens: Sequence[StoredHit], clicks: Sequence[StoredHit]) -> TrackedEvent | None:
    """The first open, if this message had none: the earliest of its opens and clicks."""
    if message.first_open_at is not None or not (opens or clicks):
        return None
    first = min([*opens[:1], *clicks[:1]], key=lambda hit: (hit.seen.at, hit.id))
    suffix = "-open" if first.seen.kind == "click" else ""
    return TrackedEvent(OPENED, f"hit-{first.id}{suffix}", first.seen.at)


def _without_repeats(clicks: Sequence[StoredHit]) -> list[StoredHit]:
    """The clicks, in order, less those on the same link within two seconds of the one before."""
    kept: list[StoredHit] = []
    last: dict[int | None, dt.datetime] = {}
    for hit in clicks:
        before = last.get(hit.seen.position)
        last[hit.seen.position] = hit.seen.at
        if before is None or hit.seen.at - before > DOUBLE_CLICK:
            kept.append(hit)
    return kept
