"""
A portfolio's gain as a sum of polynomials, each of the moves of one price and one volatility.

All options on a node of prices and a node of volatilities have one such function, whatever their
number, and a formula's values are smooth in it: a polynomial through a few points is asked instead
of the formula. What it errs by is measured, and what it cannot follow is valued in full.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._revaluation import ForwardRows, Portfolio, revalue
from risk.engine._rows import chosen_options, of_rows
from risk.engine._shocks import Shocks
from trading.pricing import (
    Lattice,
    OptionRows,
    PriceModel,
    Surfaces,
    sum_surfaces,
    value_in_scenarios,
)

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
# Tried in turn: most options of a month and more are smooth enough for the first.
_LATTICES = (Lattice(8, 5), Lattice(16, 8))
# What a polynomial may err by, of the mean width of those fitted with it.
_SHARE = 1e-5
# An option whose price reaches further than so many of its own deviations may bend between the
# points that a fit is checked at.
_BEND = 8.0
# The checks are scattered points, not all points.
_SAFETY = 2.0
_ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Today's levels, prices first and then volatilities, and how they move."""

    prices: Floats
    volatilities: Floats
    shocks: Shocks

    def moved(self, moves: Floats) -> tuple[Floats, Floats]:
        """Return prices and volatilities after moves (path, node), as (node, path) each."""
        levels = np.concatenate([self.prices, self.volatilities])
        found = self.shocks.applied(levels, moves).T
        return found[: self.prices.size], found[self.prices.size :]


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """
    What stands in for full revaluation while all moves are within reach.

    surfaces    in moves as shares of the reach
    rest        what is valued in full nevertheless
    reach       (node,), the farthest move
    error       bound of the difference from full revaluation, on a path within reach; currency
    """

    surfaces: tuple[Surfaces, ...]
    rest: Portfolio
    reach: Floats
    error: float

    def pnl(
        self, market: Market, draws: Floats, loadings: Floats, *, workers: int | None = None
    ) -> tuple[Floats, Mask]:
        """Return the gain on each path (path,), and whether the path is within reach."""
        scaled = np.divide(loadings, self.reach, out=np.zeros_like(loadings), where=self.reach > 0)
        total, farthest = sum_surfaces(self.surfaces, draws, scaled, workers=workers)
        if len(self.rest.forwards) or self.rest.options:
            prices, volatilities = market.moved(draws @ loadings)
            total += revalue(
                self.rest, market.prices, market.volatilities, prices, volatilities,
                workers=workers,
            ).pnl  # fmt: skip
        return total, farthest <= 1.0


def proxy_of(
    held: Portfolio, market: Market, reach: Floats, *, workers: int | None = None
) -> Proxy:
    """
    Fit a portfolio's gain.

    reach   (node,), ≥ 0: moves of prices and then of volatilities that polynomials shall cover

    Valued in full, so in `rest`, are options whose price reaches further than eight of their
    deviations (near expiry), whose formula has no value somewhere within reach, or that no
    polynomial tried follows to a hundred-thousandth of the mean width.
    """
    known = [_at(lattice, market, reach) for lattice in _LATTICES]
    parts: list[Surfaces] = []
    in_full = []
    error = 0.0
    for rows in held.options:
        smooth = _is_smooth(rows, market, reach)
        fitted, erring, smooth = _fit_options(rows, smooth, market, known, workers)
        parts += fitted
        error += erring
        in_full.append(~smooth)
    forwards, erring, nodes = _fit_forwards(held.forwards, market, known[0][0])
    parts = _joined(parts, forwards)
    rest = of_rows(held, np.isin(held.forwards.node, nodes), in_full)
    bound = _SAFETY * (error + erring) + _ROUNDING * _gross(held, market)
    return Proxy(tuple(part for part in parts if len(part)), rest, reach, bound)


def _at(lattice: Lattice, market: Market, reach: Floats) -> tuple[Floats, Floats]:
    """Return prices and volatilities at a lattice's points, (node, point) each."""
    first, second = lattice.points
    is_price = np.arange(reach.size) < market.prices.size
    with np.errstate(over="ignore"):
        return market.moved(np.where(is_price, first[:, None], second[:, None]) * reach)


