"""Incremental lift of treated contacts over a holdout, with 95 % intervals.

Rates: difference of two proportions by Newcombe's hybrid score interval (Newcombe 1998, Statistics in Medicine 17,
method 10). Values: Welch's interval for a difference of means (Welch 1947, Biometrika 34).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from engine.reports.student import quantile

FEWEST_CONTACTS = 50
FEWEST_CONVERSIONS = 5
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Arm:
    """Independent contacts of an arm, those converted, and the sum and sum of squares of their values."""

    contacts: int
    conversions: int
    value: float = 0.0
    value_squared: float = 0.0

    @property
    def rate(self) -> float:
        """Converted part, 0..1; 0 for an empty arm."""
        return self.conversions / self.contacts if self.contacts else 0.0

    @property
    def mean(self) -> float:
        """Value per contact."""
        return self.value / self.contacts if self.contacts else 0.0

    @property
    def variance(self) -> float:
        """Sample variance of the value per contact."""
        if self.contacts < 2:
            return 0.0
        return max(0.0, (self.value_squared - self.contacts * self.mean**2) / (self.contacts - 1))


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """The interval scaled by a positive factor."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Lift:
    """What treatment added: `rate` as a difference of rates (0.02 is two points), `value` per contact.

    `enough` is false when an arm is too small to say anything; the figures are then not to be shown as a result.
    """

    enough: bool
    rate: Interval
    value: Interval
    incremental_conversions: Interval
    incremental_value: Interval


def lift(treated: Arm, holdout: Arm) -> Lift:
    """Compare two arms; the incremental figures are those of all treated contacts together."""
    enough = (
        min(treated.contacts, holdout.contacts) >= FEWEST_CONTACTS
        and treated.conversions + holdout.conversions >= FEWEST_CONVERSIONS
    )
    rate, value = rate_difference(treated, holdout), value_difference(treated, holdout)
    return Lift(enough, rate, value, rate.times(treated.contacts), value.times(treated.contacts))


def wilson(arm: Arm) -> tuple[float, float]:
    """Wilson's score interval of the arm's rate; (0, 1) for an empty arm."""
    n = arm.contacts
    if n == 0:
        return 0.0, 1.0
    centre = (arm.rate + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(arm.rate * (1 - arm.rate) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def rate_difference(treated: Arm, holdout: Arm) -> Interval:
    """treated.rate - holdout.rate."""
    low_t, high_t = wilson(treated)
    low_h, high_h = wilson(holdout)
    difference = treated.rate - holdout.rate
    below = math.hypot(treated.rate - low_t, high_h - holdout.rate)
    above = math.hypot(high_t - treated.rate, holdout.rate - low_h)
    return Interval(difference, difference - below, difference + above)


def value_difference(treated: Arm, holdout: Arm) -> Interval:
    """treated.mean - holdout.mean; without two contacts in each arm the interval is unbounded."""
    difference = treated.mean - holdout.mean
    if min(treated.contacts, holdout.contacts) < 2:
        return Interval(difference, -math.inf, math.inf)
    parts = [(arm.variance / arm.contacts, arm.contacts - 1) for arm in (treated, holdout)]
    error = math.sqrt(sum(part for part, _ in parts))
    if error == 0:
        return Interval(difference, difference, difference)
    freedom = error**4 / sum(part**2 / degrees for part, degrees in parts)
    half = quantile(0.975, freedom) * error
    return Interval(difference, difference - half, difference + half)
