"""
The markets beside the demo's own: power across the border, gas, allowances.

Their prices are a mixture of the demo's own market and of a world of their own, so that they move
with it as neighbours do; published at the same closes and after the same auctions.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from trading.services.quotes import QuoteDraft

SOURCE = "neighbours of the demo"
FRENCH, GAS, CARBON = "FR-SIM", "TTF", "EU-REGISTRY"
CLOSE = time(18)  # local, of the simulated markets
SPOT_DAYS = 75  # the month before this one, and what hangs on its first hours
_CENT = Decimal("0.01")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Neighbour:
    """
    What a market's prices are made of.

    seed    of its own world;  level    its long-run average, currency/unit
    home    share of its price that is the demo's own market at this level, 0 to 1
    index   its published price;  vol   of what is quoted, over the demo's own market
    """

    seed: int
    level: float
    home: float
    index: str
    vol: float | None


NEIGHBOURS = {
    FRENCH: Neighbour(2029, 74.0, 0.75, "FR-SIM-DA", 0.95),
    GAS: Neighbour(2030, 31.0, 0.6, "TTF-DA", 0.9),
    CARBON: Neighbour(2031, 72.0, 0.3, "EEX-EUA-SPOT", None),
}


def open_neighbours(*, actor: "Actor") -> None:
    """Open the French market, which the reference data lack, and name what is published there."""
    from trading.markets.catalogue import MarketTerms
    from trading.queries.markets import market_summaries
    from trading.services.markets import open_market

    from .options import name_index

    if FRENCH not in {row.market.code for row in market_summaries(actor=actor)}:
        terms = MarketTerms("France (simulated)", "Europe/Paris", "EUR")
        open_market(actor=actor, code=FRENCH, terms=terms, period_minutes=60, is_simulated=True)
    name_index(actor, NEIGHBOURS[FRENCH].index, FRENCH, "Day-ahead of the simulated neighbour")


def publish_neighbours(*, actor: "Actor", now: datetime, trading_days: int, spot_days: int) -> None:
    """
    Publish what is due by an instant: closes, curves, volatilities, the prices of auctions.

    trading_days, spot_days     how far to look back; what is known is not booked again
    """
    from trading.enums import QuoteQuality
    from trading.queries.markets import market_by_code
    from trading.queries.quotes import quotes_at
    from trading.services.curves import build_market_curve
    from trading.services.quotes import book_quotes

    from .market import published_until
    from .options import quote_options
    from .seed import wall_clock

    for code, terms in NEIGHBOURS.items():
        market = market_by_code(code)
        today = market.calendar.date_of(now)
        auctioned = published_until(now, market.calendar.start_of(today), today)
        known = quotes_at(market, as_of=now)
        if known and known[0].valid_from == _last_close(market, now):
            _publish_spot(actor, terms, market, auctioned - spot_days * _DAY, auctioned, now)
            continue
        first = _trading_days_before(today, trading_days)
        drafts = [one for one in _quotes(terms, market, first, today) if one.valid_from <= now]
        book_quotes(
            actor=actor, market=market, drafts=drafts, source=SOURCE,
            quality=QuoteQuality(QuoteQuality.SIMULATED),
        )  # fmt: skip
        close = max(draft.valid_from for draft in drafts)
        if not known:
            # What is left of this month is no contract any more: it keeps the last mark it had.
            month = market.calendar.start_of(today.replace(day=1))
            build_market_curve(actor=actor, market=market, as_of=month, known_at=wall_clock())
        build_market_curve(actor=actor, market=market, as_of=close, known_at=wall_clock())
        if terms.vol is not None:
            quote_options(actor=actor, market=market, close=close, scale=terms.vol)
        _publish_spot(actor, terms, market, auctioned - spot_days * _DAY, auctioned, now)


def _last_close(market: Any, now: datetime) -> datetime:
    """Return the last close of a Monday to Friday that is not after an instant."""
    day: date = market.calendar.date_of(now)
    while True:
        close: datetime = market.calendar.instant(datetime.combine(day, CLOSE))
        if day.weekday() <= 4 and close <= now:
            return close
        day -= _DAY


def _trading_days_before(day: date, count: int) -> date:
    """Return the day that is so many Mondays to Fridays before another."""
    weeks, rest = divmod(count, 5)
    day -= timedelta(weeks=weeks)
    while rest or day.weekday() > 4:
        day -= _DAY
        rest -= bool(rest) and day.weekday() <= 4
    return day


def _worlds(terms: Neighbour) -> Any:
    from trading.markets.simulator import MarketWorld

    from .seed import WORLD_SEED

    home = MarketWorld(seed=WORLD_SEED)
    return home, MarketWorld(seed=terms.seed, level=terms.level), terms.level / home.level


def _quotes(terms: Neighbour, market: Any, first: date, latest: date) -> Iterator["QuoteDraft"]:
    """Return the closes of some days: base, and peak where the market has it."""
    from trading.markets.simulator import simulate_quotes
    from trading.queries.load_shapes import shapes_of_market
    from trading.services.quotes import QuoteDraft

    home, own, scale = _worlds(terms)
    peak = shapes_of_market(market, on=latest).get("PEAK")
    same = {"first": first, "latest": latest, "calendar": market.calendar, "peak": peak}
    flows = market.commodity.kind != "CARBON"
    for there, here in zip(
        simulate_quotes(home, **same), simulate_quotes(own, **same), strict=True
    ):
        for load, one, other in (
            ("BASE", there.values, here.values),
            ("PEAK", there.peaks, here.peaks),
        ):
            for code in one:
                # Allowances know no season: all are the year's, at what it costs to hold them.
                of = code if flows else max(one, key=_year_first)
                price = terms.home * scale * float(one[of]) + (1 - terms.home) * float(other[of])
                if not flows:
                    price *= _held_until(code, here.closes_at.date())
                yield QuoteDraft(code, _rounded(price), here.closes_at, load=load)


def _year_first(code: str) -> tuple[bool, int]:
    """Order contracts so that the next year is the greatest."""
    return (True, -int(code[3:])) if code.startswith("Cal") else (False, 0)


def _held_until(code: str, today: date) -> float:
    """Return the growth at 3 % a year from now to the middle of a contract's delivery."""
    from trading.curves import contract_period

    period = contract_period(code)
    middle = period.first + (period.after - period.first) / 2
    return float(1.03 ** ((middle - today).days / 365))


