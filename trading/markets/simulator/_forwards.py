"""Daily quotes of the simulated market: averages of its months, so that they never contradict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod
from trading.curves import contract_code
from trading.markets.simulator._world import FIRST_DAY, MarketWorld, day_number, month_number

MONTHS_QUOTED, QUARTERS_QUOTED, YEARS_QUOTED = 6, 6, 3
_CLOSE = time(18)
_CENT = Decimal("0.01")
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class QuotedDay:
    """The closing prices of one trading day: contract code → currency/MWh, in cents."""

    closes_at: datetime
    values: dict[str, Decimal]


def simulate_quotes(
    world: MarketWorld, *, first: date, latest: date, calendar: Calendar
) -> Iterator[QuotedDay]:
    """
    Yield the closing quotes of each Monday to Friday from `first` to `latest`.

    Quoted are the next 6 months, 6 quarters and 3 years. A quarter is the hours-weighted
    average of its months in the calendar's zone, so all quotes agree up to the rounding.

    :raises WorldError: for dates that the world does not have.
    """
    prices = world.month_prices(day_number(latest) + 1)
    hours = _month_hours(calendar, prices.shape[1])
    day_number(first)
    day = first
    while day <= latest:
        if day.weekday() < _SATURDAY:
            row = prices[day_number(day)]
            values = {}
            for code, start, count in contracts_on(day):
                months = slice(start, start + count)
                value = float(np.average(row[months], weights=hours[months]))
                values[code] = Decimal(repr(value)).quantize(_CENT)
            yield QuotedDay(calendar.instant(datetime.combine(day, _CLOSE)), values)
        day += timedelta(days=1)


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