def _is_smooth(rows: OptionRows, market: Market, reach: Floats) -> Mask:
    """Return whether an option's formula has values within reach, and none that bends narrowly."""
    with np.errstate(over="ignore"):
        (low, high), (still, _) = (part.T for part in market.moved(np.stack([-reach, reach])))
    normal = rows.model.model is PriceModel.BACHELIER
    shift = 0.0 if normal else float(rows.model.displacement)
    today = market.prices[rows.node]
    lowest, highest = low[rows.node], high[rows.node]
    volatility = still[rows.volatility_node]
    has_value = np.isfinite(highest) & (volatility >= 0)
    if not normal:
        has_value &= lowest + shift > 0
    deviation = np.maximum(volatility, 0.0) * np.sqrt(rows.years)
    if not normal:
        deviation = deviation * (today + shift)
    farthest = np.maximum(highest - today, today - lowest)
    found: Mask = has_value & (farthest <= _BEND * deviation)
    return found


def _fit_options(
    rows: OptionRows,
    smooth: Mask,
    market: Market,
    known: list[tuple[Floats, Floats]],
    workers: int | None,
) -> tuple[list[Surfaces], float, Mask]:
    """Return surfaces, the sum of their errors, and which rows they follow."""
    parts, total = [], 0.0
    today = market.prices, market.volatilities
    followed = np.zeros(len(rows), dtype=bool)
    allowed: float | None = None
    for lattice, (prices, volatilities) in zip(_LATTICES, known, strict=True):
        left = np.flatnonzero(smooth & ~followed)
        if not left.size:
            break
        some = chosen_options(rows, smooth & ~followed)
        key = some.node * len(volatilities) + some.volatility_node
        order = np.argsort(key, kind="stable")
        keys, starts = np.unique(key[order], return_index=True)
        _, each = value_in_scenarios(
            some, prices, volatilities, today=today, each=True, workers=workers
        )
        gain = np.add.reduceat(each[order], starts, axis=0)
        powers, error = lattice.fit(gain)
        if allowed is None:
            allowed = _SHARE * float(np.ptp(gain, axis=1).mean())
        good = error <= allowed
        node, volatility_node = np.divmod(keys[good], len(volatilities))
        parts.append(Surfaces(node, len(prices) + volatility_node, powers[good]))
        total += float(error[good].sum())
        followed[left] = np.isin(key, keys[good])
    return parts, total, followed


def _fit_forwards(
    held: ForwardRows, market: Market, prices: Floats
) -> tuple[Surfaces, float, Indices]:
    """Return surfaces of the forwards by node, their errors' sum, and the nodes none follows."""
    energy = np.bincount(held.node, held.amount, market.prices.size)
    nodes = np.flatnonzero(energy)
    if not nodes.size:
        return Surfaces(nodes, nodes, np.zeros((0, 1, _LATTICES[0].columns))), 0.0, nodes
    gain = energy[nodes, None] * (prices[nodes] - market.prices[nodes, None])
    powers, error = _LATTICES[0].fit(gain)
    good = error <= _SHARE * np.ptp(gain, axis=1).mean()
    # A forward does not know the second move: the first row is all there is.
    flat = Surfaces(nodes[good], nodes[good], np.ascontiguousarray(powers[good, :1]))
    return flat, float(error[good].sum()), nodes[~good]


def _joined(parts: list[Surfaces], forwards: Surfaces) -> list[Surfaces]:
    """Add each node's forwards to the first surface on that node; return what is left beside."""
    left = np.ones(len(forwards), dtype=bool)
    for part in parts:
        nodes, at = np.unique(part.first, return_index=True)
        _, mine, theirs = np.intersect1d(
            np.where(left, forwards.first, -1), nodes, return_indices=True
        )
        columns = forwards.powers.shape[2]
        part.powers[at[theirs], 0, :columns] += forwards.powers[mine, 0]
        left[mine] = False
    alone = Surfaces(forwards.first[left], forwards.second[left], forwards.powers[left])
    return [*parts, alone]


def _gross(held: Portfolio, market: Market) -> float:
    """Return the size that rounding is a share of."""
    prices = np.abs(market.prices)
    options = sum(float(np.abs(rows.amount) @ prices[rows.node]) for rows in held.options)
    return options + float(np.abs(held.forwards.amount) @ prices[held.forwards.node])
