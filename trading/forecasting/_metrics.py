"""How far a forecast was off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Score:
    """
    Hold the errors of a forecast over the periods that have an actual price.

    mean_absolute_error, bias    currency/MWh; bias is forecast minus actual
    weighted_accuracy            1 − Σ|error| / Σ|actual|, or None if all actuals are zero
    periods                      how many were compared
    """

    mean_absolute_error: float
    bias: float
    weighted_accuracy: float | None
    periods: int


def mean_absolute_error(
    forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64]
) -> float:
    """
    Return the mean of |forecast − actual|, in their unit.

    :raises ValueError: for shapes that differ, no value at all, or a value that is not finite.
    """
    return score(forecast, actual).mean_absolute_error


def score(forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64]) -> Score:
    """
    Return the errors of a forecast; both arrays of one shape, currency/MWh.

    :raises ValueError: for shapes that differ, no value at all, or a value that is not finite.
    """
    if forecast.shape != actual.shape:
        raise ValueError(f"actual: shape {actual.shape} is not {forecast.shape} of the forecast.")
    if not forecast.size:
        raise ValueError("forecast: there is no period to score.")
    errors = forecast - actual
    if not np.isfinite(errors).all():
        raise ValueError("forecast: a value to score is not finite.")
    volume = float(np.abs(actual).sum())
    total = float(np.abs(errors).sum())
    return Score(
        mean_absolute_error=total / errors.size,
        bias=float(errors.mean()),
        weighted_accuracy=1 - total / volume if volume else None,
        periods=int(errors.size),
    )
