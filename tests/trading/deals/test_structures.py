"""Contracts with choices: terms by name, their bounds, and what they add to positions."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    BatteryTerms,
    DealError,
    Direction,
    Frequency,
    Schedule,
    StorageTerms,
    Structure,
    StructureKind,
    SwingTerms,
    TollingTerms,
    TransmissionTerms,
    Volume,
    deal_totals,
    deltas,
    mirrored,
    required_terms,
    structure,
    structure_terms,
    terms_of,
    terms_said,
)

DE, TTF = REFERENCE_MARKETS["DE"], REFERENCE_MARKETS["TTF"]
YEAR = DatePeriod(date(2027, 1, 1), date(2028, 1, 1))
SPOT, FRENCH = REFERENCE_INDICES["EPEX-DE-DA"], REFERENCE_INDICES["EPEX-FR-DA"]
GAS, CARBON = REFERENCE_INDICES["TTF-M1"], REFERENCE_INDICES["EUA-M1"]
DAILY = Schedule(TTF, YEAR, Volume(D(240), "MWh", Frequency.DAY))
POWER = Schedule(DE, YEAR, Volume.mw(D(50)))
GOOD = {
    StructureKind.SWING: (
        DAILY, (GAS,), SwingTerms(strike=D("31.5"), minimum=D(40_000), maximum=D(80_000)),
    ),
    StructureKind.STORAGE: (
        DAILY, (GAS,),
        StorageTerms(
            working_volume=D(100_000), injection_rate=D(700),
            withdrawal_ratchets=((D(0), D(40)), (D(30), D(100)), (D(100), D(100))),
        ),
    ),
    StructureKind.TOLLING: (
        POWER, (SPOT, GAS, CARBON),
        TollingTerms(heat_rate=D("1.9"), minimum_mw=D(20), carbon_intensity=D("0.202")),
    ),
    StructureKind.BATTERY_TOLLING: (POWER, (SPOT,), BatteryTerms(energy_mwh=D(100))),
    StructureKind.TRANSMISSION_RIGHT: (POWER, (FRENCH, SPOT), TransmissionTerms()),
}  # fmt: skip


def contract(kind=StructureKind.SWING, changed=None, **changes):
    schedule, underlying, good = GOOD[kind]
    found = {
        "direction": Direction.RECEIVE, "schedule": schedule, "kind": kind,
        "underlying": underlying, "terms": good if changed is None else replace(good, **changed),
    }  # fmt: skip
    return Structure(**{**found, **changes})


@pytest.mark.parametrize("kind", StructureKind)
def test_adds_nothing_linear_and_its_premium_is_paid_by_the_holder(kind):
    ours = structure(terms=contract(kind, premium=D("55000.5")))

    theirs = mirrored(ours)

    assert ours.kind == kind.value
    assert deltas(ours) == ()
    assert deal_totals(ours).premiums == (Money(D("-55000.50"), "EUR"),)
    assert deal_totals(theirs).premiums == (Money(D("55000.50"), "EUR"),)
    assert (ours.side, theirs.side) == ("BUY", "SELL")


@pytest.mark.parametrize("kind", StructureKind)
def test_terms_that_are_said_read_back_as_they_were(kind):
    terms = GOOD[kind][2]

    said = terms_said(terms)

    assert structure_terms(kind, said) == terms
    assert set(said) == set(terms_of(kind))
    assert required_terms(kind) < set(said) or not required_terms(kind)


@given(st.decimals(0, 10**6, places=3), st.decimals(0, 10**6, places=3))
def test_whatever_is_written_reads_back(strike, maximum):
    terms = SwingTerms(strike=strike, maximum=maximum)

    assert structure_terms(StructureKind.SWING, terms_said(terms)) == terms


@pytest.mark.parametrize(
    ("kind", "terms", "field", "rule"),
    [
        (StructureKind.SWING, {"minimum": D(90_000)}, "minimum", "above the maximum"),
        (StructureKind.SWING, {"daily_minimum": D(241)}, "daily_minimum", "above the 240"),
        (StructureKind.SWING, {"make_up": D(-1)}, "make_up", "at least 0"),
        (StructureKind.SWING, {"strike": D("NaN")}, "strike", "finite"),
        (StructureKind.STORAGE, {"start_inventory": D(100_001)}, "start_inventory", "above"),
        (StructureKind.STORAGE, {"working_volume": D(0)}, "working_volume", "above 0"),
        (StructureKind.STORAGE, {"injection_fuel": D(101)}, "injection_fuel", "at most 100"),
        (
            StructureKind.STORAGE, {"injection_ratchets": ((D(10), D(1)), (D(100), D(1)))},
            "injection_ratchets", "from 0 to 100",
        ),
        (
            StructureKind.STORAGE,
            {"injection_ratchets": ((D(0), D(1)), (D(0), D(2)), (D(100), D(1)))},
            "injection_ratchets", "rise",
        ),
        (StructureKind.TOLLING, {"heat_rate": D(0)}, "heat_rate", "above 0"),
        (StructureKind.TOLLING, {"minimum_mw": D(51)}, "minimum_mw", "above 50 MW"),
        (StructureKind.TOLLING, {"minimum_up_hours": D("1.5")}, "minimum_up_hours", "whole"),
        (StructureKind.BATTERY_TOLLING, {"efficiency": D(0)}, "efficiency", "above 0"),
        (
            StructureKind.BATTERY_TOLLING, {"start_energy_mwh": D(101)},
            "start_energy_mwh", "above",
        ),
        (StructureKind.TRANSMISSION_RIGHT, {"firmness": D(101)}, "firmness", "at most 100"),
    ],
)  # fmt: skip
def test_terms_that_contradict_are_refused_by_name(kind, terms, field, rule):
    with pytest.raises(DealError, match=rule) as refused:
        contract(kind, terms)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (StructureKind.SWING, {"schedule": Schedule(TTF, YEAR, Volume.mw(D(1)))}, "unit"),
        (StructureKind.TOLLING, {"schedule": DAILY}, "unit"),
        (StructureKind.TOLLING, {"underlying": (SPOT,)}, "fuel"),
        (StructureKind.TOLLING, {"underlying": (SPOT, GAS)}, "carbon"),
        (StructureKind.SWING, {"underlying": ()}, "index"),
        (StructureKind.SWING, {"underlying": (REFERENCE_INDICES["HH-M1"],)}, "underlying"),
        (StructureKind.TRANSMISSION_RIGHT, {"underlying": (SPOT, SPOT)}, "sink"),
        (StructureKind.SWING, {"premium": D(-1)}, "premium"),
        (StructureKind.SWING, {"terms": BatteryTerms(energy_mwh=D(1))}, "kind"),
        (
            StructureKind.BATTERY_TOLLING,
            {"schedule": Schedule(DE, YEAR, Volume.mw(D(50)), DE.shape("PEAK"))}, "shape",
        ),
    ],
)  # fmt: skip
def test_contracts_that_are_none_are_refused_by_field(kind, changes, field):
    with pytest.raises(DealError) as refused:
        contract(kind, **changes)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("kind", "said", "field", "rule"),
    [
        (StructureKind.SWING, {"strike": "31"}, "maximum", "missing"),
        (StructureKind.SWING, {"strike": "31", "maximum": "lots"}, "maximum", "decimal"),
        (StructureKind.SWING, {"strike": "3", "maximum": "1", "heat": "2"}, "heat", "does not go"),
        (StructureKind.TRANSMISSION_RIGHT, {"form": "FUTURE"}, "form", "neither"),
        (
            StructureKind.STORAGE,
            {"working_volume": "9", "injection_rate": "1", "injection_ratchets": "0:1:2"},
            "injection_ratchets", "points",
        ),
        (
            StructureKind.STORAGE,
            {"working_volume": "9", "injection_rate": "1", "injection_ratchets": "0:1 100:120"},
            "injection_ratchets", "per cent",
        ),
    ],
)  # fmt: skip
def test_what_is_said_wrongly_is_refused_by_name(kind, said, field, rule):
    with pytest.raises(DealError, match=rule) as refused:
        structure_terms(kind, said)

    assert refused.value.field == field
