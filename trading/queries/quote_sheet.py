"""The quotes of one trading day beside the curve that is built from them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from energyopti.accounts.actors import Actor

from ..models import Market
from .curves import curve_of
from .quotes import KnownQuote, quotes_at


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A quote beside what the curve says of its delivery, and whether it was built from it."""

    contract: str
    start: datetime
    end: datetime
    hours: float
    value: Decimal
    implied: float
    is_built_from: bool
    is_conflict: bool


@dataclass(frozen=True, eq=False)
class QuoteSheet:
    """
    A trading day's forwards.

    points    (start, price) of each segment of the curve, currency/MWh
    """

    market: Market
    valid_from: datetime
    source: str
    lines: list[QuoteLine]
    points: list[tuple[datetime, float]]
    conflicts: list[str]


def quote_sheet(
    *, actor: Actor, market: Market, as_of: datetime, known_at: datetime | None = None
) -> QuoteSheet:
    """
    Return the forwards of the latest trading day not after `as_of`.

    :raises NoCurve: if no quote is known.
    """
    actor.require("trading.view_quote")
    quotes: list[KnownQuote] = quotes_at(market, as_of=as_of, known_at=known_at)
    curve = curve_of(market, quotes, as_of=as_of)
    taken = {quote.name for quote in curve.quotes}
    conflicts = {item.quote.name for item in curve.conflicts}
    return QuoteSheet(
        market=market,
        valid_from=quotes[0].valid_from,
        source=quotes[0].source,
        lines=[
            QuoteLine(
                quote.contract,
                quote.delivery.start,
                quote.delivery.end,
                float(quote.delivery.hours),
                quote.value,
                curve.average(quote.delivery),
                quote.contract in taken,
                quote.contract in conflicts,
            )
            for quote in quotes
        ],
        points=[(interval.start, price) for interval, price in curve.segments()],
        conflicts=[str(item) for item in curve.conflicts],
    )
