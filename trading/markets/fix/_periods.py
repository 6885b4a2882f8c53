"""From a maturity to the delivery period, by the rule of a product."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from energyopti.foundation.calendars import CalendarError, DatePeriod
from trading.markets.fix._errors import FixError
from trading.markets.fix._execution import Instrument, maturity_parts


class PeriodRule(StrEnum):
    """What a maturity means: the first day or month of a delivery of this length, or nothing."""

    FIXED = "FIXED"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    SEASON = "SEASON"
    GAS_YEAR = "GAS_YEAR"
    YEAR = "YEAR"


_MONTHS = {
    PeriodRule.MONTH: (1, range(1, 13)),
    PeriodRule.QUARTER: (3, (1, 4, 7, 10)),
    PeriodRule.SEASON: (6, (4, 10)),
    PeriodRule.GAS_YEAR: (12, (10,)),
    PeriodRule.YEAR: (12, (1,)),
}


def delivery_period(
    instrument: Instrument, *, rule: PeriodRule, fixed: str = "", month_offset: int = 0
) -> DatePeriod:
    """
    Return the days of delivery.

    fixed           a period's name, for FIXED: the symbol alone says what it is
    month_offset    months from the maturity to the first month of delivery: 1 where a contract
                    is named after the month in which it expires

    :raises FixError: naming the tag, if the maturity does not fit the rule.
    """
    if rule is PeriodRule.FIXED:
        try:
            return DatePeriod.parse(fixed)
        except CalendarError as error:
            raise FixError(55, str(error)) from error
    tag = 200 if instrument.maturity else 541
    year, month, day = maturity_parts(instrument)
    try:
        if rule in (PeriodRule.DAY, PeriodRule.WEEK):
            if day is None:
                raise FixError(tag, f"a delivery {rule.lower()} needs YYYYMMDD.")
            first = date(year, month, day)
            if rule is PeriodRule.DAY:
                return DatePeriod.day(first)
            if first.isoweekday() != 1:
                raise FixError(tag, f"{first} is no Monday, on which a delivery week starts.")
            return DatePeriod.iso_week(*first.isocalendar()[:2])
        years, index = divmod(month - 1 + month_offset, 12)
        count, starts = _MONTHS[rule]
        if index + 1 not in starts:
            raise FixError(tag, f"a delivery {rule.lower()} does not start in month {index + 1}.")
        return DatePeriod.months(year + years, index + 1, count)
    except (CalendarError, ValueError) as error:
        if isinstance(error, FixError):
            raise
        raise FixError(tag, f"{error}") from error
