"""Back-tests of VaR: Kupiec's and Christoffersen's tests, and the zones of Basel."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from risk.engine import (
    BackTestError,
    Transitions,
    Zone,
    conditional_coverage,
    independence,
    non_rejection_region,
    proportion_of_failures,
    traffic_light,
    transitions,
)

series = st.lists(st.booleans(), min_size=2, max_size=400)


def test_three_exceptions_of_250_at_99_percent_are_no_surprise():
    found = proportion_of_failures(250, 3, 0.01)
    # Twice the log of (0.012/0.01)^3 (0.988/0.99)^247; some calculators print twice that again.
    assert found.statistic == pytest.approx(0.0949401, abs=1e-7)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1), rel=1e-12)


@given(st.integers(1, 2000), st.floats(0.001, 0.5))
def test_the_statistic_is_least_at_the_expected_number(days, p):
    counts = np.unique(np.linspace(0, days, 12).astype(int))
    found = [proportion_of_failures(days, int(n), p).statistic for n in counts]
    assert min(found) >= 0.0
    below = [s for n, s in zip(counts, found, strict=True) if n <= days * p]
    above = [s for n, s in zip(counts, found, strict=True) if n >= days * p]
    assert below == sorted(below, reverse=True)
    assert above == sorted(above)


def test_no_exception_and_nothing_but_exceptions_have_a_statistic():
    assert proportion_of_failures(250, 0, 0.01).statistic == pytest.approx(
        -500 * np.log(0.99), rel=1e-12
    )
    assert proportion_of_failures(10, 10, 0.01).statistic == pytest.approx(
        -20 * np.log(0.01), rel=1e-12
    )


@given(st.integers(50, 1500), st.sampled_from([0.01, 0.025, 0.05, 0.075, 0.1]))
def test_the_region_is_where_the_test_does_not_reject(days, p):
    lo, hi = non_rejection_region(days, p)
    inside = [n for n in range(days + 1) if proportion_of_failures(days, n, p).p_value > 0.05]
    assert inside == list(range(-1 if lo is None else lo, days + 1 if hi is None else hi))[1:]


@given(series)
def test_transitions_are_counted_from_the_second_day(days):
    counts = transitions(days)
    pairs = list(pairwise(days))
    assert counts == Transitions(
        *(
            pairs.count(pair)
            for pair in [(False, False), (False, True), (True, False), (True, True)]
        )
    )


@given(series)
def test_independence_compares_two_likelihoods(days):
    counts = transitions(days)
    found = independence(counts)

    def log_likelihood(after_quiet, after_hit):
        before, now = np.array(days[:-1]), np.array(days[1:])
        chance = np.where(before, after_hit, after_quiet)
        with np.errstate(divide="ignore"):
            return float(np.log(np.where(now, chance, 1 - chance)).sum())

    either = (counts.n01 + counts.n11) / (len(days) - 1)
    quiet = counts.n01 / max(counts.n00 + counts.n01, 1)
    hit = counts.n11 / max(counts.n10 + counts.n11, 1)
    slow = 2 * (log_likelihood(quiet, hit) - log_likelihood(either, either))
    assert found.statistic == pytest.approx(max(slow, 0.0), abs=1e-8)


def test_clusters_are_found_and_an_even_spread_is_not():
    clustered = [0] * 95 + [1] * 5
    spread = ([0] * 19 + [1]) * 5
    assert independence(transitions(clustered)).p_value < 1e-4
    assert independence(transitions(spread)).p_value > 0.3


def test_conditional_coverage_has_two_degrees_of_freedom():
    frequency, clustering = (
        proportion_of_failures(250, 6, 0.01),
        independence(Transitions(238, 5, 5, 1)),
    )
    both = conditional_coverage(frequency, clustering)
    assert both.statistic == frequency.statistic + clustering.statistic
    assert both.p_value == pytest.approx(np.exp(-both.statistic / 2), rel=1e-12)


def test_the_zones_of_250_days_begin_at_5_and_10():
    zones = [traffic_light(n).zone for n in range(12)]
    assert zones == [Zone.GREEN] * 5 + [Zone.YELLOW] * 5 + [Zone.RED] * 2
    assert [traffic_light(n).add_on for n in (4, 5, 9, 10, 40)] == [0.0, 0.40, 0.85, 1.0, 1.0]
    assert traffic_light(7).cumulative == pytest.approx(binom.cdf(7, 250, 0.01), rel=1e-12)
    # Other lengths have zones by probability, and no table of add-ons.
    assert traffic_light(9, observations=500).add_on is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: proportion_of_failures(0, 0, 0.01), "observations"),
        (lambda: proportion_of_failures(10, 11, 0.01), "exceptions"),
        (lambda: proportion_of_failures(10, -1, 0.01), "exceptions"),
        (lambda: proportion_of_failures(10, 1, 1.0), "p: 1.0"),
        (lambda: proportion_of_failures(10, 1, float("nan")), "p: nan"),
        (lambda: non_rejection_region(250, 0.01, size=0.0), "size"),
        (lambda: transitions([1]), "two days"),
        (lambda: transitions([0, 2]), "0 or 1"),
        (lambda: transitions([[0, 1]]), "one row"),
        (lambda: independence(Transitions(0, 0, 0, 0)), "transitions"),
        (lambda: independence(Transitions(5, -1, 0, 0)), "transitions"),
        (lambda: traffic_light(3, p=0.0), "p: 0.0"),
    ],
)
def test_refuses_what_cannot_be_tested(call, said):
    with pytest.raises(BackTestError, match=said):
        call()
