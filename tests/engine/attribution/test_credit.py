"""Last touch: who gets the credit of a conversion."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.attribution.credit import Touch, last_touch

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
CLICK, OPEN = 7 * DAY, 3 * DAY


def touch(id_: int, clicked: dt.timedelta | None = None, opened: dt.timedelta | None = None) -> Touch:
    """A message, and how long before NOW it was clicked and opened."""
    return Touch((id_, NOW - 10 * DAY), *(None if ago is None else NOW - ago for ago in (clicked, opened)))


def credited(*touches: Touch) -> int | None:
    """The message that gets the whole credit."""
    shares = last_touch(touches, NOW, CLICK, OPEN)
    assert not shares or list(shares.values()) == [Decimal(1)]
    return next(iter(shares), (None,))[0]


@pytest.mark.parametrize(
    ("touches", "winner"),
    [
        ([], None),
        ([touch(1)], None),
        ([touch(1, clicked=HOUR)], 1),
        ([touch(1, opened=HOUR)], 1),
        ([touch(1, clicked=2 * HOUR), touch(2, clicked=HOUR)], 2),
        ([touch(1, clicked=2 * HOUR), touch(2, opened=HOUR)], 2),
        ([touch(1, clicked=HOUR), touch(2, opened=HOUR)], 1),
        ([touch(1, clicked=7 * DAY)], 1),
        ([touch(1, clicked=7 * DAY + HOUR)], None),
        ([touch(1, opened=3 * DAY)], 1),
        ([touch(1, opened=3 * DAY + HOUR)], None),
        ([touch(1, clicked=8 * DAY, opened=HOUR)], 1),
        ([touch(1, clicked=-HOUR)], None),
        ([touch(1, clicked=dt.timedelta(0))], 1),
        ([touch(1, clicked=-HOUR), touch(2, opened=2 * DAY)], 2),
    ],
)
def test_the_latest_click_or_open_in_its_window_gets_the_whole_credit(touches: list[Touch], winner: int | None) -> None:
    assert credited(*touches) == winner
    assert credited(*reversed(touches)) == winner


ago = st.none() | st.timedeltas(-2 * DAY, 12 * DAY)


@given(st.lists(st.builds(touch, st.integers(1, 9), ago, ago), max_size=12))
def test_shares_of_a_conversion_never_sum_to_more_than_one(touches: list[Touch]) -> None:
    shares = last_touch(touches, NOW, CLICK, OPEN)
    assert sum(shares.values()) <= 1
    assert all(share > 0 for share in shares.values())
    assert set(shares) <= {one.message for one in touches}
