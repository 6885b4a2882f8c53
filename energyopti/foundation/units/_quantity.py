"""Numbers with units, and conversions that depend on the substance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

from energyopti.foundation.intervals import Interval, IntervalSet
from energyopti.foundation.units._table import (
    UNITS,
    Dimension,
    DimensionMismatch,
    Exact,
    Unit,
    UnitError,
    as_unit,
    energy_mwh,
    exact,
    factor,
    mismatch_message,
    unit,
)

_HEAT = frozenset({Dimension.ENERGY})
_FUELS = frozenset({Dimension.MASS, Dimension.VOLUME, Dimension.GAS_VOLUME})


class MissingContext(UnitError):
    """Raised when a conversion depends on the substance and the context does not say enough."""


class Basis(StrEnum):
    """Whether heat of combustion counts the condensation of water: gross (HHV) or net (LHV)."""

    GCV = "GCV"
    NCV = "NCV"


@dataclass(frozen=True, slots=True)
class Quantity:
    """
    Hold an exact number with its unit.

    Adding and comparing convert to the unit on the left; other dimensions are refused.
    Equality is of value and unit; use `same_as` to compare 1 MWh with 1000 kWh.

    :raises UnitError: for float, NaN or infinity.
    """

    value: Fraction
    unit: Unit

    @classmethod
    def of(cls, value: Exact, code: str) -> Self:
        """Return a quantity from a number and a unit's code."""
        return cls(exact(value), unit(code))

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", exact(self.value))

    def __str__(self) -> str:
        return f"{_written(self.value)} {self.unit}"

    def to(self, code: Unit | str, context: ConversionContext | None = None) -> Quantity:
        """
        Return the quantity in another unit, through the context where substances matter.

        :raises MissingContext: naming what the context would have to say.
        :raises DimensionMismatch: if no context could help (power to energy).
        """
        target = as_unit(code)
        if target.dimension is self.unit.dimension:
            return Quantity(self.value * factor(self.unit, target), target)
        return (context or ConversionContext()).carry(self, target)

    def same_as(self, other: Quantity) -> bool:
        """Say whether both are the same amount, whatever their units."""
        return self.value == other.to(self.unit).value

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.to(self.unit).value, self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - other.to(self.unit).value, self.unit)

    def __neg__(self) -> Quantity:
        return Quantity(-self.value, self.unit)

    def __mul__(self, number: Exact) -> Quantity:
        return Quantity(self.value * exact(number), self.unit)

    __rmul__ = __mul__

    def __lt__(self, other: Quantity) -> bool:
        return self.value < other.to(self.unit).value

    def __le__(self, other: Quantity) -> bool:
        return self.value <= other.to(self.unit).value


def delivered_energy(power: Quantity, over: Interval | IntervalSet) -> Quantity:
    """
    Return the energy, in MWh, of a constant power over an interval or a set of them.

    :raises DimensionMismatch: if `power` is not a power.
    """
    return Quantity(energy_mwh(power.to("MW").value, over.hours), UNITS["MWh"])


@dataclass(frozen=True, slots=True)
class Ratio:
    """
    Hold how much of one unit goes with one of another, such as 11.5 kWh per Nm3.

    basis   GCV or NCV; needed wherever energy of combustion is on either side.

    :raises UnitError: if the value is not positive, or a basis is missing or out of place.
    """

    value: Fraction
    unit: Unit
    per: Unit
    basis: Basis | None = None

    @classmethod
    def of(cls, value: Exact, code: str, per: str, basis: Basis | None = None) -> Self:
        """Return a ratio from a number and two codes: ``Ratio.of(840, "kg", "m3")``."""
        return cls(exact(value), unit(code), unit(per), basis)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", exact(self.value))
        if self.value <= 0:
            raise UnitError(f"value: {self} must be positive.")
        if Dimension.POWER in self.dimensions or self.unit.dimension is self.per.dimension:
            raise UnitError(f"unit: {self} does not link two kinds of amount.")
        if (Dimension.ENERGY in self.dimensions) != (self.basis is not None):
            raise UnitError(f"basis: {self} must name GCV or NCV exactly where energy is involved.")

    def __str__(self) -> str:
        suffix = f" ({self.basis})" if self.basis else ""
        return f"{_written(self.value)} {self.unit}/{self.per}{suffix}"

    @property
    def dimensions(self) -> frozenset[Dimension]:
        """Return the two dimensions that it links."""
        return frozenset((self.unit.dimension, self.per.dimension))

    def apply(self, quantity: Quantity, target: Dimension) -> Quantity:
        """Carry a quantity over to the other dimension, in this ratio's unit there."""
        if target is self.unit.dimension:
            return Quantity(quantity.to(self.per).value * self.value, self.unit)
        return Quantity(quantity.to(self.unit).value / self.value, self.per)


