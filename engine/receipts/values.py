"""What a receipt says, whoever brings it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from engine.tracking.links import MessageKey

Kind = Literal["delivered", "deferred", "soft", "hard", "policy", "complaint", "replied", "ignored"]

STATES: dict[str, str] = {
    "delivered": "delivered",
    "soft": "bounced",
    "hard": "bounced",
    "policy": "bounced",
    "complaint": "complained",
}
"""The state that a message takes by a receipt; other kinds leave it where it is."""
RANKS = {"unknown": 0, "accepted": 1, "delivered": 2, "bounced": 3, "complained": 3}
"""A receipt moves a message to a state of a higher rank only. States without a rank are not moved by receipts."""
REASONS = {"hard": "hard_bounce", "soft": "soft_bounce", "policy": "policy", "complaint": "complaint"}
"""What `messages.reason` says then."""
LARGEST_PAYLOAD = 64 * 1024
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """One word about one message.

    `provider_id` is the provider's own name for this word, the same whenever it is repeated. `message` is None when
    nobody knows which is meant; `recipient` is then the address that it speaks of. `status` is a code of RFC 3463 or
    the provider's own; `occurred_at` is aware, and the instant of receipt when None.
    """

    provider: str
    provider_id: str
    kind: Kind
    channel: str = "email"
    message: MessageKey | None = None
    recipient: str | None = None
    status: str = ""
    reason: str = ""
    occurred_at: dt.datetime | None = None
    payload: bytes | None = None


def moves(state: str, kind: str) -> bool:
    """Whether a message in `state` goes on to the state that a receipt of `kind` says."""
    wanted = STATES.get(kind)
    return wanted is not None and state in RANKS and RANKS[wanted] > RANKS[state]
