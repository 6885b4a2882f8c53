"""When the last cash of a deal is due."""

from datetime import date

import pytest

from energyopti.foundation.calendars import DatePeriod, HolidaySet
from trading.deals import ProductKind, payment_rule

MARCH = date(2027, 3, 31)  # a Wednesday


@pytest.mark.parametrize(
    ("kind", "agreements", "due"),
    [
        ("PHYSICAL_FORWARD", {"EFET"}, date(2027, 4, 20)),
        ("PHYSICAL_FORWARD", {"NAESB"}, date(2027, 4, 26)),  # the 25th is a Sunday
        ("PHYSICAL_FORWARD", {"GTMA"}, date(2027, 4, 14)),
        ("PHYSICAL_FORWARD", {"ISDA", "EFET"}, date(2027, 4, 20)),
        ("PHYSICAL_FORWARD", {"ISDA"}, date(2027, 4, 7)),
        ("PHYSICAL_FORWARD", set(), date(2027, 4, 20)),
        ("SWAP", {"EFET", "ISDA"}, date(2027, 4, 7)),
        ("SWAP", {"EFET"}, date(2027, 4, 7)),
        ("FUTURE", {"EFET", "ISDA"}, date(2027, 4, 1)),
        ("CERTIFICATE", set(), date(2027, 4, 7)),
    ],
)
def test_the_form_of_the_agreement_or_the_custom_of_the_product_says(kind, agreements, due) -> None:
    assert payment_rule(ProductKind(kind), frozenset(agreements)).due(MARCH) == due


def test_the_month_after_december_is_january_and_a_friday_is_followed_by_monday() -> None:
    physical = payment_rule(ProductKind.PHYSICAL_FORWARD, frozenset())
    assert physical.due(date(2027, 12, 31)) == date(2028, 1, 20)
    future = payment_rule(ProductKind.FUTURE, frozenset())
    assert future.due(date(2027, 4, 30)) == date(2027, 5, 3)


BANKS = HolidaySet(
    "TARGET", "1", DatePeriod.year(2027), frozenset({date(2027, 3, 26), date(2027, 3, 29)})
)


def test_days_on_which_banks_are_closed_do_not_count() -> None:
    easter = date(2027, 3, 25)  # Maundy Thursday
    assert payment_rule(ProductKind.FUTURE, frozenset()).due(easter, BANKS) == date(2027, 3, 30)
    cash = payment_rule(ProductKind.SWAP, frozenset())
    assert (cash.due(easter), cash.due(easter, BANKS)) == (date(2027, 4, 1), date(2027, 4, 5))


def test_a_day_of_the_month_moves_to_the_next_open_one() -> None:
    rule = payment_rule(ProductKind.PHYSICAL_FORWARD, frozenset({"NAESB"}))
    closed = HolidaySet("FED", "1", DatePeriod.year(2027), frozenset({date(2027, 10, 25)}))
    assert rule.due(date(2027, 9, 30), closed) == date(2027, 10, 26)


def test_dates_that_the_calendar_does_not_cover_are_mondays_to_fridays() -> None:
    future = payment_rule(ProductKind.FUTURE, frozenset())
    assert future.due(date(2028, 4, 13), BANKS) == date(2028, 4, 14)  # Good Friday 2028
    assert future.due(date(2027, 12, 31), BANKS) == date(2028, 1, 3)


@pytest.mark.parametrize(
    ("agreement", "currency", "calendar"),
    [
        ("EFET", "EUR", "TARGET"), ("EFET", "GBP", "UK-BANK"), ("ISDA", "USD", "FED"),
        ("GTMA", "EUR", "UK-BANK"), ("NAESB", "USD", "FED"), ("EFET", "SEK", ""),
    ],
)  # fmt: skip
def test_the_form_or_the_currency_says_whose_banks_count(agreement, currency, calendar) -> None:
    rule = payment_rule(ProductKind.PHYSICAL_FORWARD, frozenset({agreement}))
    assert rule.calendar_for(currency) == calendar
