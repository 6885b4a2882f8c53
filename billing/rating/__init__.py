"""
Rating: metered energy and prices become the exact lines of a bill, and these a rounded total.

Pure. Amounts are exact until the contract's rounding rule makes them payable; nothing is
estimated: a gap in meter data or prices is refused by its place.
"""

from billing.rating._bill import Bill, BillLine, make_bill
from billing.rating._energy import (
    IntervalPrice,
    LineKind,
    MeterGap,
    MeterReading,
    MeterSeries,
    PriceGap,
    PriceRule,
    RatedLine,
    RatingError,
    RatingTerms,
    rate_energy,
    standing_charge,
)

__all__ = [
    "Bill",
    "BillLine",
    "IntervalPrice",
    "LineKind",
    "MeterGap",
    "MeterReading",
    "MeterSeries",
    "PriceGap",
    "PriceRule",
    "RatedLine",
    "RatingError",
    "RatingTerms",
    "make_bill",
    "rate_energy",
    "standing_charge",
]
