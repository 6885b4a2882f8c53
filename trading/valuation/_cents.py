"""The border between float64 values and the Decimals that are stored: whole cents."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Cents = npt.NDArray[np.int64]

# Below this every cent is a float64 of its own.
_LARGEST = 2.0**53 / 100


class ValuationError(ValueError):
    """What was asked for cannot be valued; names the argument and the rule."""


def cents(values: Floats) -> Cents:
    """
    Return values as whole hundredths of their currency, a half to the even one.

    :raises ValuationError: for what is not finite, or too large for a cent to count.
    """
    if not np.isfinite(values).all() or (np.abs(values) > _LARGEST).any():
        raise ValuationError("values: must be finite and below 90,000,000,000,000.")
    return np.rint(values * 100).astype(np.int64)


def cents_decimal(amount: int) -> Decimal:
    """Return whole hundredths as the Decimal that they are."""
    return Decimal(int(amount)).scaleb(-2)
