"""Plants beyond the curve: options on single hours, ramps, and what simulation must keep."""

import numpy as np
import pytest

from trading.pricing import PricingError
from trading.pricing.processes import MeanRevertingSpot
from trading.pricing.structures import (
    InfeasibleContract,
    Plant,
    PlantPaths,
    PlantState,
    plant_extrinsic,
    plant_intrinsic,
)

HOURS = 48
DAYS = np.datetime64("2027-01-31") + np.arange(HOURS) // 24
TIMES = np.arange(1, HOURS + 1) / 8760.0
POWER = 50.0 + 15.0 * np.sin(2.0 * np.pi * (np.arange(HOURS) - 8) / 24.0)
FUEL = np.full(HOURS, 24.0)


def sets(volatility=900.0, scenarios=600, fuel_volatility=0.0, seed=5):
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(2):
        power = MeanRevertingSpot(mean_reversion=400.0, volatility=volatility).simulate(
            times=TIMES, curve=POWER, scenarios=scenarios, generator=generator
        )
        fuel = None
        if fuel_volatility:
            fuel = MeanRevertingSpot(mean_reversion=50.0, volatility=fuel_volatility).simulate(
                times=TIMES, curve=FUEL, scenarios=scenarios, generator=generator
            )
        found.append(PlantPaths(power=power, fuel=fuel))
    return found


def plant(**terms):
    asked = {"p_min": 10.0, "p_max": 40.0, "heat_rate": 2.0, "start_cost": 200.0, "min_up": 3,
             "min_down": 2}  # fmt: skip
    return Plant.with_heat_rate(DAYS, **asked | terms)


def test_without_starts_it_is_a_strip_of_spark_spread_options():
    free = plant(start_cost=0.0, min_up=1, min_down=1)
    fit, paths = sets(fuel_volatility=60.0)

    found = plant_extrinsic(free, POWER, FUEL, fit=fit, paths=paths, discount=0.99, seed=5)

    # On at best output where the spread is above 0: no regression can do better or worse.
    strip = 0.99 * 40.0 * np.maximum(paths.power.spot - 2.0 * paths.fuel.spot, 0.0)
    strip = strip.sum(axis=1).mean()
    assert found.value == pytest.approx(strip, abs=4 * found.estimate.standard_error)
    assert found.estimate.standard_error < 0.03 * found.value
    on = (paths.power.spot > 2.0 * paths.fuel.spot).mean(axis=0)
    assert found.expected_volume[0] == pytest.approx(40.0 * on)
    assert found.expected_volume[1] == pytest.approx(-80.0 * on)
    assert found.hedge.delta[:2].sum(axis=1) == pytest.approx(
        [0.99 * 40.0 * on.sum(), -0.99 * 80.0 * on.sum()]
    )
    assert found.hedge.months.astype(str).tolist() == ["2027-01", "2027-02"]


def test_flexibility_is_worth_more_than_the_plan_and_less_than_a_prophet():
    fit, paths = sets()

    found = plant_extrinsic(plant(), POWER, FUEL, fit=fit, paths=paths)

    intrinsic = plant_intrinsic(plant(), POWER, FUEL).value
    prophet = np.mean([plant_intrinsic(plant(), row, FUEL).value for row in paths.power.spot[:100]])
    assert intrinsic + 3 * found.estimate.standard_error < found.value < prophet


@pytest.mark.parametrize("initial", [None, PlantState(True, 2, 20.0), PlantState(False, 1)])
def test_equals_the_plan_where_nothing_moves(initial):
    fit, paths = sets(volatility=0.0, scenarios=40)
    still = plant(initial=initial, available=np.where(np.arange(HOURS) == 30, 0, 1))

    found = plant_extrinsic(still, POWER, FUEL, fit=fit, paths=paths)

    intrinsic = plant_intrinsic(still, POWER, FUEL)
    assert found.value == pytest.approx(intrinsic.value, rel=1e-9)
    assert found.estimate.standard_error == pytest.approx(0.0, abs=1e-9)
    assert found.hedge.delta == pytest.approx(intrinsic.hedge.delta, rel=1e-9)


def test_fewer_starts_are_worth_less():
    fit, paths = sets()

    found = [
        plant_extrinsic(plant(max_starts=most), POWER, FUEL, fit=fit, paths=paths)
        for most in (0, 1, 9, None)
    ]

    error = found[-1].estimate.standard_error
    values = [each.value for each in found]
    # On the same paths, so by more than they are uncertain together.
    assert values[0] + 0.5 * error < values[1]
    assert values[1] + 0.5 * error < values[2]
    assert values[2] == pytest.approx(values[3], abs=0.2 * error)  # more than two days need
    for most, value in zip((0, 1), values, strict=False):
        assert value > plant_intrinsic(plant(max_starts=most), POWER, FUEL).value - 2.0 * error


def test_ramps_on_levels_that_fit_equal_the_programme_and_cost_value():
    ramped = plant(ramp_up=15.0, ramp_down=15.0, initial=PlantState(False, 5))
    still, still_paths = sets(volatility=0.0, scenarios=40)
    fit, paths = sets()

    known = plant_extrinsic(ramped, POWER, FUEL, fit=still, paths=still_paths, levels=3)
    found = plant_extrinsic(ramped, POWER, FUEL, fit=fit, paths=paths, levels=3)
    free = plant_extrinsic(plant(), POWER, FUEL, fit=fit, paths=paths)

    # From 10 by 15 to 25 and 40: the levels are where the programme goes.
    assert known.value == pytest.approx(plant_intrinsic(ramped, POWER, FUEL).value, rel=1e-7)
    assert found.value < free.value


def test_refuses_by_name():
    fit, paths = sets(scenarios=40)
    other = PlantPaths(power=paths.power, fuel=sets(scenarios=20)[0].power)
    with pytest.raises(PricingError, match="paths: all prices must be simulated on the same"):
        plant_extrinsic(plant(), POWER, FUEL, fit=fit, paths=other)
    with pytest.raises(PricingError, match="levels: 1"):
        plant_extrinsic(plant(ramp_up=9.0), POWER, FUEL, fit=fit, paths=paths, levels=1)
    with pytest.raises(InfeasibleContract, match="levels: no commitment on 2 outputs"):
        hot = plant(
            ramp_down=16.0, ramp_up=16.0, initial=PlantState(True, 9, 40.0),
            available=np.where(np.arange(HOURS) == 2, 0, 1),
        )  # fmt: skip
        plant_extrinsic(hot, POWER, FUEL, fit=fit, paths=paths, levels=2)
