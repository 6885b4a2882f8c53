"""The units, their exact sizes, and the arithmetic on bare numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Exact = int | Decimal | Fraction
_Float = TypeVar("_Float", float, "npt.NDArray[np.float64]")


class UnitError(ValueError):
    """Raised when units or numbers do not fit; names the field and the rule."""


class UnknownUnit(UnitError):
    """Raised for a unit code that is not in `UNITS`."""


class DimensionMismatch(UnitError):
    """Raised when a quantity of one dimension is used as another, such as a rate as an amount."""


class Dimension(StrEnum):
    """What a unit measures. EMISSIONS is kept apart from MASS: a tonne of coal is not tCO2."""

    POWER = "power"
    ENERGY = "energy"
    MASS = "mass"
    VOLUME = "volume"
    GAS_VOLUME = "gas volume at reference conditions"
    EMISSIONS = "emissions"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit and its exact size in the base unit of its dimension (W, J, kg, m³, Nm³, kg CO2)."""

    code: str
    dimension: Dimension
    factor: Fraction

    def __str__(self) -> str:
        return self.code


def _table() -> dict[str, Unit]:
    btu = Fraction("1055.05585262")
    pound, inch = Fraction("0.45359237"), Fraction("0.0254")
    gallon = 231 * inch**3
    foot = 12 * inch
    sizes: dict[Dimension, dict[str, Fraction | int | str]] = {
        Dimension.POWER: {"W": 1, "kW": 10**3, "MW": 10**6, "GW": 10**9, "TW": 10**12},
        Dimension.ENERGY: {
            "J": 1, "kJ": 10**3, "MJ": 10**6, "GJ": 10**9, "TJ": 10**12, "PJ": 10**15,
            "Wh": 3600, "kWh": 3600 * 10**3, "MWh": 3600 * 10**6, "GWh": 3600 * 10**9,
            "TWh": 3600 * 10**12,
            "Btu": btu, "MMBtu": btu * 10**6,
            "therm": btu * 10**5, "thm_us": "105480400",
            "kcal": "4186.8", "Gcal": "4186800000", "kcal_th": 4184,
            "toe": "41868000000", "tce": "29307600000",
        },
        Dimension.MASS: {
            "g": "0.001", "kg": 1, "t": 1000, "kt": 10**6, "Mt": 10**9,
            "lb": pound, "short_ton": 2000 * pound, "long_ton": 2240 * pound,
        },
        Dimension.VOLUME: {
            "m3": 1, "L": "0.001", "mL": "0.000001", "km3": 10**9,
            "gal": gallon, "gal_uk": "0.00454609", "bbl": 42 * gallon, "kbbl": 42_000 * gallon,
            "ft3": foot**3,
        },
        # Ideal gas at 101.325 kPa: volume goes with absolute temperature.
        Dimension.GAS_VOLUME: {"Nm3": 1, "Sm3": Fraction("273.15") / Fraction("288.15")},
        Dimension.EMISSIONS: {
            "gCO2": "0.001", "kgCO2": 1, "tCO2": 1000, "ktCO2": 10**6, "MtCO2": 10**9,
            "lbCO2": pound, "short_tonCO2": 2000 * pound,
        },
    }  # fmt: skip
    return {
        code: Unit(code, dimension, Fraction(size))
        for dimension, units in sizes.items()
        for code, size in units.items()
    }


UNITS: Mapping[str, Unit] = _table()
"""
All units by code.

Sources: SI Brochure 9th ed. (W, J, t, L; 1 Wh = 3600 J). ISO 31-4 (Btu_IT = 1055.05585262 J,
cal_IT = 4.1868 J, cal_th = 4.184 J); MMBtu is 10⁶ Btu, `therm` the EC therm of 10⁵ Btu_IT,
`thm_us` the US therm of 1968 (105,480,400 J). IEA Energy Statistics Manual: toe = 10⁷ kcal_IT,
tce = 7·10⁶ kcal_IT. International yard and pound agreement 1959: in = 0.0254 m, lb =
0.45359237 kg; US gal = 231 in³, bbl = 42 gal; UK gal = 4.54609 L (Units of Measurement
Regulations 1995). ISO 13443 / DIN 1343: Nm3 at 0 °C, Sm3 at 15 °C, both 101.325 kPa,
related as an ideal gas. CO2 units say tonnes of what the emission factor counts (CO2 or CO2e).
"""


