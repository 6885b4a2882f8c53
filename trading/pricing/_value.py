"""The value of an option on one forward with its derivatives, whatever the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trading.pricing._inputs import Floats, refuse_overflow, rows


@dataclass(frozen=True, slots=True, eq=False)
class OptionValue:
    """
    What an option is worth and how that moves; each of the broadcast shape, of a bought option.

    Per 1.00 of volatility is per 100 points of a lognormal volatility, and per currency/MWh of a
    normal one.

    price       currency/MWh
    delta       per currency/MWh of the forward
    gamma       of delta, per currency/MWh of the forward
    vega        per 1.00 of volatility
    vanna       of delta, per 1.00 of volatility
    volga       of vega, per 1.00 of volatility
    theta       per year that passes, of the option's time alone: the discount factor is held;
                what discounting gives back is rate × price on top
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    vanna: Floats
    volga: Floats
    theta: Floats


def fill(
    kernel: Callable[..., int], terms: int, *arguments: Floats
) -> tuple[tuple[int, ...], list[Floats], Floats]:
    """
    Run a kernel over the arguments, broadcast.

    Returns the broadcast shape, the arguments as rows of it, and the terms as rows.

    :raises PricingError: naming the first index whose value is beyond 64-bit numbers.
    """
    shape, flat = rows(*arguments)
    found = np.empty((terms, flat[0].size))
    refuse_overflow(kernel(*flat, found), shape)
    return shape, flat, found


def value_rows(kernel: Callable[..., int], *arguments: Floats) -> OptionValue:
    """Run a kernel of seven terms; refusals are those of `fill`."""
    shape, _, terms = fill(kernel, 7, *arguments)
    return OptionValue(*(term.reshape(shape) for term in terms))
