"""Forward quotes: of one trading day, and as histories by contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from energyopti.foundation.intervals import Interval

from ..models import WITHDRAWN, Market, Quote

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# A quote that its source has withdrawn by the cut, and not said anew, is no quote. Looked up by
# index for each quote (OFFSET keeps it from becoming a join): where statistics do not know a market
# that was just filled, a join compares all quotes with all.
_STANDS = """
quality <> 'WITHDRAWN' AND NOT EXISTS (
    SELECT 1 FROM trading_quote withdrawn
    WHERE withdrawn.market_id = trading_quote.market_id
      AND withdrawn.valid_from = trading_quote.valid_from
      AND withdrawn.contract = trading_quote.contract
      AND withdrawn.load_type = trading_quote.load_type
      AND withdrawn.source = trading_quote.source
      AND withdrawn.quality = 'WITHDRAWN'
      AND withdrawn.recorded_at >= trading_quote.recorded_at
      AND (%(known_at)s::timestamptz IS NULL OR withdrawn.recorded_at <= %(known_at)s)
    OFFSET 0
)
"""
# Of a quote, the version recorded last (not after the cut) holds.
_HISTORY = """
SELECT DISTINCT ON (valid_from, contract)
       id, contract, delivery_start, delivery_end, value, valid_from, source, quality, recorded_at,
       load_type, bid, ask
FROM trading_quote
WHERE market_id = %(market)s AND valid_from >= %(first)s AND valid_from <= %(latest)s
  AND load_type = %(load)s
  AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
  AND (%(contracts)s::text[] IS NULL OR contract = ANY(%(contracts)s))
  AND <stands>
ORDER BY valid_from, contract, recorded_at DESC, id DESC
""".replace("<stands>", _STANDS)
# Of one trading day, each source's latest word on each contract and load.
_OF_DAY = """
SELECT DISTINCT ON (contract, load_type, source)
       id, contract, delivery_start, delivery_end, value, valid_from, source, quality, recorded_at,
       load_type, bid, ask
FROM trading_quote
WHERE market_id = %(market)s AND valid_from >= %(first)s AND valid_from <= %(latest)s
  AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
  AND <stands>
ORDER BY contract, load_type, source, valid_from DESC, recorded_at DESC, id DESC
""".replace("<stands>", _STANDS)


_LATEST_DAY = """
SELECT valid_from FROM trading_quote
WHERE market_id = %(market)s AND valid_from <= %(as_of)s
  AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
  AND <stands>
ORDER BY valid_from DESC LIMIT 1
""".replace("<stands>", _STANDS)
# What one source says of some instants, withdrawals too.
_OF_SOURCE = """
SELECT DISTINCT ON (valid_from, contract, load_type)
       id, contract, delivery_start, delivery_end, value, valid_from, source, quality, recorded_at,
       load_type, bid, ask
FROM trading_quote
WHERE market_id = %(market)s AND source = %(source)s
  AND valid_from = ANY(%(instants)s::timestamptz[])
ORDER BY valid_from, contract, load_type, recorded_at DESC, id DESC
"""

BASE = "BASE"


@dataclass(frozen=True, slots=True)
class KnownQuote:
    """
    A quote in the version that holds at the cut that was asked for.

    load    code of the shape that the contract delivers
    """

    id: int
    contract: str
    delivery: Interval
    value: Decimal
    valid_from: datetime
    source: str
    quality: str
    recorded_at: datetime
    load: str = BASE
    bid: Decimal | None = None
    ask: Decimal | None = None

    @property
    def name(self) -> str:
        """Return the contract with its load, where that is not base: "Cal27 PEAK"."""
        return self.contract if self.load == BASE else f"{self.contract} {self.load}"


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
    Return the quotes of the latest trading day that is not after `as_of`, by delivery and load.

    A trading day is a date of the market's zone; of each contract, load and source the latest
    quote of that day counts.

    known_at    our knowledge: nothing recorded later counts; None for everything.
    """
    valid_from = latest_trading_day(market, as_of=as_of, known_at=known_at)
    if valid_from is None:
        return []
    calendar = market.calendar
    day_start = calendar.start_of(calendar.date_of(valid_from))
    return sorted(
        _rows(
            _OF_DAY,
            {"market": market.pk, "first": day_start, "latest": valid_from, "known_at": known_at},
        ),
        key=lambda quote: (quote.delivery, quote.contract, quote.load, quote.source),
    )


def latest_trading_day(
    market: Market, *, as_of: datetime, known_at: datetime | None = None
) -> datetime | None:
    """Return the instant that the last quotes not after `as_of` speak of, None without any."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST_DAY, {"market": market.pk, "as_of": as_of, "known_at": known_at})
        row = cursor.fetchone()
    found: datetime | None = row[0] if row else None
    return found


def standing_quotes() -> QuerySet[Quote]:
    """Return the quotes, corrected ones too, that their sources have not withdrawn until now."""
    withdrawn = Quote.objects.filter(
        market=OuterRef("market"),
        valid_from=OuterRef("valid_from"),
        contract=OuterRef("contract"),
        load_type=OuterRef("load_type"),
        source=OuterRef("source"),
        quality=WITHDRAWN,
        recorded_at__gte=OuterRef("recorded_at"),
    )
    return Quote.objects.filter(~Exists(withdrawn))


def quote_history(
    market: Market,
    *,
    first: datetime,
    latest: datetime,
    contracts: Sequence[str] | None = None,
    known_at: datetime | None = None,
    load: str = BASE,
) -> QuoteHistory:
    """Return what contracts of a load were worth on trading days from `first` to `latest`."""
    import numpy as np

    quotes = _rows(
        _HISTORY,
        {
            "market": market.pk,
            "first": first,
            "latest": latest,
            "known_at": known_at,
            "contracts": None if contracts is None else list(contracts),
            "load": load,
        },
    )
    days = sorted({quote.valid_from for quote in quotes})
    deliveries = {quote.contract: quote.delivery for quote in quotes}
    codes = sorted(deliveries, key=lambda code: (deliveries[code], code))
    row = {day: index for index, day in enumerate(days)}
    column = {code: index for index, code in enumerate(codes)}
    values = np.full((len(days), len(codes)), np.nan)
    for quote in quotes:
        values[row[quote.valid_from], column[quote.contract]] = float(quote.value)
    return QuoteHistory(tuple(days), tuple(codes), values)


def quote_versions(
    market_id: int, *, source: str, instants: Collection[datetime]
) -> list[KnownQuote]:
    """Return the versions that hold now of a source's quotes at some instants."""
    return _rows(_OF_SOURCE, {"market": market_id, "source": source, "instants": list(instants)})


def _rows(statement: str, values: dict[str, Any]) -> list[KnownQuote]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            KnownQuote(key, contract, Interval(start, end), *rest)
            for key, contract, start, end, *rest in cursor.fetchall()
        ]
