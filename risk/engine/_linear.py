"""Linear positions on a monthly curve: value today, and P&L in every scenario by one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energyopti.foundation.units import energy_mwh

Floats = npt.NDArray[np.float64]


class NoCurve(ValueError):
    """Raised for a month that the curve does not reach; the message names it."""


@dataclass(frozen=True, slots=True)
class MonthlyCurve:
    """
    A forward curve by month, from the valuation month on.

    origin      `month_number` of the valuation month
    prices      shape (tenor,), currency/MWh; NaN where the curve says nothing
    """

    origin: int
    prices: Floats


@dataclass(frozen=True, slots=True)
class Exposure:
    """
    One linear position in one month: what is still to be delivered.

    month       `month_number` of delivery
    mw          bought +, sold −
    mw_price    Σ mw × contract price
    hours       still to be delivered at the valuation time, ≥ 0
    """

    month: int
    mw: float
    mw_price: float
    hours: float


def exposure_by_tenor(positions: Sequence[Exposure], *, origin: int, tenors: int) -> Floats:
    """
    Return the energy by tenor in MWh, shape (tenor,); months past the last count in the last.

    A position without hours left, or of a month before the origin, has no exposure.
    """
    energy = np.zeros(tenors)
    for position in positions:
        if position.hours > 0 and position.month >= origin:
            tenor = min(position.month - origin, tenors - 1)
            energy[tenor] += energy_mwh(np.float64(position.mw), position.hours)
    return energy


def base_value(positions: Sequence[Exposure], curve: MonthlyCurve) -> float:
    """
    Return the undiscounted mark-to-market: Σ hours × (curve × mw − mw_price), gains positive.

    :raises NoCurve: for a month with hours left that the curve does not price.
    """
    value = 0.0
    for position in positions:
        if position.hours <= 0:
            continue
        value += position.hours * (
            price_of(curve, position.month) * position.mw - position.mw_price
        )
    return value


def price_of(curve: MonthlyCurve, month: int) -> float:
    """
    Return the curve's price of a month.

    :raises NoCurve: if it has none.
    """
    tenor = month - curve.origin
    if not 0 <= tenor < curve.prices.size or np.isnan(curve.prices[tenor]):
        raise NoCurve(f"The curve has no price for {month // 12}-{month % 12 + 1:02d}.")
    return float(curve.prices[tenor])


def project(shocks: Floats, energy_by_tenor: Floats) -> Floats:
    """
    Return the P&L of linear positions in each scenario, shape (scenario,).

    shocks              shape (scenario, tenor), currency/MWh
    energy_by_tenor     shape (tenor,), MWh

    :raises ValueError: if the tenors differ.
    """
    if shocks.ndim != 2 or shocks.shape[1:] != energy_by_tenor.shape:
        raise ValueError(
            f"energy_by_tenor: shape {energy_by_tenor.shape} does not fit shocks {shocks.shape}."
        )
    pnl: Floats = shocks @ energy_by_tenor
    return pnl
