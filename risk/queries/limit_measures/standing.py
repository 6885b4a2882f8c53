"""What the trades of a scope add up to, as far as limits look at it; sums of what each adds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from risk.enums import LossPeriod
from risk.queries.bases import Basis
from trading.queries.scope_positions import GrossPosition

if TYPE_CHECKING:
    from energyopti.foundation.calendars import Calendar
    from risk.queries.bases import Floats
    from trading.queries.positions import Position

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Bucket = tuple[int, date]
GrossBucket = tuple[UUID, int, date]


class Part(StrEnum):
    """What a measure reads of a standing; nothing is loaded that no limit reads."""

    TAIL = "TAIL"
    NET = "NET"
    DELTA = "DELTA"
    GROSS = "GROSS"
    NOTIONAL = "NOTIONAL"
    UNTIL = "UNTIL"
    MADE = "MADE"
    STRESS = "STRESS"
    VEGA = "VEGA"


# What a book's rows hold of every trade, so that what is left out has to be taken back.
BY_ROWS = frozenset({Part.TAIL, Part.NET, Part.DELTA, Part.STRESS, Part.VEGA})


class NotMeasured(ValueError):
    """A measure cannot be told of a scope or a deal; the message says why."""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What a month of a market is counted in: its price's unit, in its own calendar."""

    code: str
    unit: str
    calendar: Calendar

    def hours_left(self, month: date, at: datetime) -> float:
        """Return the hours of a delivery month that come after an instant."""
        interval = self.calendar.month(month.year, month.month)
        return max(0.0, (interval.end - max(interval.start, at)) / timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Gross:
    """
    Trades of one counterparty, market and month, without netting one with another.

    volume      in the market's unit, still to be delivered
    notional    what is paid for it at fixed prices, in the standing's currency
    """

    volume: float
    notional: float

    def plus(self, other: Gross) -> Gross:
        return Gross(self.volume + other.volume, self.notional + other.notional)


@dataclass(frozen=True)
class Standing:
    """
    Sums over trades. Parts that nobody asked for are empty.

    at          what is delivered before counts no more
    currency    of all money here
    pnl         shape (scenario,) on `basis`, gains positive, with what waits for release; None
                where there is nothing to value on
    value       mark-to-market, gains positive
    net         by market and month, in the market's unit, bought +
    moved       by market: what choices gain by 1 per unit of all its prices, in its unit
    until       when the last delivery ends
    made        P&L since a period began, but for `value`
    stress      P&L under each named stress, gains positive
    vega        by market: change of value for one point of volatility
    problems    why a part cannot be told, in a sentence
    """

    at: datetime
    currency: str
    basis: Basis | None = None
    pnl: Floats | None = None
    value: float = 0.0
    net: Mapping[Bucket, float] = field(default_factory=dict)
    gross: Mapping[GrossBucket, Gross] = field(default_factory=dict)
    markets: Mapping[int, MarketFacts] = field(default_factory=dict)
    moved: Mapping[int, float] = field(default_factory=dict)
    until: datetime | None = None
    made: Mapping[LossPeriod, float] = field(default_factory=dict)
    stress: Mapping[str, float] = field(default_factory=dict)
    vega: Mapping[int, float] = field(default_factory=dict)
    problems: Mapping[Part, str] = field(default_factory=dict)

    def plus(self, other: Standing) -> Standing:
        """Return the standing with what a deal adds; both are on one basis and in one currency."""
        pnl = self.pnl
        if pnl is None or other.pnl is None:
            pnl = other.pnl if pnl is None else pnl
        else:
            pnl = pnl + other.pnl
        ends = [end for end in (self.until, other.until) if end is not None]
        return replace(
            self,
            pnl=pnl,
            value=self.value + other.value,
            net=_merged(self.net, other.net, _sum),
            gross=_merged(self.gross, other.gross, Gross.plus),
            markets={**self.markets, **other.markets},
            moved=_merged(self.moved, other.moved, _sum),
            until=max(ends, default=None),
            made=_merged(self.made, other.made, _sum),
            stress=_merged(self.stress, other.stress, _sum),
            vega=_merged(self.vega, other.vega, _sum),
            problems={**other.problems, **self.problems},
        )

    def negated(self) -> Standing:
        """Return what takes back all that is added up by rows of a book (`BY_ROWS`)."""
        return replace(
            self,
            pnl=None if self.pnl is None else -self.pnl,
            value=-self.value,
            net={key: -energy for key, energy in self.net.items()},
            moved={key: -gain for key, gain in self.moved.items()},
            stress={name: -gain for name, gain in self.stress.items()},
            vega={key: -gain for key, gain in self.vega.items()},
            problems={},
        )

    def require(self, part: Part) -> None:
        """
        Go on only where a part is told.

        :raises NotMeasured: saying why it is not.
        """
        if part in self.problems:
            raise NotMeasured(self.problems[part])


def _sum(one: float, other: float) -> float:
    return one + other


def _merged(one: Mapping[K, V], other: Mapping[K, V], add: Callable[[V, V], V]) -> Mapping[K, V]:
    if not one or not other:
        return one or other
    found = dict(one)
    for key, value in other.items():
        found[key] = add(found[key], value) if key in found else value
    return found


def net_of(positions: Iterable[Position], at: datetime) -> dict[Bucket, float]:
    """Return what positions still deliver by market and month, in each market's unit."""
    found: dict[Bucket, float] = {}
    for position in positions:
        energy = position.energy_from(at)
        if energy:
            key = position.market_id, position.month
            found[key] = found.get(key, 0.0) + energy
    return found


def gross_sums(
    rows: Iterable[GrossPosition], at: datetime, rate: Callable[[str], float | None]
) -> tuple[dict[GrossBucket, Gross], str]:
    """
    Return gross volumes and notionals, and what is wrong with the notionals, empty if nothing.

    rate    ours per unit of a currency, None without one
    """
    found: dict[GrossBucket, Gross] = {}
    missing: set[str] = set()
    for row in rows:
        position = row.position
        count = position.count_from(at)
        if not count:
            continue
        one = rate(position.currency)
        if one is None:
            missing.add(position.currency)
        notional = abs(float(position.fixed)) * count * (one or 0.0)
        more = Gross(abs(float(position.exposure)) * count, notional)
        key = row.counterparty_id, position.market_id, position.month
        found[key] = found[key].plus(more) if key in found else more
    said = f"There is no exchange rate for {', '.join(sorted(missing))} beside the curves."
    return found, said if missing else ""


def markets_of(positions: Iterable[Position]) -> dict[int, MarketFacts]:
    """Return what the markets of positions are counted in."""
    return {p.market_id: MarketFacts(p.market_code, p.market_unit, p.calendar) for p in positions}
