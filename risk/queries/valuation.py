"""Value positions on a basis: mark-to-market by month, and the P&L vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from trading.queries.positions import Position

from .bases import Basis

if TYPE_CHECKING:
    from risk.engine import Exposure

    from .bases import Floats
    from .choices import ChoiceValue


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
    Holdings on a basis, together, in one currency.

    pnl         shape (scenario,), gains positive; of what is valued only
    rows, choices   positions, and legs with choices
    held        sentences about exchange rates that some scenario holds, for lack of history
    """

    base_value: float
    pnl: Floats
    rows: tuple[PositionValue, ...]
    held: tuple[str, ...] = ()
    choices: tuple[ChoiceValue, ...] = ()

    @property
    def unvalued(self) -> tuple[PositionValue | ChoiceValue, ...]:
        return (
            *(row for row in self.rows if row.problem),
            *(choice for choice in self.choices if choice.problem),
        )

    @property
    def problem(self) -> str:
        """Return a sentence about the first part that cannot be valued, empty without one."""
        for row in self.rows:
            if row.problem:
                return f"{row.market} {row.month:%b %Y} cannot be valued: {row.problem}."
        from .choices import problem_of

        return problem_of(self.choices)


def value_positions(positions: Iterable[Position], basis: Basis, *, currency: str) -> Valuation:
    """
    Return value and P&L vector of positions; what cannot be valued stands in the rows with why.

    A delivery that is over at the valuation time has no hours left, value 0 and no risk.

    currency    of the sums; rows stay in their own. What is in another is converted at each
                scenario's own rate, value and change.
    """
    from risk.engine import Exposure, base_value, exposure_by_tenor, month_number, project

    rows: list[PositionValue] = []
    sums: dict[str, tuple[float, Floats]] = {}

    def add(native: str, worth: float, moved: Floats) -> None:
        before = sums.get(native, (0.0, basis.zeros()))
        sums[native] = (before[0] + worth, before[1] + moved)

    by_load: dict[tuple[str, int, str], list[Exposure]] = defaultdict(list)
    for position in positions:
        exposure = Exposure(
            month_number(position.month),
            float(position.exposure),
            float(position.fixed),
            position.count_from(basis.valued_at),
        )
        row = _row(position, exposure, basis, currency)
        if position.minutes and not row.problem and row.value is None:
            row, moved = _profile(position, row, basis)
            if row.value is not None:
                add(position.currency, row.value, moved)
            rows.append(row)
            continue
        rows.append(row)
        if not row.problem:
            by_load[position.currency, position.market_id, position.shape].append(exposure)
    for (native, market_id, shape), exposures in by_load.items():
        market = basis.markets[market_id].load(shape) if market_id in basis.markets else None
        if market is None:
            continue  # over, so worth nothing on any curve
        energy = exposure_by_tenor(exposures, origin=market.curve.origin, tenors=basis.tenors)
        add(native, base_value(exposures, market.curve), project(market.shocks, energy))
    value, pnl = 0.0, basis.zeros()
    foreign = sorted(n for n in sums.keys() - {currency} if basis.converts(n, currency))
    for native, (worth, moved) in sums.items():
        if not basis.converts(native, currency):
            continue  # nothing of it is left to deliver
        worth, moved = basis.converted(worth, moved, native, currency)
        value, pnl = value + worth, pnl + moved
    return Valuation(
        value,
        pnl,
        tuple(rows),
        held=tuple(filter(None, (basis.held_rates(native, currency) for native in foreign))),
    )


def _profile(position: Position, row: PositionValue, basis: Basis) -> tuple[PositionValue, Floats]:
    """Return the row of a profile with its value and mean price, and its P&L vector."""
    from .profiles import NoProfilePrice, profile_value

    try:
        value, moved = profile_value(position, basis)
    except NoProfilePrice as error:
        return replace(row, problem=str(error)), basis.zeros()
    worth = value + position.count_from(basis.valued_at) * float(position.fixed)
    price = worth / row.energy_mwh if row.energy_mwh else None
    return replace(row, value=value, price=price), moved


def _row(position: Position, exposure: Exposure, basis: Basis, currency: str) -> PositionValue:
    from risk.engine import NoCurve, base_value, price_of

    price, value, problem = None, None, ""
    market = basis.markets.get(position.market_id)
    load = market.load(position.shape) if market is not None else None
    shape = "profile" if position.minutes else position.shape.lower()
    if basis.valued_at >= position.end or (position.load is not None and exposure.hours <= 0):
        value = 0.0
    elif position.load is None:
        problem = f"no hours of {shape} version {position.shape_version}"
    elif position.unit != position.market_unit:
        problem = f"no curve per {position.unit}"
    elif market is None:
        problem = "no curve with quote history"
    elif load is None:
        problem = f"no {shape} curve"
    elif not basis.converts(position.currency, currency):
        problem = f"no exchange rate {position.currency}/{currency} beside the curves"
    elif not position.minutes:
        try:
            price = price_of(load.curve, exposure.month)
            value = base_value([exposure], load.curve)
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
