"""
Monte Carlo VaR: the tail of a portfolio's gain over paths, revalued in full where it counts.

Batches of paths are also what memory holds at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt

import numpy as np
import numpy.typing as npt

from risk.engine._components import Components, tail_ranks, tail_weights
from risk.engine._draws import Factors, Simulation
from risk.engine._errors import ScenarioError
from risk.engine._proxy import Market, Proxy, proxy_of
from risk.engine._revaluation import Portfolio, Revaluation, revalue
from risk.engine._shocks import Shocks
from risk.engine._tail import Convention, TailRisk, tail_count, tail_risk

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_BLOCK = 1_023  # paths revalued in full at a time; with today they fill a kernel's blocks
# Fewer paths cost no more than the points that polynomials are fitted at.
_WORTH = 2_000
# Paths spread over the run that are revalued in full to check the error that polynomials state.
_CHECKED = 64


class Valuation(StrEnum):
    """On which paths the portfolio is revalued in full."""

    TAIL = "TAIL"
    """On every path that can be of the tail, beyond reach, or a check; elsewhere by polynomials."""
    ALL = "ALL"
    """On every path."""


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarloRisk:
    """
    VaR and ES over all paths.

    pnl                         (path,), gains positive, in the order of the batches
    var_error, es_error         standard errors, from what batches differ by
    revalued                    paths revalued in full: VaR, ES and their errors rest on these
    pnl_error                   bound of the error of all others in `pnl`; 0 without others
    components                  if asked for
    simulation                  law, seed and draws: the same again gives the same digits
    """

    tail: TailRisk
    value: float
    pnl: Floats
    var_error: float
    es_error: float
    revalued: int
    pnl_error: float
    components: Components | None
    simulation: Simulation

    def sentence(self) -> str:
        """Return in words how paths were valued."""
        count = self.pnl.size
        if self.revalued == count:
            return f"all {count:,} paths revalued in full"
        return (
            f"{self.revalued:,} of {count:,} paths revalued in full, every one that can be of the"
            f" tail; the others by polynomials, to {self.pnl_error:.2g}"
        )


def monte_carlo(
    portfolio: Portfolio, prices: npt.ArrayLike, volatilities: npt.ArrayLike, factors: Factors,
    shocks: Shocks, simulation: Simulation, convention: Convention, *,
    valuation: Valuation = Valuation.TAIL, each: bool = False, workers: int | None = None,
) -> MonteCarloRisk:  # fmt: skip
    """
    Simulate a portfolio's P&L and return its tail, that of full revaluation.

    prices, volatilities    today, (node,) and (volatility node,)
    factors, shocks         of all nodes, the prices' first and the volatilities' after them
    valuation               TAIL asks formulas only on the paths that VaR and ES can rest on: where
                            a polynomial's gain is within twice its error of the tail's. It gives
                            way to ALL below 2,000 paths, without options, and if a path valued both
                            ways differs by more than the error stated.
    each                    whether to split the tail among trades
    workers                 threads; by default one a processor. They change no digit.

    :raises ScenarioError: for factors or rules of other nodes, and as `revalue`.
    """
    market = Market(np.asarray(prices, np.float64), np.asarray(volatilities, np.float64), shocks)
    nodes = market.prices.size + market.volatilities.size
    if factors.loadings.shape[1] != nodes or shocks.rule.size != nodes:
        raise ScenarioError(
            f"factors, shocks: {factors.loadings.shape[1]} and {shocks.rule.size} nodes must be"
            f" {nodes}, prices and volatilities."
        )
    portfolio.check_nodes(market.prices.size, market.volatilities.size)
    if not np.isfinite(factors.loadings).all():
        raise ScenarioError("factors: loadings must be finite.")
    run = _Run(portfolio, market, factors.loadings, simulation, convention, workers)
    found = None
    if valuation is Valuation.TAIL and simulation.paths >= _WORTH and len(portfolio.options):
        found = run.tail_in_full()
    if found is None:
        found = run.in_full(np.arange(simulation.paths))
    pnl = found.pnl
    tails = [tail_risk(part, convention) for part in np.split(pnl, simulation.batches)]
    return MonteCarloRisk(
        tail=tail_risk(pnl, convention),
        value=found.value,
        pnl=pnl,
        var_error=_error([tail.var for tail in tails]),
        es_error=_error([tail.es for tail in tails]),
        revalued=found.revalued,
        pnl_error=found.error,
        components=run.components(pnl) if each else None,
        simulation=simulation,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Gains:
    pnl: Floats
    value: float
    revalued: int
    error: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    portfolio: Portfolio
    market: Market
    loadings: Floats
    simulation: Simulation
    convention: Convention
    workers: int | None

    def in_full(self, paths: Indices) -> _Gains:
        """Return the gain on some paths, in ascending order, by full revaluation."""
        pnl, value = [], 0.0
        for z in self._draws(paths):
            # Of a block no more is kept: all would be as large as the market on every path.
            found = self._revalued(z)
            pnl.append(found.pnl)
            value = found.value
        return _Gains(np.concatenate(pnl), value, paths.size)

    def tail_in_full(self) -> _Gains | None:
        """
        Return the gain on all paths, in full where VaR and ES can rest on it.

        None if the bound was broken, or there is nothing that a polynomial follows.
        """
        reach = self.simulation.reach(self.loadings)
        proxy = proxy_of(self.portfolio, self.market, reach, workers=self.workers)
        if not proxy.surfaces:
            return None
        pnl, within = self._approximate(proxy)
        chosen = np.flatnonzero(~within | self._may_be_tail(pnl, within, 2 * proxy.error))
        spread = np.arange(0, pnl.size, max(1, pnl.size // _CHECKED))
        chosen = np.union1d(chosen, spread)
        exact = self.in_full(chosen)
        apart = np.abs(exact.pnl - pnl[chosen])[within[chosen]]
        if apart.max(initial=0.0) > proxy.error:
            return None
        pnl[chosen] = exact.pnl
        return replace(exact, pnl=pnl, error=proxy.error)

    def components(self, pnl: Floats) -> Components:
        """Return each trade's share of the tail, from the tail's own paths."""
        chosen, weights = tail_weights(pnl, self.convention)
        trades = np.zeros((2, self.portfolio.trades))
        start = 0
        for z in self._draws(chosen):
            found = self._revalued(z, each=True)
            for part, weight in zip(trades, weights[:, start : start + len(z)], strict=True):
                part -= found.weighted(weight)
            start += len(z)
        return Components(float(trades[0].sum()), trades[0], trades[1])

    def _approximate(self, proxy: Proxy) -> tuple[Floats, npt.NDArray[np.bool_]]:
        pnl, within = np.empty(self.simulation.paths), np.empty(self.simulation.paths, dtype=bool)
        start = 0
        for z in self._draws(np.arange(self.simulation.paths)):
            at = slice(start, start + len(z))
            pnl[at], within[at] = proxy.pnl(self.market, z, self.loadings, workers=self.workers)
            start += len(z)
        return pnl, within

    def _may_be_tail(
        self, pnl: Floats, within: npt.NDArray[np.bool_], band: float
    ) -> npt.NDArray[np.bool_]:
        """Return which paths can be of the tail of all, or of their own batch."""
        # Beyond reach a polynomial says nothing; such paths are taken anyhow.
        known = np.where(within, pnl, np.inf)
        size = self.simulation.size
        found: npt.NDArray[np.bool_] = (
            known <= _smallest(known, tail_ranks(pnl.size, self.convention)) + band
        )
        rank = min(size, tail_count(self.convention.tail, size) + 1)
        for batch in range(self.simulation.batches):
            at = slice(batch * size, (batch + 1) * size)
            found[at] |= known[at] <= _smallest(known[at], rank) + band
        return found

    def _draws(self, paths: Indices) -> Iterator[Floats]:
        """Yield the draws of ascending paths, (path, factor), in blocks."""
        size, waiting = self.simulation.size, np.zeros((0, len(self.loadings)))
        for batch in np.unique(paths // size).tolist():
            z = self.simulation.normals(batch, len(self.loadings))
            mine = paths[paths // size == batch] - batch * size
            waiting = np.concatenate([waiting, z[mine]])
            while len(waiting) >= _BLOCK:
                yield waiting[:_BLOCK]
                waiting = waiting[_BLOCK:]
        if len(waiting):
            yield waiting

    def _revalued(self, z: Floats, *, each: bool = False) -> Revaluation:
        # By node, as revaluation takes them.
        moves = (self.loadings.T @ z.T).T
        prices, volatilities = self.market.moved(moves)
        return revalue(
            self.portfolio, self.market.prices, self.market.volatilities, prices, volatilities,
            each=each, workers=self.workers,
        )  # fmt: skip


def _smallest(values: Floats, rank: int) -> float:
    return float(np.partition(values, rank - 1)[rank - 1])


def _error(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) / sqrt(len(values))
