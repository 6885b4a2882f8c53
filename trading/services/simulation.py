"""Write a simulated market through the same verbs that files and exchanges go through."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from energyopti.accounts.actors import Actor

from ..markets.catalogue import KNOWN_MARKETS, MarketTerms
from ..markets.price_files import SPOT_SERIES, Clock, PriceBatch
from ..markets.simulator import MarketWorld, simulate_quotes, simulate_spot
from ..models import ImportRun, Market, QuoteQuality
from ..queries.load_shapes import shapes_of_market
from ..queries.quotes import BASE
from .markets import open_market
from .prices import book_prices
from .quotes import QuoteDraft, QuotesBooked, book_quotes

SOURCE = "simulator"
_CENT = Decimal("0.01")
_DEFAULT_TERMS = MarketTerms("Simulated market", "Europe/Berlin", "EUR")
_WEEKDAYS = 5
# What is quoted beside base where a market has it: of Europe, of the US.
_PEAKS = ("PEAK", "5X16")


class NotSimulated(ValueError):
    """A market with delivered prices would be mixed with invented ones."""


@dataclass(frozen=True, slots=True)
class SimulatedHistory:
    """What a simulation booked."""

    market: Market
    prices: ImportRun
    quotes: QuotesBooked
    first: date
    latest: date


def simulate_market(
    *,
    actor: Actor,
    code: str,
    trading_days: int,
    until: date,
    seed: int,
    received_at: datetime,
    period_minutes: int = 60,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> SimulatedHistory:
    """
    Book a simulated market: spot for every delivery day, quotes for every trading day.

    Quoted are base and, where the market's shapes have one, peak.

    The window ends with `until` and holds `trading_days` returns of quotes (one close more).
    Asking again books nothing; asking for a later day with the same seed adds what is new.

    :raises NotSimulated: if the market is there and its prices are real.
    :raises WorldError: if the window is outside the years that can be simulated.
    """
    actor.require("trading.simulate_market")
    if trading_days < 1:
        raise ValueError(f"trading_days: {trading_days} must be one or more.")
    market = _simulated_market(actor, code, period_minutes)
    world = MarketWorld(seed=seed)
    first = _first_day(until, trading_days)
    spot = simulate_spot(
        world, first=first, latest=until, calendar=market.calendar, minutes=period_minutes
    )
    parameters = json.dumps([SOURCE, code, seed, first.isoformat(), until.isoformat()])
    prices = book_prices(
        actor=actor,
        market=market,
        batch=PriceBatch(
            spot.starts,
            spot.minutes,
            {SPOT_SERIES: [Decimal(repr(v)).quantize(_CENT) for v in spot.prices.tolist()]},
        ),
        source=f"{SOURCE} seed {seed}",
        sha256=hashlib.sha256(parameters.encode()).hexdigest(),
        clock=Clock.OFFSET,
        received_at=received_at,
        progress=progress,
    )
    quotes = book_quotes(
        actor=actor,
        market=market,
        drafts=_drafts(world, market, first, until),
        source=SOURCE,
        quality=QuoteQuality(QuoteQuality.SIMULATED),
    )
    return SimulatedHistory(market, prices, quotes, first, until)


def _drafts(world: MarketWorld, market: Market, first: date, until: date) -> list[QuoteDraft]:
    shapes = shapes_of_market(market, on=until)
    peak = next((code for code in _PEAKS if code in shapes), None)
    drafts = []
    for day in simulate_quotes(
        world,
        first=first,
        latest=until,
        calendar=market.calendar,
        peak=None if peak is None else shapes[peak],
    ):
        drafts += [QuoteDraft(code, value, day.closes_at) for code, value in day.values.items()]
        drafts += [
            QuoteDraft(code, value, day.closes_at, load=peak or BASE)
            for code, value in day.peaks.items()
        ]
    return drafts


def _simulated_market(actor: Actor, code: str, period_minutes: int) -> Market:
    market = Market.objects.filter(code=code).first()
    if market is None:
        known = KNOWN_MARKETS.get(code, _DEFAULT_TERMS)
        terms = MarketTerms(f"{known.name} (simulated)", known.time_zone, known.currency)
        return open_market(
            actor=actor, code=code, terms=terms, period_minutes=period_minutes, is_simulated=True
        )
    if not market.is_simulated:
        raise NotSimulated(f"market: {code} has delivered prices; simulate under another code.")
    if market.period_minutes != period_minutes:
        raise NotSimulated(
            f"period_minutes: {code} has periods of {market.period_minutes} minutes."
        )
    return market


def _first_day(until: date, trading_days: int) -> date:
    """Return the day whose close is `trading_days` Mondays to Fridays before the last one."""
    day, closes = until, 0
    while True:
        closes += day.weekday() < _WEEKDAYS
        if closes > trading_days:
            return day
        day -= timedelta(days=1)
