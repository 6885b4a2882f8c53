"""Discount curves: zero rates or deposits to discount factors, log-linear in time, ACT/365."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from trading.curves._quotes import CurveDoesNotCover, CurveError

Floats = npt.NDArray[np.float64]
Dates = npt.NDArray[np.datetime64]

DAYS_PER_YEAR = 365.0


class Compounding(StrEnum):
    """
    How a rate r over t years (ACT/365) becomes a discount factor.

    SIMPLE is 1 / (1 + r t), as deposits; ANNUAL (1 + r)^−t; CONTINUOUS e^(−r t).
    """

    SIMPLE = "SIMPLE"
    ANNUAL = "ANNUAL"
    CONTINUOUS = "CONTINUOUS"


@dataclass(frozen=True, eq=False)
class DiscountCurve:
    """
    Hold discount factors of a currency; their logarithm is linear between the nodes.

    valued_on    the date that factors discount to; its factor is 1
    dates        nodes, datetime64[D], ascending, later than valued_on
    log_factors  natural logarithm of the factor at each node

    The forward rate is flat between nodes and goes on flat after the last. Rates of any sign.

    :raises CurveError: for nodes out of order, on or before valued_on, or not finite.
    """

    currency: str
    valued_on: date
    dates: Dates
    log_factors: Floats

    def __post_init__(self) -> None:
        if not len(self.dates) or len(self.dates) != len(self.log_factors):
            raise CurveError("dates: give one factor for each of at least one date.")
        days = days_from(self.valued_on, self.dates)
        if (np.diff(days, prepend=0) <= 0).any():
            raise CurveError(f"dates: must ascend and be later than {self.valued_on}.")
        if not np.isfinite(self.log_factors).all():
            raise CurveError("log_factors: must be finite; discount factors are above zero.")

    @classmethod
    def from_rates(
        cls,
        currency: str,
        *,
        valued_on: date,
        rates: Mapping[date, float],
        compounding: Compounding = Compounding.CONTINUOUS,
    ) -> Self:
        """
        Return the curve through zero rates to dates, 0.025 for 2.5 %.

        :raises CurveError: for a rate so negative that its factor is not above zero.
        """
        ordered = sorted(rates)
        dates = np.array(ordered, dtype="datetime64[D]")
        rate = np.array([rates[day] for day in ordered], dtype=float)
        years = days_from(valued_on, dates) / DAYS_PER_YEAR
        growth = {
            Compounding.SIMPLE: 1 + rate * years,
            Compounding.ANNUAL: 1 + rate,
            Compounding.CONTINUOUS: np.exp(rate),
        }[compounding]
        if not (growth > 0).all():
            worst = ordered[int(growth.argmin())]
            raise CurveError(f"rates: {rates[worst]:g} to {worst} leaves nothing to discount.")
        exponent = 1.0 if compounding is Compounding.SIMPLE else years
        return cls(currency, valued_on, dates, -exponent * np.log(growth))

    def log_factor(self, dates: Dates) -> Floats:
        """
        Return the logarithm of the discount factor at dates, same shape.

        :raises CurveDoesNotCover: for a date before valued_on.
        """
        days = days_from(self.valued_on, dates)
        if (days < 0).any():
            raise CurveDoesNotCover(f"dates: {dates[days < 0].flat[0]} is before {self.valued_on}.")
        known = np.concatenate([[0.0], days_from(self.valued_on, self.dates)])
        return log_linear(days, known, np.concatenate([[0.0], self.log_factors]))

    def factors(self, dates: Dates) -> Floats:
        """Return the discount factor at dates, same shape."""
        factors: Floats = np.exp(self.log_factor(dates))
        return factors

    def factor(self, on: date) -> float:
        """Return the discount factor of one date."""
        return float(self.factors(np.array([on], dtype="datetime64[D]"))[0])

    def zero_rate(self, on: date, compounding: Compounding = Compounding.CONTINUOUS) -> float:
        """
        Return the zero rate to a date after valued_on.

        :raises CurveDoesNotCover: for valued_on itself, which has no rate.
        """
        return self.forward_rate(self.valued_on, on, compounding)

    def forward_rate(
        self, start: date, end: date, compounding: Compounding = Compounding.CONTINUOUS
    ) -> float:
        """
        Return the rate agreed today from one date to a later one.

        :raises CurveDoesNotCover: unless start is before end.
        """
        years = (end - start).days / DAYS_PER_YEAR
        if years <= 0:
            raise CurveDoesNotCover(f"end: {end} must be after {start}.")
        first, latest = self.log_factor(np.array([start, end], dtype="datetime64[D]")).tolist()
        growth = first - latest
        if compounding is Compounding.SIMPLE:
            return float(np.expm1(growth)) / years
        if compounding is Compounding.ANNUAL:
            return float(np.expm1(growth / years))
        return float(growth / years)


def days_from(origin: date, dates: Dates) -> Floats:
    """Return whole days from a date to others, same shape."""
    days: Floats = (dates.astype("datetime64[D]") - np.datetime64(origin, "D")).astype(float)
    return days


def log_linear(at: Floats, known: Floats, values: Floats) -> Floats:
    """
    Interpolate linearly, and go on in a straight line after the last node; same shape as `at`.

    known    ascending, at least one; a single node is constant
    """
    if len(known) == 1:
        return np.full(at.shape, values[0])
    index = np.clip(np.searchsorted(known, at, side="right") - 1, 0, len(known) - 2)
    slope = (values[index + 1] - values[index]) / (known[index + 1] - known[index])
    found: Floats = values[index] + slope * (at - known[index])
    return found
