"""When the last message of a campaign under way will have left, as far as its pace so far tells. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from engine.campaigns import schedule
from engine.campaigns.definition import Definition
from engine.campaigns.report import Report

FEWEST, SOONEST = 20, dt.timedelta(seconds=5)
"""A pace is known after so many messages and so long."""


def finish(found: Report, definition: Definition, waves: Sequence[Any], now: dt.datetime) -> dt.datetime | None:
    """None where nothing is left to send, or where nobody can tell yet. `waves` have `at`, `contacts` and `done`."""
    left = found.waiting + found.ahead
    if found.campaign.state != "sending" or not left:
        return None
    last = max((wave for wave in waves if not wave.done), key=lambda wave: wave.at, default=None)
    pace = _pace(found, definition, waves, now)
    if pace is None:
        return last.at if last is not None and last.at > now else None
    alone = last.at + min(int(last.contacts), left) * pace if last is not None else now
    return max(alone, now + _due(found, waves, now) * pace)


def _due(found: Report, waves: Sequence[Any], now: dt.datetime) -> int:
    """Messages that nothing but the pace holds up."""
    later = sum(int(wave.contacts) for wave in waves if not wave.done and wave.at > now)
    return max(0, found.waiting + found.ahead - later)


def _pace(found: Report, definition: Definition, waves: Sequence[Any], now: dt.datetime) -> dt.timedelta | None:
    """From one message to the next: as the throttle says, or as it has been so far."""
    if definition.throttle:
        return schedule.spacing(definition)
    done = found.total.sent + found.total.undelivered
    since = now - min((wave.at for wave in waves), default=now)
    return since / done if done >= FEWEST and since >= SOONEST else None
