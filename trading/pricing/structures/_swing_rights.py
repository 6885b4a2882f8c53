"""
Swing options with a number of rights on a lognormal spot, by quadrature.

`_swing` has the contracts with daily and yearly quantities; here one right is one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._black76 import black76
from trading.pricing._inputs import Floats, NonPositivePrice, OptionType, PricingError, check
from trading.pricing.structures._intervals import number, series
from trading.pricing.structures._results import Method

# Deviations on either side of the grid, and points within the deviation of the shortest step:
# with more of either the fifth digit no longer moves.
_WIDTH = 7.0
_POINTS_A_STEP = 6.0
_FEWEST, _MOST = 4_097, 65_537
_MANY = 60  # dates whose errors even out, so that half of the points do
_FAR = 1_024  # points on either side from which Fourier's transform is faster


@dataclass(frozen=True, slots=True, eq=False)
class SwingRights:
    """
    What a swing option is worth.

    price           currency a unit
    by_rights       (rights + 1,), the price with 0, 1, … rights
    lower_bound     the last dates' Europeans, one a right: a plan that anyone can follow
    upper_bound     so many options with one right each
    """

    price: float
    by_rights: Floats
    lower_bound: float
    upper_bound: float
    method: Method = Method.QUADRATURE


def swing_rights(
    *,
    forwards: npt.ArrayLike,
    strike: npt.ArrayLike,
    times: npt.ArrayLike,
    volatility: float,
    rights: int,
    discounts: npt.ArrayLike = 1.0,
    option: OptionType = OptionType.CALL,
) -> SwingRights:
    """
    Price up to `rights` exercises on given dates, one a date.

    The spot is S_t = F_t · exp(σ W_t − σ² t / 2). Between dates the value for each number of rights
    left is integrated against the normal density on a grid of σ W; on a date it is the better of
    using a right and keeping it.

    forwards     (date,), today's forward for each date, currency/MWh, > 0
    strike       currency/MWh, > 0, one or (date,)
    times        (date,), years from now, rising, ≥ 0
    volatility   lognormal, per √year, ≥ 0; 0 uses the rights where they are worth most today
    discounts    factor from today to each date's payment, > 0, one or (date,)

    :raises PricingError: naming the argument and index.
    Source: P. Jaillet, E. Ronn, S. Tompaidis, Management Science 50 (2004) 909-921.
    """
    at = np.array(times, dtype=np.float64)
    if at.ndim != 1 or not at.size:
        raise PricingError(f"times: shape {at.shape} is not one row with at least one date.")
    check("times", at, (at >= 0) & (np.diff(at, prepend=-1.0) > 0), "must be 0 or more and rise")
    count = len(at)
    F, K = series("forwards", forwards, count), series("strike", strike, count)
    D = series("discounts", discounts, count)
    for name, row in (("forwards", F), ("strike", K), ("discounts", D)):
        check(name, row, row > 0, "must be above 0", NonPositivePrice)
    sigma = number("volatility", volatility, least=0)
    if not 1 <= rights <= count:
        raise PricingError(f"rights: {rights} must be 1 to {count}, at most one a date.")
    sign = 1.0 if option is OptionType.CALL else -1.0
    deviations = sigma * np.sqrt(np.diff(at, prepend=0.0))
    x, step = _grid(deviations)
    middle = len(x) // 2
    # Row j has j rights; of more than the dates left, one is as good as none.
    worth = np.zeros((1, len(x)))
    for n in range(count - 1, -1, -1):
        if len(worth) <= rights:
            worth = np.concatenate([worth, worth[-1:]])
        near = worth.shape[1] // 2
        moved = x[middle - near : middle + near + 1] - 0.5 * sigma**2 * at[n]
        payoff = D[n] * sign * (F[n] * np.exp(moved) - K[n])
        worth[1:] = np.maximum(worth[1:], payoff + worth[:-1])
        before = _reach(sigma * np.sqrt(at[n - 1]) if n else 0.0, step)
        worth = _expected(worth, step, float(deviations[n]), min(before, near))
    by_rights = worth[:, worth.shape[1] // 2].copy()
    europeans = black76(
        forward=F, strike=K, expiry=at, volatility=sigma, discount=D, option=option
    ).price
    return SwingRights(
        price=float(by_rights[-1]),
        by_rights=by_rights,
        lower_bound=float(europeans[count - rights :].sum()),
        upper_bound=float(rights * by_rights[1]),
    )


def _grid(deviations: Floats) -> tuple[Floats, float]:
    """Return values of σ W about zero, evenly spread, an odd number, and how far they lie apart."""
    total = float(np.sqrt((deviations**2).sum()))
    if total == 0.0:
        return np.zeros(1), 1.0
    half = _WIDTH * total + total**2
    shortest = float(deviations[deviations > 0].min())
    fewest = _FEWEST if len(deviations) < _MANY else _FEWEST // 2 + 1
    points = min(max(int(2.0 * half / shortest * _POINTS_A_STEP) | 1, fewest), _MOST)
    step = 2.0 * half / (points - 1)
    return np.linspace(-half, half, points), step


def _reach(deviation: float, step: float) -> int:
    """Return how many points on either side of the middle a date needs: the others are not met."""
    # A call weighs prices by e^x, which moves the density by the variance.
    return int(np.ceil((_WIDTH * deviation + deviation**2) / step))


def _expected(worth: Floats, step: float, deviation: float, near: int) -> Floats:
    """Return E[worth(x + σ√Δ Z)], (right, point), by the trapezium rule on the points near."""
    middle = worth.shape[1] // 2
    if deviation == 0.0:
        return worth[:, middle - near : middle + near + 1].copy()
    # A multiple of four, as the kernel takes them.
    reach = 4 * int(np.ceil(_WIDTH * deviation / step / 4.0))
    weights = np.exp(-0.5 * (np.arange(reach + 1) * (step / deviation)) ** 2)
    weights /= 2.0 * weights.sum() - weights[0]
    # Nothing lies beyond the grid.
    held = np.zeros((len(worth), 2 * (near + reach) + 1))
    inside = min(middle, near + reach)
    held[:, near + reach - inside : near + reach + inside + 1] = worth[
        :, middle - inside : middle + inside + 1
    ]
    if reach > _FAR:
        from scipy.signal import oaconvolve

        both = np.concatenate([weights[:0:-1], weights])
        found: Floats = oaconvolve(held, both[None], mode="valid", axes=1)
        return found
    from trading.pricing.structures._kernels import smooth

    return smooth(held, weights)
