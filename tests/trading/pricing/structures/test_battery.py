"""Battery tolling: beside the fleet's dispatch and a lattice, with cycles, and beyond the curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.optimization import BatteryFleet, TerminalRule, dispatch_batteries
from trading.pricing import PricingError
from trading.pricing.processes import MeanRevertingSpot
from trading.pricing.structures import (
    Battery,
    InfeasibleContract,
    Method,
    battery_extrinsic,
    battery_intrinsic,
)
from trading.pricing.structures._battery import battery_network
from trading.pricing.structures._network import best_path

prices = st.lists(st.integers(-80, 160), min_size=2, max_size=16)
DAY = 40.0 + 25.0 * np.sin(2.0 * np.pi * (np.arange(48) - 8) / 24.0)


def battery(count=48, **terms):
    asked = {"energy_mwh": 4.0, "charge_mw": 2.0, "discharge_mw": 2.0}
    return Battery(np.datetime64("2027-05-31") + np.arange(count) // 24, **asked | terms)


def replay(terms, plan, curve, discount):
    """Run a schedule through the battery, refuse what the terms forbid, return what it earned."""
    held, money, out, hours = terms.start_mwh, 0.0, 0.0, terms.interval_hours
    for t, price in enumerate(curve):
        charge, discharge = plan.charge_mw[t], plan.discharge_mw[t]
        assert min(charge, discharge) == 0
        assert 0 <= charge <= terms.charge_mw + 1e-9
        assert 0 <= discharge <= terms.discharge_mw + 1e-9
        taken = discharge * hours / terms.discharge_efficiency
        held += charge * hours * terms.charge_efficiency - taken
        out += taken
        assert -1e-7 <= held <= terms.energy_mwh + 1e-7
        assert plan.stored_mwh[t + 1] == pytest.approx(held, abs=1e-7)
        money += discount[t] * price * (discharge - charge) * hours
        money -= discount[t] * terms.cycle_cost * discharge * hours
    assert held >= terms.end_mwh - 1e-7
    if terms.max_cycles is not None:
        assert out <= terms.max_cycles * terms.energy_mwh + 1e-7
    return money


@given(prices, st.sampled_from([1.0, 0.9]), st.sampled_from([0.0, 4.0]))
@settings(max_examples=40, deadline=None)
def test_equals_the_dispatch_of_a_fleet_of_one(curve, efficiency, wear):
    terms = battery(
        len(curve), charge_efficiency=efficiency, discharge_efficiency=0.95, cycle_cost=wear,
        start_mwh=1.0, end_mwh=0.5, interval_hours=0.5,
    )  # fmt: skip

    plan = battery_intrinsic(terms, curve)

    one = {
        "energy_kwh": 4_000.0, "min_soc": 0.0, "max_soc": 1.0, "initial_soc": 0.25,
        "charge_limit_kw": 2_000.0, "discharge_limit_kw": 2_000.0, "charge_efficiency": efficiency,
        "discharge_efficiency": 0.95, "cycle_cost_per_kwh": wear / 1_000.0,
        "grid_limit_kw": 2_000.0, "terminal_soc": 0.125,
    }  # fmt: skip
    fleet = BatteryFleet(
        **{name: np.array([value]) for name, value in one.items()},
        terminal_rule=TerminalRule.AT_LEAST,
    )
    other = dispatch_batteries(np.array(curve, dtype=float), fleet, 0.5)
    assert plan.value == pytest.approx(float(other.value[0]), abs=1e-6)
    assert replay(terms, plan, curve, np.ones(len(curve))) == pytest.approx(plan.value, abs=1e-6)


@given(prices, st.sampled_from([None, 0.0, 0.5, 1.0, 2.0]), st.sampled_from([0.0, 4.0]))
@settings(max_examples=40, deadline=None)
def test_whole_limits_equal_a_lattice_with_cycles(curve, cycles, end):
    terms = battery(
        len(curve), max_cycles=cycles, cycle_cost=3.0, charge_efficiency=0.8, end_mwh=end,
        start_mwh=2.0,
        charge_mw=2.5,
    )  # fmt: skip
    discount = 0.99 ** np.arange(len(curve))

    plan = battery_intrinsic(terms, curve, discount=discount)

    # 2 MWh enter or leave the cells in an hour: the programme is a network of whole bounds, until
    # cycles and binaries meet; the lattice is then a schedule among others.
    network = battery_network(terms, levels=5)
    lattice = best_path(
        network, np.array(curve, dtype=float)[:, None], discount, np.zeros(network.states)
    )
    assert plan.value >= lattice.value - 1e-7
    if cycles is None:
        assert plan.value == pytest.approx(lattice.value, abs=1e-7)
    assert replay(terms, plan, curve, discount) == pytest.approx(plan.value, abs=1e-6)
    assert plan.gap == 0


def test_does_not_charge_and_discharge_at_once_where_losses_are_paid_for():
    # At −100 an hour of both would sell nothing and be paid for the loss.
    plan = battery_intrinsic(
        battery(2, charge_efficiency=0.5, charge_mw=4.0, start_mwh=4.0, end_mwh=4.0),
        [-100.0, -100.0],
    )

    # Full: 2 MWh out cost 200 and 4 MWh in earn 400.
    assert plan.method is Method.MIXED_INTEGER_PROGRAMME
    assert plan.value == pytest.approx(200.0)
    assert plan.discharge_mw.tolist() == [2.0, 0.0]
    assert plan.charge_mw.tolist() == [0.0, 4.0]


def sets(volatility, scenarios=400):
    generator = np.random.default_rng(9)
    model = MeanRevertingSpot(mean_reversion=2_000.0, volatility=volatility)
    times = np.arange(1, len(DAY) + 1) / 8760.0
    return [
        model.simulate(times=times, curve=DAY, scenarios=scenarios, generator=generator)
        for _ in range(2)
    ]


@pytest.mark.parametrize("cycles", [None, 1.5])
def test_flexibility_is_worth_more_than_the_plan_and_less_than_a_prophet(cycles):
    terms = battery(max_cycles=cycles, cycle_cost=2.0)
    fit, paths = sets(1_200.0)
    still = sets(0.0, scenarios=40)

    found = battery_extrinsic(terms, DAY, fit=fit, paths=paths, levels=9, seed=9)
    known = battery_extrinsic(terms, DAY, fit=still[0], paths=still[1], levels=9)

    intrinsic = battery_intrinsic(terms, DAY)
    prophet = np.mean([battery_intrinsic(terms, row).value for row in paths.spot[:40]])
    assert intrinsic.value + 3 * found.estimate.standard_error < found.value < prophet
    assert known.value == pytest.approx(intrinsic.value, rel=1e-9)
    assert known.hedge.delta.sum() == pytest.approx(intrinsic.hedge.delta.sum(), abs=1e-9)
    assert found.hedge.months.astype(str).tolist() == ["2027-05", "2027-06"]
    assert found.estimate.seed == 9


@pytest.mark.parametrize(
    ("terms", "says"),
    [({"energy_mwh": 0.0}, "energy_mwh: 0 must be above 0"),
     ({"charge_efficiency": 1.1}, "charge_efficiency: 1.1 must be above 0 and at most 1"),
     ({"discharge_mw": -1.0}, "discharge_mw"),
     ({"cycle_cost": np.nan}, "cycle_cost: nan"),
     ({"max_cycles": -1.0}, "max_cycles"),
     ({"start_mwh": 5.0}, "start_mwh: 5.0 must be 0 to 4"),
     ({"end_mwh": 3.0, "count": 1}, "end_mwh: 3 MWh cannot be stored by 2027-05-31: at most 2")],
)  # fmt: skip
def test_refuses_terms_by_name_and_rule(terms, says):
    with pytest.raises(PricingError, match=says):
        battery(**terms)


def test_refuses_levels_further_apart_than_an_interval_of_power():
    fit, paths = sets(100.0, scenarios=40)
    with pytest.raises(InfeasibleContract, match="levels: with 2 of them a step is 4 MWh"):
        battery_extrinsic(battery(), DAY, fit=fit, paths=paths, levels=2)
    with pytest.raises(PricingError, match="levels: 1 must be 2 or more"):
        battery_extrinsic(battery(), DAY, fit=fit, paths=paths, levels=1)
    with pytest.raises(PricingError, match=r"curve\[3\]: nan"):
        battery_intrinsic(battery(), np.where(np.arange(48) == 3, np.nan, DAY))


def test_a_limit_by_the_day_holds_each_day_and_costs_what_a_steeper_day_would_take():
    steep = DAY + np.repeat([0.0, 40.0], 24) * np.sin(2.0 * np.pi * (np.arange(48) - 8) / 24.0)
    terms = battery(daily_cycles=0.5)

    plan = battery_intrinsic(terms, steep)

    assert plan.value == pytest.approx(replay(terms, plan, steep, np.ones(48)))
    out = plan.discharge_mw.reshape(2, 24).sum(axis=1)
    assert out == pytest.approx([2.0, 2.0])
    # The same in all, spent where it earns most, is worth more.
    assert plan.value < battery_intrinsic(battery(max_cycles=1.0), steep).value - 1.0
    with pytest.raises(PricingError, match="daily_cycles"):
        battery(daily_cycles=-1.0)


def test_simulated_cycles_begin_anew_with_each_day():
    steep = DAY + np.repeat([0.0, 40.0], 24) * np.sin(2.0 * np.pi * (np.arange(48) - 8) / 24.0)
    terms = battery(daily_cycles=0.5)
    still = MeanRevertingSpot(100.0, 0.0)
    fit, paths = (
        still.simulate(
            times=(np.arange(48) + 1) / 8760, curve=steep, scenarios=20,
            generator=np.random.default_rng(seed),
        )
        for seed in (1, 2)
    )  # fmt: skip

    value = battery_extrinsic(terms, steep, fit=fit, paths=paths, levels=9)

    assert value.value == pytest.approx(battery_intrinsic(terms, steep).value, rel=1e-6)
    assert np.maximum(value.expected_volume[0], 0.0).reshape(2, 24).sum(axis=1) == pytest.approx(
        [2.0, 2.0]
    )
