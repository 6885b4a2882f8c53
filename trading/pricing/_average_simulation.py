"""Options on an average by exact simulation of its fixings, with the error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._average_moments import after
from trading.pricing._averages import average_option
from trading.pricing._inputs import Floats, OptionType, PricingError, broadcast
from trading.pricing._regression import Estimate, estimate, seed_of

# A slope through the payoffs of fewer pairs than this may be anything.
_ENOUGH = 30


def simulate_average_option(
    *,
    forward: npt.ArrayLike,
    strike: float,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    scenarios: int,
    generator: np.random.Generator,
    weight: npt.ArrayLike | None = None,
    fixed: float = 0.0,
    discount: float = 1.0,
    option: OptionType = OptionType.CALL,
) -> Estimate:
    """
    Price one option on an arithmetic average by exact simulation of its fixings.

    The arguments are those of `average_option` for one trade, forwards (fixing,). The law is the
    same and is drawn exactly, without time steps, in antithetic pairs. The control is the option
    on the geometric average with the arithmetic one's mean, whose value is known; its factor for
    each half of the pairs comes from the other half, so that the estimate has no bias.

    scenarios   a multiple of 4, at least 8

    The standard error comes from the scenarios: where hardly one of them pays it is too small,
    and the value is then nearly the geometric option's.

    :raises PricingError: as `average_option`, and for scenarios that are no multiple of 4.
    Source: A. Kemna, A. Vorst, J. Banking and Finance 14 (1990) 113-129.
    """
    if scenarios < 8 or scenarios % 4:
        raise PricingError(f"scenarios: {scenarios} is no multiple of 4 from 8 on.")
    # The moments refuse what cannot be priced, by the same rules and words.
    value = average_option(
        forward=forward, strike=strike, times=times, volatility=volatility, weight=weight,
        fixed=fixed, discount=discount, option=option,
    )  # fmt: skip
    if value.fixing_delta.ndim != 1:
        raise PricingError(f"forward: {value.fixing_delta.ndim} axes; one trade has one.")
    share = 1.0 / value.fixing_delta.size if weight is None else weight
    F, t, sigma, w, _ = broadcast(
        forward=forward, times=times, volatility=volatility, weight=share,
        fixing=value.fixing_delta,
    )  # fmt: skip
    sign = 1.0 if option is OptionType.CALL else -1.0
    left = float(strike) - float(fixed)
    total = float(w.sum())
    if total == 0.0:
        payoff = discount * max(-sign * left, 0.0)
        return Estimate(payoff, 0.0, scenarios, seed_of(generator))
    order = np.argsort(sigma * sigma * t, kind="stable")
    F, v, w = F[order], (sigma * sigma * t)[order], w[order]
    half = generator.standard_normal((scenarios // 2, len(v))) * np.sqrt(np.diff(v, prepend=0.0))
    noise = np.cumsum(half, axis=1)
    noise = np.concatenate([noise, -noise])
    # The geometric average in shares of the mean, with the arithmetic one's mean: a lognormal,
    # which is beyond the strike on nearly the same paths.
    mean = float(w @ F)
    part = w * F / mean
    log_variance = float((part * v * (part + 2.0 * after(part))).sum())
    arithmetic = mean * (np.exp(noise - 0.5 * v) @ part)
    geometric = mean * np.exp(noise @ part - 0.5 * log_variance)
    known = float(
        average_option(
            forward=[mean / total], weight=[total], times=[1.0],
            volatility=[np.sqrt(log_variance)], strike=left, discount=discount, option=option,
        ).price
    )  # fmt: skip
    payoffs = discount * np.maximum(sign * (np.stack([arithmetic, geometric]) - left), 0.0)
    pairs = payoffs.reshape(2, 2, -1).mean(axis=1)
    first, second = np.split(pairs, 2, axis=1)
    controlled = [
        mine[0] - _factor(other) * (mine[1] - known)
        for mine, other in ((first, second), (second, first))
    ]
    found = estimate(np.concatenate(controlled), antithetic=False, seed=seed_of(generator))
    return Estimate(found.value, found.standard_error, scenarios, found.seed)


def _factor(pairs: Floats) -> float:
    """Return the least-squares factor of the control; 1, which is near it, where few pairs pay."""
    spread = pairs[1] - pairs[1].mean()
    scale = float(spread @ spread)
    if scale == 0.0 or np.count_nonzero(pairs[1]) < _ENOUGH:
        return 1.0
    return float(spread @ (pairs[0] - pairs[0].mean())) / scale