def unit(code: str) -> Unit:
    """
    Return the unit with a code such as ``MWh``; codes are case-sensitive (MW is not mW).

    :raises UnknownUnit: naming near misses that differ only in case.
    """
    found = UNITS.get(code)
    if found is not None:
        return found
    near = [known for known in UNITS if known.lower() == code.lower()]
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(UNITS)}."
    raise UnknownUnit(f"unit: {code!r} is unknown; {hint}")


def exact(value: Exact, *, field: str = "value") -> Fraction:
    """
    Return an exact number as a fraction.

    :raises UnitError: for float (its digits are not what was written), bool, NaN or infinity.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise UnitError(f"{field}: {value!r} must be int, Decimal or Fraction, not float or text.")
    if isinstance(value, Decimal) and not value.is_finite():
        raise UnitError(f"{field}: {value} is not a finite number.")
    return Fraction(value)


def exact_decimal(value: Fraction) -> Decimal:
    """
    Return a fraction as the Decimal with the same value.

    :raises UnitError: if it has no end in decimal digits (1/3); round it on purpose instead.
    """
    twos, fives, rest = 0, 0, value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise UnitError(f"value: {value} has no finite decimal form; round it on purpose.")
    places = max(twos, fives)
    digits = value.numerator * 10**places // value.denominator
    return Decimal(f"{digits}E-{places}") if places else Decimal(digits)


def factor(source: Unit | str, target: Unit | str) -> Fraction:
    """
    Return what a number in `source` is multiplied by to be in `target`, both of one dimension.

    For float arrays: ``values * float(factor("MMBtu", "MWh"))``.

    :raises DimensionMismatch: if the units measure different things.
    """
    origin, goal = as_unit(source), as_unit(target)
    if origin.dimension is not goal.dimension:
        raise DimensionMismatch(mismatch_message(origin, goal))
    return origin.factor / goal.factor


def convert(value: Exact, source: Unit | str, target: Unit | str) -> Fraction:
    """
    Convert an exact number between units of one dimension; the result is exact.

    :raises DimensionMismatch: if the units measure different things.
    :raises UnitError: for float, NaN or infinity.
    """
    return exact(value) * factor(source, target)


@overload
def energy_mwh(power_mw: Exact, hours: Exact) -> Fraction: ...
@overload
def energy_mwh(power_mw: _Float, hours: _Float | float) -> _Float: ...
def energy_mwh(power_mw: object, hours: object) -> object:
    """
    Multiply a rate by its time: MW × hours = MWh, here and nowhere else.

    Exact numbers (int, Decimal, Fraction) give a Fraction; floats and float64 arrays, which
    broadcast, give floats for valuation. Hours may be 0 and power negative (sold), hours not.

    :raises UnitError: for negative or non-finite exact hours.
    """
    if isinstance(power_mw, int | Decimal | Fraction) and isinstance(
        hours, int | Decimal | Fraction
    ):
        time = exact(hours, field="hours")
        if time < 0:
            raise UnitError(f"hours: {hours} must not be negative.")
        return exact(power_mw, field="power_mw") * time
    return power_mw * hours  # type: ignore[operator]


def as_unit(code: Unit | str) -> Unit:
    """Return a unit given as itself or by its code."""
    return code if isinstance(code, Unit) else unit(code)


def mismatch_message(source: Unit, target: Unit) -> str:
    """Say why two units of different dimensions do not convert."""
    if {source.dimension, target.dimension} == {Dimension.POWER, Dimension.ENERGY}:
        rate, amount = sorted((source, target), key=lambda u: u.dimension is Dimension.ENERGY)
        return (
            f"unit: {rate} is a rate and {amount} an amount; "
            "multiply power by its hours with `energy_mwh`."
        )
    return (
        f"unit: {source} measures {source.dimension}, {target} measures {target.dimension}; "
        "they do not convert into one another."
    )
