"""Options on a continuous average, by two moments; for comparison with published numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._average_moments import LARGEST, AverageOption, Moments, matched
from trading.pricing._inputs import NonPositivePrice, Options, OptionType, broadcast, check

# The integral of `levy_average_option` is smooth; 32 nodes leave rounding only.
_NODES, _WEIGHTS = (0.5 * (row + shift) for row, shift in
                    zip(np.polynomial.legendre.leggauss(32), (1.0, 0.0), strict=True))  # fmt: skip


def levy_average_option(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    length: npt.ArrayLike,
    remaining: npt.ArrayLike,
    volatility: npt.ArrayLike,
    carry: npt.ArrayLike = 0.0,
    average: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> AverageOption:
    """
    Price options on a continuous arithmetic average by its first two moments (Levy).

    For comparison with published numbers: fixings are discrete, so trades take `average_option`.
    All broadcast; of a bought option, delta and gamma in spot.

    spot         currency/MWh, > 0
    strike       currency/MWh, any sign
    length       years over which the average is taken, from first to last, > 0
    remaining    years of it still to come, 0 to `length`; all has begun at the latest now
    volatility   lognormal, per √year, ≥ 0
    carry        growth of the forward a year: r − q on spot, 0 on a future
    average      currency/MWh, of the part that has passed; counts by its share of `length`
    discount     discount factor to the end of the average, > 0

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for times outside their range, or what is not finite.
    Source: E. Levy, J. International Money and Finance 11 (1992) 474-491.
    """
    S, K, L, tau, sigma, b, known, D = broadcast(
        spot=spot, strike=strike, length=length, remaining=remaining, volatility=volatility,
        carry=carry, average=average, discount=discount,
    )  # fmt: skip
    check("spot", S, S > 0, "must be above 0", NonPositivePrice)
    check("strike", K, np.isfinite(K), "must be a number")
    check("length", L, L > 0, "must be above 0")
    check("remaining", tau, (tau >= 0) & (tau <= L), "must be from 0 to the length")
    check("volatility", sigma, sigma >= 0, "must not be negative")
    check("carry", b, np.isfinite(b), "must be a number")
    check("average", known, np.isfinite(known), "must be a number")
    check("discount", D, D > 0, "must be above 0", NonPositivePrice)
    check("volatility", sigma**2 * tau, sigma**2 * tau <= LARGEST,
          "is a total variance (σ² t) too large to be priced")  # fmt: skip
    check("carry", b * tau, np.abs(b * tau) <= LARGEST, "is a growth too large to be priced")
    from scipy.special import exprel

    # With the open part's share of the average taken out, and x of it passed at the earlier of a
    # pair's times, E[A²] − E[A]² is S² times
    # 2 ∫ e^{2bτx} (e^{σ²τx} − 1) (1−x) ∫ e^{bτ(1−x)y} dy dx, both from 0 to 1.
    u = tau[..., None] * _NODES
    drift, var = b[..., None], sigma[..., None] ** 2
    rest = tau[..., None] - u
    pairs = 2.0 * _WEIGHTS * (1.0 - _NODES) * np.exp(2.0 * drift * u) * exprel(drift * rest)
    growth = exprel(b * tau)
    excess = (pairs * np.expm1(var * u)).sum(axis=-1)
    by_volatility = (pairs * np.exp(var * u) * u).sum(axis=-1) * 2.0 * sigma
    zero = np.zeros_like(S)
    share = tau / L
    moments = Moments(
        mean=S * growth * share,
        variance=np.log1p(excess / growth**2),
        mean_slope=growth * share,
        variance_slope=zero,
        variance_curvature=zero,
        variance_by_volatility=by_volatility / (growth**2 + excess),
    )
    left = K - known * (1.0 - share)
    return matched(moments, strike=left, discount=D, option=option)[0]
