"""What becomes of a delivery by the answer: a pure decision, with the times between tries."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple

from engine.webhooks.call import Answer

FIRST = dt.timedelta(seconds=5)
LONGEST = dt.timedelta(hours=6)
PATIENCE = dt.timedelta(days=3)
GONE = 410
ENDPOINT_AT_FAULT = frozenset({401, 403, 408, 429, GONE})


class Change(NamedTuple):
    """The new state; `next_at` only for `pending`. `blames`: the endpoint itself does not work."""

    state: Literal["delivered", "pending", "failed"]
    next_at: dt.datetime | None
    error: str
    blames: bool


def change(answer: Answer, attempt: int, created_at: dt.datetime, now: dt.datetime, jitter: float) -> Change:
    """2xx has arrived; anything else is tried again for three days. `jitter` about 1 spreads the tries."""
    if answer.status is not None and 200 <= answer.status < 300:
        return Change("delivered", None, "", False)
    error = answer.error or f"the receiver answered {answer.status}"
    if answer.hopeless:
        return Change("failed", None, error, False)
    blames = answer.status is None or answer.status >= 500 or answer.status in ENDPOINT_AT_FAULT
    if now - created_at >= PATIENCE:
        return Change("failed", None, error, blames)
    asked = dt.timedelta(seconds=answer.retry_after)
    return Change("pending", now + max(delay(attempt, jitter), asked), error, blames)


def delay(attempt: int, jitter: float) -> dt.timedelta:
    """5 s, 20 s, 80 s, … up to 6 hours after the `attempt`th try (from 1), times `jitter`."""
    wait: dt.timedelta = min(FIRST * 4 ** min(attempt - 1, 10), LONGEST)
    return wait * jitter
