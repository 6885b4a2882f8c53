"""When the last cash of a deal is due."""

from datetime import date

import pytest

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
