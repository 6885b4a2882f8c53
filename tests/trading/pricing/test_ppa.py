"""PPAs: written numbers, a sampled twin of every clause, parities, sums, months and refusals."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from energyopti.foundation.calendars import Calendar, DatePeriod
from trading.curves import DeliveryGrid
from trading.pricing import (
    ModelChoice,
    NegativePrices,
    NonPositivePrice,
    PpaTerms,
    PriceModel,
    PricingError,
    baseload_conversion,
    escalation_factors,
    exceedance_factor,
    ppa,
)

BLACK = ModelChoice(PriceModel.BLACK76)
PARTS = ("energy", "shape", "balancing", "optionality", "discounting")
# Two months of two intervals: base prices 50 and 20.
GRID = {"forward": [40.0, 60.0, 60.0, -20.0], "hours": 2.0, "month": [0, 0, 1, 1]}
VOLUME = np.array([3.0, 1.0, 1.0, 3.0])


def value(terms, **changes):
    return ppa(terms=terms, **({"volume": VOLUME, **GRID} | changes))


def parts(found):
    return {name: float(getattr(found, name)) for name in PARTS}


def test_a_fixed_price_is_taken_apart_into_energy_shape_balancing_and_discount():
    found = value(PpaTerms(30.0, balancing=2.0), discount=[0.9, 0.9, 0.8, 0.8])

    # 8 MWh: 4 × 50 + 4 × 20 at base, 180 + 0 as generated; flows 60 − 8 and −120 − 8.
    assert parts(found) == pytest.approx(
        {"energy": 40.0, "shape": -100.0, "balancing": -16.0, "optionality": 0.0,
         "discounting": -0.1 * 52 + 0.2 * 128}
    )  # fmt: skip
    assert found.cash_flow == pytest.approx([52.0, -128.0])
    assert found.present_value == pytest.approx([46.8, -102.4])
    assert float(found.value) == pytest.approx(46.8 - 102.4)
    assert found.base_price == pytest.approx([50.0, 20.0])
    assert float(found.capture_price) == pytest.approx(180 / 8)
    assert float(found.capture_rate) == pytest.approx(180 / 8 / 35)
    assert found.delta == pytest.approx([0.9 * 4, 0.8 * 4])


def test_of_a_floating_price_only_the_premium_is_left():
    found = value(PpaTerms(-1.5, multiplier=1.0))

    assert parts(found) == pytest.approx(
        {"energy": 12.0, "shape": 0.0, "balancing": 0.0, "optionality": 0.0, "discounting": 0.0}
    )


@pytest.mark.parametrize(
    ("terms", "due"),
    [
        (PpaTerms(0.0, multiplier=1.0, floor=10.0), [40, 60, 60, 10]),
        (PpaTerms(0.0, multiplier=1.0, cap=45.0), [40, 45, 45, -20]),
        (PpaTerms(5.0, multiplier=0.5, floor=26.0, cap=30.0), [26, 30, 30, 26]),
        (PpaTerms(30.0, negative_prices=NegativePrices.NO_PAYMENT), [30, 30, 30, 0]),
        (PpaTerms(0.0, 1.0, 10.0, negative_prices=NegativePrices.NO_PAYMENT), [40, 60, 60, 0]),
        # Without volume nothing is due, and the −20 of the market are not borne either.
        (PpaTerms(30.0, negative_prices=NegativePrices.CURTAILED), [30, 30, 30, -20]),
        (PpaTerms(0.0, 1.0, 10.0, 45.0, NegativePrices.CURTAILED), [40, 45, 45, -20]),
    ],
)
def test_bounds_and_clauses_are_hard_without_time(terms, due):
    found = value(terms)

    market = np.array([40.0, 60.0, 60.0, -20.0])
    assert float(found.value) == pytest.approx(float((VOLUME * (market - due)).sum()))


def test_a_price_of_zero_is_paid():
    found = ppa(
        terms=PpaTerms(30.0, negative_prices=NegativePrices.NO_PAYMENT),
        volume=[1.0], forward=[0.0], hours=1.0, month=[0],
    )  # fmt: skip

    assert float(found.value) == -30.0


def test_an_hour_at_the_floor_is_worth_its_deviation_over_root_two_pi():
    found = ppa(
        terms=PpaTerms(0.0, multiplier=1.0, floor=40.0),
        volume=[-100.0], forward=[40.0], hours=1.0, month=[0], expiry=0.25, volatility=30.0,
    )  # fmt: skip

    # Sold: the holder has the floor. 30 √0.25 / √(2π) = 5.98413 a MWh.
    assert float(found.optionality) == pytest.approx(598.413420602, rel=1e-10)


@pytest.mark.parametrize("choice", [
    ModelChoice(PriceModel.BACHELIER), BLACK, ModelChoice(PriceModel.DISPLACED_BLACK, 50.0),
], ids=lambda c: c.model.value)  # fmt: skip
@pytest.mark.parametrize(
    ("clause", "floor", "cap", "price"),
    [
        *product(NegativePrices, [None, 25.0], [None, 38.0], [4.0]),
        *product(NegativePrices, [-12.0], [None, -5.0], [4.0]),
    ],
)
def test_equals_the_mean_over_sampled_prices(choice, clause, floor, cap, price):
    m, F, T = 0.9, 30.0, 0.5
    sigma = 28.0 if choice.model is PriceModel.BACHELIER else 0.7
    deviates = ndtri((np.arange(400_000) + 0.5) / 400_000)
    spread = sigma * np.sqrt(T)
    shift = choice.displacement
    spot = (
        F + spread * deviates
        if choice.model is PriceModel.BACHELIER
        else (F + shift) * np.exp(spread * deviates - spread**2 / 2) - shift
    )
    due = m * spot + price
    due = due if floor is None else np.maximum(due, floor)
    due = due if cap is None else np.minimum(due, cap)
    paid = (spot >= 0) | (clause is NegativePrices.PAID)
    taken = (spot >= 0) | (clause is not NegativePrices.CURTAILED)
    mean = (taken * (spot - 1.5) - paid * due).mean()

    found = ppa(
        terms=PpaTerms(price, m, floor, cap, clause, balancing=1.5),
        volume=[2.0], forward=[F], hours=1.0, month=[0], expiry=T, volatility=sigma, model=choice,
    )  # fmt: skip

    # The tails that 400,000 points miss are some 1e-4 of a deviation of 20.
    assert float(found.value) == pytest.approx(2 * mean, abs=3e-3)


@pytest.mark.parametrize("clause", list(NegativePrices))
@pytest.mark.parametrize(
    "choice", [ModelChoice(PriceModel.BACHELIER), ModelChoice(PriceModel.DISPLACED_BLACK, 80.0)],
    ids=lambda c: c.model.value,
)  # fmt: skip
def test_delta_and_vega_equal_central_differences(clause, choice):
    terms = PpaTerms(-2.0, 0.95, 15.0, 70.0, clause, balancing=3.0)
    forward = np.array([40.0, 60.0, 60.0, -20.0])
    sigma, h = (25.0, 1e-3) if choice.model is PriceModel.BACHELIER else (0.4, 1e-5)
    given_terms = {"expiry": [0.1, 0.2, 0.3, 0.4], "discount": 0.9, "model": choice}

    found = value(terms, volatility=sigma, **given_terms)

    for month in range(2):
        move = 1e-3 * (np.array(GRID["month"]) == month)
        up, down = (
            float(value(terms, forward=forward + s * move, volatility=sigma, **given_terms).value)
            for s in (1, -1)
        )
        assert found.delta[month] == pytest.approx((up - down) / 2e-3, rel=1e-6)
    up, down = (float(value(terms, volatility=sigma + s * h, **given_terms).value) for s in (1, -1))
    assert float(found.vega.sum()) == pytest.approx((up - down) / (2 * h), rel=1e-5)


spots = st.lists(st.floats(-150, 300), min_size=1, max_size=8)
vols = st.just(0.0) | st.floats(0.01, 100.0)
strikes = st.floats(-30.0, 120.0)


def hourly(spot, **more):
    return {
        "volume": np.linspace(1.0, 2.0, len(spot)), "forward": spot, "hours": 1.0,
        "month": np.arange(len(spot)) // 3, "expiry": np.linspace(0.0, 1.5, len(spot)),
    } | more  # fmt: skip


@settings(deadline=None)
@given(spots, vols, strikes, st.floats(0, 40), st.sampled_from(NegativePrices), st.floats(0, 1.5))
def test_the_parts_sum_to_the_discounted_flows(spot, vol, floor, width, clause, m):
    bounds = {"floor": floor, "cap": floor + width} if m > 0.01 else {}
    terms = PpaTerms(3.0, m if bounds else 0.0, negative_prices=clause, balancing=1.0, **bounds)
    discount = np.exp(-0.04 * np.linspace(0, 1.5, len(spot)))

    found = ppa(terms=terms, **hourly(spot, volatility=vol, discount=discount))

    assert float(found.value) == sum(getattr(found, name) for name in PARTS)
    assert float(found.value) == pytest.approx(float(found.present_value.sum()), abs=1e-8)
    undiscounted = sum(getattr(found, name) for name in PARTS[:4])
    assert float(undiscounted) == pytest.approx(float(found.cash_flow.sum()), abs=1e-8)


@settings(deadline=None)
@given(spots, vols, strikes)
def test_a_collar_of_one_strike_is_a_fixed_price(spot, vol, strike):
    collar = ppa(
        terms=PpaTerms(0.0, multiplier=1.0, floor=strike, cap=strike),
        **hourly(spot, volatility=vol),
    )
    fixed = ppa(terms=PpaTerms(strike), **hourly(spot))

    assert float(collar.value) == pytest.approx(float(fixed.value), abs=1e-8)


@settings(deadline=None)
@given(spots, vols, strikes, st.floats(0, 50))
def test_bounds_help_who_holds_them_and_more_so_with_volatility(spot, vol, strike, more):
    def worth(sigma, **bounds):
        return float(
            ppa(
                terms=PpaTerms(1.0, multiplier=1.0, **bounds), **hourly(spot, volatility=sigma)
            ).optionality
        )

    # The seller holds the floor, the buyer the cap; both are seen from the buyer.
    assert worth(vol, floor=strike) <= 1e-9
    assert worth(vol, cap=strike) >= -1e-9
    if more > 0.01:
        assert worth(vol + more, floor=strike) <= worth(vol, floor=strike) + 1e-9
        assert worth(vol + more, cap=strike) >= worth(vol, cap=strike) - 1e-9


@settings(deadline=None)
@given(spots, vols, st.floats(0.0, 100.0))
def test_no_payment_below_zero_helps_the_buyer_and_curtailment_more(spot, vol, price):
    paid, unpaid, curtailed = (
        float(
            ppa(terms=PpaTerms(price, negative_prices=clause), **hourly(spot, volatility=vol)).value
        )
        for clause in NegativePrices
    )

    assert paid <= unpaid + 1e-9
    assert unpaid <= curtailed + 1e-9


@settings(deadline=None)
@given(spots, vols, strikes)
def test_who_sells_has_what_the_buyer_has_not(spot, vol, floor):
    terms = PpaTerms(2.0, multiplier=0.8, floor=floor)
    grid = hourly(spot, volatility=vol)

    bought, sold = (
        ppa(terms=terms, **grid),
        ppa(terms=terms, **(grid | {"volume": -grid["volume"]})),
    )

    assert float(sold.value) == pytest.approx(-float(bought.value), abs=1e-9)


def test_balancing_costs_who_bears_it_on_either_side():
    bought, sold = (
        value(PpaTerms(30.0, balancing=2.0), volume=side * VOLUME).balancing for side in (1, -1)
    )

    assert float(bought) == float(sold) == -16.0


def test_scenarios_come_first_and_volumes_scale():
    shares = exceedance_factor(deviation=0.1, probability=[0.5, 0.9])

    found = value(PpaTerms(30.0, balancing=2.0), volume=shares[:, np.newaxis] * VOLUME)

    assert shares == pytest.approx([1.0, 1 - 0.1 * 1.2815515655446004])
    assert found.value.shape == (2,)
    assert found.cash_flow.shape == (2, 2)
    assert found.value == pytest.approx(-76.0 * shares)


def test_scenarios_of_prices_share_one_volume():
    forward = np.array([[40.0, 60.0, 60.0, -20.0], [1.0, 2.0, 3.0, 4.0]])

    both = value(PpaTerms(0.0, 1.0, floor=10.0), forward=forward, volatility=20.0, expiry=0.5)

    for row, expected in zip(forward, both.value, strict=True):
        alone = value(PpaTerms(0.0, 1.0, floor=10.0), forward=row, volatility=20.0, expiry=0.5)
        assert float(alone.value) == pytest.approx(float(expected), rel=1e-14)


def test_prices_rise_with_each_anniversary():
    month = np.repeat(np.arange(30), 2)

    flat = escalation_factors(month=month, rate=0.02, start=0)
    path = escalation_factors(month=month, rate=[0.02, 0.05], start=0)

    assert flat[[0, 23, 24, 47, 48, -1]] == pytest.approx([1, 1, 1.02, 1.02, 1.0404, 1.0404])
    assert path[-1] == pytest.approx(1.02 * 1.05)
    dated = escalation_factors(
        month=np.array(["2026-12", "2027-01"], dtype="datetime64[M]"), rate=0.1,
        start=np.datetime64("2026-01"),
    )  # fmt: skip
    assert dated == pytest.approx([1.0, 1.1])


def test_a_year_of_quarter_hours_keeps_the_clock_changes():
    berlin = Calendar("Europe/Berlin")
    months = [DatePeriod.months(2027, month) for month in range(1, 13)]
    counts = [len(DeliveryGrid.over(berlin, period, minutes=15)) for period in months]

    found = ppa(
        terms=PpaTerms(50.0), volume=np.full(sum(counts), 0.25), forward=55.0, hours=0.25,
        month=np.repeat([np.datetime64(period.first, "M") for period in months], counts),
    )  # fmt: skip

    assert found.hours[[2, 9]] == pytest.approx([743.0, 745.0])
    assert float(found.value) == pytest.approx(8760 * 5.0)


def test_base_load_costs_what_the_profile_earns_less_than_base():
    found = baseload_conversion(volume=VOLUME, **GRID, balancing=2.0)

    assert found.power == pytest.approx([1.0, 1.0])
    assert found.residual == pytest.approx([1.0, -1.0, -1.0, 1.0])
    assert found.shape_cost == pytest.approx([20.0, 80.0])
    assert found.balancing_cost == pytest.approx([8.0, 8.0])
    assert float(found.premium) == pytest.approx(116 / 8)


@given(spots)
def test_a_conversion_keeps_each_months_energy_and_earns_the_shape_cost(spot):
    grid = hourly(spot)
    del grid["expiry"]

    found = baseload_conversion(**grid)

    month = np.repeat(found.months, np.diff(np.searchsorted(grid["month"], [*found.months, 9999])))
    for label in found.months:
        assert float(found.residual[month == label].sum()) == pytest.approx(0.0, abs=1e-12)
    assert float((found.residual * spot).sum()) == pytest.approx(
        -float(found.shape_cost.sum()), abs=1e-9
    )
    fixed = ppa(terms=PpaTerms(7.0), **grid)
    assert float(fixed.shape) == pytest.approx(-float(found.shape_cost.sum()), abs=1e-9)


def test_base_load_has_no_shape_cost():
    found = baseload_conversion(volume=2.0 * np.ones(4), **GRID)

    assert found.shape_cost == pytest.approx([0.0, 0.0])
    assert found.residual == pytest.approx(np.zeros(4))


def test_refuses_a_capture_price_of_nothing():
    found = value(PpaTerms(30.0), volume=np.zeros(4))

    with pytest.raises(PricingError, match=r"^volume: sums to 0, so there is no capture price"):
        _ = found.capture_price
    with pytest.raises(PricingError, match=r"^base price: sums to 0, so there is no capture rate"):
        _ = value(PpaTerms(30.0), forward=[1.0, -1.0, 1.0, -1.0]).capture_rate


@pytest.mark.parametrize(
    ("terms", "changes", "message"),
    [
        (PpaTerms(30.0), {"volume": []}, r"^volume: must have at least one interval"),
        (PpaTerms(30.0), {"forward": [1.0, 2.0]}, r"^forward: shape \(2,\) must fit \(4,\)"),
        (PpaTerms(30.0), {"volume": [1.0]}, r"^forward: has 4 intervals; must have 1"),
        (PpaTerms(30.0), {"forward": [1.0, 2.0, np.inf, 4.0]}, r"^forward\[2\]: inf must be a"),
        (PpaTerms(30.0), {"hours": 0.0}, r"^hours: 0.0 must be above 0"),
        (PpaTerms(30.0), {"month": [0, 1, 0, 1]}, r"^month\[2\]: must not descend"),
        (PpaTerms(30.0), {"month": [0, 0, 1]}, r"^month: has 3 intervals; must have 4"),
        (PpaTerms(30.0), {"month": [0.0, 0.0, 1.0, 1.0]}, r"^month: must be whole numbers"),
        (PpaTerms(30.0), {"expiry": -1.0}, r"^expiry: -1.0 must not be negative"),
        (PpaTerms(30.0), {"volatility": np.nan}, r"^volatility: nan must not be negative"),
        (PpaTerms(30.0), {"discount": [1.0, 1.0, 0.0, 1.0]}, r"^discount\[2\]: 0.0 must be above"),
        (PpaTerms(np.nan), {}, r"^price: nan must be a number"),
        (PpaTerms(30.0, balancing=-1.0), {}, r"^balancing: -1.0 must not be negative"),
        (PpaTerms(30.0, floor=10.0), {}, r"^floor: bounds a floating price"),
        (PpaTerms(0.0, 1.0, cap=np.inf), {}, r"^cap: inf must be a number"),
        (PpaTerms(0.0, -1.0), {}, r"^multiplier: -1.0 must not be negative"),
        (PpaTerms(0.0, 1.0, [1.0, 5.0, 1.0, 1.0], 4.0), {}, r"^floor\[1\]: 5.0 must not be above"),
    ],
)
def test_refuses_what_it_cannot_value(terms, changes, message):
    with pytest.raises(PricingError, match=message):
        value(terms, **changes)


def test_takes_a_clause_by_its_word_and_refuses_another():
    by_word, by_member = (
        value(PpaTerms(30.0, negative_prices=clause)) for clause in ("PAID", NegativePrices.PAID)
    )

    assert float(by_word.value) == float(by_member.value)
    with pytest.raises(PricingError, match=r"^negative_prices: SHARED must be one of PAID, NO_PAY"):
        value(PpaTerms(30.0, negative_prices="SHARED"))


def test_refuses_a_forward_that_the_model_cannot_take():
    with pytest.raises(NonPositivePrice, match=r"^forward\[3\]: -20.0 must be above 0 in BLACK76"):
        value(PpaTerms(30.0), model=BLACK)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": -1.0}, r"^rate\[0\]: -1.0 must be above -1"),
        ({"rate": [0.02]*3 + [np.nan]}, r"^rate\[3\]: nan must be above -1"),
        ({"rate": [0.02, 0.02]}, r"^rate: has 2 years; must have 3, to the last month"),
        ({"start": 5}, r"^month\[0\]: 4 must not be before the start, 5"),
    ],
)  # fmt: skip
def test_refuses_indexation_it_cannot_follow(changes, message):
    with pytest.raises(PricingError, match=message):
        escalation_factors(**({"month": [4, 40], "rate": 0.02, "start": 0} | changes))


@pytest.mark.parametrize("probability", [0.0, 1.0, np.nan])
def test_refuses_a_probability_that_is_none(probability):
    with pytest.raises(PricingError, match=r"^probability: .* must be above 0 and below 1"):
        exceedance_factor(deviation=0.1, probability=probability)


def test_output_is_exceeded_less_the_surer_one_wants_to_be():
    shares = exceedance_factor(deviation=0.5, probability=[0.1, 0.5, 0.75, 0.9, 0.99])

    assert all(a >= b for a, b in pairwise(shares))
    assert shares[-1] == 0.0
