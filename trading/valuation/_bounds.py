"""
What the floor and the cap of a profile are worth: a right for each interval, all months at once.

The price of an interval is distributed around its forward by the chosen formula, until delivery
begins; after that it counts as it was published. Volumes are those that are held, so that what a
meter reads changes the rights with the delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.pricing import OptionType, bachelier, black76, displaced_black
from trading.valuation._holdings import Valued
from trading.valuation._market import (
    NO_FIXINGS,
    Contract,
    Floats,
    MarketState,
    Seconds,
    interval_fixings,
    interval_weights,
)
from trading.valuation._option_greeks import (
    CURVATURE_STEP,
    PRICE_STEP,
    VOL_STEP,
    OptionGreeks,
    RevaluedGreeks,
)
from trading.valuation._optionlets import BACHELIER, BLACK76, DISPLACED, YEAR, Flags, Indices, Words

_DAYS = 365.0
_HOUR = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """
    Rights on each interval of a month of a profile, shape (bounds,).

    contract    position of the profile's contract whose price counts
    sign        +1 a cap, −1 a floor
    strike      currency/unit
    payment     seconds: when cash for the month is paid
    """

    contract: Indices
    sign: Floats
    strike: Floats
    payment: Seconds

    def __len__(self) -> int:
        return len(self.strike)


@dataclass(frozen=True, slots=True, eq=False)
class BoundHoldings:
    """
    What lines (a trade in one currency) hold of bounds.

    line, bound     positions, shape (holdings,)
    megawatts       of each, by the interval of its contract; held +, written −
    """

    lines: int
    line: Indices
    bound: Indices
    megawatts: tuple[Floats, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BoundMarket:
    """
    What bounds are valued on beside the prices, shape (bounds,).

    formula         BLACK76, BACHELIER or DISPLACED_BLACK; "" where none is chosen
    displacement    currency/unit, of DISPLACED_BLACK, else 0
    volatility      of the formula's kind, for all intervals of the month; NaN where unknown
    rate            continuous zero rate to the payment, ACT/365; NaN where unknown
    known           False of what must not be valued, whatever the rest says
    """

    formula: Words
    displacement: Floats
    volatility: Floats
    rate: Floats
    known: Flags


@dataclass(frozen=True, slots=True, eq=False)
class BoundValues:
    """
    The worth of each holding and how it moves, shape (holdings,), discounted.

    realised        of what is delivered: payoff at the fixing, at the curve while there is none
    unrealised      of what is to come, time value included
    delta           units, all prices of the month together
    gamma           of delta per currency/unit
    vega            currency per 1.00 of volatility
    theta           currency per year that passes
    missing         True where something needed was not there; all else is then zero
    """

    realised: Floats
    unrealised: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    missing: Flags


@dataclass(frozen=True, slots=True, eq=False)
class _Months:
    """A contract's intervals in a state; each row of shape (intervals,)."""

    starts: Seconds
    curve: Floats
    settled: Floats
    is_fixed: Flags
    delivered: Floats
    to_come: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """The intervals of one holding that have not begun and have volume."""

    holding: int
    forward: Floats
    years: Floats
    units: Floats


