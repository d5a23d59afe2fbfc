"""Attribution models as pure functions: touches of one contact in, shares of one conversion out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

MODEL_VERSION = 1


class Touch(NamedTuple):
    """A message that reached the contact; `clicked_at` is human, `opened_at` human or by proxy."""

    message: tuple[int, dt.datetime]
    clicked_at: dt.datetime | None
    opened_at: dt.datetime | None


def last_touch(
    touches: Sequence[Touch], converted_at: dt.datetime, click_window: dt.timedelta, open_window: dt.timedelta
) -> dict[tuple[int, dt.datetime], Decimal]:
    """The whole credit to the message of the latest click or open before the conversion, each within its window.

    Empty when nothing was touched in time. Of a click and an open at the same instant, the click counts.
    """
    found = [
        (at, kind, touch.message)
        for touch in touches
        for at, kind, window in ((touch.clicked_at, 1, click_window), (touch.opened_at, 0, open_window))
        if at is not None and converted_at - window <= at <= converted_at
    ]
    return {max(found)[2]: Decimal(1)} if found else {}
