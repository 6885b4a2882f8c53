"""Units of power, energy, mass, volume and emissions: the one place where they are converted.

Factors are exact fractions, so there and back again is the same number. A conversion that
depends on the substance (gas m³ to MWh, oil barrels to tonnes, fuel to tCO2) takes a
`ConversionContext` and is refused without it. Rates and amounts never mix: power becomes
energy in `energy_mwh` and nowhere else.

Deliberately absent: units per day (a gas day has 23, 24 or 25 hours) and standard cubic feet
(their reference pressure differs by contract).
"""

from energyopti.foundation.units._quantity import (
    Basis,
    ConversionContext,
    MissingContext,
    Quantity,
    Ratio,
    delivered_energy,
)
from energyopti.foundation.units._table import (
    UNITS,
    Dimension,
    DimensionMismatch,
    Exact,
    Unit,
    UnitError,
    UnknownUnit,
    convert,
    energy_mwh,
    exact,
    exact_decimal,
    factor,
    unit,
)

__all__ = [
    "UNITS",
    "Basis",
    "ConversionContext",
    "Dimension",
    "DimensionMismatch",
    "Exact",
    "MissingContext",
    "Quantity",
    "Ratio",
    "Unit",
    "UnitError",
    "UnknownUnit",
    "convert",
    "delivered_energy",
    "energy_mwh",
    "exact",
    "exact_decimal",
    "factor",
    "unit",
]