def bound_values(
    contracts: Sequence[Contract],
    bounds: Bounds,
    holdings: BoundHoldings,
    state: MarketState,
    market: BoundMarket,
) -> BoundValues:
    """
    Value holdings of bounds in a state of the market.

    Years to expiry are ACT/365 to the start of each interval. An interval that has begun counts
    with its payoff, so it needs no formula; one without volume needs no price.
    """
    count = holdings.line.size
    zero = np.zeros((6, count))
    found = BoundValues(
        zero[0], zero[1], zero[2], zero[3], zero[4], zero[5], np.zeros(count, dtype=np.bool_)
    )
    months: dict[int, _Months] = {}
    ahead: list[_Ahead] = []
    paid_in = np.maximum(bounds.payment - state.at, 0) / YEAR
    discount = np.where(paid_in > 0, np.exp(-market.rate * paid_in), 1.0)
    usable = market.known & np.isfinite(discount)
    for n, (bound, megawatts) in enumerate(
        zip(holdings.bound.tolist(), holdings.megawatts, strict=True)
    ):
        position = int(bounds.contract[bound])
        if position not in months:
            months[position] = _months(contracts[position], position, state)
        month = months[position]
        units = megawatts * (contracts[position].minutes / 60)
        used = units != 0
        to_come = used & (month.starts > state.at)
        if not usable[bound] or not np.isfinite(month.settled[used]).all():
            found.missing[n] = True
            continue
        if to_come.any():
            if not _fits(bounds, market, bound, float(month.curve[to_come].min())):
                found.missing[n] = True
                continue
            years = (month.starts[to_come] - state.at) / YEAR
            ahead.append(_Ahead(n, month.curve[to_come], years, units[to_come]))
        _pay(found, n, month, units, used & ~to_come, bounds.sign[bound], bounds.strike[bound])
    _price(found, bounds, holdings, market, ahead)
    factor = discount[holdings.bound]
    rows = {
        name: np.where(found.missing, 0.0, getattr(found, name) * factor)
        for name in ("realised", "unrealised", "delta", "gamma", "vega", "theta")
    }
    # What is owed earns interest until it is paid.
    grows = np.where(paid_in > 0, market.rate, 0.0)[holdings.bound]
    worth = rows["realised"] + rows["unrealised"]
    rows["theta"] = rows["theta"] + np.where(found.missing, 0.0, grows * worth)
    return replace(found, **rows)


def _months(contract: Contract, position: int, state: MarketState) -> _Months:
    starts = np.arange(contract.start, contract.end, 60 * contract.minutes, dtype=np.int64)
    curve = state.fine.get(position)
    if curve is None:
        curve = np.full(starts.size, state.marks[position])
    delivered, to_come = interval_weights(contract, state.at)
    known = state.fixings.get(contract.market, NO_FIXINGS).until(state.fixed_until)
    fixings = np.full(starts.size, np.nan)
    if state.at > contract.start:
        fixings = interval_fixings(contract, known)
        fixings[delivered == 0] = np.nan
    is_fixed = np.isfinite(fixings)
    return _Months(starts, curve, np.where(is_fixed, fixings, curve), is_fixed, delivered, to_come)


def _fits(bounds: Bounds, market: BoundMarket, bound: int, lowest: float) -> bool:
    formula, shift = market.formula[bound], market.displacement[bound]
    if not formula or not np.isfinite(market.volatility[bound]):
        return False
    return bool(formula == BACHELIER or min(lowest, bounds.strike[bound]) + shift > 0)


def _pay(
    found: BoundValues, n: int, month: _Months, units: Floats, begun: Flags, sign: float,
    strike: float,
) -> None:  # fmt: skip
    """Add the payoff of the intervals that have begun."""
    if not begun.any():
        return
    energy = units[begun]
    gain = sign * (month.settled[begun] - strike)
    payoff = np.maximum(gain, 0.0) * energy
    found.realised[n] = float((payoff * month.delivered[begun]).sum())
    found.unrealised[n] = float((payoff * month.to_come[begun]).sum())
    moves = (gain > 0) & ~month.is_fixed[begun]
    found.delta[n] = float(np.where(moves, sign * energy, 0.0).sum())


def _price(
    found: BoundValues, bounds: Bounds, holdings: BoundHoldings, market: BoundMarket,
    ahead: Sequence[_Ahead],
) -> None:  # fmt: skip
    """Add what is still to come, all months of one formula and sign in one call."""
    groups: dict[tuple[str, float, float], list[_Ahead]] = {}
    for part in ahead:
        at = int(holdings.bound[part.holding])
        key = (str(market.formula[at]), float(market.displacement[at]), float(bounds.sign[at]))
        groups.setdefault(key, []).append(part)
    for (formula, shift, sign), parts in groups.items():
        sizes = [part.units.size for part in parts]
        holding = np.repeat(np.array([part.holding for part in parts], dtype=np.int64), sizes)
        bound = holdings.bound[holding]
        units = np.concatenate([part.units for part in parts])
        terms: dict[str, Any] = {
            "forward": np.concatenate([part.forward for part in parts]),
            "strike": bounds.strike[bound],
            "expiry": np.concatenate([part.years for part in parts]),
            "volatility": market.volatility[bound],
            "option": OptionType.CALL if sign > 0 else OptionType.PUT,
        }
        if formula == DISPLACED:
            one = displaced_black(displacement=shift, **terms)
        else:
            one = (black76 if formula == BLACK76 else bachelier)(**terms)
        # In order, one after the other: the same sum whatever stands beside it.
        for row, unit in (
            (found.unrealised, one.price), (found.delta, one.delta), (found.gamma, one.gamma),
            (found.vega, one.vega), (found.theta, one.theta),
        ):  # fmt: skip
            row += np.bincount(holding, units * unit, row.size)


