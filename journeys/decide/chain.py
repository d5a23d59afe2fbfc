"""Journeys that pass a contact on to journeys: by a step that starts one, or by an event that starts one.

What a step causes carries the step's name as its message id. That makes it one however often the step is tried again,
and lets a chain of entries be followed back, so that two journeys do not start each other for ever.
"""

from __future__ import annotations

import datetime as dt
import re

MOST = 25
SPAN = dt.timedelta(days=1)
"""A contact that was passed on MOST times, each time within SPAN of now, is not passed on further."""

REASON = f"passed on from journey to journey {MOST} times within a day"
PATTERN = r"^~step:([0-9]{12,18}):"


def message_id(enrolment_id: int, step_id: str, visit: int) -> str:
    """The message id of what a step causes.

    `~` sorts behind letters and digits, and the number is padded: what a step causes comes behind the entry's own
    trigger, should both be of the same instant.
    """
    return f"~step:{enrolment_id:012}:{step_id}:{visit}"


def cause(message_id: str) -> int | None:
    """The entry of which a step caused this, if one did."""
    found = re.match(PATTERN, message_id)
    return int(found[1]) if found else None
