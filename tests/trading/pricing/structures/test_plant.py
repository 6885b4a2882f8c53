"""Plants on the curve: dynamic programming beside a mixed-integer programme, replayed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import PricingError
from trading.pricing.structures import (
    InfeasibleContract,
    Method,
    Plant,
    PlantState,
    plant_intrinsic,
)
from trading.pricing.structures._plant import by_programme, plant_prices


def days(count):
    return np.datetime64("2027-01-30") + np.arange(count) // 24


def replay(plant, plan, power, fuel, carbon, discount):
    """Run a commitment, refuse what the terms forbid, and return what it earned."""
    was = plant.initial
    on, age = (None, 0) if was is None else (was.is_on, was.intervals)
    output, money = (was.output_mw if was else 0.0), 0.0
    points, heats = np.asarray(plant.output_mw), np.asarray(plant.heat_mw)
    for t in range(len(power)):
        now, level, burnt = bool(plan.on[t]), plan.output_mw[t], 0.0
        assert now <= plant.available[t]
        if on is None:  # as the holder likes, and for as long
            age, started = 10**9, False
        elif now != on:
            assert age >= (plant.min_up if on else plant.min_down), t
            age, started = 1, now
            if started and plant.ramp_up is not None:
                assert level <= points[0] + 1e-6
            if not now and plant.ramp_down is not None and t:
                assert output <= points[0] + 1e-6
        else:
            age, started = age + 1, False
            if now and plant.ramp_up is not None:
                assert level - output <= plant.ramp_up + 1e-6
            if now and plant.ramp_down is not None:
                assert output - level <= plant.ramp_down + 1e-6
        assert started == plan.started[t]
        if now:
            assert points[0] - 1e-6 <= level <= points[-1] + 1e-6
            burnt = np.interp(level, points, heats) * plant.interval_hours
        else:
            assert level == 0
        burnt += plant.start_fuel if started else 0.0
        assert burnt == pytest.approx(plan.fuel_mwh[t], abs=1e-6)
        sold = level * plant.interval_hours
        money += discount[t] * (
            sold * (power[t] - plant.output_cost)
            - burnt * (fuel[t] + plant.fuel_addon + plant.carbon_intensity * carbon[t])
            - (plant.start_cost if started else 0.0)
        )
        on, output = now, level
    return money


terms = st.fixed_dictionaries(
    {
        "min_up": st.integers(1, 4),
        "min_down": st.integers(1, 4),
        "start_cost": st.sampled_from([0.0, 150.0]),
        "start_fuel": st.sampled_from([0.0, 8.0]),
        "carbon_intensity": st.sampled_from([0.0, 0.2]),
        "initial": st.sampled_from(
            [None, PlantState(True, 1, 30.0), PlantState(False, 1), PlantState(False, 9)]
        ),
    }
)


@given(terms, st.lists(st.integers(-40, 140), min_size=3, max_size=20), st.booleans())
@settings(max_examples=40, deadline=None)
def test_dynamic_programming_equals_the_mixed_integer_programme(asked, prices, is_convex):
    # Neither a rising nor a falling marginal heat rate may need more than the curve's points.
    heat = [30.0, 62.0, 110.0] if is_convex else [40.0, 62.0, 80.0]
    plant = Plant(
        dates=days(len(prices)), output_mw=[10.0, 30.0, 50.0], heat_mw=heat, output_cost=1.5,
        fuel_addon=2.0, interval_hours=0.5, **asked,
    )  # fmt: skip
    power = np.array(prices, dtype=float)
    fuel, carbon = np.full(len(power), 24.0), np.full(len(power), 70.0)
    discount = 0.99 ** np.arange(len(power))

    plan = plant_intrinsic(plant, power, fuel, carbon=carbon, discount=discount)

    market = plant_prices(plant, power, fuel, carbon, discount)
    on, output, gap = by_programme(plant, *market, 60.0)
    assert gap == 0
    other = _worth(plant, on, output, power, fuel, carbon, discount)
    assert plan.value == pytest.approx(other, abs=1e-7 * max(1.0, abs(other)))
    assert plan.method is Method.DYNAMIC_PROGRAMME
    assert replay(plant, plan, power, fuel, carbon, discount) == pytest.approx(plan.value, abs=1e-6)
    assert plan.cash_flow.sum() == pytest.approx(plan.value, abs=1e-9)


def _worth(plant, on, output, power, fuel, carbon, discount):
    was_on = bool(on[0]) if plant.initial is None else plant.initial.is_on
    started = on & ~np.concatenate([[was_on], on[:-1]])
    heat = np.where(on, np.interp(output, plant.output_mw, plant.heat_mw), 0.0)
    burnt = heat * plant.interval_hours + started * plant.start_fuel
    earned = output * plant.interval_hours * (power - plant.output_cost)
    earned -= burnt * (fuel + plant.fuel_addon + plant.carbon_intensity * carbon)
    return float(discount @ (earned - started * plant.start_cost))


@given(
    st.lists(st.integers(-20, 140), min_size=4, max_size=16),
    st.sampled_from([5.0, 12.0]),
    st.sampled_from([None, 8.0]),
    st.sampled_from([None, PlantState(True, 3, 25.0), PlantState(False, 1)]),
)
@settings(max_examples=25, deadline=None)
def test_ramps_are_kept_and_never_worth_more(prices, up, down, initial):
    asked = {"min_up": 2, "min_down": 2, "start_cost": 80.0, "initial": initial}
    free = Plant.with_heat_rate(
        days(len(prices)), p_min=10.0, p_max=40.0, heat_rate=2.0, **asked
    )  # fmt: skip
    ramped = Plant.with_heat_rate(
        days(len(prices)), p_min=10.0, p_max=40.0, heat_rate=2.0, ramp_up=up, ramp_down=down,
        **asked,
    )  # fmt: skip
    power = np.array(prices, dtype=float)
    fuel, flat = np.full(len(power), 25.0), np.ones(len(power))

    plan = plant_intrinsic(ramped, power, fuel)

    assert plan.method is Method.MIXED_INTEGER_PROGRAMME
    assert plan.value <= plant_intrinsic(free, power, fuel).value + 1e-7
    assert replay(ramped, plan, power, fuel, 0 * flat, flat) == pytest.approx(plan.value, abs=1e-6)


def test_runs_through_a_dip_that_a_start_would_cost_more_than():
    plant = Plant.with_heat_rate(
        days(5), p_min=10.0, p_max=40.0, heat_rate=2.0, start_cost=300.0,
        initial=PlantState(False, 8),
    )  # fmt: skip

    plan = plant_intrinsic(plant, [40.0, 70.0, 45.0, 70.0, 40.0], 25.0)

    # 40 MW earn 20 twice; 10 MW lose 5 between; one start of 300, not two.
    assert plan.value == pytest.approx(2 * 800 - 50 - 300)
    assert plan.on.tolist() == [False, True, True, True, False]
    assert plan.started.tolist() == [False, True, False, False, False]
    assert plan.output_mw.tolist() == [0, 40, 10, 40, 0]
    assert plan.hedge.commodities == ("power", "fuel", "carbon")
    assert plan.hedge.delta[:, 0].tolist() == [90.0, -180.0, 0.0]


@given(
    st.lists(st.integers(-40, 40), min_size=8, max_size=24), st.integers(0, 2), st.booleans(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_a_limit_on_starts_counts_by_calendar_year(spreads, most, is_off):
    """As a mixed-integer programme with one row a year, and no start beyond it."""
    half = len(spreads) // 2
    dates = np.where(np.arange(len(spreads)) < half, "2027-12-31", "2028-01-01")
    plant = Plant.with_heat_rate(
        dates.astype("datetime64[D]"), p_min=2.0, p_max=5.0, heat_rate=1.0, min_up=2, min_down=2,
        start_cost=7.0, max_starts=most, initial=PlantState(False, 9) if is_off else None,
    )  # fmt: skip
    power, fuel = 30.0 + np.array(spreads, dtype=float), np.full(len(spreads), 30.0)

    plan = plant_intrinsic(plant, power, fuel)

    prices, factors = plant_prices(plant, power, fuel, 0.0, 1.0)
    on, output, gap = by_programme(plant, prices, factors, 60.0)
    was_on = bool(on[0]) and not is_off
    started = (np.diff(on.astype(int), prepend=int(was_on)) > 0).sum()
    searched = (output * (power - fuel)).sum() - 7.0 * started
    assert plan.value == pytest.approx(searched, abs=1e-6)
    assert gap <= 1e-6
    assert plan.started[:half].sum() <= most
    assert plan.started[half:].sum() <= most


def test_stands_still_in_an_outage_and_keeps_the_time_on_before_it():
    plant = Plant.with_heat_rate(
        days(6), p_min=10.0, p_max=10.0, heat_rate=1.0, min_up=3, available=[1, 1, 0, 1, 1, 1],
        initial=PlantState(False, 1),
    )  # fmt: skip

    plan = plant_intrinsic(plant, 50.0, 20.0)

    # Two intervals before the outage are too few for a start; three after it are enough.
    assert plan.on.tolist() == [False, False, False, True, True, True]


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"output_mw": [0.0, 10.0]}, r"output_mw\[0\]"),
     ({"output_mw": [10.0, 10.0]}, r"output_mw\[1\]: 10.0 must be above 0 and rise"),
     ({"heat_mw": [1.0]}, "heat_mw: shape"),
     ({"heat_mw": [1.0, np.nan]}, r"heat_mw\[1\]: nan"),
     ({"min_up": 0}, "min_up: 0.0 must be 1 or more"),
     ({"min_down": 1.5}, "min_down: 1.5 must be a whole number"),
     ({"start_fuel": -1.0}, "start_fuel"),
     ({"ramp_up": -1.0}, "ramp_up"),
     ({"available": [1, 1, 0.5, 1]}, r"available\[2\]: 0.5 must be 0 or 1"),
     ({"interval_hours": 0.0}, "interval_hours: 0.0 must be above 0"),
     ({"ramp_up": 1.0, "initial": PlantState(True, 1, 99.0)}, "initial.output_mw"),
     ({"dates": ["2027-01-02", "2027-01-01"]}, r"dates\[1\]: 2027-01-01 must not be before")],
)  # fmt: skip
def test_refuses_terms_by_name_index_and_rule(asked, says):
    base = {"dates": days(4), "output_mw": [10.0, 20.0], "heat_mw": [20.0, 40.0]}
    with pytest.raises(PricingError, match=says):
        Plant(**base | asked)


def test_refuses_a_plant_that_must_run_through_its_outage():
    with pytest.raises(InfeasibleContract, match=r"available\[1\]: .* min_up 4 keeps it on"):
        Plant.with_heat_rate(
            days(4), p_min=10.0, p_max=20.0, heat_rate=2.0, min_up=4, available=[1, 0, 1, 1],
            initial=PlantState(True, 1),
        )  # fmt: skip
    hot = Plant.with_heat_rate(
        days(3), p_min=10.0, p_max=40.0, heat_rate=2.0, ramp_down=5.0, available=[1, 0, 1],
        initial=PlantState(True, 9, 40.0),
    )  # fmt: skip
    with pytest.raises(InfeasibleContract, match="ramp_down"):
        plant_intrinsic(hot, 50.0, 20.0)
