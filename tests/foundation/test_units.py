"""Units: exact factors against published figures, laws, and refusals that name what is missing."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.units import (
    UNITS,
    Basis,
    ConversionContext,
    Dimension,
    DimensionMismatch,
    MissingContext,
    Quantity,
    Ratio,
    UnitError,
    UnknownUnit,
    convert,
    delivered_energy,
    energy_mwh,
    exact_decimal,
    factor,
    unit,
)

numbers = st.one_of(
    st.integers(-(10**12), 10**12),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    st.fractions(max_denominator=10**6),
)
families = st.sampled_from(
    [[u for u in UNITS.values() if u.dimension is dimension] for dimension in Dimension]
)
triples = families.flatmap(lambda units: st.tuples(*[st.sampled_from(units)] * 3))

GAS = ConversionContext(
    calorific_value=Ratio.of(Decimal("11.5"), "kWh", "Nm3", Basis.GCV),
    emission_factor=Ratio.of(Decimal("0.18"), "tCO2", "MWh", Basis.GCV),
)
OIL = ConversionContext(density=Ratio.of(840, "kg", "m3"))
COAL = ConversionContext(
    calorific_value=Ratio.of(Decimal("25.12"), "GJ", "t", Basis.NCV),
    emission_factor=Ratio.of(Decimal("0.0946"), "tCO2", "GJ", Basis.NCV),
)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1, "MWh", "GJ", Decimal("3.6")),
        (1, "GWh", "kWh", 1_000_000),
        (1, "therm", "J", Decimal("105505585.262")),
        (1, "MMBtu", "GJ", Decimal("1.05505585262")),
        (1, "MMBtu", "therm", 10),
        (1, "thm_us", "J", 105_480_400),
        (1, "toe", "MWh", Decimal("11.63")),
        (1, "toe", "GJ", Decimal("41.868")),
        (1, "tce", "MWh", Decimal("8.141")),
        (860, "kcal", "kWh", Fraction(860 * 41868, 36_000_000)),
        (1, "kcal_th", "J", 4184),
        (1, "bbl", "L", Decimal("158.987294928")),
        (42, "gal", "bbl", 1),
        (1, "gal_uk", "L", Decimal("4.54609")),
        (1, "ft3", "m3", Decimal("0.028316846592")),
        (1, "lb", "kg", Decimal("0.45359237")),
        (1, "short_ton", "t", Decimal("0.90718474")),
        (1, "long_ton", "t", Decimal("1.0160469088")),
        (1, "Nm3", "Sm3", Fraction(28815, 27315)),
        (1, "GW", "kW", 1_000_000),
        (2204, "lbCO2", "kgCO2", Decimal("999.71758348")),
        (1, "MtCO2", "tCO2", 1_000_000),
    ],
)
def test_conversions_equal_published_definitions(value, source, target, expected):
    assert convert(value, source, target) == Fraction(expected)


@given(numbers, triples)
def test_there_and_back_is_the_same_number(value, units):
    a, b, _ = units

    assert convert(convert(value, a, b), b, a) == Fraction(value)


@given(numbers, triples)
def test_a_detour_changes_nothing(value, units):
    a, b, c = units

    assert convert(convert(value, a, b), b, c) == convert(value, a, c)
    assert factor(a, b) * factor(b, a) == 1


@given(numbers, numbers, triples)
def test_conversion_is_additive(x, y, units):
    a, b, _ = units

    assert convert(x, a, b) + convert(y, a, b) == convert(Fraction(x) + Fraction(y), a, b)


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [(1, "MW", "MWh"), (1, "GJ", "kW"), (1, "kW", "tCO2")],
)
def test_power_never_becomes_an_amount_by_conversion(value, source, target):
    with pytest.raises(DimensionMismatch):
        convert(value, source, target)
    with pytest.raises(DimensionMismatch):
        Quantity.of(value, source).to(target, GAS)


def test_rate_and_amount_are_refused_with_a_way_out():
    with pytest.raises(
        DimensionMismatch, match=r"^unit: MW is a rate and MWh an amount; .*energy_mwh"
    ):
        Quantity.of(1, "MWh") + Quantity.of(1, "MW")


@pytest.mark.parametrize(
    "value", [0.1, True, "1", None, Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN")]
)
def test_numbers_that_are_not_exact_are_refused(value):
    with pytest.raises(UnitError, match=r"^value:"):
        convert(value, "MWh", "GJ")
    with pytest.raises(UnitError, match=r"^value:"):
        Quantity.of(value, "MWh")


def test_unknown_units_are_refused_and_case_is_named():
    with pytest.raises(UnknownUnit, match=r"'mwh' is unknown; did you mean MWh\?"):
        unit("mwh")
    with pytest.raises(UnknownUnit, match="known are W, kW, MW"):
        unit("furlong")
    assert str(unit("MWh")) == "MWh"


def test_power_times_hours_is_energy_exactly():
    assert energy_mwh(10, 8760) == 87_600
    assert energy_mwh(Decimal("0.1"), Fraction(1, 4)) == Fraction(1, 40)
    assert energy_mwh(-10, Fraction(1, 3)) == Fraction(-10, 3)
    with pytest.raises(UnitError, match=r"^hours: -1 must not be negative"):
        energy_mwh(10, -1)
    with pytest.raises(UnitError, match=r"^power_mw:"):
        energy_mwh(Decimal("NaN"), 1)


def test_power_times_hours_broadcasts_for_valuation():
    power = np.array([[10.0], [20.0]])
    hours = np.array([0.25, 0.25, 1.0])

    assert energy_mwh(power, hours).tolist() == [[2.5, 2.5, 10.0], [5.0, 5.0, 20.0]]
    assert energy_mwh(2.5, 0.5) == 1.25


def test_delivered_energy_counts_the_hours_of_the_clock_change():
    berlin = Calendar("Europe/Berlin")

    march = delivered_energy(Quantity.of(10_000, "kW"), berlin.month(2027, 3))

    assert march == Quantity.of(7430, "MWh")
    skipped = Calendar("Pacific/Apia").delivered(DatePeriod.parse("2011-12-30"))
    assert delivered_energy(Quantity.of(10, "MW"), skipped) == Quantity.of(0, "MWh")
    with pytest.raises(DimensionMismatch):
        delivered_energy(Quantity.of(10, "MWh"), berlin.month(2027, 3))


def test_quantities_add_compare_and_scale_across_units():
    one = Quantity.of(1, "MWh")

    assert one + Quantity.of(500, "kWh") == Quantity.of(Decimal("1.5"), "MWh")
    assert one - Quantity.of(Decimal("3.6"), "GJ") == Quantity.of(0, "MWh")
    assert one.same_as(Quantity.of(1000, "kWh")) and one != Quantity.of(1000, "kWh")
    assert Quantity.of(999, "kWh") < one <= Quantity.of(1000, "kWh")
    assert 2 * one * Decimal("0.5") == one == Quantity.of(0, "MWh") - (-one)
    assert str(Quantity.of(Decimal("1.25"), "MWh")) == "1.25 MWh"


@pytest.mark.parametrize(
    ("value", "source", "target", "context", "expected"),
    [
        (1000, "Nm3", "MWh", GAS, "11.5"),
        (Decimal("11.5"), "MWh", "Nm3", GAS, "1000"),
        (1000, "Nm3", "tCO2", GAS, "2.07"),
        (1, "bbl", "t", OIL, "0.13354932773952"),
        (1, "t", "bbl", OIL, None),
        (1000, "t", "GJ", COAL, "25120"),
        (1000, "t", "tCO2", COAL, "2376.352"),
    ],
)
def test_context_carries_substances(value, source, target, context, expected):
    found = Quantity.of(value, source).to(target, context)

    if expected is not None:
        assert found.value == Fraction(expected)
    assert found.to(source, context).value == Fraction(value)


def test_chain_goes_through_density_where_the_calorific_value_is_by_mass():
    context = ConversionContext(
        calorific_value=Ratio.of(43, "GJ", "t", Basis.NCV), density=Ratio.of(840, "kg", "m3")
    )

    assert Quantity.of(1, "m3").to("GJ", context) == Quantity.of(Decimal("36.12"), "GJ")


@pytest.mark.parametrize(
    ("source", "target", "context", "missing"),
    [
        ("m3", "MWh", None, "a calorific value .* GCV or NCV"),
        ("m3", "MWh", GAS, "calorific value"),
        ("bbl", "t", None, "a density"),
        ("t", "GJ", OIL, "calorific value"),
        ("t", "tCO2", None, "an emission factor"),
        ("bbl", "tCO2", COAL, "links volume"),
        ("MWh", "tCO2", GAS, "energy_basis"),
    ],
)
def test_refusal_names_what_the_context_lacks(source, target, context, missing):
    with pytest.raises(MissingContext, match=missing):
        Quantity.of(1, source).to(target, context)


def test_gross_and_net_never_mix():
    net_factor = Ratio.of(Decimal("0.202"), "tCO2", "MWh", Basis.NCV)
    mixed = ConversionContext(calorific_value=GAS.calorific_value, emission_factor=net_factor)
    net_energy = ConversionContext(emission_factor=net_factor, energy_basis=Basis.NCV)
    gross_energy = ConversionContext(emission_factor=net_factor, energy_basis=Basis.GCV)

    with pytest.raises(MissingContext, match=r"^basis: Nm3 to tCO2 mixes GCV and NCV"):
        Quantity.of(1, "Nm3").to("tCO2", mixed)
    with pytest.raises(MissingContext, match=r"^basis: MWh to tCO2 mixes"):
        Quantity.of(1, "MWh").to("tCO2", gross_energy)
    assert Quantity.of(1000, "MWh").to("tCO2", net_energy) == Quantity.of(202, "tCO2")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ratio.of(0, "kg", "m3"),
        lambda: Ratio.of(-1, "kg", "m3"),
        lambda: Ratio.of(1, "kg", "t"),
        lambda: Ratio.of(1, "MW", "t"),
        lambda: Ratio.of(1, "kWh", "m3"),
        lambda: Ratio.of(1, "kg", "m3", Basis.GCV),
        lambda: ConversionContext(density=Ratio.of(1, "GJ", "t", Basis.NCV)),
        lambda: ConversionContext(calorific_value=Ratio.of(1, "t", "GJ", Basis.NCV)),
        lambda: ConversionContext(emission_factor=Ratio.of(1, "kg", "m3")),
    ],
)
def test_ratios_that_say_nothing_or_stand_in_the_wrong_place_are_refused(make):
    with pytest.raises(UnitError):
        make()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_exact_decimal_is_the_same_number(value):
    assert exact_decimal(Fraction(value)) == value


def test_exact_decimal_refuses_thirds():
    with pytest.raises(UnitError, match="no finite decimal form"):
        exact_decimal(Fraction(1, 3))
    assert str(exact_decimal(Fraction(1, 8))) == "0.125"
