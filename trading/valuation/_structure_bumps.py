"""The hedge of a contract with choices beside full revaluation: each month moved, solved again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from trading.valuation._market import Floats
from trading.valuation._option_greeks import CURVATURE_STEP, VOL_STEP
from trading.valuation._structures import (
    HedgeMonth,
    StructureHolding,
    StructureMarket,
    StructureValue,
    value_structure,
)

# Narrow beside a day's moves, wide enough for what a solver leaves unsolved.
PLAN_STEP = 1e-2
NORMAL_VOL_STEP = 1e-2
_SHARE, _SOLVED = 1e-3, 1e-9


class Agreement(StrEnum):
    """How a delta stands to what moving the price says."""

    AGREES = "AGREES"
    # Another plan is as good: up and down differ, and the delta lies between them.
    KINK = "KINK"
    DIFFERS = "DIFFERS"


@dataclass(frozen=True, slots=True)
class HedgeCheck:
    """
    A month of a role by the plan or formula, and by moving its price up and down.

    up, down        units: what the value gains per currency/unit up, and loses per one down
    tolerance       units: 0.1 % of the delta and at least of the most of one interval, and what
                    the solver leaves open
    gamma, vega     by revaluation; None where the formula has none
    """

    hedge: HedgeMonth
    up: float
    down: float
    tolerance: float
    gamma: float | None
    vega: float | None

    @property
    def delta(self) -> float:
        """Return the mean of up and down: the central difference."""
        return (self.up + self.down) / 2

    @property
    def agreement(self) -> Agreement:
        """Compare the delta; for an optimum it lies between the one-sided differences."""
        if abs(self.hedge.delta - self.delta) <= self.tolerance:
            return Agreement.AGREES
        low, high = sorted((self.up, self.down))
        if low - self.tolerance <= self.hedge.delta <= high + self.tolerance:
            return Agreement.KINK
        return Agreement.DIFFERS


def check_hedge(
    holding: StructureHolding,
    worth: StructureValue,
    at: int,
    market: StructureMarket,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[HedgeCheck, ...]:
    """
    Move the price of each role and delivery month up and down, and solve each time anew.

    What is delivered stays. Two solutions a role and month; four more for what has curvature.

    worth       of the holding at the instant `at`, seconds, on `market`
    progress    is told how many months of how many are done
    """
    if worth.reason:
        return ()
    ahead = np.clip((holding.bounds[1:] - at) / np.diff(holding.bounds), 0.0, 1.0)
    months, month = np.unique(holding.dates.astype("datetime64[M]"), return_inverse=True)
    roles = type(holding.leg.terms).roles[: len(worth.prices)]
    known = {(row.role, row.month): row for row in worth.hedge}
    todo = [
        (place, role, n)
        for n in range(len(months))
        if ahead[month == n].any()
        for place, role in enumerate(roles)
    ]
    found = []
    for done, (place, role, n) in enumerate(todo):
        progress(done, len(todo))
        weight = np.where(month == n, ahead, 0.0)
        row = known.get((role, months[n]), HedgeMonth(role, months[n], 0.0, 0.0, 0.0))
        one = _Moved(holding, worth, at, market, place, weight).check(row)
        if row.delta or abs(one.delta) > one.tolerance:
            found.append(one)
    progress(len(todo), len(todo))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """A month of one role of a holding; `weight` is 1 where its price may still move."""

    holding: StructureHolding
    worth: StructureValue
    at: int
    market: StructureMarket
    place: int
    weight: Floats

    def check(self, row: HedgeMonth) -> HedgeCheck:
        step = PLAN_STEP
        up, down = (self._priced(way * step) for way in (1, -1))
        least = _SHARE * max(abs(row.delta), float(self.holding.leg.most))
        gamma = vega = None
        if row.gamma:
            wide = CURVATURE_STEP
            higher, lower = (self._priced(way * wide) for way in (1, -1))
            gamma = (higher - 2 * self.worth.total + lower) / (wide * wide)
        if row.vega and self.market.volatility is not None:
            is_normal = self.market.volatility.ndim == 1
            size = NORMAL_VOL_STEP if is_normal else VOL_STEP
            higher, lower = (self._volatile(way * size) for way in (1, -1))
            vega = (higher - lower) / (2 * size)
        return HedgeCheck(
            hedge=row,
            up=(up - self.worth.total) / step,
            down=(self.worth.total - down) / step,
            tolerance=least + (self.worth.gap + _SOLVED * abs(self.worth.total)) / step,
            gamma=gamma,
            vega=vega,
        )

    def _priced(self, step: float) -> float:
        prices = self.worth.prices.copy()
        prices[self.place] += step * self.weight
        return value_structure(self.holding, prices, self.at, self.market).total

    def _volatile(self, step: float) -> float:
        rows = self.market.volatility
        assert rows is not None
        moved = rows.copy()
        side = moved if moved.ndim == 1 else moved[self.place]
        side += step * self.weight
        market = replace(self.market, volatility=moved)
        return value_structure(self.holding, self.worth.prices, self.at, market).total
