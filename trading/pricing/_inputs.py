"""What every formula asks of its arguments: finite numbers within their rule, or a refusal."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class PricingError(ValueError):
    """An argument that the formula cannot take; names the argument, its index and the rule."""


class NonPositivePrice(PricingError):
    """A forward or strike at or below zero, which has no logarithm."""


class OptionType(StrEnum):
    """Whether the holder may buy or sell."""

    CALL = "CALL"
    PUT = "PUT"


def broadcast(*arguments: npt.ArrayLike) -> tuple[Floats, ...]:
    """
    Return the arguments as 64-bit arrays of one shape.

    :raises ValueError: if their shapes do not broadcast.
    """
    return np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in arguments))


def check(
    name: str,
    row: Floats,
    holds: npt.NDArray[np.bool_],
    rule: str,
    error: type[PricingError] = PricingError,
) -> None:
    """
    Refuse an argument unless it is finite and the rule holds everywhere.

    rule    how the sentence goes on after the value: "must be above 0"

    :raises PricingError: of the class given, naming the argument and the first offending index.
    """
    wrong = ~(holds & np.isfinite(row))
    if wrong.any():
        where = np.argwhere(wrong)[0].tolist()
        at = f"{name}{where}" if where else name
        raise error(f"{at}: {row[tuple(where)]} {rule}, and be finite.")
