"""Student's t, as far as an interval needs it. SciPy has it too, but takes a second of a page to be imported."""

from __future__ import annotations

import math

TINY = 1e-300
EXACT = 1e-15
MOST_STEPS = 10_000


def quantile(probability: float, freedom: float) -> float:
    """The t below which `probability` (0.5 to 1) lies, for any degrees of freedom from 1 on.

    Newton's method from below: there the distribution bends downwards, so that no step goes too far.
    """
    t = 0.0
    for _ in range(100):
        step = (probability - below(t, freedom)) / _density(t, freedom)
        t += step
        if abs(step) <= 1e-10 * t:
            break
    return t


def below(t: float, freedom: float) -> float:
    """The probability of at most t, for t from 0 on."""
    return 1 - _beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2


def _density(t: float, freedom: float) -> float:
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function; its continued fraction converges fast below the mean (DLMF 8.17.22)."""
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)) by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, MOST_STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + term * d or TINY)
        c = 1 + term / c or TINY
        value *= c * d
        if abs(c * d - 1) < EXACT:
            break
    return value
