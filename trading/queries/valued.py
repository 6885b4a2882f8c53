"""Positions with their value on the latest curves, row by row and in sum."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from .marks import MarketMarks, month_marks
from .positions import Position, positions_of


@dataclass(frozen=True, slots=True)
class ValuedPosition:
    """
    What is still to be delivered of a market, product and month.

    mw, hours       power and hours left after the valuation time; None for what has no power
    volume          left after the valuation time in `unit`, bought +, sold −
    average_price   currency/`unit` of what is held, None at zero
    price, value    None where no curve speaks of the month and product
    """

    market: str
    month: date
    product: str
    mw: float | None
    hours: float | None
    volume: float
    unit: str
    average_price: float | None
    price: float | None
    value: float | None
    currency: str
    is_over: bool

    @property
    def energy_mwh(self) -> float | None:
        """Return the volume where it is energy in MWh."""
        return self.volume if self.unit == "MWh" else None


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
        """Return how many rows with something left have no value."""
        return sum(row.value is None and not row.is_over for row in self.rows)

    @property
    def energy_mwh(self) -> float:
        return sum(row.energy_mwh or 0.0 for row in self.rows)


def valued_positions(book_ids: Iterable[UUID], *, valued_at: datetime) -> ValuedPositions:
    """Return what some books hold together with its undiscounted value; at most three queries."""
    return value_positions(positions_of(book_ids), valued_at=valued_at)


def value_positions(held: Sequence[Position], *, valued_at: datetime) -> ValuedPositions:
    """Return some positions with their undiscounted value; at most two queries."""
    marks = month_marks(as_of=valued_at, market_ids={p.market_id for p in held}) if held else {}
    rows = tuple(_row(p, marks.get(p.market_id), valued_at) for p in held)
    values: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.value is not None:
            values[row.currency] += row.value
    oldest = min((mark.as_of for mark in marks.values()), default=None)
    return ValuedPositions(rows, tuple(sorted(values.items())), oldest)


def _row(p: Position, mark: MarketMarks | None, valued_at: datetime) -> ValuedPosition:
    count, exposure, fixed = p.count_from(valued_at), float(p.exposure), float(p.fixed)
    energy = p.energy_from(valued_at)
    speaks = mark is not None and not p.minutes and mark.price_unit == p.unit
    price = mark.price(p.month, p.shape) if mark is not None and speaks else None
    return ValuedPosition(
        market=p.market_code,
        month=p.month,
        product="Profile" if p.minutes else p.shape.title(),
        mw=exposure if p.basis == "HOUR" else None,
        hours=count if p.basis == "HOUR" else None,
        volume=energy,
        unit=p.unit,
        average_price=fixed / exposure if exposure else None,
        price=price,
        value=None if price is None else price * energy - count * fixed,
        currency=p.currency,
        is_over=valued_at >= p.end,
    )
