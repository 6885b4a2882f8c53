"""Scope 2 by location: what was taken from a zone's grid × that grid's average intensity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from energyopti.foundation.intervals import Interval
from energyopti.foundation.units import (
    Dimension,
    DimensionMismatch,
    Quantity,
    UnitError,
    convert,
    exact,
    unit,
)

_CO2E = {"g": "gCO2", "kg": "kgCO2", "t": "tCO2", "lb": "lbCO2"}


class CarbonError(ValueError):
    """Raised when emissions cannot be computed; names the field and the rule."""


class FactorMissing(CarbonError):
    """Raised when no factor holds for a consumption, naming zone and interval."""


class FactorConflict(CarbonError):
    """Raised when two factors hold for a consumption, naming both."""


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """
    Average emissions of a zone's grid, while `valid` holds.

    value     in `unit`, not negative
    unit      mass of CO2-equivalent per energy: "gCO2e/kWh", "kgCO2e/MWh", "lbCO2e/MWh" …
    source    who published it, and for which year
    version   of the record, so that a report can name the one it used

    :raises CarbonError: for a unit that is not emissions per energy, or a negative value.
    """

    zone: str
    value: Decimal
    unit: str
    valid: Interval
    source: str
    version: int = 1

    def __post_init__(self) -> None:
        if not self.value.is_finite() or self.value < 0:
            raise CarbonError(f"value: {self.value} {self.unit} must be a number of zero or more.")
        self.tonnes_per_kwh()
        if not self.source.strip():
            raise CarbonError(f"source: the factor of {self.zone} must name where it comes from.")

    @property
    def name(self) -> str:
        """Return zone and version, unique among the factors of a report."""
        return f"{self.zone} v{self.version}"

    def tonnes_per_kwh(self) -> Fraction:
        """
        Return the factor in tCO2e per kWh, exact.

        :raises CarbonError: if the unit is not emissions per energy.
        """
        mass, _slash, energy = self.unit.partition("/")
        try:
            emitted = _CO2E[mass.removesuffix("CO2e")] if mass.endswith("CO2e") else ""
            if unit(energy).dimension is not Dimension.ENERGY:
                raise DimensionMismatch(energy)
            in_tonnes = convert(self.value, emitted, "tCO2")
            return in_tonnes / convert(1, energy, "kWh")
        except (KeyError, UnitError) as error:
            raise CarbonError(
                f"unit: {self.unit!r} must be CO2e per energy, such as gCO2e/kWh or kgCO2e/MWh."
            ) from error


@dataclass(frozen=True, slots=True)
class Consumption:
    """
    Energy taken from a zone's grid over an interval, with the place that the report names.

    :raises CarbonError: if the energy is negative: what is fed in does not offset scope 2.
    """

    place: str
    zone: str
    interval: Interval
    energy: Quantity

    def __post_init__(self) -> None:
        if self.energy.unit.dimension is not Dimension.ENERGY:
            raise CarbonError(f"energy: {self.energy} at {self.place} is not an energy.")
        if self.energy.value < 0:
            raise CarbonError(
                f"energy: {self.energy} at {self.place} must not be negative; "
                "what is fed into the grid does not reduce scope 2."
            )


@dataclass(frozen=True, slots=True)
class EmissionLine:
    """What one place took under one factor: kWh and tCO2e, both exact."""

    place: str
    zone: str
    factor: EmissionFactor
    energy_kwh: Fraction
    emissions_t: Fraction


@dataclass(frozen=True, slots=True)
class Footprint:
    """Lines by place and factor, and their exact sums."""

    lines: tuple[EmissionLine, ...]
    energy_kwh: Fraction
    emissions_t: Fraction


def location_based(
    consumptions: Iterable[Consumption], factors: Sequence[EmissionFactor]
) -> Footprint:
    """
    Multiply each consumption by the factor of its zone and sum by place and factor.

    A factor counts if its validity covers the whole interval of the consumption.
    emissions [tCO2e] = Σ energy [kWh] · factor [tCO2e/kWh], no rounding.

    :raises FactorMissing: if no factor holds for an interval, naming it.
    :raises FactorConflict: if more than one does.
    Source: GHG Protocol Scope 2 Guidance (2015), chapter 6, location-based method.
    """
    energy: dict[tuple[str, EmissionFactor], Fraction] = {}
    for consumption in consumptions:
        factor = _factor_of(consumption, factors)
        key = (consumption.place, factor)
        energy[key] = energy.get(key, exact(0)) + consumption.energy.to("kWh").value
    lines = tuple(
        EmissionLine(place, factor.zone, factor, kwh, kwh * factor.tonnes_per_kwh())
        for (place, factor), kwh in sorted(
            energy.items(), key=lambda entry: (entry[0][0], entry[0][1].valid, entry[0][1].version)
        )
    )
    return Footprint(
        lines=lines,
        energy_kwh=sum((line.energy_kwh for line in lines), Fraction(0)),
        emissions_t=sum((line.emissions_t for line in lines), Fraction(0)),
    )


def _factor_of(consumption: Consumption, factors: Sequence[EmissionFactor]) -> EmissionFactor:
    fitting = [
        factor
        for factor in factors
        if factor.zone == consumption.zone and factor.valid.covers(consumption.interval)
    ]
    if not fitting:
        raise FactorMissing(
            f"factors: none for zone {consumption.zone} covers {consumption.interval}."
        )
    if len(fitting) > 1:
        names = " and ".join(factor.name for factor in fitting)
        raise FactorConflict(f"factors: {names} both hold for {consumption.interval}.")
    return fitting[0]
