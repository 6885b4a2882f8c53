"""A plant's output as it generates: what is expected of it, a share of it, and a PPA."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals._areas import DeliveryArea, PriceIndex
from trading.deals._deals import Deal, Leg, ProductKind
from trading.deals._errors import DealError
from trading.deals._legs import (
    AssetShare,
    Delivery,
    Fee,
    Option,
    OptionStyle,
    OptionType,
)
from trading.deals._products import directions, price_leg
from trading.deals._schedules import Schedule
from trading.deals._volumes import MICRO, Profile, Volume

_FACTOR = re.compile(r"[0-9](\.[0-9]{1,6})?")
_ZERO, _ONE = Decimal(0), Decimal(1)


def read_capacity_factors(text: str) -> tuple[Decimal, ...]:
    """
    Read the expected share of installed power: one number for all months, or January to December.

    :raises DealError: for another count, or a number outside 0 to 1 or of more than 6 decimals.
    """
    words = re.split(r"[\s;]+", text.strip())
    if len(words) not in (1, 12) or not all(_FACTOR.fullmatch(word) for word in words):
        raise DealError("capacity_factors", "are one or twelve numbers from 0 to 1, with spaces.")
    numbers = tuple(Decimal(word) for word in words)
    if max(numbers) > 1:
        raise DealError("capacity_factors", "are at most 1.")
    return numbers * (12 if len(numbers) == 1 else 1)


@dataclass(frozen=True, slots=True)
class GeneratingAsset:
    """
    A plant whose output is sold as generated, with what is expected of it.

    capacity_factors    of January to December, 0 to 1, at most 6 decimals
    """

    asset_id: str
    area: DeliveryArea
    installed_mw: Decimal
    capacity_factors: tuple[Decimal, ...]

    def __post_init__(self) -> None:
        if len(self.capacity_factors) != 12 or not all(0 <= f <= 1 for f in self.capacity_factors):
            raise DealError("capacity_factors", "are twelve numbers from 0 to 1.")

    def share(self, contracted_mw: Decimal) -> AssetShare:
        """Return a part of the plant, in MW of what is installed."""
        return AssetShare(self.asset_id, self.installed_mw, contracted_mw)

    def expected(self, period: DatePeriod, contracted_mw: Decimal, *, minutes: int = 60) -> Profile:
        """Return the expected output of a part of the plant, each month flat, to the watt."""
        import numpy as np

        calendar, pieces, first = self.area.calendar, [], period.first
        while first < period.after:
            month_end = min(DatePeriod.months(first.year, first.month).after, period.after)
            count = calendar.span(DatePeriod(first, month_end)).hours * 60 / minutes
            if count.denominator != 1:
                raise DealError("minutes", f"{first:%Y-%m} is no whole number of {minutes} min.")
            factor = self.capacity_factors[first.month - 1]
            power = round(Fraction(contracted_mw) * Fraction(factor) * MICRO)
            pieces.append(np.full(int(count), power, dtype=np.int64))
            first = month_end
        return Profile(minutes, np.concatenate(pieces))


def asset_share(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    asset: AssetShare,
    expected: Profile | Volume,
    price: Decimal | None = None,
    currency: str = "",
    index: PriceIndex | None = None,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return a share of what an asset generates, at a fixed or a published price."""
    bought, paid = directions(side)
    schedule = Schedule(area, period, expected)
    priced = price_leg(paid, schedule, price, currency, index, spread, multiplier)
    legs: tuple[Leg, ...] = (Delivery(bought, schedule, asset), priced, *fees)
    return Deal(ProductKind.AS_GENERATED, side, legs)


def ppa(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    asset: AssetShare,
    expected: Profile | Volume,
    price: Decimal | None = None,
    currency: str = "",
    index: PriceIndex | None = None,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    floor: Decimal | None = None,
    cap: Decimal | None = None,
    fees: Sequence[Fee] = (),
) -> Deal:
    """
    Return a power purchase agreement: an asset's output at a fixed price, or at an index.

    floor, cap      bounds of the index price, in its currency: the buyer has written the floor
                    and holds the cap; both are option legs, settled period by period
    """
    shared = asset_share(
        side=side, area=area, period=period, asset=asset, expected=expected, price=price,
        currency=currency, index=index, spread=spread, multiplier=multiplier,
    )  # fmt: skip
    bounds: list[Leg] = []
    if floor is not None or cap is not None:
        if index is None:
            raise DealError(
                "floor" if floor is not None else "cap", "bounds an index, not a price."
            )
        if floor is not None and cap is not None and floor > cap:
            raise DealError("floor", f"{floor} is above the cap of {cap}.")
        bought, paid = directions(side)
        schedule = shared.schedule
        bounds = [
            Option(
                direction, schedule, OptionStyle.EUROPEAN, kind, (index,), (strike,),
                expiry=schedule.interval.end, currency=index.currency,
            )
            for direction, kind, strike in (
                (paid, OptionType.FLOOR, floor), (bought, OptionType.CAP, cap),
            )
            if strike is not None
        ]  # fmt: skip
    return replace(shared, kind=ProductKind.PPA, legs=(*shared.legs, *bounds, *fees))
