"""Value positions on a basis: mark-to-market by month, and the P&L vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

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
        exposure = Exposure(
            month_number(position.month),
            float(position.exposure),
            float(position.fixed),
            position.count_from(basis.valued_at),
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


def _row(position: Position, exposure: Exposure, basis: Basis) -> PositionValue:
    from risk.engine import NoCurve, base_value, price_of

    price, value, problem = None, None, ""
    market = basis.markets.get(position.market_id)
    shape = "profile" if position.minutes else position.shape.lower()
    if basis.valued_at >= position.end or (position.load is not None and exposure.hours <= 0):
        value = 0.0
    elif position.load is None:
        problem = f"no hours of {shape} version {position.shape_version}"
    elif not position.is_flat_base:
        problem = f"no {shape} curve" if position.unit == "MWh" else f"no curve per {position.unit}"
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
        load_type="PROFILE" if position.minutes else position.shape,
        month=position.month,
        mw=f"{position.exposure:f}",
        hours=exposure.hours,
        energy_mwh=position.energy_from(basis.valued_at),
        average_price=exposure.mw_price / exposure.mw if exposure.mw else None,
        price=price,
        value=value,
        currency=position.currency,
        problem=problem,
    )
