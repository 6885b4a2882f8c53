"""Loads, calendars and quotes that the curve tests share."""

from datetime import date, timedelta

from energyopti.foundation.calendars import Calendar, DatePeriod, HolidaySet, WeeklyShape
from trading.curves import CurveQuote, LoadHours, contract_interval

BERLIN = Calendar("Europe/Berlin")
NEW_YORK = Calendar("America/New_York")
UTC_DAYS = Calendar("UTC")
EFA = Calendar.efa()
YEARS = DatePeriod(date(2026, 1, 1), date(2030, 1, 1))
WORKDAYS = frozenset(range(5))


def quote(code, price, calendar=BERLIN, *, load="BASE", **terms):
    name = code if load == "BASE" else f"{code} {load}"
    return CurveQuote(name, contract_interval(code, calendar), price, load=load, **terms)


def eex_loads(calendar=BERLIN, period=YEARS):
    """EEX: peak is Monday to Friday 08:00-20:00, holidays included."""
    shape = WeeklyShape("PEAK", "1", WORKDAYS, 480, 1200)
    peak = LoadHours.weekly("PEAK", calendar, period, shape)
    return {"PEAK": peak, "OFFPEAK": peak.complement("OFFPEAK")}


def nerc_loads(period=YEARS):
    """US east: 5x16 is hour ending 7 to 22 on working days that are no NERC holiday."""
    holidays = HolidaySet(
        "NERC", "2027", period, frozenset({date(2027, 1, 1), date(2027, 7, 5), date(2027, 12, 25)})
    )
    shape = WeeklyShape("5X16", "1", WORKDAYS, 360, 1320, holidays)
    load = LoadHours.weekly("5X16", NEW_YORK, period, shape)
    return {"5X16": load, "WRAP": load.complement("WRAP")}


def efa_loads(period=YEARS):
    """GB: EFA blocks 3 to 5 on working days are peak, from 07:00 to 19:00."""
    peak = LoadHours.blocks(
        "PEAK",
        EFA,
        period,
        start=timedelta(hours=8),
        end=timedelta(hours=20),
        weekdays=WORKDAYS,
    )
    return {"PEAK": peak, "OFFPEAK": peak.complement("OFFPEAK")}
