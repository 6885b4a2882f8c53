"""Forward quotes: of one trading day, and as histories by contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection

from energyopti.foundation.intervals import Interval

from ..models import Market

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Of a quote, the version recorded last (not after the cut) holds.
_LATEST = """
SELECT DISTINCT ON (valid_from, contract, load_type)
       id, contract, delivery_start, delivery_end, value, valid_from, source, quality, recorded_at
FROM trading_quote
WHERE market_id = %(market)s AND valid_from >= %(first)s AND valid_from <= %(latest)s
  AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
  AND (%(contracts)s::text[] IS NULL OR contract = ANY(%(contracts)s))
ORDER BY valid_from, contract, load_type, recorded_at DESC, id DESC
"""


@dataclass(frozen=True, slots=True)
class KnownQuote:
    """A quote in the version that holds at the cut that was asked for."""

    id: int
    contract: str
    delivery: Interval
    value: Decimal
    valid_from: datetime
    source: str
    quality: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class QuoteHistory:
    """
    Hold what contracts were worth, day by day.

    days         when the quotes were valid, ascending, length D
    contracts    codes, in the order of their delivery, length C
    values       float64, shape (D, C), currency/MWh; NaN where a contract was not quoted
    """

    days: tuple[datetime, ...]
    contracts: tuple[str, ...]
    values: npt.NDArray[np.float64]


def quotes_at(
    market: Market, *, as_of: datetime, known_at: datetime | None = None
) -> list[KnownQuote]:
    """
    Return the quotes of the latest trading day that is not after `as_of`, by delivery.

    known_at    our knowledge: nothing recorded later counts; None for everything.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(valid_from) FROM trading_quote WHERE market_id = %s AND valid_from <= %s"
            " AND (%s::timestamptz IS NULL OR recorded_at <= %s)",
            [market.pk, as_of, known_at, known_at],
        )
        (valid_from,) = cursor.fetchone()
    if valid_from is None:
        return []
    return sorted(
        _known(market, valid_from, valid_from, known_at, None),
        key=lambda quote: (quote.delivery, quote.contract),
    )


def quote_history(
    market: Market,
    *,
    first: datetime,
    latest: datetime,
    contracts: Sequence[str] | None = None,
    known_at: datetime | None = None,
) -> QuoteHistory:
    """Return what contracts were worth on the trading days from `first` to `latest`."""
    import numpy as np

    quotes = _known(market, first, latest, known_at, contracts)
    days = sorted({quote.valid_from for quote in quotes})
    deliveries = {quote.contract: quote.delivery for quote in quotes}
    codes = sorted(deliveries, key=lambda code: (deliveries[code], code))
    row = {day: index for index, day in enumerate(days)}
    column = {code: index for index, code in enumerate(codes)}
    values = np.full((len(days), len(codes)), np.nan)
    for quote in quotes:
        values[row[quote.valid_from], column[quote.contract]] = float(quote.value)
    return QuoteHistory(tuple(days), tuple(codes), values)


def _known(
    market: Market,
    first: datetime,
    latest: datetime,
    known_at: datetime | None,
    contracts: Sequence[str] | None,
) -> list[KnownQuote]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LATEST,
            {
                "market": market.pk,
                "first": first,
                "latest": latest,
                "known_at": known_at,
                "contracts": None if contracts is None else list(contracts),
            },
        )
        return [
            KnownQuote(key, contract, Interval(start, end), *rest)
            for key, contract, start, end, *rest in cursor.fetchall()
        ]
