"""One delivery day of a market as its page shows it: prices, the forecast, and how far it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod, period_starts

from ..models import Forecast, Market
from .forecasts import latest_forecast, review_forecast
from .prices import price_series

if TYPE_CHECKING:
    from ..forecasting import Score


@dataclass(frozen=True, eq=False)
class PriceDay:
    """
    A delivery day.

    rows       (start, price or None, forecast or None), ascending; currency/MWh
    average    of the prices known, None without any
    negative   how many periods have a price below zero
    score      of the forecast over the periods with a price, None without either
    """

    market: Market
    delivery_date: date
    rows: list[tuple[datetime, float | None, float | None]]
    average: float | None
    lowest: float | None
    highest: float | None
    negative: int
    periods_known: int
    forecast: Forecast | None
    score: Score | None

    @property
    def before(self) -> date:
        return self.delivery_date - timedelta(days=1)

    @property
    def after(self) -> date:
        return self.delivery_date + timedelta(days=1)


def price_day(*, actor: Actor, market: Market, delivery_date: date, known_at: datetime) -> PriceDay:
    """Return a delivery day as the market knew it at `known_at`; three queries."""
    import numpy as np

    actor.require("trading.view_price")
    calendar = market.calendar
    known = price_series(market, calendar.day(delivery_date), known_at=known_at)
    starts = period_starts(calendar, DatePeriod.day(delivery_date), minutes=known.minutes)
    prices = np.full(starts.shape, np.nan)
    prices[np.searchsorted(starts, known.starts)] = known.values
    issued = latest_forecast(market, delivery_date, issued_by=known_at)
    expected, score = np.full(starts.shape, np.nan), None
    if issued is not None and issued.minutes == known.minutes:
        expected = issued.values
        score = review_forecast(issued, known_at=known_at).score
    there = known.values
    return PriceDay(
        market=market,
        delivery_date=delivery_date,
        rows=[
            (moment, _number(price), _number(forecast))
            for moment, price, forecast in zip(
                _moments(starts), prices.tolist(), expected.tolist(), strict=True
            )
        ],
        average=float(there.mean()) if there.size else None,
        lowest=float(there.min()) if there.size else None,
        highest=float(there.max()) if there.size else None,
        negative=int((there < 0).sum()),
        periods_known=int(there.size),
        forecast=None if issued is None else issued.forecast,
        score=score,
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _moments(starts: Any) -> list[datetime]:
    return [datetime.fromtimestamp(second, UTC) for second in starts.astype("int64").tolist()]
