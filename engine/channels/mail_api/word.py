"""What a vendor says of a message later on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Kind = Literal["delivered", "deferred", "soft", "hard", "policy", "complaint", ""]


@dataclass(frozen=True, slots=True)
class Word:
    """`own_id` is the vendor's name for this word, the same in each repeat; `name` is ours for the message, "" without.

    `kind` is what the vendor calls it; "" leaves it to `status` (RFC 3463) and `reason`, the receiving server's words.
    `payload` is what was said of this one, where one request says much of many; None: all that came.
    """

    own_id: str
    kind: Kind
    name: str
    recipient: str
    status: str
    reason: str
    occurred_at: dt.datetime | None
    payload: bytes | None = None


def moment(given: object) -> dt.datetime | None:
    """Seconds since 1970, or an instant in ISO 8601; None for anything else."""
    try:
        if isinstance(given, int | float):
            return dt.datetime.fromtimestamp(given, dt.UTC)
        read = dt.datetime.fromisoformat(str(given))
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def text(given: object) -> str:
    """A vendor's text; "" for what is none."""
    return str(given) if isinstance(given, str | int | float) else ""


def object_of(given: object) -> dict[str, object]:
    """A vendor's object; an empty one for what is none."""
    return given if isinstance(given, dict) else {}
