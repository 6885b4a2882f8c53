"""What a valuation of a structure gives beside its plan: method, hedge, simulated value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check
from trading.pricing._regression import Estimate, estimate
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import Dates


class Method(StrEnum):
    """How a value was found."""

    LINEAR_PROGRAMME = "LINEAR_PROGRAMME"
    MIXED_INTEGER_PROGRAMME = "MIXED_INTEGER_PROGRAMME"
    DYNAMIC_PROGRAMME = "DYNAMIC_PROGRAMME"
    LEAST_SQUARES_MONTE_CARLO = "LEAST_SQUARES_MONTE_CARLO"
    QUADRATURE = "QUADRATURE"


class SpotResponse(StrEnum):
    """What a simulated spot price does when today's forward moves by one."""

    # S = F · X, as the lognormal processes have it: S / F.
    PROPORTIONAL = "PROPORTIONAL"
    # S = F + X, as the normal ones have it: 1.
    PARALLEL = "PARALLEL"


@dataclass(frozen=True, slots=True, eq=False)
class Hedge:
    """
    What the value moves by when a delivery month's forward rises by 1 currency/MWh.

    The position that keeps the value where it is sells `delta` of that month forward.

    commodities   names of the rows
    months        delivery months, datetime64[M], rising
    delta         (commodity, month), discounted MWh; + is long
    error         likewise, one standard deviation of a simulated delta; None of a plan's
    """

    commodities: tuple[str, ...]
    months: npt.NDArray[np.datetime64]
    delta: Floats
    error: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedValue:
    """
    The value of the flexibility: of a policy fitted on one set of paths, earned on another.

    estimate          out of sample, currency, with its standard error, paths and seed: below the
                      true value but for noise, because the fitted policy is near the best
    in_sample         what the policy earned where it was fitted, currency: a wide gap to the
                      estimate says that the paths, or the levels of a grid, are too few
    expected_volume   (commodity, interval), MWh sold +, bought −, the mean over paths
    hedge             delta by delivery month
    """

    estimate: Estimate
    in_sample: float
    expected_volume: Floats
    hedge: Hedge
    method: Method = Method.LEAST_SQUARES_MONTE_CARLO

    @property
    def value(self) -> float:
        """Return the out-of-sample value, currency."""
        return self.estimate.value


def monthly_hedge(dates: Dates, delta: Floats, commodities: tuple[str, ...]) -> Hedge:
    """
    Sum deltas by interval into delivery months.

    delta   (commodity, interval), discounted MWh
    """
    months, month = np.unique(dates.astype("datetime64[M]"), return_inverse=True)
    total = np.zeros((len(months), len(commodities)))
    np.add.at(total, month, delta.T)
    return Hedge(commodities=commodities, months=months, delta=total.T.copy())


def simulated_hedge(
    months: npt.NDArray[np.datetime64],
    delta: Floats,
    commodities: tuple[str, ...],
    *,
    antithetic: bool,
) -> Hedge:
    """
    Return the mean of simulated deltas with its error, by delivery month.

    months   of the columns, rising;  delta   (commodity, month, scenario), discounted MWh
    """
    pairs = delta.reshape(*delta.shape[:2], 2, -1).mean(axis=2) if antithetic else delta
    error = pairs.std(axis=-1, ddof=1) / np.sqrt(pairs.shape[-1])
    return Hedge(commodities=commodities, months=months, delta=pairs.mean(axis=-1), error=error)


def check_paths(name: str, paths: Paths, intervals: int) -> None:
    """
    Refuse paths that are not one finite price an interval.

    :raises PricingError: naming the argument and index.
    """
    shape = np.shape(paths.spot)
    if len(shape) != 2 or shape[1] != intervals:
        raise PricingError(f"{name}.spot: shape {shape} is not (scenario, {intervals}).")
    if np.shape(paths.factors)[:2] != shape or np.ndim(paths.factors) != 3:
        raise PricingError(
            f"{name}.factors: shape {np.shape(paths.factors)} is not (scenario, interval, factor)."
        )
    check(f"{name}.spot", paths.spot, np.isfinite(paths.spot), "must be a number")


def sensitivity(response: SpotResponse, spot: Floats, curve: Floats) -> Floats:
    """
    Return ∂S/∂F, (scenario, interval).

    :raises PricingError: where a proportional response has a forward at or below zero.
    """
    if response is SpotResponse.PARALLEL:
        return np.ones_like(spot)
    check("curve", curve, curve > 0, "must be above 0 where spot moves in proportion to it")
    found: Floats = spot / curve
    return found


def controlled_estimate(
    payoffs: Floats, control: Floats, *, antithetic: bool, seed: int | None
) -> Estimate:
    """
    Return the mean of payoffs less the part that a forward hedge of mean zero explains.

    payoffs   (scenario,), currency
    control   (scenario,), what the intrinsic plan's forward hedge gains; zero in expectation,
              because forwards are the mean of spot. Its coefficient is the least-squares one.
    """
    spread = control - control.mean()
    size = float(spread @ spread)
    # Rounding where nothing moves is no control.
    moves = size > len(payoffs) * (1e-9 * float(np.abs(payoffs).max(initial=1.0))) ** 2
    slope = float(spread @ payoffs) / size if moves else 0.0
    return estimate(payoffs - slope * control, antithetic=antithetic, seed=seed)
