"""Where a commodity is delivered, in which hours and what a price there is per; its indices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.money import MoneyError
from energyopti.foundation.money import currency as known_currency
from energyopti.foundation.units import ConversionContext
from trading.deals._errors import DealError, NoSuchShape
from trading.deals._shapes import BASE, EEX_SHAPES, EFA_SHAPES, LoadShape, block_shape
from trading.deals._volumes import CERTIFICATE_UNIT, KNOWN_UNITS, Frequency, Lot


class CommodityKind(StrEnum):
    """What kind of good it is."""

    POWER = "POWER"
    GAS = "GAS"
    OIL = "OIL"
    COAL = "COAL"
    CARBON = "CARBON"
    CERTIFICATE = "CERTIFICATE"

    @property
    def flows(self) -> bool:
        """Say whether a deal is a rate over time; what does not flow comes in whole units."""
        return self in (CommodityKind.POWER, CommodityKind.GAS)


@dataclass(frozen=True, slots=True)
class DeliveryArea:
    """
    Name a delivery point: its zone and day start decide days, hours and months.

    code        as traders write it ("DE", "TTF", "BRENT")
    currency    what a price without a currency is in
    day_start   wall clock, relative to midnight: 6 h for TTF, 5 h for NBP, −1 h for EFA
    price_unit  what a price is per: MWh, therm, MMBtu, bbl, t, tCO2, certificate
    shapes      the products it knows by name, in all their versions; base needs none
    lot         what a lot is, None where nothing trades in lots
    context     calorific value and density of what is delivered, for other units
    index_code  of the index that a swap floats on unless it names one; empty if none

    :raises DealError: naming the field.
    """

    code: str
    zone_key: str
    currency: str
    commodity: CommodityKind = CommodityKind.POWER
    day_start: timedelta = timedelta(0)
    price_unit: str = "MWh"
    shapes: tuple[LoadShape, ...] = ()
    lot: Lot | None = None
    context: ConversionContext | None = None
    index_code: str = ""

    def __post_init__(self) -> None:
        if self.price_unit not in KNOWN_UNITS:
            raise DealError("price_unit", f"{self.price_unit!r} is no unit.")
        check_currency(self.currency)

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of delivery days of the area."""
        return Calendar(self.zone_key, self.day_start)

    def shape(self, code: str, *, on: date | None = None, version: int | None = None) -> LoadShape:
        """
        Return the hours of a product: one of the area's own, base, or a block such as H08-H20.

        on          delivery date; of several versions the last that is valid from then or before
        version     this one and no other, for a deal that was captured under it

        :raises NoSuchShape: for a product that the area does not define.
        """
        wanted = code.upper()
        versions = [s for s in self.shapes if s.code == wanted]
        if version is not None:
            versions = [s for s in versions if s.version == version]
        elif on is not None:
            versions = [s for s in versions if s.valid_from <= on]
        if versions:
            return max(versions, key=lambda s: (s.valid_from, s.version))
        if wanted == BASE.code and version in (None, BASE.version):
            return BASE
        block = block_shape(wanted, self.day_start)
        if block is None or version not in (None, block.version):
            raise NoSuchShape("product", f"{self.code} has no {code.lower()} definition here.")
        return block

    def product_words(self) -> tuple[str, ...]:
        """Return the words for the area's products, in lower case, base first."""
        return tuple(dict.fromkeys(["base", *(s.code.lower() for s in self.shapes)]))


def check_currency(code: str, field: str = "currency") -> None:
    """
    Refuse a currency that ISO 4217 does not know.

    :raises DealError: naming the field.
    """
    try:
        known_currency(code)
    except MoneyError:
        raise DealError(field, f"{code!r} is not an ISO 4217 code such as EUR.") from None


class IndexFrequency(StrEnum):
    """How often an index says a price."""

    PERIOD = "PERIOD"
    DAY = "DAY"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class PriceIndex:
    """
    Name a published price: what a floating leg is exposed to is the price of the index's area.

    currency, price_unit    of the index; the area's if left empty

    :raises DealError: for a code that a spread could be mistaken for (it ends in + or − and
        digits), or an unknown currency or unit.
    """

    code: str
    area: DeliveryArea
    currency: str = ""
    price_unit: str = ""
    frequency: IndexFrequency = IndexFrequency.PERIOD

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.+-]*", self.code):
            raise DealError("index", f"{self.code!r} is not one word that starts with a letter.")
        if re.search(r"[+-][0-9.]+$", self.code):
            raise DealError("index", f"{self.code} ends like a spread; name it another way.")
        object.__setattr__(self, "currency", self.currency or self.area.currency)
        object.__setattr__(self, "price_unit", self.price_unit or self.area.price_unit)
        check_currency(self.currency)
        if self.price_unit not in KNOWN_UNITS:
            raise DealError("price_unit", f"{self.price_unit!r} is no unit.")


