"""
Commodities, shape calendars and holidays that the product knows.

Sources: EEX contract specifications (peak 08:00-20:00 Monday to Friday, holidays included);
Electricity Forward Agreement blocks of GB (six of four hours from 23:00); on-peak 5x16 of the
eastern US markets (hour ending 8 to 23) and of ERCOT (7 to 22) without NERC holidays; gas days
of Regulation (EU) 312/2014 (06:00 CET), of GB (05:00) and of NAESB (09:00 Central).
"""

from collections.abc import Callable
from datetime import date, timedelta

from trading.reference import CommodityTerms, HolidayTerms, ShapeTerms

from .bank_holidays import Days, fed_holidays, target_holidays, uk_bank_holidays
from .nerc import nerc_holidays

_ALWAYS = date(2000, 1, 1)
_WEEK, _WORKDAYS = "1234567", "12345"
NERC_FIRST_YEAR, NERC_LAST_YEAR = 2010, 2050

COMMODITIES = (
    CommodityTerms("POWER", "Power", "POWER", "FLOW", "MW"),
    CommodityTerms("GAS", "Natural gas", "GAS", "FLOW", "MW"),
    CommodityTerms("CRUDE", "Crude oil", "OIL", "LOT", "bbl"),
    CommodityTerms("COAL", "Steam coal", "COAL", "LOT", "t"),
    CommodityTerms("EUA", "EU emission allowance", "CARBON", "LOT", "tCO2"),
    CommodityTerms("UKA", "UK emission allowance", "CARBON", "LOT", "tCO2"),
    CommodityTerms("GO", "Guarantee of origin", "CERTIFICATE", "LOT", "certificate"),
    CommodityTerms("REC", "Renewable energy certificate", "CERTIFICATE", "LOT", "certificate"),
)


def _paid_by(
    code: str, name: str, years: tuple[int, int], rule: Callable[[int, int], Days], source: str
) -> HolidayTerms:
    """Return a calendar by which payments are due."""
    first, last = years
    return HolidayTerms(
        calendar=code, calendar_name=name, version=1, covers_first=date(first, 1, 1),
        covers_last=date(last, 12, 31), source=source, holidays=rule(first, last),
    )  # fmt: skip


HOLIDAYS = (
    HolidayTerms(
        calendar="NERC",
        calendar_name="NERC additional off-peak days",
        version=1,
        covers_first=date(NERC_FIRST_YEAR, 1, 1),
        covers_last=date(NERC_LAST_YEAR, 12, 31),
        source="computed from NERC's rule for its six holidays",
        holidays=nerc_holidays(NERC_FIRST_YEAR, NERC_LAST_YEAR),
    ),
    # Word for word as in docs/reference-data/europe, so that either may come first.
    _paid_by(
        "TARGET", "T2 closing days", (2024, 2035), target_holidays,
        "European Central Bank, closing days of T2",
    ),
    _paid_by(
        "FED", "Federal Reserve holidays", (2002, 2060), fed_holidays,
        "computed from the Federal Reserve's schedule",
    ),
    # Before 2024 proclamations moved and added days.
    _paid_by(
        "UK-BANK", "Bank holidays of England and Wales", (2024, 2060), uk_bank_holidays,
        "computed from the Banking and Financial Dealings Act 1971",
    ),
)  # fmt: skip


def _shape(
    calendar: tuple[str, str, timedelta],
    code: str,
    name: str,
    hours: tuple[float, float] = (0, 24),
    weekdays: str = _WEEK,
    *,
    holidays: str = "",
    complement_of: str = "",
) -> ShapeTerms:
    return ShapeTerms(
        calendar=calendar[0],
        calendar_name=calendar[1],
        day_start=calendar[2],
        shape=code,
        version=1,
        name=name,
        valid_from=_ALWAYS,
        weekdays=weekdays,
        from_minute=int(hours[0] * 60),
        to_minute=int(hours[1] * 60),
        holiday_calendar=holidays,
        holiday_rule="EXCLUDE" if holidays else "IGNORE",
        complement_of=complement_of,
    )


def _us(calendar: tuple[str, str, timedelta], first: int) -> tuple[ShapeTerms, ...]:
    """Return the US products of a calendar whose sixteen hours start at `first` o'clock."""
    day = (first, first + 16)
    return (
        _shape(calendar, "ATC", "Around the clock"),
        _shape(calendar, "5X16", "On-peak, weekdays", day, _WORKDAYS, holidays="NERC"),
        _shape(calendar, "7X16", "Sixteen hours of every day", day),
        _shape(calendar, "2X16", "Weekends and holidays", day, complement_of="5X16"),
        _shape(calendar, "7X8", "Nights", complement_of="7X16"),
        _shape(calendar, "OFFPEAK", "Off-peak", complement_of="5X16"),
    )


_EEX = ("EEX", "European power, EEX", timedelta(0))
_EFA = ("GB-EFA", "GB power, EFA days", timedelta(hours=-1))
_EAST = ("US-NERC", "US power, eastern prevailing time", timedelta(0))
_ERCOT = ("US-ERCOT", "US power, ERCOT", timedelta(0))

SHAPES = (
    _shape(_EEX, "BASE", "Base"),
    _shape(_EEX, "PEAK", "Peak", (8, 20), _WORKDAYS),
    _shape(_EEX, "OFFPEAK", "Off-peak", complement_of="PEAK"),
    _shape(_EFA, "BASE", "Base"),
    _shape(_EFA, "PEAK", "Peak, blocks 3 to 5", (8, 20), _WORKDAYS),
    _shape(_EFA, "EXTPEAK", "Extended peak, blocks 3 to 6", (8, 24), _WORKDAYS),
    _shape(_EFA, "OFFPEAK", "Off-peak", complement_of="PEAK"),
    *(
        _shape(_EFA, f"EFA{block}", f"EFA block {block}", (4 * block - 4, 4 * block))
        for block in range(1, 7)
    ),
    *_us(_EAST, 7),
    *_us(_ERCOT, 6),
    _shape(("GAS-EU", "European gas day", timedelta(hours=6)), "BASE", "Flat"),
    _shape(("GAS-GB", "GB gas day", timedelta(hours=5)), "BASE", "Flat"),
    _shape(("GAS-US", "US gas day, central time", timedelta(hours=9)), "BASE", "Flat"),
)

# By whose shapes the power of a zone is traded. Others trade by none that is held here.
SHAPES_OF_ZONE = {
    **dict.fromkeys(
        (
            "Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/Copenhagen",
            "Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome",
            "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich",
        ),
        "EEX",
    ),
    "Europe/London": "GB-EFA",
    "America/New_York": "US-NERC",
    "America/Chicago": "US-ERCOT",
}  # fmt: skip
