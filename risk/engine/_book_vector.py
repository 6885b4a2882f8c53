"""
A book's P&L vector as trades come and go: one addition a change, and no error that adds up.

The sum is held as two numbers, itself and what rounding took from it (Knuth's two-sum). After any
number of changes it is what a full computation gives, to the last digits of the largest trade now
held, however large those were that have gone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import fsum

import numpy as np
import numpy.typing as npt

from risk.engine._attribution import kernel_weights, shortfall_weights
from risk.engine._errors import ScenarioError
from risk.engine._tail import Convention, TailRisk, tail_risk

Floats = npt.NDArray[np.float64]

# Weights below this, all together, are no digit of a sum of one.
_NO_WEIGHT = 1e-19


@dataclass(frozen=True, slots=True, eq=False)
class BookComponents:
    """
    Whose VaR a book's is; losses positive, currency.

    trades          keys, in the order of the arrays
    component       (trade,), share of `kernel_var`, to which they sum
    es_component    (trade,), share of the expected shortfall, likewise
    """

    kernel_var: float
    trades: tuple[Hashable, ...]
    component: Floats
    es_component: Floats


class BookVector:
    """
    The P&L vectors of trades on the same scenarios, and their sum.

    A key names a trade, once. All vectors are (scenario,), finite, gains positive, of one currency.

    :raises ScenarioError: for no scenario, or as `add`.
    """

    def __init__(
        self, scenarios: int, trades: Mapping[Hashable, npt.ArrayLike] | None = None
    ) -> None:
        if scenarios < 1:
            raise ScenarioError(f"scenarios: {scenarios} must be 1 or more.")
        given = trades or {}
        self._sum = np.zeros(scenarios)
        self._lost = np.zeros(scenarios)
        # Scenario first: attribution reads few scenarios of all trades.
        self._held = np.zeros((scenarios, max(len(given), 8)))
        self._keys: list[Hashable] = []
        self._place: dict[Hashable, int] = {}
        for key, pnl in given.items():
            self.add(key, pnl)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._place

    @property
    def pnl(self) -> Floats:
        """Return the sum, (scenario,)."""
        found: Floats = self._sum + self._lost
        return found

    def add(self, key: Hashable, pnl: npt.ArrayLike) -> None:
        """
        Add a trade.

        :raises ScenarioError: for a key that is held, another shape, or what is not finite.
        """
        if key in self._place:
            raise ScenarioError(f"key: {key!r} is held already; replace it.")
        vector = self._vector(pnl)
        place = len(self._keys)
        if place == self._held.shape[1]:
            self._held = np.concatenate([self._held, np.zeros_like(self._held)], axis=1)
        self._held[:, place] = vector
        self._keys.append(key)
        self._place[key] = place
        self._change(vector)

    def remove(self, key: Hashable) -> None:
        """
        Take a trade away.

        :raises ScenarioError: for a key that is not held.
        """
        place, latest = self._find(key), len(self._keys) - 1
        self._change(-self._held[:, place])
        # The latest fills the gap.
        self._held[:, place] = self._held[:, latest]
        self._keys[place] = self._keys[latest]
        self._place[self._keys[place]] = place
        self._keys.pop()
        del self._place[key]

    def replace(self, key: Hashable, pnl: npt.ArrayLike) -> None:
        """
        Put a trade's new vector in the place of its old.

        :raises ScenarioError: for a key that is not held, and as `add`.
        """
        place, vector = self._find(key), self._vector(pnl)
        self._change(-self._held[:, place])
        self._change(vector)
        self._held[:, place] = vector

    def recomputed(self) -> Floats:
        """Return the sum of all trades computed at once, each digit right; slow."""
        held = self._held[:, : len(self._keys)]
        return np.array([fsum(row) for row in held.tolist()])

    def tail(self, convention: Convention) -> TailRisk:
        """Return VaR and ES of the book."""
        return tail_risk(self.pnl, convention)

    def tail_with(self, pnl: npt.ArrayLike, convention: Convention) -> TailRisk:
        """
        Return VaR and ES as they would be with a trade more, which is not added.

        :raises ScenarioError: as `add`.
        """
        return tail_risk(self.pnl + self._vector(pnl), convention)

    def tail_without(self, key: Hashable, convention: Convention) -> TailRisk:
        """
        Return VaR and ES as they would be without a trade, which stays.

        :raises ScenarioError: for a key that is not held.
        """
        return tail_risk(self.pnl - self._held[:, self._find(key)], convention)

    def components(self, convention: Convention) -> BookComponents:
        """Return each trade's share of kernel VaR and ES, by the rules of `attribute`."""
        whole = self.pnl
        order = np.argsort(whole, kind="stable")
        of_quantile = _weights(whole.size, convention.tail)
        of_shortfall = shortfall_weights(order, convention)[order]
        last = int(np.flatnonzero((of_quantile > 0) | (of_shortfall > 0))[-1]) + 1
        worst, weights = order[:last], np.stack([of_quantile[:last], of_shortfall[:last]])
        both: Floats = -weights @ self._held[worst, : len(self._keys)]
        return BookComponents(
            kernel_var=-float(whole[worst] @ weights[0]),
            trades=tuple(self._keys),
            component=both[0],
            es_component=both[1],
        )

    def _find(self, key: Hashable) -> int:
        if key not in self._place:
            raise ScenarioError(f"key: {key!r} is not held.")
        return self._place[key]

    def _vector(self, pnl: npt.ArrayLike) -> Floats:
        vector = np.asarray(pnl, dtype=np.float64)
        if vector.shape != self._sum.shape:
            raise ScenarioError(f"pnl: shape {vector.shape} must be {self._sum.shape}.")
        if not np.isfinite(vector).all():
            wrong = int(np.flatnonzero(~np.isfinite(vector))[0])
            raise ScenarioError(f"pnl[{wrong}]: {vector[wrong]} must be finite.")
        return vector

    def _change(self, by: Floats) -> None:
        before, after = self._sum, self._sum + by
        part = after - before
        self._lost += (before - (after - part)) + (by - part)
        self._sum = after


@lru_cache(maxsize=32)
def _weights(count: int, tail: Decimal) -> Floats:
    """Return the kernel's weights, those that move no digit as zero."""
    weights = kernel_weights(count, float(tail))
    weights[weights < _NO_WEIGHT] = 0.0
    weights.setflags(write=False)
    return weights
