"""What a trader's home says first: the books together, and today's prices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from energyopti.accounts.actors import Actor

from .books import chosen_books
from .markets import priced_markets
from .price_days import PriceDay, price_day
from .trades import trade_rows
from .valued import ValuedPositions, valued_positions


@dataclass(frozen=True, eq=False)
class DeskSummary:
    """Positions of the actor's books, or a chosen one, and how many deals were made since when."""

    positions: ValuedPositions
    deals_since: int
    deals: int


@dataclass(frozen=True, eq=False)
class MarketToday:
    """
    One market's current delivery day and what is forecast or published for the next.

    now         price of the period that runs, None where it is not known
    now_start   start of that period
    """

    today: PriceDay
    tomorrow: PriceDay
    now: float | None
    now_start: datetime | None


def desk_summary(
    actor: Actor, *, valued_at: datetime, since: datetime, book: UUID | str | None = None
) -> DeskSummary:
    """Return the desk's sums, or those of one book with those below; `since` begins the day."""
    deals = trade_rows(actor, book=book)
    return DeskSummary(
        positions=valued_positions(chosen_books(actor, book), valued_at=valued_at),
        deals_since=deals.filter(traded_at__gte=since).count(),
        deals=deals.count(),
    )


def first_market_today(
    actor: Actor, *, known_at: datetime, zone: str | None = None
) -> MarketToday | None:
    """
    Return the first market with prices, by code, as known at a time; seven queries.

    zone    the bidding zone whose market is wanted; None for whichever is first
    """
    markets = priced_markets()
    market = (markets if zone is None else markets.filter(code=zone)).first()
    if market is None:
        return None
    date = market.calendar.date_of(known_at)
    today = price_day(actor=actor, market=market, delivery_date=date, known_at=known_at)
    tomorrow = price_day(actor=actor, market=market, delivery_date=today.after, known_at=known_at)
    running = [row for row in today.rows if row[0] <= known_at]
    start, now, _ = running[-1] if running else (None, None, None)
    return MarketToday(today, tomorrow, now, start)
