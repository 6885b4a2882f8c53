"""Delivery areas that the tests of deals share, with US shapes on NERC's holidays of 2027."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from energyopti.foundation.calendars import DatePeriod, HolidaySet
from energyopti.foundation.money import Side
from energyopti.foundation.units import Basis, ConversionContext, Ratio
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    DeliveryArea,
    GeneratingAsset,
    Volume,
    us_shapes,
)

NERC_2027 = HolidaySet(
    name="NERC",
    version="2027-1",
    covers=DatePeriod.year(2027),
    dates=frozenset(
        date.fromisoformat(day)
        for day in (
            "2027-01-01", "2027-05-31", "2027-07-05", "2027-09-06", "2027-11-25", "2027-12-25",
        )
    ),
)  # fmt: skip
PJM = DeliveryArea(
    "PJM-W", "America/New_York", "USD", shapes=us_shapes(NERC_2027, first_hour_ending=8)
)
LORD_HOWE = DeliveryArea("LHI", "Australia/Lord_Howe", "AUD")
# Oil of 0.85 kg/L, coal of 25 GJ/t (6,000 kcal).
OIL = replace(
    REFERENCE_MARKETS["BRENT"],
    code="CRUDE",
    context=ConversionContext(density=Ratio.of(Decimal("0.85"), "kg", "L")),
)
COAL_HEAT = replace(
    REFERENCE_MARKETS["API2"],
    code="COAL",
    context=ConversionContext(
        calorific_value=Ratio.of(25, "GJ", "t", Basis.NCV), energy_basis=Basis.NCV
    ),
)
MARKETS = {**REFERENCE_MARKETS, "PJM-W": PJM, "LHI": LORD_HOWE, "CRUDE": OIL, "COAL": COAL_HEAT}
INDICES = REFERENCE_INDICES
DE, FR, TTF, NBP, BRENT, EUA, GO = (
    MARKETS[code] for code in ("DE", "FR", "TTF", "NBP", "BRENT", "EUA", "GO-EU")
)
DE_SPOT, FR_SPOT, TTF_MONTH = (INDICES[c] for c in ("EPEX-DE-DA", "EPEX-FR-DA", "TTF-M1"))
WIND = GeneratingAsset(
    "WIND-1", DE, Decimal(40), tuple(Decimal(f"0.{n}") for n in range(41, 29, -1))
)
TRADED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
BUY, SELL = Side.BUY, Side.SELL


def period(name: str) -> DatePeriod:
    return DatePeriod.parse(name)


def mw(text: str) -> Volume:
    return Volume.mw(Decimal(text))
