"""Value positions on a basis: mark-to-market by month, and the P&L vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from trading.deals import LoadType, MonthDelivery, PowerForward
from trading.queries.positions import Position

from .bases import Basis

if TYPE_CHECKING:
    from risk.engine import Exposure

    from .bases import Floats


@dataclass(frozen=True, slots=True)
class PositionValue:
    """
    One position with its mark.

    hours, energy_mwh   still to be delivered at the valuation time; energy bought +, sold −
    average_price       of what is held, currency/MWh; None at zero MW
    price, value        None where the position cannot be valued, for the reason in `problem`
    """

    market: str
    load_type: str
    month: date
    mw: str
    hours: float
    energy_mwh: float
    average_price: float | None
    price: float | None
    value: float | None
    currency: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Valuation:
    """
    Positions on a basis, together.

    pnl         shape (scenario,), gains positive; of the valued positions only
    """

    base_value: float
    pnl: Floats
    rows: tuple[PositionValue, ...]

    @property
    def unvalued(self) -> tuple[PositionValue, ...]:
        return tuple(row for row in self.rows if row.problem)


def value_positions(positions: Iterable[Position], basis: Basis) -> Valuation:
    """
    Return value and P&L vector of positions; what cannot be valued stands in the rows with why.

    A delivery that is over at the valuation time has no hours left, value 0 and no risk.
    """
    from risk.engine import Exposure, base_value, exposure_by_tenor, month_number, project

    rows: list[PositionValue] = []
    by_market: dict[int, list[Exposure]] = defaultdict(list)
    for position in positions:
        hours = position.hours_from(basis.valued_at)
        exposure = Exposure(
            month_number(position.month), float(position.mw), float(position.mw_price), hours
        )
        row = _row(position, exposure, basis)
        rows.append(row)
        if not row.problem:
            by_market[position.market_id].append(exposure)
    value, pnl = 0.0, basis.zeros()
    for market_id, exposures in by_market.items():
        market = basis.markets[market_id]
        value += base_value(exposures, market.curve)
        energy = exposure_by_tenor(exposures, origin=market.curve.origin, tenors=basis.tenors)
        pnl += project(market.shocks, energy)
    return Valuation(value, pnl, tuple(rows))


def positions_of_terms(
    terms: PowerForward, deliveries: Sequence[MonthDelivery], market_id: int
) -> list[Position]:
    """Return the positions that a deal would add, before it is booked."""
    return [
        Position(
            market_id=market_id,
            market_code=terms.area.code,
            currency=terms.currency,
            load_type=terms.load_type,
            month=delivery.month,
            start=delivery.interval.start,
            end=delivery.interval.end,
            zone_key=terms.area.zone_key,
            mw=terms.signed_mw,
            mw_price=terms.signed_mw * terms.price,
        )
        for delivery in deliveries
    ]


def _row(position: Position, exposure: Exposure, basis: Basis) -> PositionValue:
    from risk.engine import NoCurve, base_value, price_of

    price, value, problem = None, None, ""
    market = basis.markets.get(position.market_id)
    if exposure.hours <= 0:
        value = 0.0
    elif position.load_type is not LoadType.BASE:
        problem = f"no {position.load_type.value.lower()} curve"
    elif market is None:
        problem = "no curve with quote history"
    else:
        try:
            price = price_of(market.curve, exposure.month)
            value = base_value([exposure], market.curve)
        except NoCurve:
            problem = "beyond the curve"
    return PositionValue(
        market=position.market_code,
        load_type=position.load_type.value,
        month=position.month,
        mw=f"{position.mw:f}",
        hours=exposure.hours,
        energy_mwh=exposure.mw * exposure.hours,
        average_price=exposure.mw_price / exposure.mw if exposure.mw else None,
        price=price,
        value=value,
        currency=position.currency,
        problem=problem,
    )
