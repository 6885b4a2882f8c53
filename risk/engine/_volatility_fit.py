"""
GARCH(1,1) and exponential weights fitted to returns by maximum likelihood, with how well they fit.

The estimation is that of the `arch` package; what is kept is a `Garch` in the returns' own unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log
from typing import Any

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._volatility import Garch, checked_returns
from trading.pricing.processes import Parameter

Floats = npt.NDArray[np.float64]

# Fewer returns do not tell persistence from chance.
LEAST_RETURNS = 100


class NotConverged(ScenarioError):
    """Raised when the search for a fit ends without one; says which fit and what it ended with."""


class Innovations(StrEnum):
    """The law of returns over their own deviation."""

    GAUSSIAN = "GAUSSIAN"
    STUDENT = "STUDENT"
    """Student's t with a variance of one; its degrees of freedom are fitted too."""


@dataclass(frozen=True, slots=True)
class LjungBox:
    """
    Whether squared standardised residuals still tell the next one (Ljung and Box 1978).

    p_value     of a statistic as large or larger if they do not; a small one says that volatility
                moves in a way that the fit lacks
    """

    lags: int
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False)
class VolatilityFit:
    """
    A fitted volatility and how well it fits.

    model               what `filtered_returns` takes
    parameters          with standard errors that hold if the law is wrong too (Bollerslev and
                        Wooldridge 1992); infinite where the likelihood does not tell
    degrees             of freedom, None where Gaussian
    log_likelihood      of the returns in their own unit
    residuals           (step,), returns over their own deviation
    """

    model: Garch
    innovations: Innovations
    parameters: tuple[Parameter, ...]
    degrees: float | None
    log_likelihood: float
    observations: int
    residuals: Floats
    left: LjungBox

    @property
    def persistence(self) -> float:
        """Return α + β: what of a shock to variance is left a step later."""
        return self.model.persistence


def fit_garch(
    returns: npt.ArrayLike, *, innovations: Innovations = Innovations.GAUSSIAN, lags: int = 10
) -> VolatilityFit:
    """
    Fit GARCH(1,1).

    returns     (step,), net of their mean, the earliest first, finite; 100 or more
    lags        of the Ljung–Box test

    :raises ScenarioError: naming the argument and the rule.
    :raises NotConverged: if the search does not settle.
    """
    return _fit(returns, "GARCH(1,1)", innovations, lags, _garch)


def fit_ewma(
    returns: npt.ArrayLike, *, innovations: Innovations = Innovations.GAUSSIAN, lags: int = 10
) -> VolatilityFit:
    """
    Fit the decay of exponential weights.

    Arguments and refusals are those of `fit_garch`.
    """
    return _fit(returns, "exponential weights", innovations, lags, _ewma)


def _garch(found: Mapping[str, float], unit: float) -> tuple[Garch, dict[str, tuple[str, float]]]:
    # The search keeps its bounds to rounding only.
    alpha = min(max(found["alpha[1]"], 0.0), 1.0)
    beta = min(max(found["beta[1]"], 0.0), 1.0 - alpha)
    names = {"omega": ("omega", unit**2), "alpha[1]": ("alpha", 1.0), "beta[1]": ("beta", 1.0)}
    return Garch(max(found["omega"], 0.0) * unit**2, alpha, beta), names


def _ewma(found: Mapping[str, float], unit: float) -> tuple[Garch, dict[str, tuple[str, float]]]:
    return Garch.ewma(min(max(found["lam"], 0.0), 1.0)), {"lam": ("decay", 1.0)}


_Reader = Callable[
    [Mapping[str, float], float], tuple[Garch, dict[str, tuple[str, float]]]
]  # fmt: skip


def _fit(
    returns: npt.ArrayLike, name: str, innovations: Innovations, lags: int, read: _Reader
) -> VolatilityFit:
    values = checked_returns(returns)
    if values.ndim != 1 or values.size < LEAST_RETURNS:
        raise ScenarioError(
            f"returns: shape {values.shape} must be one row of {LEAST_RETURNS} or more."
        )
    if not 1 <= lags < values.size // 2:
        raise ScenarioError(f"lags: {lags} must be within 1 and {values.size // 2 - 1}.")
    largest = float(np.abs(values).max())
    if largest - float(np.abs(values).min()) <= 1e-12 * largest:
        raise ScenarioError("returns: all of one size, so there is no volatility to fit.")
    # The search wants values of the order of one.
    unit = largest * float(np.sqrt(np.mean((values / largest) ** 2)))
    # Loaded with what they bring only where there is something to fit.
    from arch.univariate import GARCH, EWMAVariance, Normal, StudentsT, ZeroMean
    from statsmodels.stats.diagnostic import acorr_ljungbox

    volatility = GARCH(p=1, q=1) if read is _garch else EWMAVariance(None)
    law = StudentsT() if innovations is Innovations.STUDENT else Normal()
    model_of = ZeroMean(values / unit, volatility=volatility, distribution=law, rescale=False)
    # A search may ask where a variance is zero; what it ends with is checked.
    with np.errstate(all="ignore"):
        fitted = model_of.fit(disp="off", show_warning=False)
    at = {str(key): float(value) for key, value in fitted.params.items()}
    if fitted.convergence_flag != 0 or not np.isfinite([*at.values(), fitted.loglikelihood]).all():
        raise NotConverged(
            f"{name}: the search ended without a fit after {fitted.optimization_result.nit} steps:"
            f" {fitted.optimization_result.message}."
        )
    model, names = read(at, unit)
    if innovations is Innovations.STUDENT:
        names["nu"] = ("degrees", 1.0)
    errors = _errors(fitted)
    residuals = np.asarray(fitted.std_resid, dtype=np.float64)
    test = acorr_ljungbox(residuals**2, lags=[lags])
    return VolatilityFit(
        model=model,
        innovations=innovations,
        parameters=tuple(
            Parameter(said, at[key] * scale, errors.get(key, inf) * scale)
            for key, (said, scale) in names.items()
        ),
        degrees=at.get("nu"),
        log_likelihood=float(fitted.loglikelihood) - values.size * log(unit),
        observations=values.size,
        residuals=residuals,
        left=LjungBox(lags, float(test["lb_stat"].iloc[0]), float(test["lb_pvalue"].iloc[0])),
    )


def _errors(fitted: Any) -> dict[str, float]:
    """Return standard errors; a likelihood that is flat at its top, or on a bound, has none."""
    try:
        with np.errstate(all="ignore"):
            found = {str(key): float(value) for key, value in fitted.std_err.items()}
    except np.linalg.LinAlgError:
        return {}
    return {key: value for key, value in found.items() if np.isfinite(value)}
