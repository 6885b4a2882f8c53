"""The volatility of a delivery from those of the contracts that it consists of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._average_moments import LARGEST
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
    v = sigma**2 * T
    check("volatility", v, v <= LARGEST, "is a total variance (σ² t) too large to be priced")
    share = w * F / (w @ F)
    excess = share @ np.expm1(together_by * np.outer(sigma, sigma) * T) @ share
    return float(np.sqrt(np.log1p(excess) / T))


def composed_correlation(
    model: PriceModel,
    *,
    forward: npt.ArrayLike,
    weight: npt.ArrayLike,
    volatility: npt.ArrayLike,
    forward2: npt.ArrayLike,
    weight2: npt.ArrayLike,
    volatility2: npt.ArrayLike,
    correlation: float,
    expiry: float,
) -> float:
    """
    Return how two sums of different contracts of a market move together, 0 to 1.

    It goes with the volatilities of `composed_volatility`: both together have the true covariance
    of the sums, each pair of contracts having the same correlation. Of one contract each it is
    that correlation. Normal: ρ Σ w_i σ_i Σ w_j σ_j / (σ_1 σ_2). Lognormal:
    ln(E[F_1 F_2] / (E[F_1] E[F_2])) / (σ_1 σ_2 T). At most 1.

    forward, weight, volatility     (contract,) of the first sum, as `composed_volatility`
    forward2, weight2, volatility2  of the second
    correlation                     between two contracts, 0 to 1
    expiry                          years, > 0

    :raises NonPositivePrice: for a lognormal forward that is not above zero.
    :raises PricingError: naming the argument.
    """
    one, two = (
        composed_volatility(
            model, forward=F, weight=w, volatility=sigma, correlation=correlation, expiry=expiry
        )
        for F, w, sigma in (
            (forward, weight, volatility), (forward2, weight2, volatility2)
        )
    )  # fmt: skip
    if np.size(forward) == np.size(forward2) == 1 or one * two == 0:
        return correlation
    (F1, w1, s1), (F2, w2, s2) = (
        (np.asarray(F, np.float64), np.asarray(w, np.float64), np.asarray(s, np.float64))
        for F, w, s in ((forward, weight, volatility), (forward2, weight2, volatility2))
    )
    if model is PriceModel.BACHELIER:
        return min(correlation * float((w1 @ s1) * (w2 @ s2)) / (one * two), 1.0)
    share1, share2 = w1 * F1 / (w1 @ F1), w2 * F2 / (w2 @ F2)
    excess = share1 @ np.expm1(correlation * np.outer(s1, s2) * expiry) @ share2
    return min(float(np.log1p(excess)) / (one * two * expiry), 1.0)
