"""
Exchange rates: what one currency cost in another at an instant by a cut, and day by day.

A rate is the latest of the exchange rates that were booked and of the spot that begins a forward
curve. A pair that nobody quotes goes by its inverse, or by way of EUR or USD.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import prod
from typing import Any, TypeVar

from django.db import connection

_BRIDGES = ("EUR", "USD")
_TWELVE = Decimal(1).scaleb(-12)
# A weekend with holidays on both sides: an older rate is no rate of that day.
STALE = timedelta(days=7)

# Of each pair what spoke last; of one instant the rate that was booked for its own sake.
_SPOT = """
SELECT DISTINCT ON (base, quote) base, quote, rate, valid_from
FROM (
    SELECT base, quote, rate, valid_from, recorded_at, id, DATE '0001-01-01' AS settles_on
    FROM trading_fxrate
    UNION ALL
    SELECT base, quote, rate, valid_from, recorded_at, id, settles_on FROM trading_fxforwardquote
) AS quoted
WHERE base = ANY(%(currencies)s) AND quote = ANY(%(currencies)s) AND valid_from <= %(as_of)s
  AND (%(cut)s::timestamptz IS NULL OR recorded_at <= %(cut)s)
ORDER BY base, quote, valid_from DESC, settles_on, recorded_at DESC, id DESC
"""
_DAILY = """
SELECT DISTINCT ON (base, quote, day) base, quote, (valid_from AT TIME ZONE 'UTC')::date AS day,
       rate::float8
FROM (
    SELECT base, quote, rate, valid_from, recorded_at, id, DATE '0001-01-01' AS settles_on
    FROM trading_fxrate
    UNION ALL
    SELECT base, quote, rate, valid_from, recorded_at, id, settles_on FROM trading_fxforwardquote
) AS quoted
WHERE base = ANY(%(currencies)s) AND quote = ANY(%(currencies)s)
  AND valid_from >= %(start)s AND valid_from <= %(end)s
ORDER BY base, quote, day, valid_from DESC, settles_on, recorded_at DESC, id DESC
"""

Quoted = TypeVar("Quoted")


class RateMissing(LookupError):
    """No exchange rate is known for a currency that is held; names the pair and the time."""


@dataclass
class Rates:
    """
    Exchange rates at an instant, looked up once each.

    known_at    nothing recorded later counts; None takes all that is recorded
    """

    as_of: datetime
    known_at: datetime | None = None
    found: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    since: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def of(self, base: str, quote: str) -> Decimal | None:
        """Return quote per unit of base: as quoted, the inverse, or by way of EUR or USD."""
        if base == quote:
            return Decimal(1)
        if (base, quote) not in self.found:
            self.found[base, quote] = self._look_up(base, quote)
        return self.found[base, quote]

    def require(self, base: str, quote: str) -> Decimal:
        """
        Return the rate.

        :raises RateMissing: naming the pair.
        """
        rate = self.of(base, quote)
        if rate is None:
            raise RateMissing(
                f"rate: {base}/{quote} is not known at {self.as_of:%Y-%m-%d %H:%M} UTC; enter it"
                " under exchange rates."
            )
        return rate

    def stale(self) -> list[str]:
        """Return sentences about the rates that were asked for and are older than a week."""
        return [
            f"{base}/{quote}: the latest exchange rate is of {at:%Y-%m-%d}."
            for (base, quote), at in sorted(self.since.items())
            if self.as_of - at > STALE
        ]

    def _look_up(self, base: str, quote: str) -> Decimal | None:
        """Return a rate by the latest quotes among two currencies and the bridges; one query."""
        with connection.cursor() as cursor:
            cursor.execute(
                _SPOT,
                {"currencies": [base, quote, *_BRIDGES], "as_of": self.as_of, "cut": self.known_at},
            )
            rows = {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}

        def direct(first: str, second: str) -> tuple[Decimal, datetime] | None:
            ahead, back = rows.get((first, second)), rows.get((second, first))
            if ahead is not None and (back is None or ahead[1] >= back[1]):
                return Decimal(ahead[0]), ahead[1]
            return None if back is None else (1 / Decimal(back[0]), back[1])

        way = _way(direct, base, quote)
        if way is None:
            return None
        rate = Decimal(1)
        for one, _ in way:
            rate *= one
        self.since[base, quote] = min(at for _, at in way)
        return rate.quantize(_TWELVE)

    def told(self) -> list[list[str]]:
        """Return the rates that were asked for, as a run's inputs name them."""
        return sorted([*pair, str(rate)] for pair, rate in self.found.items() if rate is not None)


@dataclass(frozen=True, slots=True)
class Reported:
    """
    Sums of several currencies in one.

    amount      None where a rate is missing; `missing` names the pairs
    """

    currency: str
    amount: Decimal | None
    missing: tuple[str, ...] = ()


def reported(
    sums: Iterable[tuple[str, Decimal | float]], currency: str, rates: Rates
) -> Reported | None:
    """Return sums by currency as one at the rates' spot; None where all are in it already."""
    found = list(sums)
    if all(one == currency for one, _ in found):
        return None
    missing = tuple(
        sorted(f"{one}/{currency}" for one, _ in found if rates.of(one, currency) is None)
    )
    if missing:
        return Reported(currency, None, missing)
    total = sum(
        (Decimal(amount) * rates.require(one, currency) for one, amount in found), Decimal()
    )
    return Reported(currency, total.quantize(Decimal("0.01")))


class RateHistory:
    """The last rate of each UTC day, for scenarios; what is older than a week is no rate."""

    def __init__(self, rows: Iterable[tuple[str, str, date, float]]) -> None:
        self._days: dict[tuple[str, str], list[date]] = defaultdict(list)
        self._rates: dict[tuple[str, str], list[float]] = defaultdict(list)
        for base, quote, day, rate in rows:
            self._days[base, quote].append(day)
            self._rates[base, quote].append(rate)

    def on(self, base: str, quote: str, day: date) -> float | None:
        """Return quote per unit of base at the end of a day, None where nothing speaks of it."""
        if base == quote:
            return 1.0

        def direct(first: str, second: str) -> float | None:
            ahead, back = self._latest((first, second), day), self._latest((second, first), day)
            if ahead is not None and (back is None or ahead[0] >= back[0]):
                return ahead[1]
            return None if back is None else 1.0 / back[1]

        way = _way(direct, base, quote)
        return None if way is None else prod(way)

    def _latest(self, pair: tuple[str, str], day: date) -> tuple[date, float] | None:
        place = bisect_right(self._days[pair], day) - 1 if pair in self._days else -1
        if place < 0 or day - self._days[pair][place] > STALE:
            return None
        return self._days[pair][place], self._rates[pair][place]


def rate_history(currencies: Iterable[str], *, start: datetime, end: datetime) -> RateHistory:
    """Return the rates among some currencies, with the bridges, from a week before `start` on."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DAILY,
            {"currencies": sorted({*currencies, *_BRIDGES}), "start": start - STALE, "end": end},
        )
        rows: list[Any] = cursor.fetchall()
    return RateHistory(rows)


def _way(
    direct: Callable[[str, str], Quoted | None], base: str, quote: str
) -> tuple[Quoted, ...] | None:
    """Return what is quoted on the way from one currency to another: one, or two by a bridge."""
    found = direct(base, quote)
    if found is not None:
        return (found,)
    for bridge in _BRIDGES:
        if bridge not in (base, quote):
            first, second = direct(base, bridge), direct(bridge, quote)
            if first is not None and second is not None:
                return first, second
    return None
