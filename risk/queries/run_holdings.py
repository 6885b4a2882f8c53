"""What a run calculates on: each trade's holdings by market and month, as known at a cut."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from trading.queries.books import subtree
from trading.queries.choices import Choice, choices_of
from trading.queries.markets import commodities_by_market
from trading.queries.positions import Position, positions_by_trade
from trading.queries.trades_at import TradeAt, trades_at

from .holdings import Holdings


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """
    The smallest part of a run: what one trade holds of one market and delivery month.

    month       a leg with choices counts in the month that its delivery begins in
    """

    trade: TradeAt
    market: str
    commodity: str
    month: date
    holdings: Holdings

    def energy_mwh(self, instant: datetime) -> float | None:
        """Return what is to be delivered from an instant, bought +; None if not all is in MWh."""
        if self.holdings.choices or any(p.unit != "MWh" for p in self.holdings.positions):
            return None
        return sum(p.energy_from(instant) for p in self.holdings.positions)


@dataclass(frozen=True, slots=True, eq=False)
class RunHoldings:
    """
    All that a book with those below it holds at a cut.

    parts       by trade, market and month
    digest      SHA-256 over trade versions and every position
    """

    trades: tuple[TradeAt, ...]
    parts: tuple[Part, ...]
    digest: str

    @property
    def together(self) -> Holdings:
        """Return everything at once."""
        return Holdings(
            [p for part in self.parts for p in part.holdings.positions],
            [c for part in self.parts for c in part.holdings.choices],
        )


@dataclass(slots=True)
class _Held:
    positions: list[Position] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)


def run_holdings(book_id: UUID, *, cut: datetime) -> RunHoldings:
    """Return what a book with those below it held as recorded by a cut; trades by reference."""
    books = subtree(book_id)
    held: dict[tuple[int, str, date], _Held] = defaultdict(_Held)
    for trade_id, positions in positions_by_trade(books, cut=cut).items():
        for position in positions:
            held[trade_id, position.market_code, position.month].positions.append(position)
    for choice in choices_of(books, cut=cut):
        market = " − ".join(dict.fromkeys(index.area.code for index in choice.leg.underlying))
        month = choice.leg.schedule.period.first.replace(day=1)
        assert choice.trade_id is not None, "a booked leg names its trade"
        held[choice.trade_id, market, month].choices.append(choice)
    trades = trades_at({trade_id for trade_id, *_ in held}, cut=cut)
    commodities = commodities_by_market()
    parts = [
        Part(
            trades[trade_id],
            market,
            ", ".join(dict.fromkeys(commodities[code] for code in market.split(" − "))),
            month,
            Holdings(tuple(found.positions), tuple(found.choices)),
        )
        for (trade_id, market, month), found in held.items()
    ]
    parts.sort(key=lambda part: (part.trade.ref, part.market, part.month))
    used = tuple(sorted(trades.values(), key=lambda trade: trade.ref))
    return RunHoldings(used, tuple(parts), _digest(parts))


def _digest(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        trade = part.trade
        digest.update(
            f"{trade.ref} v{trade.version} {trade.book} {trade.counterparty} {trade.trader}"
            f" {part.market} {part.month}\n".encode()
        )
        for p in part.holdings.positions:
            digest.update(f"{p.key} {p.exposure:f} {p.fixed:f}\n".encode())
            if p.profile is not None:
                digest.update(p.profile.astype("<i8").tobytes())
        for choice in part.holdings.choices:
            digest.update(f"leg {choice.number} of version {choice.terms_id}\n".encode())
            for p in choice.volume or ():
                digest.update(f"{p.key} {p.exposure:f} {p.fixed:f} {p.physical:f}\n".encode())
    return digest.hexdigest()
