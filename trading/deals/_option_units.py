"""The units of an option: what turns the prices of its underlyings into those that it pays on."""

from __future__ import annotations

from fractions import Fraction

from trading.deals._areas import CommodityKind
from trading.deals._errors import DealError
from trading.deals._legs import Option
from trading.deals._volumes import converted

_FUELS = frozenset({CommodityKind.GAS, CommodityKind.COAL, CommodityKind.OIL})


def unit_factors(leg: Option) -> tuple[Fraction, ...]:
    """
    Return what turns the price of each underlying's market into what `payoff` takes, exact.

    That is per the option's unit; of what a spread subtracts per the unit of its ratio.

    :raises DealError: where units do not convert.
    """
    return (first_factor(leg), second_factor(leg)) if leg.is_spread else (first_factor(leg),)


def first_factor(leg: Option) -> Fraction:
    """Return what turns the price of the first underlying's market into one per the option's."""
    area, index = leg.schedule.area, leg.underlying[0]
    context = area.context or index.area.context
    converted(Fraction(1), area.price_unit, index.price_unit, context)
    return converted(Fraction(1), area.price_unit, index.area.price_unit, context)


def second_factor(leg: Option) -> Fraction:
    """Return what turns the price of the second underlying's market into one per the ratio's."""
    index = leg.underlying[1]
    context = index.area.context or leg.schedule.area.context
    converted(Fraction(1), leg.ratio_unit, index.price_unit, context)
    return converted(Fraction(1), leg.ratio_unit, index.area.price_unit, context)


def efficiency(leg: Option) -> Fraction | None:
    """Return the power that one of the fuel gives, both as energy; None of what burns nothing."""
    if not leg.is_spread or leg.exact_ratio == 1:
        return None
    made, burned = (index.area.commodity for index in leg.underlying)
    if made is not CommodityKind.POWER or burned not in _FUELS:
        return None
    try:
        heat = converted(Fraction(1), leg.ratio_unit, "MWh", leg.underlying[1].area.context)
    except DealError:
        return None  # coal of a calorific value that nobody has said
    return 1 / (leg.exact_ratio * heat)
