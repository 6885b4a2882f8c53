"""Money: refusals, rounding against `decimal`'s own, allocation to the cent, signs."""

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.money import (
    CurrencyMismatch,
    Money,
    MoneyError,
    Rounding,
    RoundingRule,
    RoundingScope,
    Side,
    UnitPrice,
    allocate,
    cash_of,
    currency,
    minor_unit,
    paid,
    received,
    round_exact,
    signed_volume,
)
from energyopti.foundation.units import DimensionMismatch, Quantity, UnitError

CENT = Decimal("0.01")
amounts = st.decimals(
    min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=6
)
roundings = st.sampled_from(list(Rounding))
currencies = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    "amount", [0.1, True, "1.00", None, Decimal("NaN"), Decimal("-Infinity"), Fraction(1, 2)]
)
def test_amounts_that_are_not_decimal_money_are_refused(amount):
    with pytest.raises(MoneyError, match=r"^amount:"):
        Money(amount, "EUR")
    with pytest.raises(MoneyError, match=r"^amount:"):
        UnitPrice.of(amount, "EUR", "MWh")


@pytest.mark.parametrize("code", ["eur", "EURO", "", "XXX", "BTC"])
def test_currencies_outside_iso_4217_are_refused(code):
    with pytest.raises(MoneyError, match=r"^currency:"):
        Money(Decimal(1), code)


@pytest.mark.parametrize(
    ("code", "unit"), [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")]
)
def test_minor_units_are_those_of_the_currency(code, unit):
    assert str(minor_unit(code)) == unit
    assert currency(code) == code


def test_currencies_never_mix():
    dollar = Money(Decimal(1), "USD")

    for mix in (
        lambda: eur("1") + dollar,
        lambda: eur("1") - dollar,
        lambda: eur("1") < dollar,
        lambda: eur("1") >= dollar,
    ):
        with pytest.raises(CurrencyMismatch, match="EUR and USD do not mix"):
            mix()
    with pytest.raises(MoneyError, match="not Money"):
        eur("1") + Decimal(1)
    assert eur("1") != dollar


def test_products_with_float_are_refused():
    with pytest.raises(MoneyError, match=r"^factor: 0.1"):
        eur("1") * 0.1


def test_money_adds_exactly_whatever_the_thread_context_says():
    with decimal.localcontext(prec=3):
        total = eur("123456789.01") + eur("0.02") - eur("0.03")

    assert total == eur("123456789.00")
    assert 3 * eur("0.1") == eur("0.3")
    assert eur("1") < eur("2") <= eur("2") and eur("2") > eur("1") >= eur("1")
    assert abs(-eur("2")) == eur("2")
    assert str(-Money.zero("EUR")) == "0.00 EUR"


@given(amounts, roundings, st.integers(0, 4))
def test_rounding_agrees_with_decimal(amount, rounding, places):
    quantum = Decimal(1).scaleb(-places)

    expected = amount.quantize(quantum, rounding=f"ROUND_{rounding.value}")

    found = round_exact(amount, quantum=quantum, rounding=rounding)
    assert found == expected
    assert found.as_tuple().exponent == -places


@given(amounts, roundings, currencies)
def test_rounding_twice_changes_nothing(amount, rounding, code):
    once = Money(amount, code).rounded(rounding)

    assert once.is_payable
    assert once.rounded(rounding) == once
    assert abs(once.amount - amount) < minor_unit(code)


@given(amounts, st.sampled_from([r for r in Rounding if r.value not in ("CEILING", "FLOOR")]))
def test_rounding_is_symmetric_in_sign(amount, rounding):
    money = Money(amount, "EUR")

    assert (-money).rounded(rounding) == -money.rounded(rounding)


@pytest.mark.parametrize(
    ("rounding", "plus", "minus", "even"),
    [
        ("HALF_UP", "0.13", "-0.13", "0.15"),
        ("HALF_DOWN", "0.12", "-0.12", "0.14"),
        ("HALF_EVEN", "0.12", "-0.12", "0.14"),
        ("UP", "0.13", "-0.13", "0.15"),
        ("DOWN", "0.12", "-0.12", "0.14"),
        ("CEILING", "0.13", "-0.12", "0.15"),
        ("FLOOR", "0.12", "-0.13", "0.14"),
    ],
)
def test_ties_go_where_the_rule_says(rounding, plus, minus, even):
    rule = Rounding(rounding)

    assert str(eur("0.125").rounded(rule).amount) == plus
    assert str(eur("-0.125").rounded(rule).amount) == minus
    assert str(eur("0.145").rounded(rule).amount) == even
    assert eur("0.135").rounded(Rounding.HALF_EVEN) == eur("0.14")


def test_rounding_to_other_steps_and_of_fractions():
    assert eur("1.075").rounded(Rounding.HALF_UP, quantum=Decimal("0.05")) == eur("1.10")
    thirds = round_exact(Fraction(2, 3), quantum=CENT, rounding=Rounding.HALF_UP)
    assert thirds == Decimal("0.67")
    for quantum in (Decimal(0), Decimal("-0.01"), Decimal("NaN"), 0.01):
        with pytest.raises(MoneyError, match=r"^quantum:"):
            round_exact(1, quantum=quantum, rounding=Rounding.UP)
    with pytest.raises(UnitError, match=r"^value:"):
        round_exact(0.1, quantum=CENT, rounding=Rounding.UP)


def test_per_line_and_on_total_differ_as_the_contract_says():
    lines = [eur("0.125"), eur("0.125"), eur("0.125")]
    per_line = RoundingRule(Rounding.HALF_UP, RoundingScope.PER_LINE)
    on_total = RoundingRule(Rounding.HALF_UP, RoundingScope.ON_TOTAL)

    assert per_line.total(lines, code="EUR") == eur("0.39")
    assert on_total.total(lines, code="EUR") == eur("0.38")
    assert on_total.line(lines[0]) == lines[0]
    assert per_line.total([], code="JPY") == Money(0, "JPY")
    with pytest.raises(CurrencyMismatch):
        per_line.total(lines, code="USD")


@given(st.lists(amounts.map(lambda a: Money(a, "EUR")), max_size=6), roundings)
def test_per_line_total_is_the_sum_of_the_lines_shown(lines, rounding):
    rule = RoundingRule(rounding, RoundingScope.PER_LINE)

    total = rule.total(lines, code="EUR")

    assert total == sum((rule.line(line) for line in lines), Money.zero("EUR"))


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.fractions(0, 1000, max_denominator=999), min_size=1, max_size=9),
    currencies,
)
def test_allocation_loses_no_cent(units, weights, code):
    total = Money(units * minor_unit(code), code)
    if not sum(weights):
        weights[0] = Fraction(1)

    parts = allocate(total, weights)

    assert sum(parts, Money.zero(code)) == total
    for part, weight in zip(parts, weights, strict=True):
        share = Fraction(total.amount) * weight / sum(weights)
        assert abs(Fraction(part.amount) - share) < Fraction(minor_unit(code))
        assert part.is_payable


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("100.00", [1, 1, 1], ["33.34", "33.33", "33.33"]),
        ("-100.00", [1, 1, 1], ["-33.34", "-33.33", "-33.33"]),
        ("0.05", [3, 7], ["0.02", "0.03"]),
        ("0.01", [1, 0, 1], ["0.01", "0.00", "0.00"]),
        ("10.00", [Decimal("0.1"), Decimal("0.2")], ["3.33", "6.67"]),
    ],
)
def test_allocation_by_largest_remainder(total, weights, parts):
    assert [str(p.amount) for p in allocate(eur(total), weights)] == parts


