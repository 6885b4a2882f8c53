"""The volatility of a delivery from those of the contracts that it consists of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import NonPositivePrice, check, finite, not_negative, together
from trading.pricing._model import PriceModel


def composed_volatility(
    model: PriceModel,
    *,
    forward: npt.ArrayLike,
    weight: npt.ArrayLike,
    volatility: npt.ArrayLike,
    correlation: float,
    expiry: float,
) -> float:
    """
    Return the volatility of Σ w_i F_i, of the model's kind.

    Each pair of contracts has the same correlation; at 1 the result is the highest that weights
    above zero allow. Normal: √(Σ w_i w_j ρ_ij σ_i σ_j), exact. Lognormal: that of the lognormal
    with the true mean and variance of the sum, ln(E[F²] / E[F]²) / T = σ² (two moments, as
    `average_option` takes an average).

    forward      (contract,), currency/unit; lognormal > 0, with a displacement if there is one
    weight       (contract,), ≥ 0: shares of the volume
    volatility   (contract,), per √year, ≥ 0
    correlation  between two contracts, 0 to 1
    expiry       years, > 0

    :raises NonPositivePrice: for a lognormal forward that is not above zero.
    :raises PricingError: naming the argument.
    """
    F, w, sigma = together(
        forward=finite("forward", forward), weight=not_negative("weight", weight),
        volatility=not_negative("volatility", volatility),
    )  # fmt: skip
    rho, T = finite("correlation", correlation), finite("expiry", expiry)
    check("correlation", rho, (rho >= 0) & (rho <= 1), "must be from 0 to 1")
    check("expiry", T, T > 0, "must be above 0")
    together_by = np.where(np.eye(F.size, dtype=np.bool_), 1.0, rho)
    if model is PriceModel.BACHELIER:
        moved = w * sigma
        return float(np.sqrt(moved @ together_by @ moved))
    check("forward", F, F > 0, "must be above 0", NonPositivePrice)
    share = w * F / (w @ F)
    excess = share @ np.expm1(together_by * np.outer(sigma, sigma) * T) @ share
    return float(np.sqrt(np.log1p(excess) / T))
