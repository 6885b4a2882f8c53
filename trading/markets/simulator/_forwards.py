"""Daily quotes of the simulated market: averages of its months, so that they never contradict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod, period_starts
from trading.curves import contract_code
from trading.deals import LoadShape, shape_seconds
from trading.markets.simulator._spot import expected_swing
from trading.markets.simulator._world import (
    FIRST_DAY,
    MarketWorld,
    Stream,
    day_number,
    month_number,
    reverting,
)

MONTHS_QUOTED, QUARTERS_QUOTED, YEARS_QUOTED = 6, 6, 3
_CLOSE = time(18)
_CENT = Decimal("0.01")
_SATURDAY = 5
# How far what peak is worth above base strays from what spot pays for it: share of the level
# per square root of a year, and how fast it comes back.
_PEAK_VOL, _PEAK_SPEED = 0.03, 3.0


@dataclass(frozen=True, slots=True)
class QuotedDay:
    """
    The closing prices of one trading day: contract code → currency/MWh, in cents.

    values    of base
    peaks     of the same contracts in peak hours, empty where none are asked for
    """

    closes_at: datetime
    values: dict[str, Decimal]
    peaks: dict[str, Decimal] = field(default_factory=dict)


def simulate_quotes(
    world: MarketWorld,
    *,
    first: date,
    latest: date,
    calendar: Calendar,
    peak: LoadShape | None = None,
) -> Iterator[QuotedDay]:
    """
    Yield the closing quotes of each Monday to Friday from `first` to `latest`.

    Quoted are the next 6 months, 6 quarters and 3 years. A quarter is the hours-weighted
    average of its months in the calendar's zone, so all quotes agree up to the rounding.

    peak    hours that are quoted beside base. A month's peak is worth base and what spot pays for
            these hours on average, more or less by a slow factor of all months: in a sunny summer
            it can be below base.

    :raises WorldError: for dates that the world does not have.
    :raises CalendarError: for dates that the peak's holidays do not cover.
    """
    prices = world.month_prices(day_number(latest) + 1)
    hours = _month_hours(calendar, prices.shape[1])
    day_number(first)
    if peak is not None:
        months = _months_quoted(first, latest)
        premium, peak_hours = _peak_terms(months, calendar, peak, prices.shape[1])
        drift = _peak_drift(world, day_number(latest) + 1)
    day = first
    while day <= latest:
        if day.weekday() < _SATURDAY:
            number = day_number(day)
            row = prices[number]
            closes_at = calendar.instant(datetime.combine(day, _CLOSE))
            if peak is None:
                yield QuotedDay(closes_at, _values(day, row, hours))
            else:
                peak_row = row + row / world.level * (premium + drift[number])
                yield QuotedDay(
                    closes_at, _values(day, row, hours), _values(day, peak_row, peak_hours)
                )
        day += timedelta(days=1)


def _values(
    day: date, row: npt.NDArray[np.float64], hours: npt.NDArray[np.float64]
) -> dict[str, Decimal]:
    """Return the contracts of a day as averages of months, weighted by hours."""
    values = {}
    for code, start, count in contracts_on(day):
        months = slice(start, start + count)
        value = float(np.average(row[months], weights=hours[months]))
        values[code] = Decimal(repr(value)).quantize(_CENT)
    return values


def _months_quoted(first: date, latest: date) -> range:
    """Return the indexes of the months that any contract of the days delivers."""
    return range(
        min(start for _, start, _ in contracts_on(first)),
        max(start + count for _, start, count in contracts_on(latest)),
    )


def _peak_terms(
    months: range, calendar: Calendar, peak: LoadShape, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """
    Return what peak is worth above base where base is at its level, and its hours, by month.

    Both of shape (count,), zero in months that are not quoted.
    """
    premium, hours = np.zeros(count), np.zeros(count)
    for month in months:
        days = DatePeriod.months(FIRST_DAY.year + month // 12, month % 12 + 1)
        starts = period_starts(calendar, days, minutes=60)
        swing = expected_swing(calendar, starts)
        delivered = shape_seconds(calendar, peak, starts, minutes=60)
        premium[month] = np.average(swing, weights=delivered) - swing.mean()
        hours[month] = delivered.sum() / 3600
    return premium, hours


def _peak_drift(world: MarketWorld, days: int) -> npt.NDArray[np.float64]:
    shocks = world.generator(Stream.PEAK).standard_normal((days, 1))
    drift: npt.NDArray[np.float64] = reverting(shocks, speed=_PEAK_SPEED, vol=_PEAK_VOL)[:, 0]
    return world.level * drift


def contracts_on(day: date) -> list[tuple[str, int, int]]:
    """Return (code, first month's index, months) of the contracts quoted on a day."""
    this_month = month_number(day)
    quarter = this_month - this_month % 3 + 3
    year = this_month - this_month % 12 + 12
    found = [(this_month + 1 + i, 1) for i in range(MONTHS_QUOTED)]
    found += [(quarter + 3 * i, 3) for i in range(QUARTERS_QUOTED)]
    found += [(year + 12 * i, 12) for i in range(YEARS_QUOTED)]
    return [(contract_code(_first_of(start), count), start, count) for start, count in found]


def _first_of(month: int) -> date:
    return date(FIRST_DAY.year + month // 12, month % 12 + 1, 1)


def _month_hours(calendar: Calendar, months: int) -> npt.NDArray[np.float64]:
    starts = [
        calendar.start_of(DatePeriod.months(FIRST_DAY.year, 1, month + 1).after)
        for month in range(months)
    ]
    edges = np.array([calendar.start_of(FIRST_DAY).timestamp()] + [s.timestamp() for s in starts])
    hours: npt.NDArray[np.float64] = np.diff(edges) / 3600
    return hours
