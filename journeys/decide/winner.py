"""Which arm of a split wins: the one with the most for each entry; none if there is nothing or two are equal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple


class Figure(NamedTuple):
    """Of an arm: how many entries it drew, and what they brought: entries with a click, goals met, or revenue."""

    entries: int
    gain: Decimal


def best(figures: Mapping[str, Figure]) -> str | None:
    """The arm that wins, by its name; None keeps the shares."""
    rates = {arm: Fraction(one.gain) / one.entries for arm, one in figures.items() if one.entries}
    most = max(rates.values(), default=Fraction(0))
    leading = [arm for arm, rate in rates.items() if rate == most]
    return leading[0] if most > 0 and len(leading) == 1 else None
