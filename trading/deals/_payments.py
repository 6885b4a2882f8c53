"""When the last cash of a deal is due: by the form of the agreement, or by custom of the product.

Business days are Monday to Friday without the holidays of the calendar that is given: the one of
the agreement's form, or of the currency's payment system. Dates that it does not cover count as if
none were; the invoice says the day that counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from energyopti.foundation.calendars import HolidaySet
from trading.deals._deals import ProductKind


@dataclass(frozen=True, slots=True)
class PaymentRule:
    """
    A day of the month after the last delivery day, or so many business days after that day.

    day             1 to 28 of the following month; on no business day, the next one
    business_days   ≥ 0, where `day` is 0
    source          where it is written, for people
    calendar        code of the holidays that the form names itself; empty is the currency's
    """

    source: str
    day: int = 0
    business_days: int = 0
    calendar: str = ""

    def calendar_for(self, currency: str) -> str:
        """Return the code of the holidays by which an amount is due, empty where none is known."""
        return self.calendar or PAYMENT_CALENDARS.get(currency, "")

    def due(self, last: date, holidays: HolidaySet | None = None) -> date:
        """Return the date on which cash for deliveries up to and including a day is due."""
        if self.day:
            month = last.year * 12 + last.month
            due = date(month // 12, month % 12 + 1, self.day)
            while not _is_open(due, holidays):
                due += timedelta(days=1)
            return due
        due, left = last, self.business_days
        while left:
            due += timedelta(days=1)
            left -= _is_open(due, holidays)
        return due


def _is_open(day: date, holidays: HolidaySet | None) -> bool:
    if day.weekday() > 4 or holidays is None:
        return day.weekday() < 5
    covers = holidays.covers
    return not (covers.first <= day < covers.after and day in holidays)


# Code of the calendar whose banks pay an amount.
PAYMENT_CALENDARS: Mapping[str, str] = MappingProxyType(
    {"EUR": "TARGET", "USD": "FED", "GBP": "UK-BANK"}
)


# Daily margin: the last call is for the last day, paid on the business day after.
DAILY = PaymentRule("variation margin of a future, settled daily", business_days=1)
AGREED: Mapping[str, PaymentRule] = MappingProxyType(
    {
        "EFET": PaymentRule("EFET General Agreement, § 13.2: 20th of the next month", day=20),
        "NAESB": PaymentRule("NAESB Base Contract: 25th of the next month", day=25, calendar="FED"),
        "GTMA": PaymentRule(
            "GTMA: 10 business days after the month", business_days=10, calendar="UK-BANK"
        ),
        "ISDA": PaymentRule("ISDA commodity: 5 business days after the period", business_days=5),
    }
)
CASH_SETTLED = PaymentRule("custom of cash-settled deals: 5 business days", business_days=5)
REGISTRY = PaymentRule("custom of registries: 5 business days after transfer", business_days=5)
PHYSICAL = PaymentRule("custom of physical deals: 20th of the next month", day=20)
_CASH = frozenset(
    {
        ProductKind.FINANCIAL_FORWARD, ProductKind.SWAP, ProductKind.BASIS_SWAP, ProductKind.OPTION,
        ProductKind.TRANSMISSION_RIGHT,
    }
)  # fmt: skip


def payment_rule(kind: ProductKind, agreement_kinds: frozenset[str]) -> PaymentRule:
    """
    Return the rule for a product under the agreements that are in force with a counterparty.

    A future follows its exchange whatever else was signed. Of several agreements the one for
    such deals counts: ISDA for what settles in cash, the others for what is delivered. Without
    one that fits, the custom of the product holds.
    """
    if kind is ProductKind.FUTURE:
        return DAILY
    wanted = ("ISDA",) if kind in _CASH else ("EFET", "NAESB", "GTMA", "ISDA")
    for name in wanted:
        if name in agreement_kinds:
            return AGREED[name]
    if kind in _CASH:
        return CASH_SETTLED
    return REGISTRY if kind is ProductKind.CERTIFICATE else PHYSICAL
