"""Dispatch and replay: optimal on small cases, always a plan, and no bad plan gets through."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trading.optimization import (
    BatteryFleet,
    FleetError,
    PlanStatus,
    RelaxedRule,
    Rule,
    TerminalRule,
    dispatch_batteries,
    replay,
)

FIELDS = {
    "energy_kwh": 10.0,
    "min_soc": 0.1,
    "max_soc": 0.9,
    "initial_soc": 0.5,
    "charge_limit_kw": 5.0,
    "discharge_limit_kw": 4.0,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.92,
    "cycle_cost_per_kwh": 0.01,
    "grid_limit_kw": 100.0,
    "terminal_soc": 0.5,
}


def fleet_of(count=1, *, rule=TerminalRule.AT_LEAST, **changes):
    arrays = {
        name: np.broadcast_to(np.asarray(changes.get(name, value), dtype=float), (count,)).copy()
        for name, value in FIELDS.items()
    }
    return BatteryFleet(**arrays, terminal_rule=rule)


def assert_replays(plan, prices, fleet, hours=0.5):
    report = replay(plan, prices, fleet, hours)
    assert report.all_accepted, [str(v) for v in report.violations]
    return report


def test_buys_low_and_sells_high_by_hand():
    fleet = fleet_of(
        energy_kwh=4.0, min_soc=0, max_soc=1, initial_soc=0, terminal_soc=0, charge_limit_kw=4,
        charge_efficiency=1, discharge_efficiency=1, cycle_cost_per_kwh=0,
    )  # fmt: skip

    plan = dispatch_batteries(np.array([10.0, 50.0, 20.0, 80.0]), fleet, 1.0)

    # 4 kWh at 10 → 50, and 4 kWh at 20 → 80, in EUR/MWh.
    assert plan.value[0] == pytest.approx((160 + 240) / 1000, abs=1e-12)
    assert plan.net_kw[0].tolist() == pytest.approx([-4, 4, -4, 4], abs=1e-9)


def test_negative_prices_do_not_buy_charging_and_discharging_at_once():
    # given a full battery that may not be left fuller than it is
    fleet = fleet_of(
        min_soc=0, max_soc=1, initial_soc=1, terminal_soc=0, cycle_cost_per_kwh=0,
        charge_efficiency=0.8, discharge_efficiency=0.8,
    )  # fmt: skip
    prices = np.array([-100.0, -100.0])

    plan = dispatch_batteries(prices, fleet, 1.0)

    assert (np.minimum(plan.charge_kw, plan.discharge_kw) == 0).all()
    assert plan.upper_bound[0] > plan.value[0] + 1e-3
    assert plan.status == (PlanStatus.OPTIMAL,)
    assert_replays(plan, prices, fleet, 1.0)


@settings(deadline=None, max_examples=40)
@given(
    prices=st.lists(st.integers(-40, 60), min_size=3, max_size=4),
    cost=st.sampled_from([0.0, 0.02]),
    initial=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_equals_brute_force_on_a_lossless_grid(prices, cost, initial):
    # given a lossless battery whose optimum lies on whole steps of power
    fleet = fleet_of(
        energy_kwh=2.0, min_soc=0, max_soc=1, initial_soc=initial, terminal_soc=0,
        charge_limit_kw=1, discharge_limit_kw=1, charge_efficiency=1, discharge_efficiency=1,
        cycle_cost_per_kwh=cost,
    )  # fmt: skip
    best = -np.inf
    for steps in product((-1, 0, 1), repeat=len(prices)):
        stored = initial * 2 - np.cumsum(steps)
        if stored.min() >= 0 and stored.max() <= 2:
            sold = sum(p / 1000 * s for p, s in zip(prices, steps, strict=True))
            best = max(best, sold - cost * sum(s > 0 for s in steps))

    plan = dispatch_batteries(np.array(prices, dtype=float), fleet, 1.0)

    assert plan.value[0] == pytest.approx(best, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([-60.0, -10.0, 40.0]))
def test_lossy_plans_are_no_worse_than_any_of_many_random_ones(seed, level):
    rng = np.random.default_rng(seed)
    prices = level + 40 * rng.standard_normal(6)
    fleet = fleet_of(terminal_soc=0, charge_efficiency=0.9, discharge_efficiency=0.9)
    plan = dispatch_batteries(prices, fleet, 1.0)

    for _ in range(200):
        stored, value = 5.0, 0.0
        for price in prices:
            low = max(-4 / 0.9, 1.0 - stored)
            high = min(5 * 0.9, 9.0 - stored)
            move = rng.uniform(low, high) if rng.random() < 0.5 else rng.choice([low, high])
            stored += move
            value += -price * move / 0.9 / 1000 if move > 0 else -move * 0.9 * (price / 1000 - 0.01)
        assert value <= plan.value[0] + 1e-9


FLEETS = st.fixed_dictionaries(
    {
        "energy_kwh": st.floats(0.5, 500),
        "min_soc": st.floats(0, 0.5),
        "max_soc": st.floats(0.5, 1),
        "initial_soc": st.floats(0, 1),
        "charge_limit_kw": st.floats(0, 100),
        "discharge_limit_kw": st.floats(0, 100),
        "charge_efficiency": st.floats(0.5, 1),
        "discharge_efficiency": st.floats(0.5, 1),
        "cycle_cost_per_kwh": st.floats(0, 0.05),
        "grid_limit_kw": st.floats(0, 100),
        "terminal_soc": st.floats(0, 1),
    }
)


@settings(deadline=None, max_examples=80)
@given(
    fields=FLEETS,
    rule=st.sampled_from(TerminalRule),
    prices=st.lists(st.floats(-200, 400), min_size=1, max_size=10),
    hours=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_there_is_always_a_plan_and_replay_accepts_it(fields, rule, prices, hours):
    fleet, market = fleet_of(rule=rule, **fields), np.array(prices)

    plan = dispatch_batteries(market, fleet, hours, time_limit_seconds=1.0)

    report = assert_replays(plan, market, fleet, hours)
    assert report.value == pytest.approx(plan.value, abs=1e-9 * max(1.0, fields["energy_kwh"]))
    assert (plan.value <= plan.upper_bound + 1e-9).all()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    mutation=st.sampled_from(["charge", "discharge", "stored", "value", "both", "nan", "scale"]),
    size=st.floats(0.01, 3),
)
def test_replay_rejects_plans_that_were_tampered_with(seed, mutation, size):
    rng = np.random.default_rng(seed)
    prices = 60 + 30 * rng.standard_normal((3, 12))
    fleet = fleet_of(3)
    plan = dispatch_batteries(prices, fleet, 0.5)
    battery, period = int(rng.integers(3)), int(rng.integers(12))
    arrays = {
        name: getattr(plan, f"{name}").copy()
        for name in ("charge_kw", "discharge_kw", "stored_kwh", "value")
    }
    if mutation in ("charge", "discharge"):
        arrays[f"{mutation}_kw"][battery, period] += size
    elif mutation == "both":
        arrays["charge_kw"][battery, period] += size
        arrays["discharge_kw"][battery, period] += size
    elif mutation == "nan":
        arrays["charge_kw"][battery, period] = np.nan
    elif mutation == "stored":
        arrays["stored_kwh"][battery, period + 1] += size
    elif mutation == "value":
        arrays["value"][battery] += size
    else:
        assume(plan.charge_kw[battery].sum() > 0.1)
        arrays["charge_kw"][battery] *= 1 + size

    report = replay(replace(plan, **arrays), prices, fleet, 0.5)

    assert not report.accepted[battery]
    assert report.accepted.sum() == 2


def test_a_battery_below_its_band_is_led_back_at_full_power_and_says_so():
    fleet = fleet_of(initial_soc=0.0, min_soc=0.5, max_soc=0.9, terminal_soc=0.0)
    prices = np.array([100.0, 100.0, 100.0, 100.0])

    plan = dispatch_batteries(prices, fleet, 0.5)

    assert plan.stored_kwh[0].tolist() == pytest.approx([0, 2.375, 4.75, 5, 5], abs=1e-9)
    (relaxation,) = plan.relaxations
    assert (relaxation.rule, relaxation.asked_kwh) == (RelaxedRule.BAND_FROM_BELOW, 5.0)
    assert "asked 5 kWh" in str(relaxation)
    assert_replays(plan, prices, fleet)


def test_replay_does_not_accept_lingering_outside_the_band_or_an_unnamed_relaxation():
    fleet = fleet_of(initial_soc=0.0, min_soc=0.5, terminal_soc=0.0)
    prices = np.full(4, 100.0)
    plan = dispatch_batteries(prices, fleet, 0.5)
    idle = np.zeros_like(plan.charge_kw)
    lazy = replace(
        plan,
        charge_kw=idle,
        stored_kwh=np.zeros_like(plan.stored_kwh),
        value=np.zeros(1),
    )

    assert {v.rule for v in replay(lazy, prices, fleet, 0.5).violations} == {Rule.BAND}
    unnamed = replay(replace(plan, relaxations=()), prices, fleet, 0.5)
    assert {v.rule for v in unnamed.violations} == {Rule.BAND}


def test_an_end_out_of_reach_becomes_the_nearest_and_is_named():
    fleet = fleet_of(initial_soc=0.2, terminal_soc=0.9, rule=TerminalRule.EXACT)
    prices = np.array([50.0, 60.0])

    plan = dispatch_batteries(prices, fleet, 0.5)

    assert plan.stored_kwh[0, -1] == pytest.approx(2 + 2 * 5 * 0.95 * 0.5)
    assert [r.rule for r in plan.relaxations] == [RelaxedRule.TERMINAL]
    assert_replays(plan, prices, fleet)
    early = replace(plan, charge_kw=plan.charge_kw * 0.5, relaxations=plan.relaxations)
    assert not replay(early, prices, fleet, 0.5).all_accepted


def test_a_plan_of_another_shape_is_rejected_whole():
    fleet = fleet_of(2)
    plan = dispatch_batteries(np.full(4, 50.0), fleet_of(1), 0.5)

    report = replay(plan, np.full(4, 50.0), fleet, 0.5)

    assert {v.rule for v in report.violations} == {Rule.SHAPE}
    assert not report.accepted.any()
    assert "SHAPE" in str(report.violations[0])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("energy_kwh", 0.0), ("min_soc", -0.1), ("max_soc", 1.1), ("max_soc", 0.05),
        ("initial_soc", 1.5), ("terminal_soc", -1.0), ("charge_limit_kw", -1.0),
        ("discharge_limit_kw", float("nan")), ("charge_efficiency", 0.0),
        ("discharge_efficiency", 1.01), ("cycle_cost_per_kwh", -0.1), ("grid_limit_kw", -5.0),
    ],
)  # fmt: skip
def test_impossible_batteries_are_refused_by_field_and_number(field, value):
    with pytest.raises(FleetError, match=rf"{field}.*battery 1"):
        fleet_of(2, **{field: np.array([FIELDS[field], value])})


@pytest.mark.parametrize(
    ("prices", "hours", "word"),
    [
        (np.array([1.0, np.nan]), 0.5, "period 1 of battery 0"),
        (np.zeros((2, 4)), 0.5, "shape"),
        (np.array([]), 0.5, "shape"),
        (np.array([1.0]), 0.0, "period_hours"),
    ],
)
def test_impossible_prices_are_refused(prices, hours, word):
    with pytest.raises(ValueError, match=word):
        dispatch_batteries(prices, fleet_of(), hours)


def test_an_array_of_another_shape_is_refused():
    fields = {name: np.array([value]) for name, value in FIELDS.items()}

    with pytest.raises(FleetError, match="min_soc: shape"):
        BatteryFleet(**{**fields, "min_soc": np.array([0.1, 0.1])})
    with pytest.raises(FleetError, match="one axis"):
        BatteryFleet(**{**fields, "energy_kwh": np.array([[1.0]])})


def test_no_battery_is_a_plan_too():
    plan = dispatch_batteries(np.array([1.0, 2.0]), fleet_of(0), 0.5)

    assert plan.charge_kw.shape == (0, 2)
    assert replay(plan, np.array([1.0, 2.0]), fleet_of(0), 0.5).all_accepted


def test_a_search_cut_short_is_feasible_and_states_its_gap():
    prices = -60 + 30 * np.random.default_rng(3).standard_normal(96)
    fleet = fleet_of(cycle_cost_per_kwh=0, charge_efficiency=0.8, discharge_efficiency=0.8)

    plan = dispatch_batteries(prices, fleet, 0.5, time_limit_seconds=1e-6)

    assert plan.status == (PlanStatus.FEASIBLE,)
    assert plan.gap[0] > 0
    assert_replays(plan, prices, fleet)


def test_a_hundred_batteries_differ_and_are_planned_at_once():
    rng = np.random.default_rng(11)
    fleet = fleet_of(
        100,
        energy_kwh=rng.uniform(2, 50, 100),
        initial_soc=rng.uniform(0, 1, 100),
        charge_efficiency=rng.uniform(0.85, 1, 100),
    )
    prices = 50 + 40 * rng.standard_normal(48)

    plan = dispatch_batteries(prices, fleet, 0.5)
    alone = dispatch_batteries(
        prices, fleet_of(
            energy_kwh=fleet.energy_kwh[[42]], initial_soc=fleet.initial_soc[[42]],
            charge_efficiency=fleet.charge_efficiency[[42]],
        ), 0.5,
    )  # fmt: skip

    assert plan.value[42] == pytest.approx(alone.value[0], abs=1e-9)
    assert_replays(plan, prices, fleet)
