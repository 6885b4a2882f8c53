"""The spreads of an energy desk as first − second − strike, in the first's currency and unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check, finite, positive, together


@dataclass(frozen=True, slots=True, eq=False)
class SpreadTerms:
    """
    What `margrabe`, `kirk_spread` and `spread_option` take; each in currency per unit of the first.

    ratio       units of the second's own contract in one of the first: a delta of `second` times
                this is the hedge in the second's contract
    """

    first: Floats
    second: Floats
    strike: Floats
    ratio: Floats


def calendar_spread(
    *, later: npt.ArrayLike, sooner: npt.ArrayLike, cost: npt.ArrayLike = 0.0
) -> SpreadTerms:
    """
    Return the spread of a later delivery over a sooner one, less the cost of carrying it over.

    :raises PricingError: naming an argument and its first index that is not finite.
    """
    later, sooner, cost = together(later=later, sooner=sooner, cost=cost)
    return SpreadTerms(
        first=finite("later", later),
        second=finite("sooner", sooner),
        strike=finite("cost", cost),
        ratio=np.ones(()),
    )


def spark_spread(
    *,
    power: npt.ArrayLike,
    gas: npt.ArrayLike,
    heat_rate: npt.ArrayLike,
    cost: npt.ArrayLike = 0.0,
) -> SpreadTerms:
    """
    Return the margin of burning gas, in currency/MWh of power.

    power       currency/MWh
    gas         currency/MWh of heat
    heat_rate   MWh of heat in one MWh of power, > 0 (2.0 is 50 % efficient)
    cost        currency/MWh of power: operation, and carbon at a known price

    :raises PricingError: naming an argument and its first index outside its range.
    """
    power, gas, heat_rate, cost = together(power=power, gas=gas, heat_rate=heat_rate, cost=cost)
    ratio = positive("heat_rate", heat_rate, PricingError)
    return SpreadTerms(
        first=finite("power", power),
        second=finite("gas", gas) * ratio,
        strike=finite("cost", cost),
        ratio=ratio,
    )


def dark_spread(
    *,
    power: npt.ArrayLike,
    coal: npt.ArrayLike,
    efficiency: npt.ArrayLike,
    calorific_value: npt.ArrayLike = 6.978,
    carbon: npt.ArrayLike = 0.0,
    emission_factor: npt.ArrayLike = 0.34,
    cost: npt.ArrayLike = 0.0,
) -> SpreadTerms:
    """
    Return the margin of burning coal, in currency/MWh of power; clean where carbon is priced.

    Carbon is taken at its forward price, as part of the strike: its own volatility is not in it.

    power             currency/MWh
    coal              currency/t
    efficiency        MWh of power in one MWh of heat, above 0 and at most 1
    calorific_value   MWh of heat in one tonne, > 0 (6.978 is 6,000 kcal/kg)
    carbon            currency/t of CO2
    emission_factor   t of CO2 in one MWh of heat
    cost              currency/MWh of power: operation

    :raises PricingError: naming an argument and its first index outside its range.
    """
    power, coal, efficiency, calorific_value, carbon, emission_factor, cost = together(
        power=power,
        coal=coal,
        efficiency=efficiency,
        calorific_value=calorific_value,
        carbon=carbon,
        emission_factor=emission_factor,
        cost=cost,
    )
    share = positive("efficiency", efficiency, PricingError)
    check("efficiency", share, share <= 1, "must be at most 1")
    ratio = 1.0 / (share * positive("calorific_value", calorific_value, PricingError))
    emitted = finite("carbon", carbon) * finite("emission_factor", emission_factor) / share
    return SpreadTerms(
        first=finite("power", power),
        second=finite("coal", coal) * ratio,
        strike=finite("cost", cost) + emitted,
        ratio=ratio,
    )


def crack_spread(
    *,
    crude: npt.ArrayLike,
    gasoline: npt.ArrayLike,
    distillate: npt.ArrayLike,
    barrels: tuple[int, int, int] = (3, 2, 1),
    cost: npt.ArrayLike = 0.0,
) -> SpreadTerms:
    """
    Return the margin of refining, in currency/bbl of crude.

    The products are one basket, which is taken as one forward: its volatility and its correlation
    with crude are the basket's.

    crude, gasoline, distillate     currency/bbl (a price per gallon × 42)
    barrels                         of crude, gasoline and distillate: 3-2-1, 5-3-2, 2-1-1; what
                                    goes in comes out
    cost                            currency/bbl of crude

    :raises PricingError: for barrels that do not add up, or what is not finite.
    """
    crude, gasoline, distillate, cost = together(
        crude=crude, gasoline=gasoline, distillate=distillate, cost=cost
    )
    crudes, gasolines, distillates = barrels
    if min(barrels) < 0 or crudes == 0 or crudes != gasolines + distillates:
        raise PricingError(f"barrels: {barrels} must be of crude = gasoline + distillate, above 0.")
    basket = gasolines * finite("gasoline", gasoline) + distillates * finite(
        "distillate", distillate
    )
    return SpreadTerms(
        first=basket / crudes,
        second=finite("crude", crude),
        strike=finite("cost", cost),
        ratio=np.ones(()),
    )
