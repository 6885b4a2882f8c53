"""The value of an option on one forward with its derivatives, whatever the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from trading.pricing._inputs import Floats, numbers, one_row, refuse_overflow, rows, shape_of


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


def value_rows(
    kernel: Callable[..., int], sign: Floats, **rules: tuple[Callable[[str, Any], Floats], Any]
) -> OptionValue:
    """
    Run a kernel of seven terms over arguments, each with the rule that it must keep.

    The kernel looks itself, and the rules are asked by name where it refuses.

    :raises PricingError: of the first rule that is broken, or as `fill`.
    """
    arguments = [*(numbers(name, value) for name, (_, value) in rules.items()), sign]
    shape = shape_of(*arguments)
    terms = np.empty((7, prod(shape)))
    first = kernel(*(one_row(row, shape) for row in arguments), terms)
    if first >= 0:
        for name, (rule, value) in rules.items():
            rule(name, value)
        refuse_overflow(first, shape)
    return OptionValue(*(term.reshape(shape) for term in terms))
