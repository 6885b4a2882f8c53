"""The choice of a model for a curve's options: said by the desk, never guessed from a price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

import numpy.typing as npt

from trading.pricing._bachelier import bachelier
from trading.pricing._black76 import black76, displaced_black
from trading.pricing._inputs import Options, OptionType, PricingError
from trading.pricing._value import OptionValue


class PriceModel(StrEnum):
    """How a forward is distributed at expiry."""

    BLACK76 = "BLACK76"
    DISPLACED_BLACK = "DISPLACED_BLACK"
    BACHELIER = "BACHELIER"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """
    The model of a curve's options and its parameter.

    displacement    currency/MWh, > 0 for DISPLACED_BLACK and zero for the others

    :raises PricingError: for a displacement that the model does not have, or lacks.
    """

    model: PriceModel
    displacement: float = 0.0

    def __post_init__(self) -> None:
        asks = self.model is PriceModel.DISPLACED_BLACK
        if not isfinite(self.displacement) or (self.displacement > 0) != asks or (
            self.displacement < 0
        ):  # fmt: skip
            rule = "must be above 0" if asks else "must be 0"
            raise PricingError(f"displacement: {self.displacement} {rule} for {self.model}.")


def price_option(
    choice: ModelChoice,
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> OptionValue:
    """
    Price European options on forwards by the chosen model.

    Arguments, results and refusals are those of the model's own function: `black76`,
    `displaced_black` or `bachelier`. The volatility is the chosen model's; a price that the
    model cannot take is refused, and no other model steps in.
    """
    if choice.model is PriceModel.BACHELIER:
        return bachelier(
            forward=forward, strike=strike, expiry=expiry, volatility=volatility,
            discount=discount, option=option,
        )  # fmt: skip
    if choice.model is PriceModel.DISPLACED_BLACK:
        return displaced_black(
            forward=forward, strike=strike, displacement=choice.displacement, expiry=expiry,
            volatility=volatility, discount=discount, option=option,
        )  # fmt: skip
    return black76(
        forward=forward, strike=strike, expiry=expiry, volatility=volatility,
        discount=discount, option=option,
    )  # fmt: skip
