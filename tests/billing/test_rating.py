"""Rating: a worked example, refusals by place, and laws that hold for every series."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rating import (
    IntervalPrice,
    LineKind,
    MeterGap,
    MeterReading,
    MeterSeries,
    PriceGap,
    PriceRule,
    RatingError,
    RatingTerms,
    make_bill,
    rate_energy,
    standing_charge,
)
from energyopti.foundation.intervals import Interval
from energyopti.foundation.money import Rounding, RoundingRule, RoundingScope

START = datetime(2027, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPOT = RatingTerms(rule=PriceRule.SPOT, currency="EUR")

energies = st.decimals(min_value=0, max_value=10**6, places=6)
prices = st.decimals(min_value=-500, max_value=4000, places=2)
rows = st.lists(st.tuples(energies, prices), min_size=1, max_size=24)


def hour(i: int) -> Interval:
    return Interval(START + i * HOUR, START + (i + 1) * HOUR)


def meter(values: list[Decimal], *, name: str = "M1", place: str = "Depot") -> MeterSeries:
    return MeterSeries(name, place, tuple(MeterReading(hour(i), v) for i, v in enumerate(values)))


def strip(values: list[Decimal]) -> list[IntervalPrice]:
    return [IntervalPrice(hour(i), value) for i, value in enumerate(values)]


def period(hours: int) -> Interval:
    return Interval(START, START + hours * HOUR)


def test_worked_example_with_a_negative_price() -> None:
    terms = RatingTerms(rule=PriceRule.SPOT, currency="EUR", adder_per_kwh=Decimal("0.02"))

    lines = rate_energy(
        meters=[meter([Decimal("10"), Decimal("2.5")])],
        prices=strip([Decimal("80"), Decimal("-20")]),
        terms=terms,
        period=period(2),
    )

    # 10 kWh · 0.08 − 2.5 kWh · 0.02 = 0.75; 12.5 kWh · 0.02 = 0.25
    assert [(line.kind, line.quantity, line.amount.amount) for line in lines] == [
        (LineKind.ENERGY, Decimal("12.5"), Decimal("0.75")),
        (LineKind.ADDER, Decimal("12.5"), Decimal("0.25")),
    ]


def test_half_hours_meet_the_price_of_their_hour() -> None:
    half = timedelta(minutes=30)
    readings = tuple(
        MeterReading(Interval(START + i * half, START + (i + 1) * half), Decimal(1))
        for i in range(4)
    )

    (line,) = rate_energy(
        meters=[MeterSeries("M1", "Depot", readings)],
        prices=strip([Decimal(100), Decimal(200)]),
        terms=SPOT,
        period=period(2),
    )

    assert line.amount.amount == Decimal("0.6")


@given(rows)
def test_energy_line_is_the_exact_sum(rows: list[tuple[Decimal, Decimal]]) -> None:
    kwh, per_mwh = [row[0] for row in rows], [row[1] for row in rows]

    (line,) = rate_energy(
        meters=[meter(kwh)], prices=strip(per_mwh), terms=SPOT, period=period(len(rows))
    )

    expected = sum(Fraction(k) * Fraction(p) / 1000 for k, p in rows)
    assert Fraction(line.amount.amount) == expected
    assert Fraction(line.quantity) == sum(map(Fraction, kwh))


@given(rows, energies)
def test_two_meters_cost_what_they_cost_apart(
    rows: list[tuple[Decimal, Decimal]], other: Decimal
) -> None:
    per_mwh = strip([row[1] for row in rows])
    first = meter([row[0] for row in rows], place="A")
    second = meter([other] * len(rows), name="M2", place="B")
    over = period(len(rows))

    together = rate_energy(meters=[first, second], prices=per_mwh, terms=SPOT, period=over)
    apart = [
        rate_energy(meters=[one], prices=per_mwh, terms=SPOT, period=over)[0]
        for one in (first, second)
    ]

    assert list(together) == apart


@given(rows, st.sampled_from(list(RoundingScope)), st.sampled_from(list(Rounding)))
def test_lines_add_up_and_stay_within_a_cent_of_exact(
    rows: list[tuple[Decimal, Decimal]], scope: RoundingScope, rounding: Rounding
) -> None:
    terms = RatingTerms(
        rule=PriceRule.SPOT,
        currency="EUR",
        adder_per_kwh=Decimal("0.0123"),
        standing_charge_per_day=Decimal("0.3333"),
    )
    lines = [
        *rate_energy(
            meters=[meter([row[0] for row in rows])],
            prices=strip([row[1] for row in rows]),
            terms=terms,
            period=period(len(rows)),
        ),
        *standing_charge(terms=terms, days=3),
    ]

    bill = make_bill(
        lines, rounding=RoundingRule(rounding, scope), tax_rate=Decimal("0.19"), currency="EUR"
    )

    exact = sum(Fraction(line.amount.amount) for line in lines)
    allowed = len(lines) if scope is RoundingScope.PER_LINE else 1
    assert sum(line.amount.amount for line in bill.lines) == bill.net.amount
    assert bill.net + bill.tax == bill.gross
    assert all(line.amount.is_payable for line in bill.lines)
    assert abs(Fraction(bill.net.amount) - exact) < allowed * Fraction(1, 100)


@pytest.mark.parametrize(
    ("readings", "sentence"),
    [
        ([hour(0), hour(2)], "M1 has no reading for \\[2027-03-01T01:00"),
        ([hour(0), hour(1)], "M1 has no reading for \\[2027-03-01T02:00"),
        ([hour(1), hour(2)], "M1 has no reading for \\[2027-03-01T00:00"),
        ([hour(0), hour(0)], "M1 has two readings at 2027-03-01T00:00"),
        ([hour(0), hour(1), hour(2), hour(3)], "across the end"),
    ],
)
def test_gap_in_the_readings_is_named(readings: list[Interval], sentence: str) -> None:
    series = MeterSeries("M1", "Depot", tuple(MeterReading(i, Decimal(1)) for i in readings))

    with pytest.raises(MeterGap, match=sentence):
        rate_energy(meters=[series], prices=strip([Decimal(1)] * 4), terms=SPOT, period=period(3))


def test_no_meter_is_a_gap() -> None:
    with pytest.raises(MeterGap, match="nothing was metered"):
        rate_energy(meters=[], prices=[], terms=SPOT, period=period(1))


def test_gap_in_the_prices_is_named() -> None:
    known = [IntervalPrice(hour(0), Decimal(50)), IntervalPrice(hour(2), Decimal(50))]

    with pytest.raises(PriceGap, match="2027-03-01T01:00"):
        rate_energy(meters=[meter([Decimal(1)] * 3)], prices=known, terms=SPOT, period=period(3))


def test_fixed_price_needs_no_spot() -> None:
    terms = RatingTerms(
        rule=PriceRule.FIXED, currency="EUR", fixed_price_per_kwh=Decimal("0.31415926")
    )

    (line,) = rate_energy(meters=[meter([Decimal("3")])], prices=[], terms=terms, period=period(1))

    assert line.amount.amount == Decimal("0.94247778")
    assert line.unit_price == Decimal("0.31415926")


def test_rule_and_fixed_price_go_together() -> None:
    with pytest.raises(RatingError, match="fixed_price_per_kwh"):
        RatingTerms(rule=PriceRule.FIXED, currency="EUR")
    with pytest.raises(RatingError, match="fixed_price_per_kwh"):
        RatingTerms(rule=PriceRule.SPOT, currency="EUR", fixed_price_per_kwh=Decimal(1))


@pytest.mark.parametrize("energy", ["-1", "NaN", "Infinity"])
def test_reading_that_is_no_volume_is_refused(energy: str) -> None:
    with pytest.raises(RatingError, match="energy_kwh"):
        MeterReading(hour(0), Decimal(energy))


def test_bill_refuses_no_lines_and_impossible_taxes() -> None:
    lines = standing_charge(
        terms=RatingTerms(
            rule=PriceRule.SPOT, currency="EUR", standing_charge_per_day=Decimal("0.5")
        ),
        days=1,
    )

    with pytest.raises(RatingError, match="at least one line"):
        make_bill([], rounding=RoundingRule(), tax_rate=Decimal(0), currency="EUR")
    with pytest.raises(RatingError, match="tax_rate"):
        make_bill(lines, rounding=RoundingRule(), tax_rate=Decimal("1.9"), currency="EUR")
    with pytest.raises(RatingError, match="days"):
        standing_charge(terms=SPOT, days=0)
    assert standing_charge(terms=SPOT, days=1) == ()