def _publish_spot(
    actor: "Actor", terms: Neighbour, market: Any, first: date, latest: date, now: datetime
) -> None:
    """Publish the prices of some delivery days, hour by hour."""
    from energyopti.foundation.calendars import DatePeriod, period_starts
    from trading.markets.price_files import SPOT_SERIES, Clock, PriceBatch
    from trading.queries.prices import price_series
    from trading.services.prices import book_prices

    if not price_series(market, market.calendar.day(latest)).missing:
        return
    days = DatePeriod(first, latest + _DAY)
    starts = period_starts(market.calendar, days, minutes=60)
    make = _power_hours if market.commodity.kind == "POWER" else _daily_hours
    prices = make(terms, market, first, latest, starts)
    parameters = f"{SOURCE} {market.code} {first} {latest}"
    book_prices(
        actor=actor,
        market=market,
        batch=PriceBatch(starts, 60, {SPOT_SERIES: prices}),
        source=parameters,
        sha256=hashlib.sha256(parameters.encode()).hexdigest(),
        clock=Clock.OFFSET,
        received_at=now,
    )


def _power_hours(
    terms: Neighbour, market: Any, first: date, latest: date, _: Any
) -> list[Decimal | None]:
    from trading.markets.simulator import simulate_spot

    home, own, scale = _worlds(terms)
    same = {"first": first, "latest": latest, "calendar": market.calendar}
    there, here = simulate_spot(home, **same), simulate_spot(own, **same)
    mixed = terms.home * scale * there.prices + (1 - terms.home) * here.prices
    return [_rounded(price) for price in mixed.tolist()]


def _daily_hours(
    terms: Neighbour, market: Any, first: date, latest: date, starts: Any
) -> list[Decimal | None]:
    """Return a day's price in all its hours: the first contract of the close before, and noise."""
    closes: dict[date, float] = {}
    for draft in _quotes(terms, market, _trading_days_before(first, 3), latest):
        closes.setdefault(draft.valid_from.date(), float(draft.value))
    found: list[Decimal | None] = []
    day = first
    while day <= latest:
        # What was known when the day before was auctioned.
        close = closes[max(known for known in closes if known < day - _DAY)]
        noise = random.Random(f"{market.code} {day}").gauss(0, 0.012)  # noqa: S311  no secret
        hours = round(market.calendar.day(day).hours)
        found += [_rounded(close * (1 + noise))] * hours
        day += _DAY
    assert len(found) == len(starts)
    return found


def _rounded(price: float) -> Decimal:
    return Decimal(repr(price)).quantize(_CENT)
