"""Location-based carbon: a worked case, units, laws, and refusals by name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.carbon import (
    CarbonError,
    Consumption,
    EmissionFactor,
    FactorConflict,
    FactorMissing,
    location_based,
)
from energyopti.foundation.intervals import Interval
from energyopti.foundation.units import Quantity

YEAR = Interval(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
HOUR = Interval(YEAR.start, YEAR.start + timedelta(hours=1))


def factor(value: str = "0.20", unit: str = "tCO2e/MWh", **fields: object) -> EmissionFactor:
    return EmissionFactor(
        **{  # type: ignore[arg-type]
            "zone": "DE-LU",
            "value": Decimal(value),
            "unit": unit,
            "valid": YEAR,
            "source": "test",
            **fields,
        }
    )


def took(amount: str, unit: str = "kWh", *, place: str = "Depot") -> Consumption:
    return Consumption(place, "DE-LU", HOUR, Quantity.of(Decimal(amount), unit))


def test_published_case() -> None:
    # COMPLIANCE §3: 1,000 MWh at 0.20 t/MWh is 200 t by location.
    footprint = location_based([took("1000", "MWh")], [factor()])

    assert footprint.emissions_t == 200
    assert footprint.energy_kwh == 1_000_000


@pytest.mark.parametrize(
    ("value", "unit", "grams_per_kwh"),
    [
        ("381", "gCO2e/kWh", Fraction(381)),
        ("381", "kgCO2e/MWh", Fraction(381)),
        ("0.381", "tCO2e/MWh", Fraction(381)),
        ("100", "gCO2e/MJ", Fraction(360)),
        ("497.443", "lbCO2e/MWh", Fraction("497.443") * Fraction("0.45359237")),
    ],
)
def test_units_are_converted_exactly(value: str, unit: str, grams_per_kwh: Fraction) -> None:
    assert factor(value, unit).tonnes_per_kwh() == grams_per_kwh / 10**6


@pytest.mark.parametrize("unit", ["gCO2e", "gCO2/kWh", "kWh/gCO2e", "gCO2e/t", "€/kWh", "gCO2e/kW"])
def test_unit_that_is_no_intensity_is_refused(unit: str) -> None:
    with pytest.raises(CarbonError, match="unit"):
        factor(unit=unit)


@given(
    st.lists(st.decimals(0, 10**6, places=6), min_size=1, max_size=20),
    st.decimals(0, 2000, places=3),
)
def test_parts_emit_what_the_whole_emits(parts: list[Decimal], grams: Decimal) -> None:
    used = factor(str(grams), "gCO2e/kWh")

    footprint = location_based([took(str(part)) for part in parts], [used])

    whole = sum(map(Fraction, parts), Fraction(0))
    assert footprint.energy_kwh == whole
    assert footprint.emissions_t == whole * Fraction(grams) / 10**6
    assert sum(line.emissions_t for line in footprint.lines) == footprint.emissions_t


def test_negative_consumption_is_refused() -> None:
    with pytest.raises(CarbonError, match="does not reduce scope 2"):
        took("-1")
    with pytest.raises(CarbonError, match="not an energy"):
        took("1", "kW")


def test_missing_and_conflicting_factors_are_named() -> None:
    with pytest.raises(FactorMissing, match="DE-LU covers"):
        location_based([took("1")], [factor(zone="FR")])
    with pytest.raises(FactorConflict, match="DE-LU v1 and DE-LU v2"):
        location_based([took("1")], [factor(), factor(version=2)])


@pytest.mark.parametrize("fields", [{"value": Decimal(-1)}, {"source": " "}])
def test_factor_without_source_or_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(CarbonError):
        factor(**fields)
