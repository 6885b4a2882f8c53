"""Positions with their value on the latest curves, row by row and in sum."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from energyopti.foundation.units import energy_mwh
from trading.deals import LoadType

from .marks import MarketMarks, month_marks
from .positions import Position, positions_of


@dataclass(frozen=True, slots=True)
class ValuedPosition:
    """
    What is still to be delivered of a market, product and month.

    hours           left after the valuation time
    energy_mwh      bought +, sold −
    average_price   currency/MWh of what is held, None at zero MW
    price, value    None where no curve speaks of the month and product
    """

    market: str
    month: date
    product: str
    mw: float
    hours: float
    energy_mwh: float
    average_price: float | None
    price: float | None
    value: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class ValuedPositions:
    """
    Positions together.

    values      (currency, value) of what has a curve, by currency
    curves_at   as-of time of the oldest curve used, None without one
    """

    rows: tuple[ValuedPosition, ...]
    values: tuple[tuple[str, float], ...]
    curves_at: datetime | None

    @property
    def unvalued(self) -> int:
        """Return how many rows with hours left have no value."""
        return sum(row.value is None and row.hours > 0 for row in self.rows)

    @property
    def energy_mwh(self) -> float:
        return sum(row.energy_mwh for row in self.rows)


def valued_positions(book_ids: Iterable[UUID], *, valued_at: datetime) -> ValuedPositions:
    """Return what some books hold together with its undiscounted value; at most three queries."""
    held = positions_of(book_ids)
    marks = month_marks(as_of=valued_at, market_ids={p.market_id for p in held}) if held else {}
    rows = tuple(_row(p, marks.get(p.market_id), valued_at) for p in held)
    values: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.value is not None:
            values[row.currency] += row.value
    oldest = min((mark.as_of for mark in marks.values()), default=None)
    return ValuedPositions(rows, tuple(sorted(values.items())), oldest)


def _row(p: Position, mark: MarketMarks | None, valued_at: datetime) -> ValuedPosition:
    hours, mw = p.hours_from(valued_at), float(p.mw)
    price = mark.prices.get(p.month) if mark and p.load_type is LoadType.BASE else None
    return ValuedPosition(
        market=p.market_code,
        month=p.month,
        product=p.load_type.value.title(),
        mw=mw,
        hours=hours,
        energy_mwh=float(energy_mwh(1.0, hours)) * mw,
        average_price=float(p.mw_price / p.mw) if p.mw else None,
        price=price,
        value=None if price is None else hours * (price * mw - float(p.mw_price)),
        currency=p.currency,
    )