def value_bounds(
    contracts: Sequence[Contract],
    bounds: Bounds,
    holdings: BoundHoldings,
    state: MarketState,
    market: BoundMarket,
) -> Valued:
    """Return what `bound_values` does as values by line; `contract` is the bound's position."""
    return valued_bounds(bound_values(contracts, bounds, holdings, state, market), holdings)


def valued_bounds(found: BoundValues, holdings: BoundHoldings) -> Valued:
    """Return values of holdings by line; `contract` is the bound's position."""
    return Valued(
        line=holdings.line, contract=holdings.bound, realised=found.realised,
        unrealised=found.unrealised, missing=found.missing, lines=holdings.lines,
    )  # fmt: skip


def bound_greeks(
    found: BoundValues, bounds: Bounds, holdings: BoundHoldings, market: BoundMarket
) -> OptionGreeks:
    """Return how lines move with a month's price, each line and contract once."""
    points = np.where(market.formula == BACHELIER, 1.0, 0.01)
    both, place = np.unique(
        np.stack((holdings.line, bounds.contract[holdings.bound])).astype(np.int64),
        axis=1, return_inverse=True,
    )  # fmt: skip

    def summed(values: Floats) -> npt.NDArray[np.float64]:
        total: Floats = np.bincount(place.reshape(-1), values, both.shape[1]).astype(np.float64)
        return total

    return OptionGreeks(
        line=both[0], contract=both[1], delta=summed(found.delta), gamma=summed(found.gamma),
        vega=summed(found.vega * points[holdings.bound]), theta=summed(found.theta / _DAYS),
    )  # fmt: skip


def revalued_bounds(
    contracts: Sequence[Contract],
    bounds: Bounds,
    holdings: BoundHoldings,
    state: MarketState,
    market: BoundMarket,
) -> RevaluedGreeks:
    """
    Return how all holdings together move, by central differences of full revaluation.

    A month's bounds depend on its own prices only, so all months move at once.
    """

    def worth(state: MarketState = state, market: BoundMarket = market) -> Floats:
        found = bound_values(contracts, bounds, holdings, state, market)
        return found.realised + found.unrealised

    def moved(step: float) -> Floats:
        fine = {position: row + step for position, row in state.fine.items()}
        return worth(replace(state, marks=state.marks + step, fine=fine))

    def change(up: Floats, down: Floats, step: float) -> Floats:
        found: Floats = (up - down) / (2 * step)
        return found

    position = bounds.contract[holdings.bound]
    used, place = np.unique(position, return_inverse=True)
    delta = change(moved(PRICE_STEP), moved(-PRICE_STEP), PRICE_STEP)
    h = CURVATURE_STEP
    gamma = (moved(h) - 2 * worth() + moved(-h)) / (h * h)
    points = np.where(market.formula == BACHELIER, 1.0, 0.01)
    step = VOL_STEP / 0.01
    up, down = (
        worth(market=replace(market, volatility=market.volatility + way * step * points))
        for way in (1, -1)
    )
    vega = change(up, down, step)
    later = worth(replace(state, at=state.at + _HOUR))
    codes = np.array([contracts[n].market for n in position.tolist()])
    markets = tuple(sorted(set(codes.tolist())))
    return RevaluedGreeks(
        contract=used,
        delta=np.bincount(place.reshape(-1), delta, used.size).astype(np.float64),
        markets=markets,
        gamma=np.array([gamma[codes == code].sum() for code in markets]),
        vega=np.array([vega[codes == code].sum() for code in markets]),
        theta=24 * float((later - worth()).sum()),
    )
