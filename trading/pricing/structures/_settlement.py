"""When a structure's cash flows are paid, and what they are worth today."""

from __future__ import annotations

from calendar import isleap
from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError
from trading.pricing.structures._intervals import Dates, delivery_dates, number


class SettlementRule(StrEnum):
    """From which day the days to payment are counted."""

    DELIVERY_DAY = "DELIVERY_DAY"
    # The last day of the month of delivery.
    MONTH_END = "MONTH_END"


def payment_dates(dates: npt.ArrayLike, *, rule: SettlementRule, days: int) -> Dates:
    """
    Return when deliveries are paid.

    dates   delivery dates;  days   calendar days after the day that the rule names, ≥ 0

    :raises PricingError: naming the argument.
    """
    number("days", days, least=0)
    delivered = delivery_dates("dates", dates)
    if rule is SettlementRule.MONTH_END:
        delivered = (delivered.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    paid: Dates = delivered + np.timedelta64(days, "D")
    return paid


def discount_factors(payments: npt.ArrayLike, *, value_date: np.datetime64, rate: float) -> Floats:
    """
    Return exp(−r t) of payments, t in years of 365 days from the value date.

    rate   continuously compounded, ACT/365, per year

    :raises PricingError: for a payment before the value date, or a rate that is not finite.
    """
    paid = np.asarray(payments, dtype="datetime64[D]")
    days = (paid - value_date.astype("datetime64[D]")).astype(np.float64)
    if (days < 0).any():
        where = int((days < 0).argmax())
        raise PricingError(f"payments[{where}]: {paid[where]} must not be before {value_date}.")
    factors: Floats = np.exp(-number("rate", rate) * days / 365.0)
    return factors


def years_actual_actual(start: date, end: date) -> float:
    """
    Return the years between two dates: days in leap years over 366, the others over 365.

    Negative if the end is before the start. Source: 2006 ISDA Definitions, 4.16(b), Actual/Actual.
    """
    if end < start:
        return -years_actual_actual(end, start)
    years = 0.0
    for year in range(start.year, end.year + 1):
        first, after = max(start, date(year, 1, 1)), min(end, date(year + 1, 1, 1))
        years += max((after - first).days, 0) / (366 if isleap(year) else 365)
    return years
