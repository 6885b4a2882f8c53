"""
Power purchase agreements by intervals: what the plain forward value of a deal leaves out.

`trading.valuation` marks a PPA's legs to the curve. Here its value is taken apart (energy, shape,
balancing, optionality, discounting), with the time value of floors, caps and negative-price
clauses, the capture price, and what turning it into base load costs. Axis order: scenario (such
as P50 and P90 volumes) or trade, interval or month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, prod

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    PricingError,
    by_interval,
    check,
    member,
    numbers,
    together,
)
from trading.pricing._model import ModelChoice, PriceModel

Indices = npt.NDArray[np.int64]
_MONTHS_PER_YEAR = 12
_BACHELIER = ModelChoice(PriceModel.BACHELIER)


class NegativePrices(StrEnum):
    """
    What is due in intervals whose spot price is below zero.

    PAID        nothing special
    NO_PAYMENT  the buyer takes the volume and pays nothing for it
    CURTAILED   the plant stands still: no volume, no payment
    """

    PAID = "PAID"
    NO_PAYMENT = "NO_PAYMENT"
    CURTAILED = "CURTAILED"


@dataclass(frozen=True, slots=True, eq=False)
class PpaTerms:
    """
    What a MWh costs the buyer: multiplier × spot + price, within floor and cap.

    price           currency/MWh: the fixed price, or a floating one's premium (+) or discount (−)
    multiplier      of the spot price, ≥ 0; 0 is a fixed price
    floor, cap      currency/MWh bounds of a floating price, each interval by itself
    negative_prices whether the buyer takes and pays below zero
    balancing       what imbalances cost the holder, currency per MWh generated, ≥ 0; a cost
                    whether the volume is bought or sold, so 0 for who does not bear it

    `price`, `floor`, `cap` and `balancing` are numbers or rows of intervals (see
    `escalation_factors`).
    """

    price: npt.ArrayLike
    multiplier: float = 0.0
    floor: npt.ArrayLike | None = None
    cap: npt.ArrayLike | None = None
    negative_prices: NegativePrices = NegativePrices.PAID
    balancing: npt.ArrayLike = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class PpaValue:
    """
    What a PPA is worth to its holder, and why.

    Of shape (…,), currency; they sum to `value`, and all but `discounting` are undiscounted:
    energy          volume at the month's base price, less what is paid without bounds and clause
    shape           volume at its intervals' prices, less at the base price of its month
    balancing       −balancing cost of the volume expected
    optionality     what floor, cap and negative-price clause add, intrinsic and time value
    discounting     expected cash flows discounted, less undiscounted

    Of shape (…, months), by `months`, the labels given, shape (months,):
    hours           length of the month, or of the part of it that is there
    volume          MWh contracted, bought +, sold −
    base_price      currency/MWh, mean over the month's hours
    captured        volume at its intervals' forwards, currency
    cash_flow       expected, undiscounted, currency
    present_value   the same discounted
    delta           ∂value/∂forward, all intervals of the month together, MWh
    vega            per 1.00 of volatility, currency
    """

    energy: Floats
    shape: Floats
    balancing: Floats
    optionality: Floats
    discounting: Floats
    months: Indices
    hours: Floats
    volume: Floats
    base_price: Floats
    captured: Floats
    cash_flow: Floats
    present_value: Floats
    delta: Floats
    vega: Floats

    @property
    def value(self) -> Floats:
        """Return the sum of the parts, currency."""
        return self.energy + self.shape + self.balancing + self.optionality + self.discounting

    @property
    def capture_price(self) -> Floats:
        """
        Return what a MWh of the volume earns at the forwards, currency/MWh, shape (…,).

        :raises PricingError: if there is no volume.
        """
        return _ratio(self.captured.sum(axis=-1), self.volume.sum(axis=-1), "capture price")

    @property
    def capture_rate(self) -> Floats:
        """
        Return capture price over the base price of all hours, shape (…,); 0.85 is 85 %.

        :raises PricingError: if there is no volume, or the base price is zero.
        """
        base = (self.base_price * self.hours).sum(axis=-1) / self.hours.sum(axis=-1)
        return _ratio(self.capture_price, base, "capture rate")


def ppa(
    *,
    terms: PpaTerms,
    volume: npt.ArrayLike,
    forward: npt.ArrayLike,
    hours: npt.ArrayLike,
    month: npt.ArrayLike,
    expiry: npt.ArrayLike = 0.0,
    volatility: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    model: ModelChoice = _BACHELIER,
) -> PpaValue:
    """
    Value a power purchase agreement, and take the value apart.

    All rows broadcast over (…, intervals). The spot price of an interval is distributed around
    its forward by the model, independent of the volume: what they share is in the forwards' shape.
    The index of a floating price is the spot price of the same curve.

    volume      MWh expected in each interval, the share contracted: bought +, sold −
    forward     currency/MWh: the curve, or the published price of what is delivered
    hours       length of the intervals, > 0
    month       delivery month of each in the market's zone: whole numbers that do not descend
                (months since 1970) or datetime64, shape (intervals,)
    expiry      years to the interval's fixing (ACT/365), ≥ 0; 0 takes the forward for the spot
    volatility  of the interval's spot price per √year, in the unit of `model`, ≥ 0
    discount    factor to the payment date, > 0
    model       how spot is distributed; matters only for floor, cap and negative prices

    :raises NonPositivePrice: for a forward that the model cannot take.
    :raises PricingError: naming the argument and the first offending index; for bounds of a
        fixed price, or a floor above the cap.
    """
    from trading.pricing._option_kernels import ppa_sums

    V, F, H, T, sigma, D, price, fees, floor, cap = by_interval(
        volume=volume, forward=forward, hours=hours, expiry=expiry, volatility=volatility,
        discount=discount, price=terms.price, balancing=terms.balancing,
        floor=-inf if terms.floor is None else terms.floor,
        cap=inf if terms.cap is None else terms.cap,
    )  # fmt: skip
    for name, row in (("volume", V), ("forward", F), ("price", price)):
        check(name, row, np.isfinite(row), "must be a number")
    for name, row in (("expiry", T), ("volatility", sigma), ("balancing", fees)):
        check(name, row, row >= 0, "must not be negative")
    for name, row in (("hours", H), ("discount", D)):
        check(name, row, row > 0, "must be above 0")
    if model.model is not PriceModel.BACHELIER:
        rule = f"must be above {0.0 - model.displacement:g} in {model.model}"
        check("forward", F, -model.displacement < F, rule, NonPositivePrice)
    _check_bounds(terms, floor, cap)
    clause = member("negative_prices", NegativePrices, terms.negative_prices)
    months, edges = _months(month, V.shape[-1])
    m = terms.multiplier
    arguments = (V, F, H, T, sigma, D, price, fees, floor, cap)
    *scenarios, intervals = np.broadcast_shapes(*(row.shape for row in arguments))
    flat, steps = _strided(arguments, tuple(scenarios), intervals)
    sums = np.empty((11, prod(scenarios), months.size))
    ppa_sums(
        flat,
        steps,
        edges,
        float(m),
        model.model is not PriceModel.BACHELIER,
        float(model.displacement),
        clause is not NegativePrices.PAID,
        clause is NegativePrices.CURTAILED,
        sums,
    )
    if not np.isfinite(sums).all():
        raise PricingError("result: the arguments lead beyond 64-bit numbers.")
    energy, lengths, level, captured, due, options, cost, cash, present, delta, vega = sums.reshape(
        11, *scenarios, months.size
    )
    base = level / lengths
    at_base = (1.0 - m) * (energy * base).sum(axis=-1)
    return PpaValue(
        energy=at_base - due.sum(axis=-1),
        shape=(1.0 - m) * captured.sum(axis=-1) - at_base,
        balancing=cost.sum(axis=-1),
        optionality=options.sum(axis=-1),
        discounting=present.sum(axis=-1) - cash.sum(axis=-1),
        months=months,
        hours=lengths,
        volume=energy,
        base_price=base,
        captured=captured,
        cash_flow=cash,
        present_value=present,
        delta=delta,
        vega=vega,
    )


@dataclass(frozen=True, slots=True, eq=False)
class BaseloadConversion:
    """
    What it takes to turn volume as generated into base load of the same energy, by month.

    Of shape (…, months), by `months`:
    hours           length of the month
    power           base load bought for what is generated, MW
    volume          generated, MWh
    base_price      currency/MWh, mean over the month's hours
    captured        volume at its intervals' prices, currency
    shape_cost      base load less volume as generated at their prices, currency; + costs
    balancing_cost  currency
    Of shape (…, intervals):
    residual        volume less base load: MWh to sell at spot (+), or to buy (−)
    """

    months: Indices
    hours: Floats
    power: Floats
    volume: Floats
    base_price: Floats
    captured: Floats
    shape_cost: Floats
    balancing_cost: Floats
    residual: Floats

    @property
    def premium(self) -> Floats:
        """
        Return what base load must cost above the volume as generated, currency/MWh, shape (…,).

        :raises PricingError: if there is no volume.
        """
        cost = (self.shape_cost + self.balancing_cost).sum(axis=-1)
        return _ratio(cost, self.volume.sum(axis=-1), "premium")


def baseload_conversion(
    *,
    volume: npt.ArrayLike,
    forward: npt.ArrayLike,
    hours: npt.ArrayLike,
    month: npt.ArrayLike,
    balancing: npt.ArrayLike = 0.0,
) -> BaseloadConversion:
    """
    Convert volume as generated to base load: each month's energy, flat over its hours.

    The volume is sold hour by hour for its capture price and the base load bought; what that
    costs is the shape cost, volume × (base price − capture price) of each month. Undiscounted.

    volume      MWh in each interval, ≥ 0, shape (…, intervals)
    forward, hours, month, balancing    as `ppa`

    :raises PricingError: naming the argument and the first offending index.
    """
    V, F, H, fees = by_interval(volume=volume, forward=forward, hours=hours, balancing=balancing)
    check("forward", F, np.isfinite(F), "must be a number")
    check("hours", H, H > 0, "must be above 0")
    for name, row in (("volume", V), ("balancing", fees)):
        check(name, row, row >= 0, "must not be negative")
    months, edges = _months(month, V.shape[-1])
    V, F, H, fees = np.broadcast_arrays(V, F, H, fees)

    def monthly(row: Floats) -> Floats:
        found: Floats = np.add.reduceat(row, edges[:-1], axis=-1)
        return found

    energy, lengths, captured = monthly(V), monthly(H), monthly(V * F)
    power, base = energy / lengths, monthly(F * H) / lengths
    return BaseloadConversion(
        months=months,
        hours=lengths,
        power=power,
        volume=energy,
        base_price=base,
        captured=captured,
        shape_cost=energy * base - captured,
        balancing_cost=monthly(V * fees),
        residual=V - np.repeat(power, np.diff(edges), axis=-1) * H,
    )


def escalation_factors(
    *, month: npt.ArrayLike, rate: npt.ArrayLike, start: int | np.datetime64
) -> Floats:
    """
    Return what prices have grown by with each anniversary, 1 in the first year.

    month       as `ppa`, shape (intervals,), none before `start`
    rate        per year, 0.02 for 2 % (a price index's expected growth), above −1; one for all
                years, or one for each anniversary reached, the first first
    start       the month (number or datetime64) whose anniversaries count: of the contract, or a
                January for calendar years

    :raises PricingError: naming the argument and the first offending index.
    """
    months = _labels(month)
    growth = np.atleast_1d(numbers("rate", rate))
    if growth.ndim != 1:
        raise PricingError(f"rate: shape {growth.shape} must be one number, or one a year.")
    check("rate", growth, growth > -1, "must be above -1")
    origin = int(_labels(np.atleast_1d(np.asarray(start)), "start")[0])
    if months[0] < origin:
        raise PricingError(f"month[0]: {months[0]} must not be before the start, {origin}.")
    years = (months - origin) // _MONTHS_PER_YEAR
    count = int(years[-1])
    if growth.size == 1:
        growth = np.broadcast_to(growth, count)
    if growth.size < count:
        raise PricingError(f"rate: has {growth.size} years; must have {count}, to the last month.")
    grown = np.concatenate(([1.0], np.cumprod(1.0 + growth[:count])))
    found: Floats = grown[years]
    return found


def exceedance_factor(*, deviation: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """
    Return the share of P50 energy that a year's output exceeds with a probability.

    1 + deviation × Φ⁻¹(1 − probability), no less than 0: volumes × this are P90 (or P75, P99).

    deviation       standard deviation of the year's energy over its mean, ≥ 0; 0.1 is 10 %
    probability     of being exceeded, above 0 and below 1; 0.9 for P90

    :raises PricingError: naming the argument and the first offending index.
    """
    from scipy.special import ndtri

    sigma, p = together(deviation=deviation, probability=probability)
    check("deviation", sigma, sigma >= 0, "must not be negative")
    check("probability", p, (p > 0) & (p < 1), "must be above 0 and below 1")
    found: Floats = np.maximum(1.0 + sigma * ndtri(1.0 - p), 0.0)
    return found


def _check_bounds(terms: PpaTerms, floor: Floats, cap: Floats) -> None:
    m = numbers("multiplier", terms.multiplier)
    if m.ndim:
        raise PricingError("multiplier: must be one number.")
    check("multiplier", m, m >= 0, "must not be negative")
    given = [
        (name, row)
        for name, row, term in (("floor", floor, terms.floor), ("cap", cap, terms.cap))
        if term is not None
    ]
    for name, row in given:
        check(name, row, np.isfinite(row), "must be a number")
        if m == 0:
            raise PricingError(f"{name}: bounds a floating price; this price is fixed.")
    if len(given) == 2:
        below = np.broadcast_to(floor, np.broadcast_shapes(floor.shape, cap.shape))
        check("floor", below, below <= cap, "must not be above the cap")


def _labels(month: npt.ArrayLike, name: str = "month") -> Indices:
    """Return months as whole numbers, those of dates since 1970."""
    row = np.asarray(month)
    if row.dtype.kind == "M":
        if np.isnat(row).any():
            raise PricingError(f"{name}[{int(np.isnat(row).argmax())}]: must be a month.")
        row = row.astype("datetime64[M]").astype(np.int64)
    if row.ndim != 1 or not row.size or row.dtype.kind not in "iu":
        raise PricingError(f"{name}: must be whole numbers or months, one for each interval.")
    descends = row[1:] < row[:-1]
    if descends.any():
        raise PricingError(f"{name}[{int(descends.argmax()) + 1}]: must not descend.")
    return row.astype(np.int64, copy=False)


def _months(month: npt.ArrayLike, intervals: int) -> tuple[Indices, Indices]:
    """Return the months there are, and between which intervals each lies, shape (months + 1,)."""
    row = _labels(month)
    if row.size != intervals:
        raise PricingError(f"month: has {row.size} intervals; must have {intervals}.")
    first = np.concatenate(([0], np.flatnonzero(row[1:] != row[:-1]) + 1))
    return row[first], np.append(first, intervals)


def _strided(
    arguments: Sequence[Floats], scenarios: tuple[int, ...], intervals: int
) -> tuple[tuple[Floats, ...], Indices]:
    """
    Return each argument flat, and how far its next scenario and next interval are in it.

    One number stays one number, and a curve that all scenarios share stays one curve: copies
    would take longer than the formulas. All are contiguous and writable, for one compilation.
    """
    flat, steps = [], []
    for row in arguments:
        if row.size == 1:
            step = (0, 0)
        elif row.size == intervals and row.shape[-1] == intervals:
            step = (0, 1)
        else:
            row, step = np.broadcast_to(row, (*scenarios, intervals)), (intervals, 1)
        flat.append(np.require(row.reshape(-1), requirements=("C", "W")))
        steps.append(step)
    return tuple(flat), np.array(steps, dtype=np.int64)


def _ratio(above: Floats, below: Floats, name: str) -> Floats:
    if np.any(below == 0):
        of = "base price" if name == "capture rate" else "volume"
        raise PricingError(f"{of}: sums to 0, so there is no {name}.")
    found: Floats = np.asarray(above / below, dtype=np.float64)
    return found
