"""Simulated paths and what every process asks of its grid. Axis order: scenario, time, factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check, numbers, refuse_overflow


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """
    Simulated spot prices and what is known at each time.

    times        years from now, as given
    spot         (scenario, time), currency/MWh; its mean over scenarios tends to the curve
    factors      (scenario, time, factor): the state of the process, to regress on
    antithetic   whether scenario i and i + n/2 are mirrored; see `estimate`
    """

    times: Floats
    spot: Floats
    factors: Floats
    antithetic: bool


class SpotModel(Protocol):
    """What a storage, swing or plant needs of a price process."""

    def simulate(
        self,
        *,
        times: npt.ArrayLike,
        curve: npt.ArrayLike,
        scenarios: int,
        generator: np.random.Generator,
        antithetic: bool = True,
        news: Floats | None = None,
    ) -> Paths:
        """Simulate spot prices at the times, with today's forward curve as their mean."""
        ...


def grid(times: npt.ArrayLike) -> tuple[Floats, Floats]:
    """
    Return the times and the steps before each, the first from now.

    :raises PricingError: for times that are not one rising row from 0 on.
    """
    row = numbers("times", times)
    if row.ndim != 1 or not row.size:
        raise PricingError(f"times: shape {row.shape} is not one row with at least one time.")
    steps = np.diff(row, prepend=0.0)
    rising = steps > 0
    rising[0] = row[0] >= 0
    check("times", row, rising, "must not be before now and must rise")
    return row, steps


def on_grid(name: str, values: npt.ArrayLike, times: Floats, *, positive: bool) -> Floats:
    """
    Return one value a time.

    :raises PricingError: for another shape, what is not finite, or not above 0 where that is asked.
    """
    row = numbers(name, values)
    if row.ndim and row.shape != times.shape:
        raise PricingError(f"{name}: shape {row.shape} is not one value for each of the times.")
    check(name, row, row > 0 if positive else np.isfinite(row),
          "must be above 0" if positive else "must be a number")  # fmt: skip
    return np.broadcast_to(row, times.shape)


def normals(
    generator: np.random.Generator, scenarios: int, shape: tuple[int, ...], *, antithetic: bool
) -> Floats:
    """
    Draw standard normals, (scenario, *shape); mirrored ones are i and i + n/2.

    :raises PricingError: for no scenario, or an odd number of mirrored ones.
    """
    if scenarios < 1 or (antithetic and scenarios % 2):
        raise PricingError(
            f"scenarios: {scenarios} must be at least 1, and even for antithetic pairs."
        )
    if not antithetic:
        return generator.standard_normal((scenarios, *shape))
    half = generator.standard_normal((scenarios // 2, *shape))
    return np.concatenate([half, -half])


def within_range(prices: Floats) -> Floats:
    """
    Return simulated prices as they are.

    :raises PricingError: naming the first index where they left the range of 64-bit numbers.
    """
    beyond = ~np.isfinite(prices)
    refuse_overflow(int(np.argmax(beyond)) if beyond.any() else -1, prices.shape)
    return prices


def parameter(name: str, value: float, holds: bool, rule: str) -> None:
    """
    Refuse a parameter of a process unless it is finite and the rule holds.

    :raises PricingError: naming it.
    """
    check(name, numbers(name, value), np.asarray(holds), rule)
