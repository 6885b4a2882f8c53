"""
Back-tests of VaR: how often it was exceeded, whether exceptions cluster, and Basel's zones.

Exceptions are days whose loss was above the VaR stated for them; p is the tail probability of that
VaR, 0.01 at 99 %. In likelihoods 0 · ln 0 is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class BackTestError(ValueError):
    """Raised for counts or a series that cannot be tested; names the argument and the rule."""


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A statistic and the probability of one as large or larger if the VaR were right."""

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Transitions:
    """
    How often a day of one kind followed on one of another; `n01` is quiet, then an exception.

    The first day follows on none, so they sum to one less than the days.
    """

    n00: int
    n01: int
    n10: int
    n11: int


class Zone(StrEnum):
    """Where the Basel Committee puts a number of exceptions."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """
    A zone and what it rests on.

    cumulative      probability of so many exceptions or fewer, if the VaR were right
    add_on          to the multiplier of 3; None but of 250 days at 99 %, which alone have a table
    """

    zone: Zone
    cumulative: float
    add_on: float | None


# Basel Committee, Supervisory framework for the use of backtesting (1996), table 2.
_ADD_ONS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.00)


def proportion_of_failures(observations: int, exceptions: int, p: float) -> LikelihoodRatio:
    """
    Test whether exceptions are as frequent as they should be (Kupiec 1995), one degree of freedom.

    :raises BackTestError: naming the argument.
    """
    _check_counts(observations, exceptions, p)
    hits, quiet = exceptions, observations - exceptions
    seen = hits / observations
    statistic = 2.0 * (
        _likelihood(quiet, 1.0 - seen) + _likelihood(hits, seen)
        - _likelihood(quiet, 1.0 - p) - _likelihood(hits, p)
    )  # fmt: skip
    return _ratio(statistic, 1)


def non_rejection_region(
    observations: int, p: float, *, size: float = 0.05
) -> tuple[int | None, int | None]:
    """
    Return the counts between which Kupiec's test does not reject: lo < exceptions < hi.

    lo is None where even no exception is accepted, hi where every day may be one.

    size    probability of rejecting a VaR that is right

    :raises BackTestError: naming the argument.
    """
    _check_counts(observations, 0, p)
    if not 0.0 < size < 1.0:
        raise BackTestError(f"size: {size} must lie within (0, 1).")
    # The statistic falls to its zero at the expected number and rises after it.
    middle = round(observations * p)

    def accepts(count: int) -> bool:
        return proportion_of_failures(observations, count, p).p_value > size

    lo = next((n for n in range(middle, -1, -1) if not accepts(n)), None)
    hi = next((n for n in range(middle, observations + 1) if not accepts(n)), None)
    return lo, hi


def transitions(exceptions: npt.ArrayLike) -> Transitions:
    """
    Count the transitions of a series of days, the earliest first.

    exceptions  shape (day,): 1 or True of a day that exceeded its VaR, else 0

    :raises BackTestError: for fewer than two days, or a value that is neither 0 nor 1.
    """
    series = np.asarray(exceptions)
    if series.ndim != 1 or series.size < 2:
        raise BackTestError("exceptions: must be one row of at least two days.")
    if not np.isin(series, (0, 1)).all():
        raise BackTestError("exceptions: each day must be 0 or 1.")
    pairs = 2 * series[:-1].astype(np.int64) + series[1:].astype(np.int64)
    return Transitions(*(int(n) for n in np.bincount(pairs, minlength=4)))


def independence(counts: Transitions) -> LikelihoodRatio:
    """
    Test whether an exception makes one on the next day likelier (Christoffersen 1998).

    Against a first-order Markov chain, one degree of freedom. Without any exception there is
    nothing to tell apart: the statistic is zero.

    :raises BackTestError: for a negative count, or no transition at all.
    """
    n00, n01, n10, n11 = counts.n00, counts.n01, counts.n10, counts.n11
    total = n00 + n01 + n10 + n11
    if min(n00, n01, n10, n11) < 0 or not total:
        raise BackTestError("transitions: must be counts, with at least one above zero.")
    after_quiet = n01 / (n00 + n01) if n00 + n01 else 0.0
    after_hit = n11 / (n10 + n11) if n10 + n11 else 0.0
    either = (n01 + n11) / total
    statistic = 2.0 * (
        _likelihood(n00, 1.0 - after_quiet) + _likelihood(n01, after_quiet)
        + _likelihood(n10, 1.0 - after_hit) + _likelihood(n11, after_hit)
        - _likelihood(n00 + n10, 1.0 - either) - _likelihood(n01 + n11, either)
    )  # fmt: skip
    return _ratio(statistic, 1)


def conditional_coverage(
    frequency: LikelihoodRatio, clustering: LikelihoodRatio
) -> LikelihoodRatio:
    """Test frequency and independence together (Christoffersen 1998), two degrees of freedom."""
    return _ratio(frequency.statistic + clustering.statistic, 2)


def traffic_light(exceptions: int, *, observations: int = 250, p: float = 0.01) -> TrafficLight:
    """
    Return the Basel zone of a number of exceptions.

    Yellow begins where so many or fewer have a probability of 95 %, red of 99.99 %: with 250 days
    at 99 % at 5 and at 10.

    :raises BackTestError: naming the argument.
    """
    from scipy.special import bdtr

    _check_counts(observations, exceptions, p)
    cumulative = float(bdtr(exceptions, observations, p))
    zone = Zone.GREEN if cumulative < 0.95 else Zone.YELLOW if cumulative < 0.9999 else Zone.RED
    has_table = observations == 250 and p == 0.01
    add_on = _ADD_ONS[min(exceptions, len(_ADD_ONS) - 1)] if has_table else None
    return TrafficLight(zone, cumulative, add_on)


def _likelihood(count: int, probability: float) -> float:
    """Return count · ln probability."""
    return count * float(np.log(probability)) if count else 0.0


def _ratio(statistic: float, degrees: int) -> LikelihoodRatio:
    from scipy.special import chdtrc

    # Rounding may leave a statistic of nothing just below zero.
    statistic = max(statistic, 0.0)
    return LikelihoodRatio(statistic, float(chdtrc(degrees, statistic)))


def _check_counts(observations: int, exceptions: int, p: float) -> None:
    if observations < 1:
        raise BackTestError(f"observations: {observations} must be 1 or more.")
    if not 0 <= exceptions <= observations:
        raise BackTestError(f"exceptions: {exceptions} must be within 0 and {observations}.")
    if not 0.0 < p < 1.0:
        raise BackTestError(f"p: {p} must lie within (0, 1).")