# Zones whose traded peak is the continental one; others come with their own shapes as data.
_EEX_PEAK_ZONES = frozenset(
    {
        "Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/Copenhagen",
        "Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome",
        "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich",
    }
)  # fmt: skip


def power_area(code: str, zone_key: str, currency: str) -> DeliveryArea:
    """Return a power area that starts its days at midnight, with its zone's peak if we hold one."""
    shapes = EEX_SHAPES if zone_key in _EEX_PEAK_ZONES else ()
    return DeliveryArea(code, zone_key, currency, shapes=shapes, lot=_ONE_MW)


_ONE_MW = Lot(Decimal(1), "MW", Frequency.HOUR)

_POWER_AREAS = {
    code: power_area(code, zone_key, currency)
    for code, zone_key, currency in (
        ("AT", "Europe/Vienna", "EUR"),
        ("BE", "Europe/Brussels", "EUR"),
        ("DE", "Europe/Berlin", "EUR"),
        ("FR", "Europe/Paris", "EUR"),
        ("GB", "Europe/London", "GBP"),
        ("NL", "Europe/Amsterdam", "EUR"),
    )
}


def _lots(size: int, code: str, frequency: Frequency) -> Lot:
    return Lot(Decimal(size), code, frequency)


def _index_named(area: DeliveryArea, code: str) -> DeliveryArea:
    return replace(area, index_code=code)


_HOURS = timedelta(hours=1)
_OTHERS: Sequence[DeliveryArea] = (
    DeliveryArea("GB-EFA", "Europe/London", "GBP", day_start=-_HOURS, shapes=EFA_SHAPES,
                 lot=_ONE_MW),
    DeliveryArea("TTF", "Europe/Amsterdam", "EUR", CommodityKind.GAS, 6 * _HOURS, lot=_ONE_MW),
    DeliveryArea("NBP", "Europe/London", "GBP", CommodityKind.GAS, 5 * _HOURS, "therm",
                 lot=_lots(1000, "therm", Frequency.DAY)),
    DeliveryArea("HH", "America/Chicago", "USD", CommodityKind.GAS, 9 * _HOURS, "MMBtu",
                 lot=_lots(10_000, "MMBtu", Frequency.MONTH)),
    DeliveryArea("BRENT", "Europe/London", "USD", CommodityKind.OIL, price_unit="bbl",
                 lot=_lots(1000, "bbl", Frequency.MONTH)),
    DeliveryArea("WTI", "America/Chicago", "USD", CommodityKind.OIL, price_unit="bbl",
                 lot=_lots(1000, "bbl", Frequency.MONTH)),
    DeliveryArea("API2", "Europe/London", "USD", CommodityKind.COAL, price_unit="t",
                 lot=_lots(1000, "t", Frequency.MONTH)),
    DeliveryArea("EUA", "Europe/Berlin", "EUR", CommodityKind.CARBON, price_unit="tCO2",
                 lot=_lots(1000, "tCO2", Frequency.TOTAL)),
    DeliveryArea("GO-EU", "Europe/Brussels", "EUR", CommodityKind.CERTIFICATE,
                 price_unit=CERTIFICATE_UNIT),
)  # fmt: skip

# Areas that need no table, for the validation of models; the desk's own come from its markets.
# HH's day starts at 09:00 Central.
REFERENCE_MARKETS = {
    **_POWER_AREAS,
    **{area.code: _index_named(area, f"{area.code}-M1") for area in _OTHERS},
    "DE": _index_named(_POWER_AREAS["DE"], "EPEX-DE-DA"),
}

REFERENCE_INDICES = {
    index.code: index
    for index in (
        PriceIndex("EPEX-DE-DA", REFERENCE_MARKETS["DE"]),
        PriceIndex("EPEX-FR-DA", REFERENCE_MARKETS["FR"]),
        *(
            PriceIndex(f"{area.code}-M1", REFERENCE_MARKETS[area.code],
                       frequency=IndexFrequency.MONTH)
            for area in _OTHERS
        ),
    )
}  # fmt: skip
