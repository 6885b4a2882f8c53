"""
Options on the spread of two forwards: Margrabe, Kirk's approximation, and the exact value.

Both forwards are lognormal at expiry with a correlation. The payoff of a call is
max(first − second − strike, 0); `trading.pricing` names the spreads of the desk (`spark_spread` …).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._black76 import black76
from trading.pricing._inputs import (
    Floats,
    Options,
    OptionType,
    check,
    finite,
    not_negative,
    positive,
    signs,
    together,
)
from trading.pricing._value import fill


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeValue:
    """
    What an option to exchange one asset for another is worth; each of the broadcast shape.

    price               currency
    delta1, delta2      per unit of each asset's price
    gamma1, gamma2      of its own delta, per unit of that price
    theta               per year that passes, yields accruing
    """

    price: Floats
    delta1: Floats
    delta2: Floats
    gamma1: Floats
    gamma2: Floats
    theta: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SpreadValue:
    """
    What a spread option is worth and how that moves; each of the broadcast shape.

    price                       currency/MWh
    delta1, delta2              per currency/MWh of the first and of the second forward
    gamma11, gamma12, gamma22   of the deltas, per currency/MWh
    vega1, vega2                per 1.00 of each volatility
    correlation_risk            per 1.00 of correlation
    theta                       per year that passes, of the option's time alone
    """

    price: Floats
    delta1: Floats
    delta2: Floats
    gamma11: Floats
    gamma12: Floats
    gamma22: Floats
    vega1: Floats
    vega2: Floats
    correlation_risk: Floats
    theta: Floats


def margrabe(
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility1: npt.ArrayLike,
    volatility2: npt.ArrayLike,
    correlation: npt.ArrayLike,
    quantity1: npt.ArrayLike = 1.0,
    quantity2: npt.ArrayLike = 1.0,
    yield1: npt.ArrayLike = 0.0,
    yield2: npt.ArrayLike = 0.0,
) -> ExchangeValue:
    """
    Price options to give quantity2 of the second asset for quantity1 of the first (Margrabe).

    The payoff is max(quantity1 × first − quantity2 × second, 0). All arguments broadcast.

    first, second       prices, > 0
    expiry              years (ACT/365), ≥ 0; 0 gives the payoff
    volatility1, 2      lognormal, per √year, ≥ 0
    correlation         of the two logarithms, −1 … 1
    quantity1, 2        units of each, > 0
    yield1, yield2      continuous, per year: what the holder of the asset earns; the interest rate
                        for a forward

    :raises NonPositivePrice: for a price or quantity at or below zero.
    :raises PricingError: for another argument outside its range, or not finite.
    Source: W. Margrabe, J. Finance 33 (1978) 177-186.
    """
    (
        first,
        second,
        expiry,
        volatility1,
        volatility2,
        correlation,
        quantity1,
        quantity2,
        yield1,
        yield2,
    ) = together(
        first=first,
        second=second,
        expiry=expiry,
        volatility1=volatility1,
        volatility2=volatility2,
        correlation=correlation,
        quantity1=quantity1,
        quantity2=quantity2,
        yield1=yield1,
        yield2=yield2,
    )
    S1, S2 = positive("first", first), positive("second", second)
    Q1, Q2 = positive("quantity1", quantity1), positive("quantity2", quantity2)
    y1, y2 = finite("yield1", yield1), finite("yield2", yield2)
    T, sigma1, sigma2, rho = _moves(expiry, volatility1, volatility2, correlation)
    sigma = _spread_volatility(sigma1, sigma2, rho)
    A, B = Q1 * S1 * np.exp(-y1 * T), Q2 * S2 * np.exp(-y2 * T)
    value = black76(forward=A, strike=B, expiry=T, volatility=sigma)
    # The value is A N(d1) − B N(d2), of the first degree in A and B.
    by_first = A * value.delta
    by_second = value.price - by_first
    return ExchangeValue(
        price=value.price,
        delta1=by_first / S1,
        delta2=by_second / S2,
        gamma1=value.gamma * (A / S1) ** 2,
        gamma2=value.gamma * (A / S2) ** 2,
        theta=value.theta + y1 * by_first + y2 * by_second,
    )


def kirk_spread(
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility1: npt.ArrayLike,
    volatility2: npt.ArrayLike,
    correlation: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> Floats:
    """
    Price spread options by Kirk's approximation, for comparison with `spread_option`.

    `second + strike` is taken as lognormal with second / (second + strike) of the second
    volatility, so it must be above zero. Arguments are those of `spread_option`; the error grows
    with the strike and the difference of the volatilities.

    :raises NonPositivePrice: for a forward, or second + strike, at or below zero.
    :raises PricingError: for another argument outside its range, or not finite.
    Source: E. Kirk, "Correlation in the energy markets", Managing Energy Price Risk (1995) 71-78.
    """
    first, second, strike, expiry, volatility1, volatility2, correlation, discount = together(
        first=first,
        second=second,
        strike=strike,
        expiry=expiry,
        volatility1=volatility1,
        volatility2=volatility2,
        correlation=correlation,
        discount=discount,
    )
    F1, F2 = positive("first", first), positive("second", second)
    whole = positive("second + strike", F2 + finite("strike", strike))
    T, sigma1, sigma2, rho = _moves(expiry, volatility1, volatility2, correlation)
    sigma = _spread_volatility(sigma1, sigma2 * F2 / whole, rho)
    return black76(
        forward=F1, strike=whole, expiry=T, volatility=sigma, discount=discount, option=option
    ).price


def spread_option(
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility1: npt.ArrayLike,
    volatility2: npt.ArrayLike,
    correlation: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> SpreadValue:
    """
    Price European options on the spread of two lognormal forwards exactly.

    One forward is integrated out in closed form and the other by adaptive quadrature, to 1e-13 of
    the forwards. All arguments broadcast; results are in the currency/MWh of `first`, of a bought
    option; a put pays max(strike − (first − second), 0).

    first, second       currency/MWh, > 0; the second with its ratio (heat rate) in it
    strike              currency/MWh, of either sign
    expiry              years to expiry (ACT/365), ≥ 0; 0 gives the discounted payoff
    volatility1, 2      lognormal, per √year, ≥ 0
    correlation         of the two logarithms, −1 … 1
    discount            discount factor to the payment date, > 0

    Vegas, correlation_risk and theta follow from the gammas: the value solves the heat equation.

    :raises NonPositivePrice: for a forward at or below zero.
    :raises PricingError: for another argument outside its range, or not finite.
    Source: N. Pearson, J. Derivatives 3 (1995) 76-91, the conditioning; R. Plackett, Biometrika 41
    (1954) 351-360, the derivative by correlation.
    """
    first, second, strike, expiry, volatility1, volatility2, correlation, discount = together(
        first=first,
        second=second,
        strike=strike,
        expiry=expiry,
        volatility1=volatility1,
        volatility2=volatility2,
        correlation=correlation,
        discount=discount,
    )
    from trading.pricing._spread_kernels import spread_rows

    T, sigma1, sigma2, rho = _moves(expiry, volatility1, volatility2, correlation)
    shape, flat, terms = fill(
        spread_rows,
        6,
        positive("first", first),
        positive("second", second),
        finite("strike", strike),
        T,
        sigma1,
        sigma2,
        rho,
        positive("discount", discount),
        signs(option),
    )
    F1, F2, _, T, sigma1, sigma2, rho = flat[:7]
    gamma11, gamma12, gamma22 = terms[3:]
    by_first, by_second = sigma1 * F1 * F1 * gamma11, sigma2 * F2 * F2 * gamma22
    across = F1 * F2 * gamma12
    found = (
        *terms,
        T * (by_first + rho * sigma2 * across),
        T * (by_second + rho * sigma1 * across),
        T * sigma1 * sigma2 * across,
        -0.5 * (sigma1 * by_first + sigma2 * by_second) - rho * sigma1 * sigma2 * across,
    )
    return SpreadValue(*(term.reshape(shape) for term in found))


def _moves(
    expiry: npt.ArrayLike,
    volatility1: npt.ArrayLike,
    volatility2: npt.ArrayLike,
    correlation: npt.ArrayLike,
) -> tuple[Floats, Floats, Floats, Floats]:
    rho = np.asarray(correlation, dtype=np.float64)
    check("correlation", rho, np.abs(rho) <= 1, "must be between −1 and 1")
    return (
        not_negative("expiry", expiry),
        not_negative("volatility1", volatility1),
        not_negative("volatility2", volatility2),
        rho,
    )


def _spread_volatility(sigma1: Floats, sigma2: Floats, rho: Floats) -> Floats:
    """Return the volatility of a quotient; the square is above zero but for rounding."""
    return np.sqrt(np.maximum(sigma1**2 - 2 * rho * sigma1 * sigma2 + sigma2**2, 0.0))
