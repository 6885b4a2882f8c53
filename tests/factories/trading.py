"""Markets and prices that are valid with few words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from energyopti.accounts.actors import Actor
from trading.markets.catalogue import MarketTerms
from trading.markets.price_files import SPOT_SERIES, Clock, PriceBatch
from trading.models import ImportRun, Market
from trading.services.markets import open_market
from trading.services.prices import book_prices

SYSTEM = Actor.system("test")
RECEIVED_AT = datetime(2027, 1, 1, 12, tzinfo=UTC)


def make_market(code: str = "TEST", *, zone: str = "Europe/Berlin", minutes: int = 60) -> Market:
    return open_market(
        actor=SYSTEM,
        code=code,
        terms=MarketTerms(f"Market {code}", zone, "EUR"),
        period_minutes=minutes,
    )


def make_prices(
    market: Market,
    start: datetime,
    values: Sequence[str],
    *,
    series: str = SPOT_SERIES,
    received_at: datetime = RECEIVED_AT,
) -> ImportRun:
    """Book consecutive periods from `start`; a value is written as people write it."""
    first = np.datetime64(int(start.timestamp()), "s")
    step = np.timedelta64(market.period_minutes, "m")
    return book_prices(
        actor=SYSTEM,
        market=market,
        batch=PriceBatch(
            first + step * np.arange(len(values)),
            market.period_minutes,
            {series: [Decimal(value) for value in values]},
        ),
        source="test",
        sha256="0" * 64,
        clock=Clock.OFFSET,
        received_at=received_at,
    )
