"""Forecasts as issued, beside what the prices became."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from energyopti.foundation.intervals import Interval

from ..models import Forecast, Market
from .prices import price_series

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..forecasting import Score


@dataclass(frozen=True, eq=False)
class IssuedForecast:
    """
    A forecast with its periods.

    starts    UTC, datetime64[s], shape (periods,)
    values    float64, currency/MWh, same shape
    """

    forecast: Forecast
    starts: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    minutes: int

    @property
    def interval(self) -> Interval:
        """Return the delivery day as an interval."""
        end = self.forecast.start + timedelta(minutes=self.minutes * len(self.values))
        return Interval(self.forecast.start, end)


@dataclass(frozen=True, eq=False)
class ForecastReview:
    """
    A forecast beside the prices known at a time; NaN where a price is not known yet.

    score    over the periods that have a price, None if none has
    """

    issued: IssuedForecast
    actual: npt.NDArray[np.float64]
    score: Score | None


def latest_forecast(
    market: Market, delivery_date: date, *, issued_by: datetime | None = None
) -> IssuedForecast | None:
    """Return the latest forecast of a delivery day (issued not after `issued_by`), if any."""
    found = Forecast.objects.filter(market=market, delivery_date=delivery_date)
    if issued_by is not None:
        found = found.filter(issued_at__lte=issued_by)
    row = found.order_by("-issued_at", "-id").first()
    return None if row is None else with_periods(row)


def with_periods(row: Forecast) -> IssuedForecast:
    """Return a forecast's row with its periods as arrays."""
    import numpy as np

    first = np.datetime64(int(row.start.timestamp()), "s")
    step = np.timedelta64(row.period_minutes, "m")
    values = np.array(row.values, dtype=np.float64)
    return IssuedForecast(row, first + step * np.arange(values.size), values, row.period_minutes)


def review_forecast(issued: IssuedForecast, *, known_at: datetime | None = None) -> ForecastReview:
    """Return a forecast beside the prices that the market knew at `known_at` (None: all)."""
    import numpy as np

    from ..forecasting import score

    market = issued.forecast.market
    known = price_series(market, issued.interval, known_at=known_at)
    actual = np.full(issued.values.shape, np.nan)
    if known.starts.size and known.minutes == issued.minutes:
        actual[np.searchsorted(issued.starts, known.starts)] = known.values
    there = np.isfinite(actual)
    errors = score(issued.values[there], actual[there]) if there.any() else None
    return ForecastReview(issued, actual, errors)