@dataclass(frozen=True, slots=True)
class ConversionContext:
    """
    Say what a substance is, as far as conversions need it.

    calorific_value   energy per mass, volume or gas volume, with its basis
    density           mass per volume
    emission_factor   emissions per energy (with its basis), mass or volume
    energy_basis      the basis of energies given or asked for; needed only where energy is
                      the start or the end of a conversion with more than the calorific value

    :raises UnitError: if a ratio is in the wrong place.
    """

    calorific_value: Ratio | None = None
    density: Ratio | None = None
    emission_factor: Ratio | None = None
    energy_basis: Basis | None = None

    def __post_init__(self) -> None:
        rules = (
            ("calorific_value", self.calorific_value, Dimension.ENERGY, _FUELS),
            ("density", self.density, Dimension.MASS, frozenset(_FUELS - {Dimension.MASS})),
            ("emission_factor", self.emission_factor, Dimension.EMISSIONS, _FUELS | _HEAT),
        )
        for field, ratio, above, below in rules:
            if ratio is None:
                continue
            if ratio.unit.dimension is not above or ratio.per.dimension not in below:
                raise UnitError(
                    f"{field}: {ratio} must be {above} per {' or '.join(sorted(below))}."
                )

    def carry(self, quantity: Quantity, target: Unit) -> Quantity:
        """
        Convert between dimensions by the shortest chain of this context's ratios.

        :raises MissingContext: naming what is missing, or the basis that does not fit.
        :raises DimensionMismatch: for power, which no context turns into an amount.
        """
        source = quantity.unit
        if Dimension.POWER in (source.dimension, target.dimension):
            raise DimensionMismatch(mismatch_message(source, target))
        chain = self._chain(source.dimension, target.dimension)
        if chain is None:
            raise MissingContext(
                f"context: {source} to {target} needs {self._needs(source, target)}."
            )
        self._check_basis(chain, source, target)
        for ratio in chain:
            (onward,) = ratio.dimensions - {quantity.unit.dimension}
            quantity = ratio.apply(quantity, onward)
        return quantity.to(target)

    def _ratios(self) -> list[Ratio]:
        given = (self.calorific_value, self.density, self.emission_factor)
        return [ratio for ratio in given if ratio is not None]

    def _chain(self, source: Dimension, target: Dimension) -> list[Ratio] | None:
        waiting: list[tuple[Dimension, list[Ratio]]] = [(source, [])]
        for here, chain in waiting:
            if here is target:
                return chain
            for ratio in self._ratios():
                if here in ratio.dimensions and ratio not in chain:
                    (onward,) = ratio.dimensions - {here}
                    waiting.append((onward, [*chain, ratio]))
        return None

    def _check_basis(self, chain: list[Ratio], source: Unit, target: Unit) -> None:
        found = {ratio.basis for ratio in chain if ratio.basis is not None}
        ends_in_energy = Dimension.ENERGY in (source.dimension, target.dimension)
        if ends_in_energy and self.energy_basis is not None:
            found.add(self.energy_basis)
        elif ends_in_energy and self.emission_factor in chain:
            raise MissingContext(
                f"energy_basis: {source} to {target} needs to know if the energy is GCV or NCV."
            )
        if len(found) > 1:
            raise MissingContext(
                f"basis: {source} to {target} mixes GCV and NCV "
                f"({', '.join(map(str, chain))}; energy {self.energy_basis}); "
                "give all on one basis."
            )

    def _needs(self, source: Unit, target: Unit) -> str:
        pair = frozenset((source.dimension, target.dimension))
        if Dimension.EMISSIONS in pair:
            (fuel,) = pair - {Dimension.EMISSIONS}
            if self.emission_factor is None:
                return f"an emission factor (tCO2 per {fuel}, or per energy with its basis)"
            return f"a calorific value or density that links {fuel} to {self.emission_factor}"
        if Dimension.ENERGY in pair:
            (fuel,) = pair - {Dimension.ENERGY}
            return f"a calorific value (energy per {fuel}) on a named basis, GCV or NCV"
        return "a density (mass per volume)"


def _written(value: Fraction) -> str:
    return f"{float(value):.12g}" if value.denominator != 1 else str(value.numerator)