@pytest.mark.parametrize(
    ("total", "weights", "field"),
    [
        ("0.001", [1], "total"),
        ("1", [], "weights"),
        ("1", [0, 0], "weights"),
        ("1", [2, -1], "weights"),
    ],
)
def test_allocations_that_cannot_add_up_are_refused(total, weights, field):
    with pytest.raises(MoneyError, match=f"^{field}:"):
        allocate(eur(total), weights)
    with pytest.raises(UnitError, match=r"^weights:"):
        allocate(eur("1"), [0.5, 0.5])


def test_price_times_quantity_is_rounded_once_and_converts_units():
    price = UnitPrice.of(Decimal("85.20"), "EUR", "MWh")

    def value(number: int, code: str) -> str:
        return str(price.value_of(Quantity.of(number, code), rounding=Rounding.HALF_UP))

    assert value(87_600, "MWh") == "7463520.00 EUR"
    assert value(87_600_000, "kWh") == "7463520.00 EUR"
    assert str(price) == "85.20 EUR/MWh"
    assert price.exact_value_of(Quantity.of(1, "kWh")) == eur("0.0852")
    with pytest.raises(DimensionMismatch, match="MW is a rate"):
        value(10, "MW")
    with pytest.raises(UnitError, match="finite decimal"):
        price.exact_value_of(Quantity.of(Fraction(1, 7), "MWh"))


def test_unit_prices_keep_their_decimals():
    price = UnitPrice.of(Decimal("0.08521"), "EUR", "kWh")
    kwh = Quantity.of(1001, "kWh")

    assert price.value_of(kwh, rounding=Rounding.HALF_UP) == eur("85.30")
    assert price.value_of(kwh, rounding=Rounding.HALF_UP, quantum=Decimal("0.001")) == eur("85.295")


def test_bought_is_plus_sold_is_minus_paid_is_minus_received_is_plus():
    volume = Quantity.of(10, "MWh")

    assert signed_volume(Side.BUY, volume) == volume
    assert signed_volume(Side.SELL, volume) == -volume
    assert cash_of(Side.BUY, eur("852")) == eur("-852")
    assert cash_of(Side.SELL, eur("852")) == eur("852")
    # Buying at a negative price brings money in.
    assert cash_of(Side.BUY, eur("-50")) == eur("50")
    assert paid(eur("5")) == eur("-5")
    assert received(eur("5")) == eur("5")


def test_signs_are_not_given_twice():
    with pytest.raises(MoneyError, match=r"^volume:"):
        signed_volume(Side.SELL, Quantity.of(-10, "MWh"))
    for sign in (paid, received):
        with pytest.raises(MoneyError, match=r"^amount:"):
            sign(eur("-5"))
