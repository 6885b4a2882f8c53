"""Adapters of reference cases: what a case may leave out or add, and terms that none reads."""

import pytest
from django.apps import apps

from energyopti.foundation.validation.registry import Question, Unsupported, adapters

OPTION = {"type": "call", "F": 80.0, "K": 75.0, "T": 0.5, "r": 0.04}
SPREAD = {"F1": 80.0, "F2": 70.0, "K": 5.0, "T": 0.5, "r": 0.04, "vol1": 0.3, "vol2": 0.4,
          "rho": 0.5}  # fmt: skip
AVERAGE = {"type": "call", "F": 80.0, "K": 75.0, "r": 0.04, "T": 0.5,
           "fixing_days_act360": [60, 90, 120], "vol_per_fixing": [0.4]}  # fmt: skip
STORAGE = {
    "value_date": "2027-01-01", "start": "2027-02-01", "end_exclusive": "2027-02-11",
    "price_low": 20.0, "price_high": 30.0, "high_from": "2027-02-06", "interest_rate": 0.0,
    "max_inventory": 1_000.0, "max_injection_per_day": 100.0, "max_withdrawal_per_day": 100.0,
}  # fmt: skip
PLANT = {"power_prices": [60.0, 60.0, 10.0, 60.0], "fuel_prices": [20.0] * 4, "p_min": 10.0,
         "p_max": 20.0, "heat_rate": 2.0, "startup_fix_cost": 50.0}  # fmt: skip
CASES = {
    "black76": OPTION | {"vol": 0.4},
    "bachelier": OPTION | {"normal_vol": 20.0, "F": -8.0},
    "black76_implied_vol": OPTION | {"price": 12.0},
    "kirk_spread": SPREAD,
    "spread_exact": SPREAD,
    "margrabe": {"S1": 80.0, "S2": 70.0, "T": 0.5, "vol1": 0.3, "vol2": 0.4, "rho": 0.5},
    "asian_turnbull_wakeman": AVERAGE,
    "apo_turnbull_wakeman": AVERAGE,
    "asian_levy": {"type": "put", "S": 80.0, "K": 85.0, "r": 0.04, "vol": 0.4, "length_days": 180},
    "storage_intrinsic": STORAGE,
    "vpp_intrinsic": PLANT,
    "swing_option": {"S": 30.0, "K": 30.0, "type": "put", "r": 0.04, "vol": 0.4, "rights": 1,
                     "value_date": "2027-01-01", "exercise_dates": ["2027-02-01", "2027-03-01"]},
}  # fmt: skip


def answer(topic, **terms):
    assert apps.ready
    inputs = {name: term for name, term in (CASES[topic] | terms).items() if term is not None}
    return adapters.answer(Question(topic, topic, inputs, asked=(), folder=None))


@pytest.mark.parametrize("topic", CASES)
def test_a_term_that_no_adapter_reads_is_not_passed_over(topic):
    assert min(abs(value) for value in answer(topic).values()) >= 0.0

    with pytest.raises(Unsupported, match="inputs have barrier, knock, which no adapter reads"):
        answer(topic, knock="in", barrier=60.0)


@pytest.mark.parametrize("topic", ["black76", "kirk_spread", "apo_turnbull_wakeman"])
def test_a_discount_factor_stands_for_a_rate(topic):
    by_factor = answer(topic, r=None, discount=0.9801986733067553)

    assert by_factor == pytest.approx(answer(topic))
    with pytest.raises(Unsupported, match="both discount and r"):
        answer(topic, discount=0.98)


def test_past_fixings_count_as_the_open_ones():
    """Three of six fixed at 90 and the rest at 80 without volatility: 85 on average."""
    found = answer("apo_turnbull_wakeman", vol_per_fixing=0.0, past_fixings=[90.0] * 3, r=0.0)

    assert found["price"] == pytest.approx(10.0)
    with pytest.raises(Unsupported, match="F has 2 values for 3 fixings"):
        answer("apo_turnbull_wakeman", F=[80.0, 81.0])


def test_storage_says_its_end_and_its_ratchets():
    whole = answer("storage_intrinsic")["npv"]
    rows = [[0.0, 100.0], [1_000.0, 100.0]]

    assert whole == pytest.approx(500.0 * 10.0)
    assert answer("storage_intrinsic", max_injection_per_day=rows)["npv"] == pytest.approx(whole)
    full = {"start_inventory": 100.0, "terminal_inventory": 100.0}
    assert answer("storage_intrinsic", **full)["npv"] == pytest.approx(5_000.0)
    assert answer("storage_intrinsic", terminal_value=30.0)["npv"] == pytest.approx(5_000.0)
    half = [[0.0, 100.0], [250.0, 50.0], [1_000.0, 50.0]]
    stepped = answer("storage_intrinsic", max_injection_per_day=half, ratchets="step")["npv"]
    assert stepped == pytest.approx(10.0 * (100.0 + 100.0 + 50.0 * 3 + 50.0))
    with pytest.raises(Unsupported, match="rows of inventory and rate"):
        answer("storage_intrinsic", max_injection_per_day=half, ratchets="round")
    with pytest.raises(Unsupported, match="in words, beside terminal_value"):
        answer("storage_intrinsic", terminal_value=30.0, terminal="empty")


def test_plant_says_how_it_stood_and_what_its_carbon_costs():
    """At 60 it earns (60 − 40) × 20 an hour; at 10 it stops, for 50, sooner than lose 300."""
    assert answer("vpp_intrinsic")["npv"] == pytest.approx(400.0 * 3 - 50.0)
    assert answer("vpp_intrinsic", initial_on=False)["npv"] == pytest.approx(1_100.0)
    waits = answer("vpp_intrinsic", initial_on=False, initial_hours=1, min_down=2)
    assert waits["npv"] == pytest.approx(400.0 * 2 - 300.0 - 50.0)
    carbon = answer("vpp_intrinsic", carbon_prices=50.0, emission_factor=0.1)
    assert carbon["npv"] == pytest.approx((60.0 - 50.0) * 20.0 * 3 - 50.0)
    with pytest.raises(Unsupported, match="go together"):
        answer("vpp_intrinsic", carbon_prices=50.0)
