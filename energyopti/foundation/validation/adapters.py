"""Adapters of the foundation's own topics: local days, delivery hours, named periods."""

from datetime import date
from fractions import Fraction
from typing import Any

from energyopti.foundation.calendars import (
    Calendar,
    DatePeriod,
    HolidaySet,
    WeeklyShape,
    count_periods,
    shaped_delivery,
)
from energyopti.foundation.intervals import Remainder
from energyopti.foundation.units import energy_mwh
from energyopti.foundation.validation.registry import Question, Unsupported, adapters

# The reference set counts peak hours of 2027, which its own inputs leave unsaid.
PEAK_REFERENCE_YEAR = 2027


def dst_day(question: Question) -> dict[str, Any]:
    """
    Answer how many periods a local day has, its base energy, and its gas day's hours.

    A day that the zone skipped has none; the last period of a day of 24.5 hours counts. The
    gas day is the one that starts at 06:00 on the date before.
    """
    question.require("date", "timezone")
    calendar = Calendar(question.inputs["timezone"])
    day = DatePeriod.day(date.fromisoformat(question.inputs["date"]))
    gas_day = DatePeriod.day(date.fromordinal(day.first.toordinal() - 1))
    found: dict[str, Any] = {
        f"n{minutes}": count_periods(calendar, day, minutes=minutes, remainder=Remainder.SHORT_LAST)
        for minutes in (60, 30, 15, 5)
    }
    found["hours"] = calendar.delivered(day).hours
    found["gas_day_hours_starting_06_prev"] = (
        Calendar.gas(question.inputs["timezone"]).delivered(gas_day).hours
    )
    if "power_mw" in question.inputs:
        found["mwh"] = energy_mwh(_exact(question.inputs["power_mw"]), found["hours"])
    return found


def delivery_hours_base(question: Question) -> dict[str, Fraction]:
    """Answer the baseload hours of the months, quarters and years that the case names."""
    question.require("timezone")
    return _hours_by_name(question.inputs["timezone"], question.asked)


def delivery_periods(question: Question) -> dict[str, Fraction]:
    """Answer the baseload hours of named delivery periods (cal27, q1_27, win27)."""
    question.require("tz")
    return _hours_by_name(question.inputs["tz"], question.asked)


def delivery_hours_peak(question: Question) -> dict[str, list[Fraction]]:
    """Answer the peak and off-peak hours of each month of a year."""
    question.require("timezone", "start_hour", "end_hour", "weekdays")
    inputs = question.inputs
    year = inputs.get("year", PEAK_REFERENCE_YEAR)
    shape = WeeklyShape(
        name=question.id,
        version="case",
        weekdays=frozenset(inputs["weekdays"]),
        from_minute=inputs["start_hour"] * 60,
        to_minute=inputs["end_hour"] * 60,
        holidays=_holidays(question, DatePeriod.year(year)) if "holidays" in inputs else None,
    )
    calendar = Calendar(inputs["timezone"])
    months = [DatePeriod.months(year, month) for month in range(1, 13)]
    peaks = [shaped_delivery(calendar, month, shape) for month in months]
    pairs = zip(months, peaks, strict=True)
    return {
        "peak": [peak.hours for peak in peaks],
        "offpeak": [(calendar.delivered(month) - peak).hours for month, peak in pairs],
    }


def calendar_days(question: Question) -> dict[str, list[int]]:
    """Answer how many quarter hours, half hours and hours each of some local days has."""
    question.require("tz", "days")
    calendar = Calendar(question.inputs["tz"])
    days = [DatePeriod.day(date.fromisoformat(day)) for day in question.inputs["days"]]
    lengths = {"quarter_hours": 15, "half_hours": 30, "hours": 60}
    return {
        name: [
            count_periods(calendar, day, minutes=minutes, remainder=Remainder.SHORT_LAST)
            for day in days
        ]
        for name, minutes in lengths.items()
    }


def _hours_by_name(zone_key: str, names: tuple[str, ...]) -> dict[str, Fraction]:
    if not names:
        raise Unsupported("the case names no period")
    calendar = Calendar(zone_key)
    return {name: calendar.delivered(DatePeriod.parse(name)).hours for name in names}


def _holidays(question: Question, covers: DatePeriod) -> HolidaySet:
    dates = frozenset(date.fromisoformat(day) for day in question.inputs["holidays"])
    return HolidaySet(name=question.id, version="case", covers=covers, dates=dates)


def _exact(number: int | float | str) -> Fraction:
    """Return a number of a case as it is written there: 0.1 is one tenth."""
    return Fraction(str(number))


def register_adapters() -> None:
    """Register the foundation's adapters; doing it twice changes nothing."""
    adapters.register("dst_day", dst_day)
    adapters.register("delivery_hours_base", delivery_hours_base)
    adapters.register("delivery_hours_peak", delivery_hours_peak)
    adapters.register("delivery_periods", delivery_periods)
    adapters.register("calendar", calendar_days)
