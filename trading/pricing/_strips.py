"""Caps, floors and swaptions: options on the forwards of several periods."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    Options,
    OptionType,
    PricingError,
    finite,
    not_negative,
    positive,
    together,
)
from trading.pricing._model import ModelChoice, price_option
from trading.pricing._value import OptionValue


@dataclass(frozen=True, slots=True, eq=False)
class CapFloor:
    """
    What a cap or floor is worth; the last axis of `periods` is the period.

    price       currency, of all periods
    periods     currency, each period's option with its derivatives: its delta is the MWh to hedge
    """

    price: Floats
    periods: OptionValue


@dataclass(frozen=True, slots=True, eq=False)
class SwaptionValue:
    """
    What a swaption is worth and how that moves; `deltas` has the period as its last axis.

    price           currency
    swap_price      currency/MWh: the fixed price at which the swap is worth nothing
    annuity         MWh, discounted: what one currency/MWh on the fixed price is worth
    deltas          MWh: currency per currency/MWh of each period's forward
    gamma           currency per (currency/MWh)² of the swap price
    vega            currency per 1.00 of volatility
    theta           currency per year that passes, of the option's time alone
    """

    price: Floats
    swap_price: Floats
    annuity: Floats
    deltas: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def cap_floor(
    choice: ModelChoice,
    *,
    forwards: npt.ArrayLike,
    strikes: npt.ArrayLike,
    expiries: npt.ArrayLike,
    volatilities: npt.ArrayLike,
    volumes: npt.ArrayLike,
    discounts: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> CapFloor:
    """
    Price caps (CALL) and floors (PUT) on forwards, period by period.

    The holder of a cap receives volume × max(price − strike, 0) for each period, of a floor
    volume × max(strike − price, 0). All arguments broadcast; the last axis is the period. A cap
    less a floor is the swap.

    forwards        currency/MWh; of a period that is fixed, its fixing with an expiry of 0
    strikes         currency/MWh
    expiries        years to each fixing (ACT/365), ≥ 0
    volatilities    of the chosen model, to each fixing, ≥ 0
    volumes         MWh of each period, ≥ 0
    discounts       discount factor to each payment date, > 0

    :raises PricingError: as the model's formula, for a negative volume, or without a period.
    """
    F, K, T, sigma, volume, D = together(
        forwards=forwards, strikes=strikes, expiries=expiries, volatilities=volatilities,
        volumes=volumes, discounts=discounts,
    )  # fmt: skip
    volume = not_negative("volumes", volume)
    each = price_option(
        choice, forward=finite("forwards", F), strike=finite("strikes", K),
        expiry=not_negative("expiries", T), volatility=not_negative("volatilities", sigma),
        discount=positive("discounts", D), option=option,
    )  # fmt: skip
    periods = OptionValue(*(getattr(each, term.name) * volume for term in fields(each)))
    if periods.price.ndim == 0:
        raise PricingError("forwards: must have periods, on the last axis.")
    return CapFloor(price=periods.price.sum(axis=-1), periods=periods)


def swaption(
    choice: ModelChoice,
    *,
    forwards: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    volumes: npt.ArrayLike,
    discounts: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> SwaptionValue:
    """
    Price European options to enter a swap of forwards at a fixed price.

    At expiry the holder of a CALL may buy, of a PUT sell, the volumes of all periods at the
    strike. The swap price, Σ volume · discount · forward over the annuity Σ volume · discount, is
    the chosen model's one forward under the annuity's measure. `forwards`, `volumes` and
    `discounts` broadcast with the period as the last axis; the others with what is left of it.

    forwards        currency/MWh of each period
    strike          currency/MWh, the fixed price
    expiry          years to exercise (ACT/365), ≥ 0
    volatility      of the swap price, by the chosen model, ≥ 0
    volumes         MWh of each period, ≥ 0 and not all zero
    discounts       discount factor to each payment date, > 0

    :raises PricingError: as the model's formula, for a volume outside its range, or without a
        period.
    Source: F. Black, J. Financial Economics 3 (1976) 167-179; F. Jamshidian, Finance and
    Stochastics 1 (1997) 293-330, the annuity as numeraire.
    """
    F, volume, D = together(forwards=forwards, volumes=volumes, discounts=discounts)
    F, volume = finite("forwards", F), not_negative("volumes", volume)
    F, weight = np.broadcast_arrays(F, volume * positive("discounts", D))
    if F.ndim == 0 or F.shape[-1] == 0:
        raise PricingError("forwards: must have periods, on the last axis.")
    annuity = positive("sum of volumes × discounts", weight.sum(axis=-1), PricingError)
    swap_price = (weight * F).sum(axis=-1) / annuity
    value = price_option(
        choice, forward=swap_price, strike=strike, expiry=expiry, volatility=volatility,
        option=option,
    )  # fmt: skip
    return SwaptionValue(
        price=annuity * value.price,
        swap_price=swap_price,
        annuity=annuity,
        deltas=weight * value.delta[..., None],
        gamma=annuity * value.gamma,
        vega=annuity * value.vega,
        theta=annuity * value.theta,
    )
