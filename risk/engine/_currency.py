"""Money of one currency in another: at today's rate, and at each scenario's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """
    A pair in scenarios.

    rate        quote per unit of base, above zero
    changes     shape (scenario,): rate in the scenario / rate − 1, so 0 where it is held
    held        in how many scenarios there was no history and the rate is held

    :raises ScenarioError: for a rate that is not above zero, today or in a scenario.
    """

    rate: float
    changes: Floats
    held: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < np.inf:
            raise ScenarioError(f"rate: {self.rate} must be above 0.")
        if not (np.isfinite(self.changes) & (self.changes > -1.0)).all():
            raise ScenarioError("changes: must leave the rate above 0 in every scenario.")

    @property
    def is_constant(self) -> bool:
        """Say whether no scenario has a rate of its own."""
        return self.held == self.changes.size


def exchange_changes(
    rates: Sequence[tuple[float | None, float | None]],
) -> tuple[Floats, int]:
    """
    Return the relative change of a pair in each scenario, and in how many it is held.

    rates   (before, after) by scenario; None where nothing was quoted

    :raises ScenarioError: naming the scenario of a rate that is not above zero.
    """
    changes = np.zeros(len(rates))
    held = 0
    for position, (before, after) in enumerate(rates):
        if before is None or after is None:
            held += 1
        elif not (0.0 < before < np.inf and 0.0 < after < np.inf):
            raise ScenarioError(f"rates[{position}]: {before} and {after} must be above 0.")
        else:
            changes[position] = after / before - 1.0
    return changes, held


def in_currency(value: float, pnl: Floats, exchange: Exchange) -> tuple[float, Floats]:
    """
    Return a value and its P&L vector in the quote currency.

    In a scenario the whole value is converted at that scenario's rate, so the P&L holds what the
    rate does to the value and to its change: rate × ((1 + x) × pnl + x × value). Linear in
    (value, pnl): what is converted may be added before or after.

    value   base currency, gains positive
    pnl     shape (scenario,), base currency
    """
    x = exchange.changes
    moved: Floats = exchange.rate * ((1.0 + x) * pnl + x * value)
    return exchange.rate * value, moved
