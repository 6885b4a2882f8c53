"""What is held of contracts, and its value: delivered at what was fixed, the rest at the mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.valuation._market import (
    NO_FIXINGS,
    Basis,
    Contract,
    Counts,
    Floats,
    MarketState,
    counts,
    interval_fixings,
    interval_weights,
)

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ProfileHolding:
    """
    A holding with a power for each interval.

    line, contract  positions in the lists that the holdings share
    megawatts       shape (intervals,), bought +, sold −
    fixed           what is paid for all of it, currency
    """

    line: int
    contract: int
    megawatts: Floats
    fixed: float


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """
    What lines (a trade in one currency) hold of contracts; the last axis is the holding.

    line, contract  int64, shape (holdings,): positions in lists of `lines` lines and contracts
    exposure        what gains with the price, units per count of the contract
    fixed           what is paid, currency per count
    """

    lines: int
    line: Indices
    contract: Indices
    exposure: Floats
    fixed: Floats
    profiles: tuple[ProfileHolding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """
    The value of each holding, scalars before profiles, shape (holdings,), in its currency.

    realised    of what is delivered: at its fixing, or at the mark while there is none
    unrealised  of what is to come, at the mark
    missing     True where a mark was needed and there was none; both are then zero
    """

    line: Indices
    contract: Indices
    realised: Floats
    unrealised: Floats
    missing: npt.NDArray[np.bool_]
    lines: int

    def by_line(self, values: Floats) -> Floats:
        """Return the sum of values of holdings by line, in the order of the holdings."""
        found: Floats = np.bincount(self.line, values, self.lines).astype(np.float64, copy=False)
        return found

    @property
    def total(self) -> Floats:
        """Return the value of each line."""
        return self.by_line(self.realised + self.unrealised)

    @property
    def lines_missing(self) -> npt.NDArray[np.bool_]:
        """Say which lines are not valued in full."""
        found = np.zeros(self.lines, dtype=np.bool_)
        found[self.line[self.missing]] = True
        return found


def value_holdings(contracts: Sequence[Contract], holdings: Holdings, state: MarketState) -> Valued:
    """
    Value holdings in a state of the market, undiscounted.

    Of a contract, realised is fixing × exposure − fixed over what is delivered, and unrealised
    mark × exposure − fixed over what is to come. A holding without exposure needs no mark.
    """
    found = counts(contracts, state)
    realised, unrealised, missing = _scalars(contracts, holdings, state, found)
    extra = [_profile(contracts[p.contract], p, state) for p in holdings.profiles]
    if extra:
        rows = np.array([row[:2] for row in extra])
        realised = np.concatenate((realised, rows[:, 0]))
        unrealised = np.concatenate((unrealised, rows[:, 1]))
        missing = np.concatenate((missing, np.array([row[2] for row in extra], dtype=np.bool_)))
    line = np.array([p.line for p in holdings.profiles], dtype=np.int64)
    contract = np.array([p.contract for p in holdings.profiles], dtype=np.int64)
    return Valued(
        line=np.concatenate((holdings.line, line)),
        contract=np.concatenate((holdings.contract, contract)),
        realised=realised,
        unrealised=unrealised,
        missing=missing,
        lines=holdings.lines,
    )


def _scalars(
    contracts: Sequence[Contract], holdings: Holdings, state: MarketState, found: Counts
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    at_curve = (found.open > 0) | (found.unfixed > 0)
    unknown = np.array(
        [c.windows is None and c.basis is not Basis.PROFILE for c in contracts], dtype=np.bool_
    )
    unpriced = at_curve & np.isnan(state.marks)
    marks = np.where(np.isnan(state.marks), 0.0, state.marks)
    held, exposure, fixed = holdings.contract, holdings.exposure, holdings.fixed
    settled = found.fixing + found.unfixed * marks
    realised = settled[held] * exposure - found.delivered[held] * fixed
    unrealised = (found.open * marks)[held] * exposure - found.open[held] * fixed
    missing = (unpriced[held] & (exposure != 0)) | unknown[held]
    return np.where(missing, 0.0, realised), np.where(missing, 0.0, unrealised), missing


def _profile(
    contract: Contract, holding: ProfileHolding, state: MarketState
) -> tuple[float, float, bool]:
    hours = contract.minutes / 60
    curve = state.fine.get(holding.contract)
    if state.at <= contract.start:
        # All of it is to come, as of most months of a long profile: one product says it.
        prices = state.marks[holding.contract] if curve is None else curve
        ahead = float((prices * (holding.megawatts * hours)).sum())
        if not np.isnan(ahead):
            return 0.0, ahead - holding.fixed, False
    delivered, to_come = interval_weights(contract, state.at)
    known = state.fixings.get(contract.market, NO_FIXINGS).until(state.fixed_until)
    fixings = interval_fixings(contract, known)
    if curve is None:
        curve = np.full(fixings.size, state.marks[holding.contract])
    settled = np.where(np.isnan(fixings), curve, fixings)
    energy = holding.megawatts * hours
    realised_rows = np.where(delivered > 0, settled, 0.0) * delivered * energy
    open_rows = np.where(to_come > 0, curve, 0.0) * to_come * energy
    # An interval without power needs no price.
    idle = holding.megawatts == 0
    realised = float(np.where(idle, 0.0, realised_rows).sum())
    unrealised = float(np.where(idle, 0.0, open_rows).sum())
    if np.isnan(realised) or np.isnan(unrealised):
        return 0.0, 0.0, True
    left = _left(contract, energy, to_come, state.at)
    return realised - holding.fixed * (1.0 - left), unrealised - holding.fixed * left, False


def _left(contract: Contract, energy: Floats, to_come: Floats, at: int) -> float:
    """
    Return how much of a profile's fixed amount is for what is still to come, 0 to 1.

    A price is paid by the MWh, so where all of it goes one way it counts by energy; a spread on
    what cancels out, or goes both ways, has no such measure and counts by time.
    """
    total = float(energy.sum())
    if total and ((energy >= 0).all() or (energy <= 0).all()):
        return float((energy * to_come).sum()) / total
    return (contract.end - min(max(contract.start, at), contract.end)) / (
        contract.end - contract.start
    )
