"""Gas storage on the curve: the optimum beside another programme, replayed, and its refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from trading.pricing import PricingError
from trading.pricing.structures import (
    GasStorage,
    InfeasibleContract,
    Method,
    RatchetKind,
    RateCurve,
    _storage_intrinsic,
    storage_intrinsic,
)

YEAR = np.arange("2027-04-01", "2028-04-01", dtype="datetime64[D]")
PART = YEAR[100:280]
SEASONS = 30.0 + 8.0 * np.cos(2.0 * np.pi * (np.arange(len(YEAR)) - 290) / 365.0)
RATCHETED = {
    "injection": RateCurve([0.0, 50_000.0, 100_000.0], [900.0, 800.0, 300.0]),
    "withdrawal": RateCurve([0.0, 30_000.0, 100_000.0], [200.0, 900.0, 1_200.0]),
}


def store(days=YEAR, **terms):
    asked = {
        "max_inventory": 100_000.0,
        "injection": RateCurve.constant(700.0, 100_000.0),
        "withdrawal": RateCurve.constant(700.0, 100_000.0),
        "injection_cost": 0.6,
        "withdrawal_cost": 0.2,
        "terminal_max": 0.0,
    }
    return GasStorage(dates=days, **asked | terms)


def replay(storage, plan, curve, discount, cost_discount):
    """Walk a plan day by day, refuse what the terms forbid, and return what it earned."""

    def rate(terms, inventory):
        x, r = np.asarray(terms.inventory), np.asarray(terms.rate)
        if terms.kind is RatchetKind.LINEAR:
            return np.interp(inventory, x, r)
        bands = [r[k] for k in range(len(r)) if x[k] - 1e-6 <= inventory <= x[k + 1] + 1e-6]
        return max(bands)

    held, money, days = storage.start_inventory, 0.0, len(curve)
    for t in range(days):
        into, out = plan.injected[t], plan.withdrawn[t]
        assert min(into, out) == 0 <= max(into, out)
        assert into <= rate(storage.injection, held) * storage.injection_available[t] + 1e-6
        assert out <= rate(storage.withdrawal, held) * storage.withdrawal_available[t] + 1e-6
        held += into - out
        assert storage.min_inventory[t] - 1e-6 <= held <= storage.max_inventory[t] + 1e-6
        assert plan.inventory[t + 1] == pytest.approx(held, abs=1e-6)
        bought = into * (1 + storage.injection_fuel)
        sold = out * (1 - storage.withdrawal_fuel)
        money += discount[t] * curve[t] * (sold - bought)
        money -= cost_discount[t] * (
            storage.injection_cost[t] * into + storage.withdrawal_cost[t] * out
        )
    low, high = storage.terminal_band
    assert low - 1e-6 <= held <= high + 1e-6
    return money + discount[-1] * storage.terminal_value * held


def flows_only_optimum(storage, curve, discount, cost_discount):
    """Return the optimum by a programme without inventories: rates are lines of summed flows."""
    n = len(curve)
    cost = discount * curve * (1 + storage.injection_fuel) + cost_discount * storage.injection_cost
    gain = (
        discount * curve * (1 - storage.withdrawal_fuel) - cost_discount * storage.withdrawal_cost
    )
    left = discount[-1] * storage.terminal_value
    total = np.hstack([np.tril(np.ones((n, n))), -np.tril(np.ones((n, n)))])
    before = np.vstack([np.zeros(2 * n), total[:-1]])
    low, high = np.array(storage.min_inventory), np.array(storage.max_inventory)
    low[-1], high[-1] = storage.terminal_band
    rows = [total, -total]
    right = [high - storage.start_inventory, storage.start_inventory - low]
    for terms, share, block in (
        (storage.injection, storage.injection_available, 0),
        (storage.withdrawal, storage.withdrawal_available, n),
    ):
        x, r = np.asarray(terms.inventory), np.asarray(terms.rate)
        for k in range(len(x) - 1):
            slope = (r[k + 1] - r[k]) / (x[k + 1] - x[k])
            row = -slope * share[:, None] * before
            row[:, block : block + n] += np.eye(n)
            rows.append(row)
            right.append(share * (r[k] + slope * (storage.start_inventory - x[k])))
    answer = linprog(
        np.concatenate([cost - left, left - gain]), A_ub=np.vstack(rows),
        b_ub=np.concatenate(right), bounds=(0, None), method="highs",
    )  # fmt: skip
    assert answer.status == 0, answer.message
    return -answer.fun + left * storage.start_inventory


@pytest.mark.parametrize(
    "terms",
    [{}, RATCHETED,
     {"injection_fuel": 0.012, "withdrawal_fuel": 0.004, "start_inventory": 20_000.0,
      "terminal_max": None, "terminal_value": 27.0, "min_inventory": 5_000.0},
     RATCHETED | {"injection_available": np.where(np.arange(len(PART)) < 90, 1.0, 0.3)}],
    ids=["constant", "ratchets", "fuel and value at the end", "seasons of ratchets"],
)  # fmt: skip
def test_seasons_equal_a_programme_of_another_form(terms):
    storage, curve = store(PART, **terms), SEASONS[100:280]
    discount = np.exp(-0.03 * np.arange(len(PART)) / 365.0)
    cost_discount = discount**1.1

    plan = storage_intrinsic(storage, curve, discount=discount, cost_discount=cost_discount)

    other = flows_only_optimum(storage, curve, discount, cost_discount)
    assert plan.method is Method.LINEAR_PROGRAMME
    assert plan.value == pytest.approx(other, rel=1e-9)
    assert replay(storage, plan, curve, discount, cost_discount) == pytest.approx(
        plan.value, rel=1e-9
    )
    assert plan.cash_flow.sum() == pytest.approx(plan.value, rel=1e-12)


def test_holds_gas_from_summer_to_winter_as_one_would_by_hand():
    days = np.arange("2027-06-01", "2027-06-05", dtype="datetime64[D]")
    storage = store(
        days, injection=RateCurve.constant(10.0, 15.0), withdrawal=RateCurve.constant(6.0, 15.0),
        max_inventory=15.0, injection_cost=1.0, withdrawal_cost=0.5,
    )  # fmt: skip

    plan = storage_intrinsic(storage, [20.0, 21.0, 30.0, 32.0])

    # 12 go out again at 6 a day: 10 bought at 20 and 2 at 21, and each costs 1.50 to move.
    assert plan.value == pytest.approx(6 * 30 + 6 * 32 - 10 * 20 - 2 * 21 - 12 * 1.5)
    assert plan.injected == pytest.approx([10, 2, 0, 0])
    assert plan.withdrawn == pytest.approx([0, 0, 6, 6])
    assert plan.hedge.delta == pytest.approx(np.array([[0.0]]))


def test_the_hedge_is_what_a_month_moves_the_value_by():
    storage = store(**RATCHETED)
    plan = storage_intrinsic(storage, SEASONS, discount=0.97)
    january = YEAR.astype("datetime64[M]") == np.datetime64("2028-01")

    moved = storage_intrinsic(storage, SEASONS + 1e-5 * january, discount=0.97)

    at = plan.hedge.months.tolist().index(np.datetime64("2028-01").item())
    assert (moved.value - plan.value) / 1e-5 == pytest.approx(plan.hedge.delta[0, at], rel=1e-4)
    assert plan.hedge.delta[0, at] > 0


def brute_force(storage, curve, step):
    """Return the best of all plans whose inventories are multiples of the step."""
    levels = np.arange(0.0, float(np.max(storage.max_inventory)) + step / 2, step)
    worth = {storage.start_inventory: 0.0}

    def rate(terms, inventory):
        x, r = np.asarray(terms.inventory), np.asarray(terms.rate)
        if terms.kind is RatchetKind.LINEAR:
            return np.interp(inventory, x, r)
        return max(r[k] for k in range(len(r)) if x[k] <= inventory <= x[k + 1])

    low, high = np.array(storage.min_inventory), np.array(storage.max_inventory)
    low[-1], high[-1] = storage.terminal_band
    for t, price in enumerate(curve):
        after = {}
        for held, money in worth.items():
            for level in levels:
                move = level - held
                if not low[t] <= level <= high[t]:
                    continue
                if move > rate(storage.injection, held) or -move > rate(storage.withdrawal, held):
                    continue
                cost = price * (1 + storage.injection_fuel) + storage.injection_cost[t]
                gain = price * (1 - storage.withdrawal_fuel) - storage.withdrawal_cost[t]
                total = money - (cost * move if move > 0 else gain * move)
                if total > after.get(level, -np.inf):
                    after[level] = total
        worth = after
    return max(worth.values())


@given(
    prices=st.lists(st.integers(-20, 60), min_size=2, max_size=7),
    rates=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    start=st.integers(0, 6),
)
@settings(max_examples=40, deadline=None)
def test_steps_at_negative_prices_have_the_best_of_whole_plans(prices, rates, start):
    days = np.datetime64("2027-06-01") + np.arange(len(prices))
    storage = GasStorage(
        dates=days,
        max_inventory=6.0,
        injection=RateCurve([0.0, 3.0, 6.0], rates[:2], RatchetKind.STEP),
        withdrawal=RateCurve([0.0, 2.0, 6.0], rates[2:], RatchetKind.STEP),
        injection_fuel=0.25,
        withdrawal_cost=0.5,
        start_inventory=start,
    )
    curve = np.array(prices, dtype=float)
    flat = np.ones(len(curve))

    plan = storage_intrinsic(storage, curve)

    assert plan.gap == 0
    assert plan.value == pytest.approx(brute_force(storage, curve, 1.0), abs=1e-7)
    assert replay(storage, plan, curve, flat, flat) == pytest.approx(plan.value, abs=1e-6)
    with pytest.MonkeyPatch.context() as patch:  # between levels there is nothing better
        patch.setattr(_storage_intrinsic, "lattice_of", lambda _: None)
        searched = storage_intrinsic(storage, curve)
    assert searched.method is not plan.method or storage.injection.is_concave
    assert plan.value == pytest.approx(searched.value, abs=1e-6 + searched.gap)


@given(st.lists(st.integers(-10, 50), min_size=2, max_size=12), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_whole_rates_have_whole_plans_and_more_room_is_never_worth_less(prices, rate):
    def worth(capacity):
        storage = GasStorage(
            dates=np.datetime64("2027-06-01") + np.arange(len(prices)),
            max_inventory=capacity,
            injection=RateCurve.constant(rate, 20.0),
            withdrawal=RateCurve.constant(rate, 20.0),
            injection_cost=1.0,
            terminal_max=0.0,
        )
        return storage, storage_intrinsic(storage, prices).value

    storage, value = worth(6.0)

    # The matrix is a network, so whole bounds have a whole optimum.
    assert value == pytest.approx(
        brute_force(storage, np.array(prices, dtype=float), 1.0), abs=1e-7
    )
    assert -1e-9 <= worth(5.0)[1] <= value + 1e-9 <= worth(9.0)[1] + 2e-9


@pytest.mark.parametrize(
    ("terms", "says"),
    [({"max_inventory": np.nan}, "max_inventory: nan"),
     ({"min_inventory": -1.0}, "min_inventory: -1.0 must be 0 or more"),
     ({"max_inventory": np.where(np.arange(len(YEAR)) == 9, -5.0, 9e4)}, r"max_inventory\[9\]"),
     ({"min_inventory": np.where(np.arange(len(YEAR)) == 3, 2e5, 0.0)}, r"max_inventory\[3\]"),
     ({"injection_fuel": -0.1}, "injection_fuel"),
     ({"withdrawal_fuel": 1.1}, "withdrawal_fuel: 1.1 must be 0 to 1"),
     ({"injection": RateCurve.constant(700.0, 50_000.0)}, "injection.inventory: 0 to 50000"),
     ({"terminal_max": 2e5}, "terminal_max"),
     ({"injection_available": np.ones(3)}, r"injection_available: shape \(3,\)"),
     ({"injection_cost": np.where(np.arange(len(YEAR)) == 4, np.inf, 0)}, r"injection_cost\[4\]")],
)  # fmt: skip
def test_refuses_terms_by_name_index_and_rule(terms, says):
    with pytest.raises(PricingError, match=says):
        store(**terms)


def test_refuses_a_contract_that_no_plan_fulfils():
    with pytest.raises(InfeasibleContract, match=r"min_inventory\[4\]: 5000 MWh .* at most 3500"):
        store(min_inventory=np.where(np.arange(len(YEAR)) == 4, 5_000.0, 0.0))
    with pytest.raises(InfeasibleContract, match=r"terminal_max: .* at least 65800"):
        store(YEAR[:60], start_inventory=100_000.0, withdrawal=RateCurve.constant(570.0, 1e5))
    with pytest.raises(PricingError, match=r"curve\[2\]: nan"):
        storage_intrinsic(store(YEAR[:4]), [20.0, 21.0, np.nan, 22.0])
    with pytest.raises(PricingError, match=r"dates\[1\]"):
        store(np.repeat(YEAR[:1], 4))


@pytest.mark.parametrize(
    ("points", "rates", "kind", "says"),
    [([0.0], [1.0], RatchetKind.LINEAR, "inventory: shape"),
     ([0.0, 0.0], [1.0, 1.0], RatchetKind.LINEAR, r"inventory\[1\]"),
     ([0.0, 1.0], [1.0], RatchetKind.LINEAR, "rate: shape"),
     ([0.0, 1.0], [1.0, -1.0], RatchetKind.LINEAR, r"rate\[1\]: -1.0 must not be negative"),
     ([0.0, 1.0], [1.0, 2.0], RatchetKind.STEP, "rate: shape")],
)  # fmt: skip
def test_refuses_a_rate_curve(points, rates, kind, says):
    with pytest.raises(PricingError, match=says):
        RateCurve(points, rates, kind)


def lattice_optimum(storage, curve, step):
    """Return the best of the plans in multiples of the step that end empty."""
    levels = np.arange(0.0, float(np.max(storage.max_inventory)) + step / 2, step)

    def rates(terms):
        x, r = np.asarray(terms.inventory), np.asarray(terms.rate)
        inside = (x[:-1] <= levels[:, None]) & (levels[:, None] <= x[1:])
        return np.where(inside, r, 0.0).max(axis=1)

    most_in, most_out = rates(storage.injection), rates(storage.withdrawal)
    worth = np.where(levels == 0, 0.0, -np.inf)
    for price, cost, gain in zip(
        curve[::-1], storage.injection_cost[::-1], storage.withdrawal_cost[::-1], strict=True
    ):
        best = np.full(len(levels), -np.inf)
        for moved in range(-int(most_out.max() / step), int(most_in.max() / step) + 1):
            change = moved * step
            after = np.full(len(levels), -np.inf)
            if moved >= 0:
                after[: len(levels) - moved] = worth[moved:]
                after[change > most_in] = -np.inf
                after -= (price + cost) * change
            else:
                after[-moved:] = worth[:moved]
                after[-change > most_out] = -np.inf
                after -= (price - gain) * change
            best = np.maximum(best, after)
        worth = best
    return float(worth[0])


def test_a_search_over_steps_that_stops_early_has_a_good_plan_and_says_its_gap():
    curve, flat = SEASONS[100:280], np.ones(len(PART))
    steps = store(
        PART,
        injection=RateCurve([0.0, 30_000.0, 60_000.0, 100_000.0], [900.0, 700.0, 400.0 + 1e-4],
                            RatchetKind.STEP),
        withdrawal=RateCurve([0.0, 20_000.0, 50_000.0, 100_000.0], [400.0, 800.0, 1_200.0],
                             RatchetKind.STEP),
    )  # fmt: skip

    plan = storage_intrinsic(steps, curve, time_limit_seconds=3.0)

    # But for a rate, bands and rates are multiples of 100 MWh, so these plans are near the best.
    lattice = lattice_optimum(steps, curve, 100.0)
    assert plan.method is Method.MIXED_INTEGER_PROGRAMME
    assert 0.99 * lattice < plan.value
    assert lattice <= plan.value + plan.gap + 1e-6
    assert replay(steps, plan, curve, flat, flat) == pytest.approx(plan.value, rel=1e-9)


def test_steps_of_one_quantity_are_proven_over_a_year():
    """With outages, bounds by day and gas that is left over; plans keep to multiples of 50 MWh."""
    days = np.arange(len(YEAR))
    steps = store(
        injection=RateCurve([0.0, 30_000.0, 60_000.0, 100_000.0], [900.0, 700.0, 400.0],
                            RatchetKind.STEP),
        withdrawal=RateCurve([0.0, 20_000.0, 50_000.0, 100_000.0], [400.0, 800.0, 1_200.0],
                             RatchetKind.STEP),
        injection_available=np.where(days % 30 == 3, 0.5, 1.0),
        min_inventory=np.where((days > 200) & (days < 230), 40_000.0, 0.0),
        terminal_max=100_000.0, terminal_value=21.0,
    )  # fmt: skip

    plan = storage_intrinsic(steps, SEASONS)

    flat = np.ones(len(YEAR))
    assert (plan.method, plan.gap) == (Method.DYNAMIC_PROGRAMME, 0.0)
    assert replay(steps, plan, SEASONS, flat, flat) == pytest.approx(plan.value, rel=1e-9)
    assert (plan.inventory[1:] >= np.asarray(steps.min_inventory) - 1e-6).all()
    finer = store(
        injection=steps.injection, withdrawal=steps.withdrawal,
        injection_available=steps.injection_available, min_inventory=steps.min_inventory,
        terminal_max=100_000.0, terminal_value=21.0, start_inventory=10.0,
    )  # fmt: skip
    # Five times the levels and 10 MWh more to begin with: as much better as these are worth.
    assert 0.0 <= storage_intrinsic(finer, SEASONS).value - plan.value < 10.0 * SEASONS.max()
