"""Intervals as bars: where an estimate and its 95 % interval stand on a scale that the rows of a table share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.reports.lift import Interval

WIDTH = 144.0
MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Places on the bar in pixels from its left. `tone`: up if the interval lies above zero, down below, else even."""

    low: float
    high: float
    estimate: float
    zero: float
    tone: str


@dataclass(frozen=True, slots=True)
class Scale:
    """What the ends of a bar stand for."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Pixels from the left; what lies outside is drawn at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + min(1.0, max(0.0, share)) * (WIDTH - 2 * MARGIN), 1)

    def bar(self, interval: Interval) -> Bar:
        """The interval on this scale."""
        tone = "up" if interval.low > 0 else "down" if interval.high < 0 else "even"
        low, high, estimate = self.place(interval.low), self.place(interval.high), self.place(interval.estimate)
        return Bar(low, high, estimate, self.place(0.0), tone)


def scale_of(intervals: Iterable[Interval]) -> Scale:
    """A scale that holds all intervals and zero."""
    found = list(intervals)
    low = min([0.0, *(item.low for item in found)])
    high = max([0.0, *(item.high for item in found)])
    return Scale(low, high) if high > low else Scale(-1.0, 1.0)
