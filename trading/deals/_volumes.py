"""How much: a rate or an amount with its unit and frequency, or an array of MW by the interval."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from energyopti.foundation.units import (
    UNITS,
    ConversionContext,
    Dimension,
    Quantity,
    UnitError,
    convert,
    energy_mwh,
    unit,
)
from trading.deals._errors import DealError
from trading.deals._numbers import QUANTITY_PLACES, checked, multiply

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Bounds that catch a typing slip of a few zeros.
MAXIMUM_MW = Decimal(100_000)
MAXIMUM_AMOUNT = Decimal(10_000_000_000)
CERTIFICATE_UNIT = "certificate"
GRID_MINUTES = (15, 30, 60)
MICRO = 1_000_000


class Frequency(StrEnum):
    """What a quantity is per: an hour (MW is MWh per hour), a delivery day, a month, the deal."""

    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"
    TOTAL = "TOTAL"


@lru_cache(maxsize=256)
def amount_unit(code: str) -> str:
    """
    Return the unit of what a quantity delivers: MWh for any power, else the unit itself.

    :raises DealError: for a unit that nobody knows.
    """
    if code == CERTIFICATE_UNIT:
        return code
    try:
        return "MWh" if unit(code).dimension is Dimension.POWER else code
    except UnitError as error:
        raise DealError("unit", str(error)) from error


def converted(
    value: Fraction, source: str, target: str, context: ConversionContext | None
) -> Fraction:
    """
    Return an amount in another unit, through calorific value and density where it needs them.

    :raises DealError: naming the unit, if the context does not say enough.
    """
    if source == target:
        return value
    if CERTIFICATE_UNIT in (source, target):
        raise DealError("unit", f"{source} does not convert to {target}.")
    try:
        return Quantity(value, unit(source)).to(target, context).value
    except UnitError as error:
        raise DealError("unit", str(error)) from error


@dataclass(frozen=True, slots=True)
class Lot:
    """What one lot of a contract is: 1 MW, 1,000 therm a day, 1,000 bbl a month, 1,000 tCO2."""

    size: Decimal
    unit: str
    frequency: Frequency

    def __post_init__(self) -> None:
        if checked("lot_size", self.size, places=QUANTITY_PLACES) <= 0:
            raise DealError("lot_size", f"{self.size} must be above 0.")


@dataclass(frozen=True, slots=True)
class Volume:
    """
    Hold a constant quantity with its unit and what it is per.

    quantity    > 0, at most 6 decimals; the side says which way it goes
    lots        how many lots the quantity is, None where it was not agreed in lots

    :raises DealError: naming the field.
    """

    quantity: Decimal
    unit: str
    frequency: Frequency
    lots: Decimal | None = None

    def __post_init__(self) -> None:
        quantity = checked("quantity", self.quantity, places=QUANTITY_PLACES)
        is_power = self.unit != amount_unit(self.unit)
        if is_power and self.frequency is not Frequency.HOUR:
            raise DealError(
                "unit", f"{self.unit} is a rate by itself and not per {self.frequency.lower()}."
            )
        if quantity <= 0:
            raise DealError("quantity", f"{quantity} {self.unit} must be above 0.")
        if is_power and convert(quantity, self.unit, "MW") > MAXIMUM_MW:
            raise DealError("quantity", f"{quantity} {self.unit} must be at most {MAXIMUM_MW} MW.")
        if quantity > MAXIMUM_AMOUNT:
            raise DealError("quantity", f"{quantity} {self.unit} must be at most {MAXIMUM_AMOUNT}.")
        if self.lots is not None and checked("lots", self.lots, places=0) <= 0:
            raise DealError("lots", f"{self.lots} must be above 0.")

    @classmethod
    def of_lots(cls, lots: Decimal, lot: Lot) -> Self:
        """
        Return a number of lots as what they deliver.

        :raises DealError: unless it is a whole number above 0.
        """
        checked("lots", lots, places=0)
        return cls(multiply(lots, lot.size), lot.unit, lot.frequency, lots)

    @classmethod
    def mw(cls, quantity: Decimal) -> Self:
        """Return a constant power in MW."""
        return cls(quantity, "MW", Frequency.HOUR)

    @property
    def amount_unit(self) -> str:
        """Return the unit of what it delivers: MWh for MW, bbl for bbl a month."""
        return amount_unit(self.unit)

    @property
    def exact_amount(self) -> Fraction:
        """Return what is delivered per hour, day, month or in all, in `amount_unit`."""
        return _exact_amount(self.quantity, self.unit)


# Every part of a deal asks for it again, and deals share their sizes.
@lru_cache(maxsize=4096)
def _exact_amount(quantity: Decimal, code: str) -> Fraction:
    if code != amount_unit(code):
        return energy_mwh(convert(quantity, code, "MW"), 1)
    return Fraction(quantity)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """
    Hold a power for each interval of a grid, exact to the watt.

    minutes     15, 30 or 60
    micro_mw    int64, ≥ 0, shape (intervals,), in order of time from the start of the schedule's
                first delivery day; made read-only

    :raises DealError: naming the field.
    """

    minutes: int
    micro_mw: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        import numpy as np

        if self.minutes not in GRID_MINUTES:
            raise DealError("minutes", f"{self.minutes} must be one of 15, 30 and 60.")
        given = self.micro_mw
        if not isinstance(given, np.ndarray) or given.dtype != np.int64 or given.ndim != 1:
            raise DealError("volume", "a profile is one row of int64 micro-MW.")
        if not given.size or given.min() < 0 or not given.any():
            raise DealError("volume", "a profile has no negative MW, and some above 0.")
        if given.max() > int(MAXIMUM_MW) * MICRO:
            raise DealError("volume", f"a profile has at most {MAXIMUM_MW} MW.")
        kept = given.copy()
        kept.flags.writeable = False
        object.__setattr__(self, "micro_mw", kept)

    @classmethod
    def of_mw(cls, minutes: int, megawatts: Sequence[Decimal]) -> Self:
        """
        Return a profile from exact numbers of MW.

        :raises DealError: for more than 6 decimals, naming the first such interval.
        """
        import numpy as np

        for index, value in enumerate(megawatts):
            try:
                checked("volume", value, places=QUANTITY_PLACES)
            except DealError as error:
                raise DealError("volume", f"interval {index + 1}: {error.rule}") from error
            if abs(value) > MAXIMUM_MW:
                raise DealError("volume", f"interval {index + 1}: {value} MW is out of range.")
        exact = [int(Fraction(value) * MICRO) for value in megawatts]
        return cls(minutes, np.array(exact, dtype=np.int64))

    @classmethod
    def of_floats(cls, minutes: int, megawatts: npt.NDArray[np.float64]) -> Self:
        """
        Return a profile from floats, such as a forecast, each rounded to the watt.

        :raises DealError: for NaN or infinity.
        """
        import numpy as np

        if not np.isfinite(megawatts).all() or (np.abs(megawatts) > float(MAXIMUM_MW)).any():
            raise DealError("volume", f"a profile has finite MW, at most {MAXIMUM_MW}.")
        return cls(minutes, np.rint(megawatts * MICRO).astype(np.int64))

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Profile):
            return NotImplemented
        return self.minutes == other.minutes and np.array_equal(self.micro_mw, other.micro_mw)

    def __hash__(self) -> int:
        return hash((self.minutes, hashlib.sha256(self.micro_mw.tobytes()).digest()))

    @property
    def total_mwh(self) -> Fraction:
        """Return the energy of all intervals, exact."""
        # Ten years of quarter hours at the largest MW stay far within int64.
        return energy_mwh(Fraction(int(self.micro_mw.sum()), MICRO), Fraction(self.minutes, 60))

    def part(self, start: int, stop: int) -> Profile:
        """Return the profile of a run of its intervals."""
        return Profile(self.minutes, self.micro_mw[start:stop])


KNOWN_UNITS = frozenset(UNITS) | {CERTIFICATE_UNIT}
