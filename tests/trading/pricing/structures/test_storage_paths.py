"""Gas storage beyond the curve: no less than intrinsic, never seeing ahead, and its hedge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import PricingError
from trading.pricing.processes import MeanRevertingSpot, Paths, TwoFactorForwards
from trading.pricing.structures import (
    GasStorage,
    InfeasibleContract,
    RatchetKind,
    RateCurve,
    SpotResponse,
    storage_extrinsic,
    storage_intrinsic,
)

DAYS = np.arange("2027-06-01", "2027-09-09", dtype="datetime64[D]")
TIMES = np.arange(1, len(DAYS) + 1) / 365.0
CURVE = 25.0 + np.linspace(0.0, 6.0, len(DAYS))


def store(**terms):
    asked = {
        "max_inventory": 1_000.0,
        "injection": RateCurve([0.0, 600.0, 1_000.0], [60.0, 60.0, 20.0]),
        "withdrawal": RateCurve([0.0, 300.0, 1_000.0], [20.0, 80.0, 80.0]),
        "injection_cost": 0.3,
        "withdrawal_cost": 0.1,
        "injection_fuel": 0.01,
        "terminal_max": 0.0,
    }
    return GasStorage(dates=DAYS, **asked | terms)


def sets(volatility, scenarios=400, curve=CURVE, seed=7):
    model = TwoFactorForwards(
        mean_reversion=15.0, short_volatility=volatility, long_volatility=0.3 * volatility,
        correlation=0.2,
    )  # fmt: skip
    generator = np.random.default_rng(seed)
    return [
        model.simulate(times=TIMES, curve=curve, scenarios=scenarios, generator=generator)
        for _ in range(2)
    ]


def test_flexibility_is_worth_more_than_the_plan_and_reports_its_error():
    fit, paths = sets(0.9)
    intrinsic = storage_intrinsic(store(), CURVE, discount=0.98)

    found = storage_extrinsic(store(), CURVE, fit=fit, paths=paths, discount=0.98, seed=7)

    assert found.value > intrinsic.value + 5 * found.estimate.standard_error
    assert 0 < found.estimate.standard_error < 0.05 * found.value
    assert (found.estimate.paths, found.estimate.seed) == (400, 7)
    # What is bought is sold again, but for the fuel.
    assert found.expected_volume.shape == (1, len(DAYS))
    bought = -np.minimum(found.expected_volume, 0).sum()
    assert found.expected_volume.sum() == pytest.approx(-0.01 * bought, abs=0.02 * bought)


def test_equals_the_plan_where_nothing_moves():
    fit, paths = sets(0.0, scenarios=40)
    intrinsic = storage_intrinsic(store(), CURVE)

    found = storage_extrinsic(store(), CURVE, fit=fit, paths=paths, levels=101)

    assert found.value <= intrinsic.value + 1e-6
    assert found.value == pytest.approx(intrinsic.value, rel=2e-3)
    assert found.estimate.standard_error == pytest.approx(0.0, abs=1e-6)


def test_never_earns_by_what_it_could_not_know():
    # A prophet plans each path with all of its prices known: no honest policy earns as much.
    fit, paths = sets(0.9)
    prophet = np.mean(
        [storage_intrinsic(store(), row, discount=0.98).value for row in paths.spot[:30]]
    )

    found = storage_extrinsic(store(), CURVE, fit=fit, paths=paths, discount=0.98)

    assert found.value < prophet


def test_the_hedge_is_what_moving_a_month_of_the_curve_does():
    month = DAYS.astype("datetime64[M]") == np.datetime64("2027-08")

    def value(bump):
        fit, paths = sets(0.5, scenarios=1_000, curve=CURVE + bump * month)
        return storage_extrinsic(store(), CURVE + bump * month, fit=fit, paths=paths)

    found = value(0.0)

    # The same draws: most of the noise is in both. The rest is why the bump is not small.
    at = found.hedge.months.tolist().index(np.datetime64("2027-08").item())
    slope = (value(0.5).value - value(-0.5).value) / 1.0
    assert found.hedge.delta[0, at] == pytest.approx(slope, rel=0.15)
    assert found.hedge.delta[0, at] > 100.0


def test_prices_below_zero_and_steps_are_followed_too():
    model = MeanRevertingSpot(mean_reversion=60.0, volatility=250.0)
    generator = np.random.default_rng(3)
    curve = CURVE - 20.0
    fit, paths = (
        model.simulate(times=TIMES, curve=curve, scenarios=300, generator=generator)
        for _ in range(2)
    )
    storage = store(injection=RateCurve([0.0, 500.0, 1_000.0], [60.0, 30.0], RatchetKind.STEP))

    found = storage_extrinsic(storage, curve, fit=fit, paths=paths, response=SpotResponse.PARALLEL)

    assert (paths.spot < 0).any()
    intrinsic = storage_intrinsic(storage, curve)
    assert found.value > intrinsic.value - 3 * found.estimate.standard_error


@given(st.floats(0.0, 1.0), st.floats(0.0, 1_000.0), st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_more_volatility_or_inventory_breaks_no_bound(volatility, start, seed):
    storage = store(
        start_inventory=start, min_inventory=np.where(np.arange(len(DAYS)) == 50, 300.0, 0.0)
    )
    fit, paths = sets(volatility, scenarios=60, seed=seed)

    found = storage_extrinsic(storage, CURVE, fit=fit, paths=paths, levels=15)

    assert np.isfinite(found.value)
    # The store was told to be empty: what was there has been sold, less what was burnt.
    assert found.expected_volume.sum() <= start + 1e-6


@pytest.mark.parametrize("kind", list(RatchetKind))
def test_a_cost_of_holding_is_paid_for_the_days_between_in_and_out(kind):
    """From the day it enters to the day before it leaves: as costs of moving it, that fall."""
    terms = {}
    if kind is RatchetKind.STEP:
        terms["injection"] = RateCurve([0.0, 500.0, 1_000.0], [60.0, 30.0], kind)
        terms["withdrawal"] = RateCurve([0.0, 300.0, 1_000.0], [20.0, 80.0], kind)
    left = 0.02 * (len(DAYS) - np.arange(len(DAYS)))
    held = store(holding_cost=0.02, **terms)
    moved = store(injection_cost=0.3 + left, withdrawal_cost=0.1 - left, **terms)
    fit, paths = sets(0.9)

    plans = [storage_intrinsic(each, CURVE) for each in (held, moved)]
    values = [storage_extrinsic(each, CURVE, fit=fit, paths=paths) for each in (held, moved)]

    assert plans[0].value == pytest.approx(plans[1].value, rel=1e-9)
    assert plans[0].value < storage_intrinsic(store(**terms), CURVE).value - 50.0
    assert values[0].value == pytest.approx(values[1].value, rel=1e-4)


def test_refuses_paths_and_contracts_by_name():
    fit, paths = sets(0.5, scenarios=40)
    short = Paths(TIMES[1:], fit.spot[:, 1:], fit.factors[:, 1:], antithetic=True)
    with pytest.raises(PricingError, match=r"fit.spot: shape \(40, 99\)"):
        storage_extrinsic(store(), CURVE, fit=short, paths=paths)
    with pytest.raises(PricingError, match="levels: 1 must be 2 or more"):
        storage_extrinsic(store(), CURVE, fit=fit, paths=paths, levels=1)
    with pytest.raises(PricingError, match=r"curve\[0\]: -1.0 must be above 0 where spot"):
        storage_extrinsic(store(), CURVE - 26.0, fit=fit, paths=paths)
    # Just above 500 the rate drops, so only less, or much more, leads up to 1,000 in time.
    narrow = store(
        injection=RateCurve([0.0, 500.0, 1_000.0], [60.0, 0.0], RatchetKind.STEP),
        terminal_max=None, min_inventory=np.where(np.arange(len(DAYS)) == 20, 520.0, 0.0),
        start_inventory=100.0,
    )  # fmt: skip
    with pytest.raises(InfeasibleContract, match="is sure to keep the later bounds"):
        storage_extrinsic(narrow, CURVE, fit=fit, paths=paths)
