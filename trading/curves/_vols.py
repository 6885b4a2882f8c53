"""Volatility surfaces by delivery contract: held, interpolated and checked; priced elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trading.curves._quotes import CurveDoesNotCover, CurveError

Floats = npt.NDArray[np.float64]
_DAYS_PER_YEAR = 365.0
# Total variance per year is quoted to four decimals of volatility at best.
_VARIANCE_TOLERANCE = 1e-10


class VolKind(StrEnum):
    """
    What a volatility multiplies.

    LOGNORMAL is Black's, per √year, for forwards above zero; NORMAL is Bachelier's, in
    currency/MWh per √year, for prices of any sign.
    """

    LOGNORMAL = "LOGNORMAL"
    NORMAL = "NORMAL"


class VolAxis(StrEnum):
    """How strikes are named: price, strike over forward, strike minus forward, or call delta."""

    STRIKE = "STRIKE"
    MONEYNESS = "MONEYNESS"
    DISTANCE = "DISTANCE"
    DELTA = "DELTA"


@dataclass(frozen=True, eq=False)
class VolSlice:
    """
    Hold the volatilities of one delivery contract and expiry.

    nodes    where on the surface's axis, ascending, shape (n,)
    vols     ≥ 0, in the surface's kind, shape (n,)

    :raises CurveError: for nodes out of order, or a volatility that is none.
    """

    contract: str
    expiry: date
    nodes: Floats
    vols: Floats

    def __post_init__(self) -> None:
        where = f"{self.contract} {self.expiry}"
        if not len(self.nodes) or self.nodes.shape != self.vols.shape:
            raise CurveError(f"vols: {where} needs one volatility for each of its nodes.")
        if not np.isfinite(self.nodes).all() or (np.diff(self.nodes) <= 0).any():
            raise CurveError(f"nodes: {where} must be finite and ascend.")
        if not np.isfinite(self.vols).all() or (self.vols < 0).any():
            raise CurveError(f"vols: {where} holds {self.vols.min():g}; must be 0 or more.")


@dataclass(frozen=True, slots=True)
class CalendarArbitrage:
    """
    A strike at which a later expiry of one contract has less total variance than an earlier.

    amount    by how much the total variance falls, > 0
    """

    contract: str
    node: float
    near: date
    far: date
    amount: float

    def __str__(self) -> str:
        return (
            f"{self.contract} at {self.node:g}: total variance falls by {self.amount:.6g} from"
            f" {self.near} to {self.far}; the later option is worth less than the earlier."
        )


@dataclass(frozen=True, eq=False)
class VolSurface:
    """
    Hold volatilities by delivery contract, expiry and strike.

    Total variance σ²T (ACT/365 from valued_on) is linear along the axis within an expiry and then
    linear between the expiries of a contract. Beyond the nodes of the axis, and before the first
    and after the last expiry, the volatility stays.

    :raises CurveError: for an expiry not after valued_on, a pair of contract and expiry given
        twice, deltas outside 0 to 1, or moneyness or a lognormal strike not above zero.
    """

    kind: VolKind
    axis: VolAxis
    valued_on: date
    slices: tuple[VolSlice, ...]

    def __post_init__(self) -> None:
        if not self.slices:
            raise CurveError("slices: a surface needs at least one.")
        seen = set()
        for one in self.slices:
            where = f"{one.contract} {one.expiry}"
            if one.expiry <= self.valued_on:
                raise CurveError(f"expiry: {where} must be after {self.valued_on}.")
            if (one.contract, one.expiry) in seen:
                raise CurveError(f"slices: {where} is given twice.")
            seen.add((one.contract, one.expiry))
            self._check_nodes(one, where)

    def _check_nodes(self, one: VolSlice, where: str) -> None:
        if self.axis is VolAxis.DELTA and not (one.nodes[0] > 0 and one.nodes[-1] < 1):
            raise CurveError(f"nodes: {where} has deltas outside 0 to 1.")
        positive = self.axis is VolAxis.MONEYNESS or (
            self.axis is VolAxis.STRIKE and self.kind is VolKind.LOGNORMAL
        )
        if positive and one.nodes[0] <= 0:
            raise CurveError(f"nodes: {where} has {one.nodes[0]:g}; must be above zero.")

    @property
    def contracts(self) -> tuple[str, ...]:
        """Return the delivery contracts in the order given."""
        return tuple(dict.fromkeys(one.contract for one in self.slices))

    def expiries(self, contract: str) -> tuple[date, ...]:
        """
        Return a contract's expiries, ascending.

        :raises CurveDoesNotCover: for a contract that the surface does not hold.
        """
        return tuple(one.expiry for one in self._of(contract))

    def vols(self, contract: str, expiry: date, nodes: Floats) -> Floats:
        """
        Return volatilities at places on the axis, same shape.

        :raises CurveDoesNotCover: for an unknown contract, or an expiry not after valued_on.
        """
        years = self._years(expiry)
        if years <= 0:
            raise CurveDoesNotCover(f"expiry: {expiry} must be after {self.valued_on}.")
        slices = self._of(contract)
        times = np.array([self._years(one.expiry) for one in slices])
        variances = np.array([self._variance(one, nodes) for one in slices])
        if years <= times[0]:
            total = variances[0] * years / times[0]
        elif years >= times[-1]:
            total = variances[-1] * years / times[-1]
        else:
            later = int(np.searchsorted(times, years))
            share = (years - times[later - 1]) / (times[later] - times[later - 1])
            total = (1 - share) * variances[later - 1] + share * variances[later]
        vols: Floats = np.sqrt(total / years)
        return vols

    def vol(self, contract: str, expiry: date, node: float) -> float:
        """Return one volatility."""
        return float(self.vols(contract, expiry, np.array([node]))[0])

    def calendar_arbitrages(self) -> tuple[CalendarArbitrage, ...]:
        """
        Return where total variance falls with expiry, at every node of the two expiries.

        Contracts are of different underlyings, so only expiries of the same one are compared.
        """
        return tuple(
            found
            for contract in self.contracts
            for near, far in pairwise(self._of(contract))
            for found in self._falls(near, far)
        )

    def _falls(self, near: VolSlice, far: VolSlice) -> Sequence[CalendarArbitrage]:
        nodes = np.union1d(near.nodes, far.nodes)
        fall = self._variance(near, nodes) - self._variance(far, nodes)
        return [
            CalendarArbitrage(near.contract, node, near.expiry, far.expiry, amount)
            for node, amount in zip(nodes.tolist(), fall.tolist(), strict=True)
            if amount > _VARIANCE_TOLERANCE
        ]

    def _variance(self, one: VolSlice, nodes: Floats) -> Floats:
        total: npt.NDArray[np.float64] = np.interp(
            nodes, one.nodes, one.vols**2 * self._years(one.expiry)
        )
        return total

    def _years(self, expiry: date) -> float:
        return (expiry - self.valued_on).days / _DAYS_PER_YEAR

    def _of(self, contract: str) -> list[VolSlice]:
        found = [one for one in self.slices if one.contract == contract]
        if not found:
            raise CurveDoesNotCover(f"contract: the surface has no {contract}.")
        return sorted(found, key=lambda one: one.expiry)
