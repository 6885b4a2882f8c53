"""How options move with prices, volatilities and time: by formula, and by revaluation beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading.valuation._market import Contract, Floats, MarketState
from trading.valuation._optionlets import (
    BACHELIER,
    Indices,
    OptionHoldings,
    Optionlets,
    OptionMarket,
    optionlet_prices,
    value_options,
)

_DAYS = 365.0
_HOUR = 3600
# Steps of the revaluation: wide enough for 64-bit numbers, narrow beside a day's moves.
PRICE_STEP, CURVATURE_STEP, VOL_STEP = 1e-3, 5e-2, 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class OptionGreeks:
    """
    How lines move with a contract's price; each line and contract once, shape (entries,).

    line, contract  positions
    delta           units to hold of the contract for the same move: sell as much to hedge
    gamma           of delta, per currency/unit by which all months of its side move
    vega            currency per point of volatility: 0.01 if lognormal, 1 currency/unit of the
                    market if normal
    theta           currency per day that passes; shared over months by volume
    """

    line: Indices
    contract: Indices
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RevaluedGreeks:
    """
    The same of all holdings together, by moving each input and valuing again.

    contract        positions of the contracts that are used
    delta           units by contract
    gamma, vega     by market in the order of `markets`; all months of it move together, of a
                    spread of two deliveries in one market those of each side for gamma
    theta           currency per day, from one hour
    """

    contract: Indices
    delta: Floats
    markets: tuple[str, ...]
    gamma: Floats
    vega: Floats
    theta: float


def option_greeks(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    holdings: OptionHoldings,
    state: MarketState,
    market: OptionMarket,
) -> OptionGreeks:
    """
    Return how lines move, by the formulas' derivatives.

    Theta of averages, which have no formula for it, is the revaluation of one hour.
    """
    found = optionlet_prices(contracts, optionlets, state, market)
    theta = np.where(np.isnan(found.theta), 0.0, found.theta / _DAYS)
    if np.isnan(found.theta).any():
        later = optionlet_prices(contracts, optionlets, replace(state, at=state.at + _HOUR), market)
        theta = np.where(np.isnan(found.theta), 24 * (later.price - found.price), theta)
    first = np.searchsorted(optionlets.row_optionlet, holdings.optionlet, side="left")
    after = np.searchsorted(optionlets.row_optionlet, holdings.optionlet, side="right")
    sizes = after - first
    held = np.repeat(np.arange(holdings.line.size), sizes)
    rows = np.arange(held.size) - np.repeat(np.cumsum(sizes) - sizes, sizes) + first[held]
    quantity, at = holdings.quantity[held], optionlets.row_optionlet[rows]
    side, weight = optionlets.row_side[rows], optionlets.row_weight[rows]
    vega = found.vega * vol_points(optionlets, market)
    line, contract = holdings.line[held], optionlets.row_contract[rows]
    both, place = np.unique(
        np.stack((line, contract)).astype(np.int64), axis=1, return_inverse=True
    )

    def summed(values: Floats) -> Floats:
        total: Floats = np.bincount(place.reshape(-1), values, both.shape[1]).astype(np.float64)
        return total

    return OptionGreeks(
        line=both[0],
        contract=both[1],
        delta=summed(quantity * found.row_delta[rows]),
        gamma=summed(quantity * found.row_gamma[rows]),
        vega=summed(quantity * vega[side, at] * weight),
        theta=summed(np.where(side == 0, quantity * theta[at] * weight, 0.0)),
    )


def vol_points(optionlets: Optionlets, market: OptionMarket) -> Floats:
    """
    Return what a point is of the volatility of each side of each right, shape (2, rights).

    0.01 if lognormal. If normal 1 currency/unit of the market, in the unit of the right: with
    another unit or a ratio more or less than one.
    """
    found: Floats = np.where(market.formula == BACHELIER, optionlets.side_factor, 0.01)
    return found


def revalued_greeks(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    holdings: OptionHoldings,
    state: MarketState,
    market: OptionMarket,
) -> RevaluedGreeks:
    """
    Return how all holdings together move, by central differences of full revaluation.

    Steps are in the unit of the right: a price per therm moves by less than one per MWh.
    """

    def worth(state: MarketState = state, market: OptionMarket = market) -> float:
        found = value_options(contracts, optionlets, holdings, state, market)
        return float((found.realised + found.unrealised).sum())

    largest = np.ones(len(contracts))
    largest[optionlets.row_contract] = 0.0
    np.maximum.at(largest, optionlets.row_contract, optionlets.row_factor)

    def moved(chosen: Indices, step: float) -> float:
        marks = state.marks.copy()
        marks[chosen] += step
        return worth(replace(state, marks=marks))

    base = worth()
    used = np.unique(optionlets.row_contract)
    markets = tuple(sorted({contracts[position].market for position in used.tolist()}))
    delta = []
    for n in range(used.size):
        one = used[n : n + 1]
        h = PRICE_STEP / float(largest[one[0]])
        delta.append((moved(one, h) - moved(one, -h)) / (2 * h))
    gamma, vega = [], []
    row_market = np.array([contracts[n].market for n in optionlets.row_contract.tolist()])
    points = vol_points(optionlets, market)
    for code in markets:
        rows = np.flatnonzero(row_market == code)
        h = CURVATURE_STEP / float(largest[optionlets.row_contract[rows]].max())
        sides = [
            np.unique(optionlets.row_contract[rows[optionlets.row_side[rows] == side]])
            for side in np.unique(optionlets.row_side[rows])
        ]
        gamma.append(
            sum(moved(chosen, h) - 2 * base + moved(chosen, -h) for chosen in sides) / (h * h)
        )
        step = np.zeros_like(market.volatility)
        step[optionlets.row_side[rows], optionlets.row_optionlet[rows]] = 1.0
        step = step * points * (VOL_STEP / 0.01)
        up, down = (
            worth(market=replace(market, volatility=market.volatility + way * step))
            for way in (1, -1)
        )
        vega.append((up - down) / (2 * VOL_STEP / 0.01))
    later = worth(replace(state, at=state.at + _HOUR))
    return RevaluedGreeks(
        contract=used,
        delta=np.array(delta),
        markets=markets,
        gamma=np.array(gamma),
        vega=np.array(vega),
        theta=24 * (later - base),
    )
