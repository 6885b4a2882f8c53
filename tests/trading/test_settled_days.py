"""What one delivered day of a contract with choices pays, against sums made by hand."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from tests.trading.valuation.structures_desk import BATTERY, RIGHT, STORAGE, SWING, TOLLING, TTF
from trading.deals import PriceIndex, RightForm
from trading.queries.option_prices import Fixings
from trading.services.structure_settlement import settled_day

HOUR = timedelta(hours=1)


def day_of(leg, number=0):
    first = leg.schedule.period.first
    return leg.schedule.area.calendar.day(first + timedelta(days=number))


def published(whole, prices):
    """Hourly prices of a day; an hour without one is None."""
    starts = [whole.start + n * HOUR for n in range(len(prices))]
    known = [
        (start, F(D(str(p)))) for start, p in zip(starts, prices, strict=True) if p is not None
    ]
    return Fixings(
        tuple(start for start, _ in known),
        tuple(start + HOUR for start, _ in known),
        tuple(price for _, price in known),
    )


def paid(leg, said, *prices, was_on=False, day=0):
    whole = day_of(leg, day)
    quantities = None if said is None else tuple(D(str(one)) for one in said)
    return settled_day(leg, whole, quantities, was_on, [published(whole, one) for one in prices])


def changed(leg, **terms):
    return replace(leg, terms=replace(leg.terms, **terms))


def at(hours, value, others=0, count=24):
    """A day that has a value in some hours."""
    return [value if n in hours else others for n in range(count)]


def test_gas_is_withdrawn_less_fuel_and_injected_with_it():
    store = changed(STORAGE, withdrawal_fuel=D(2))

    out = paid(store, [100], [31] * 24)
    into = paid(store, [-50], [29] * 24)

    # 100 × (31 × 0.98 − 0.25); −50 × (29 × 1.015 + 0.50)
    assert (out.paid, out.amount) == (F(3013), 100)
    assert (into.paid, into.amount) == (F(D("-1496.75")), 50)


@pytest.mark.parametrize("leg", [STORAGE, SWING], ids=["storage", "swing"])
def test_a_day_of_gas_waits_for_its_last_hour(leg):
    assert paid(leg, [100], [31] * 23 + [None]) is None


def test_who_has_a_swing_and_is_silent_takes_the_least_and_of_a_store_nothing():
    # 24 × (30.00 − 28.50)
    assert paid(SWING, None, [30] * 24).paid == 36
    assert paid(SWING, [0], [30] * 24).amount == 0
    assert paid(STORAGE, None, [30] * 24).amount == 0


def test_a_battery_pays_what_it_charges_and_its_wear_when_it_discharges():
    said = [0, 0, -10, -10, *[0] * 14, 10, *[0] * 5]
    prices = at({2}, 20)
    prices[3], prices[18] = -5, 100

    found = paid(BATTERY, said, prices)

    # −10 × 20 + 10 × 5 + 10 × (100 − 2); of 30 MWh moved the mean price is 1,150 / 30.
    assert (found.paid, found.amount, found.prices) == (830, 30, (F(1150, 30),))


def test_of_a_battery_only_hours_that_it_is_used_need_a_price():
    said = at({18}, 10)

    assert paid(BATTERY, said, at({18}, 100, others=None)).paid == 980
    assert paid(BATTERY, said, at({18}, None, others=100)) is None
    assert paid(BATTERY, None, [100] * 24).amount == 0


@pytest.mark.parametrize(
    ("form", "firmness", "expected"),
    [
        # 10 MW: 12 hours of +5 and 12 of −3.
        (RightForm.OPTION, 100, F(600)),
        (RightForm.OBLIGATION, 100, F(240)),
        (RightForm.OPTION, 95, F(570)),
        (RightForm.OBLIGATION, 95, F(228)),
    ],
)
def test_a_right_pays_the_spread_of_each_hour_and_an_obligation_costs_it(form, firmness, expected):
    right = changed(RIGHT, form=form, firmness=D(firmness))

    found = paid(right, None, [40] * 24, [45] * 12 + [37] * 12)

    assert (found.paid, found.amount) == (expected, F(240 * firmness, 100))
    assert found.prices == (40, 41)


def test_a_right_has_the_hours_of_its_day_and_waits_for_both_prices():
    short = 27  # 28 March 2027 in Berlin and Paris

    assert paid(RIGHT, None, [40] * 23, [45] * 23, day=short).amount == 230
    assert paid(RIGHT, None, [40] * 24, [45] * 23 + [None]) is None
    assert paid(RIGHT, None, [None] + [40] * 23, [45] * 24) is None


def test_a_plant_burns_fuel_carbon_and_a_start_whenever_it_was_off():
    plant = replace(
        TOLLING,
        underlying=(*TOLLING.underlying, PriceIndex("EUA", TTF)),
        terms=replace(TOLLING.terms, start_fuel=D(100), fuel_addon=D(2), carbon_intensity=D("0.2")),
    )
    said = at({6, 7, 20}, 50)

    found = paid(plant, said, [100] * 24, [30] * 24, [75] * 24)

    # Fuel at 30 + 2 + 75 × 0.2 = 47 an MWh. 150 MWh at 100 less 1.20 and 1.9 × 47; two starts at
    # 1,500 and 100 MWh of fuel.
    expected = 150 * (D(100) - D("1.20") - D("1.9") * 47) - 2 * (1500 + 100 * 47)
    assert found.paid == F(expected)
    assert (found.amount, found.prices) == (150, (100, 30, 75))


def test_a_plant_that_ran_over_midnight_does_not_start_again():
    said = at({0, 1}, 50)
    prices = [100] * 24, [30] * 24

    assert paid(TOLLING, said, *prices).paid == 100 * F(D("41.80")) - 1500
    assert paid(TOLLING, said, *prices, was_on=True).paid == 100 * F(D("41.80"))


def test_of_a_plant_only_hours_that_it_runs_need_both_prices():
    said = at({6}, 50)

    assert paid(TOLLING, said, at({6}, 100, others=None), at({6}, 30, others=None)) is not None
    assert paid(TOLLING, said, [100] * 24, at({6}, None, others=30)) is None
    assert paid(TOLLING, None, [100] * 24, [30] * 24).amount == 0
