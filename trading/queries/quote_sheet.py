"""The quotes of one trading day beside the curve that is built from them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from energyopti.accounts.actors import Actor

from ..models import Market
from .curve_building import curve_from
from .curve_terms import CurveTerms
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
    built = curve_from(market, CurveTerms(), quotes, as_of=as_of, known_at=known_at)
    left_out = {each.quote_id: each for each in built.left_out}
    return QuoteSheet(
        market=market,
        valid_from=max(quote.valid_from for quote in quotes),
        source=", ".join(sorted({quote.source for quote in quotes})),
        lines=[
            QuoteLine(
                quote.name,
                quote.delivery.start,
                quote.delivery.end,
                built.curve.cells.hours(quote.delivery, quote.load),
                quote.value,
                built.average(quote.delivery, quote.load),
                quote.id not in left_out,
                quote.id in left_out and left_out[quote.id].is_conflict,
            )
            for quote in quotes
        ],
        points=[(interval.start, price) for interval, price in built.curve.base().segments()],
        conflicts=[each.text for each in built.left_out if each.is_conflict],
    )
