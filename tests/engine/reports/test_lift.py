"""Intervals against published figures, SciPy, and what must hold of any of them."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import stdtrit

from engine.reports.lift import Arm, lift, rate_difference, value_difference, wilson
from engine.reports.student import below, quantile


@pytest.mark.parametrize(
    ("treated", "holdout", "difference", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.5714, 0.0582, 0.8062),
        ((5, 56), (0, 29), 0.0893, -0.0381, 0.1926),
        ((0, 10), (0, 20), 0.0, -0.1611, 0.2775),
        ((0, 10), (0, 10), 0.0, -0.2775, 0.2775),
        ((10, 10), (0, 20), 1.0, 0.6791, 1.0),
        ((10, 10), (0, 10), 1.0, 0.6075, 1.0),
    ],
)
def test_differences_of_rates_are_those_that_newcombe_published(
    treated: tuple[int, int], holdout: tuple[int, int], difference: float, low: float, high: float
) -> None:
    found = rate_difference(*(Arm(contacts, converted) for converted, contacts in (treated, holdout)))
    assert found.estimate == pytest.approx(difference, abs=5e-5)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(("converted", "contacts"), [(0, 10), (3, 10), (81, 263), (10, 10)])
def test_wilsons_interval_is_scipys(converted: int, contacts: int) -> None:
    expected = stats.binomtest(converted, contacts).proportion_ci(0.95, method="wilson")
    assert wilson(Arm(contacts, converted)) == (pytest.approx(expected.low), pytest.approx(expected.high))


counts = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(counts, counts)
def test_an_interval_of_rates_holds_its_estimate_and_stays_between_minus_one_and_one(
    treated: tuple[int, int], holdout: tuple[int, int]
) -> None:
    found, turned = rate_difference(Arm(*treated), Arm(*holdout)), rate_difference(Arm(*holdout), Arm(*treated))
    assert -1 - 1e-9 <= found.low <= found.estimate <= found.high <= 1 + 1e-9
    assert (turned.low, turned.high) == (pytest.approx(-found.high), pytest.approx(-found.low))


def arm(values: list[float]) -> Arm:
    return Arm(len(values), sum(value > 0 for value in values), sum(values), sum(value**2 for value in values))


values = st.lists(st.integers(0, 100_000).map(lambda cents: cents / 100), min_size=2, max_size=60)


@given(values, values)
def test_differences_of_values_are_those_of_scipys_welch_test(treated: list[float], holdout: list[float]) -> None:
    found = value_difference(arm(treated), arm(holdout))
    assert found.estimate == pytest.approx(sum(treated) / len(treated) - sum(holdout) / len(holdout), abs=1e-9)
    if len(set(treated)) == 1 and len(set(holdout)) == 1:
        assert found.high - found.low < 1e-2
        return
    expected = stats.ttest_ind(treated, holdout, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(expected.low, abs=1e-3), pytest.approx(expected.high, abs=1e-3))


@given(st.floats(1, 1e7), st.floats(0.5, 0.9999))
def test_students_t_is_scipys(freedom: float, probability: float) -> None:
    found = quantile(probability, freedom)
    assert found == pytest.approx(float(stdtrit(freedom, probability)), rel=1e-6, abs=1e-6)
    assert below(found, freedom) == pytest.approx(probability, abs=1e-7)


def test_a_report_imports_no_scipy() -> None:
    asked = "from engine.reports.lift import Arm, lift; lift(Arm(9, 3, 3, 5), Arm(9, 2, 2, 3))"
    code = f"{asked}; import sys; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("size", [0, 1])
def test_values_of_fewer_than_two_contacts_say_nothing(size: int) -> None:
    found = value_difference(arm([5.0] * 10), arm([1.0] * size))
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("treated", "holdout", "enough"),
    [
        (Arm(50, 5), Arm(50, 0), True),
        (Arm(49, 49), Arm(5000, 100), False),
        (Arm(5000, 100), Arm(49, 0), False),
        (Arm(500, 4), Arm(500, 0), False),
        (Arm(0, 0), Arm(0, 0), False),
    ],
)
def test_small_arms_are_not_shown_as_a_result(treated: Arm, holdout: Arm, enough: bool) -> None:
    assert lift(treated, holdout).enough is enough


def test_incremental_figures_are_those_of_all_treated_together() -> None:
    found = lift(Arm(1000, 100, 2000.0, 9000.0), Arm(100, 5, 60.0, 200.0))
    assert found.incremental_conversions.estimate == pytest.approx(50)
    assert found.incremental_value.estimate == pytest.approx(1400)
    assert found.incremental_value.low == pytest.approx(found.value.low * 1000)
