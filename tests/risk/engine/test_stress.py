"""Stress, sensitivities and liquidity: steps that sum, Greeks that are differences."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.engine import (
    Convention,
    ForwardRows,
    PaidPortfolio,
    PaymentMarket,
    Portfolio,
    ScenarioError,
    ShockRule,
    StressShock,
    StressTarget,
    liquidation_days,
    liquidity_adjusted,
    revalue,
    sensitivities,
    stress,
    tail_risk,
)
from tests.risk.engine.test_revaluation import NODES, some_portfolio

PRICES = np.array([50.0, 60.0, 70.0, 40.0, 55.0, 45.0, 65.0])
VOLS = np.array([0.3, 0.4, 0.5, 0.6, 0.35, 0.45, 0.55])
EVERY = np.arange(NODES)


def held(seed=3):
    return some_portfolio(np.random.default_rng(seed))


def at(portfolio, prices=PRICES, vols=VOLS):
    return revalue(portfolio, prices, vols, prices[:, None], vols[:, None]).value


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.floats(-0.4, 0.6), st.floats(-10, 10), st.floats(-0.5, 1.0))
def test_steps_and_trades_sum_to_the_whole(seed, relative, absolute, vol):
    portfolio = held(seed)
    shocks = [
        StressShock("front up", EVERY[:3], relative),
        StressShock("all by an amount", EVERY, np.full(NODES, absolute), ShockRule.ABSOLUTE),
        StressShock("volatility", EVERY, vol, target=StressTarget.VOLATILITY),
    ]
    found = stress(portfolio, PRICES, VOLS, shocks)
    prices = PRICES * np.where(EVERY < 3, 1 + relative, 1.0) + absolute
    slow = at(portfolio, prices, VOLS * (1 + vol)) - at(portfolio)
    assert found.pnl == pytest.approx(slow, abs=1e-5)
    assert sum(effect for _, effect in found.steps) == pytest.approx(found.pnl, abs=1e-9)
    assert [name for name, _ in found.steps] == [shock.name for shock in shocks]
    assert found.by_trade.sum() == pytest.approx(found.pnl, abs=1e-5)


def test_the_order_of_shocks_changes_the_steps_and_never_the_sum():
    up = StressShock("up", EVERY, 0.3)
    wild = StressShock("wild", EVERY, 0.5, target=StressTarget.VOLATILITY)
    one, other = (stress(held(), PRICES, VOLS, order) for order in ([up, wild], [wild, up]))
    assert one.pnl == pytest.approx(other.pnl)
    assert dict(one.steps)["up"] != pytest.approx(dict(other.steps)["up"])


def test_more_volume_is_more_of_what_a_trade_is_worth_in_the_moved_market():
    portfolio = held()
    trades = np.arange(0, portfolio.trades, 2)
    found = stress(portfolio, PRICES, VOLS, [
        StressShock("cold", trades, 0.25, target=StressTarget.VOLUME),
        StressShock("prices", EVERY, 0.4),
        StressShock("less again", trades, -0.5, target=StressTarget.VOLUME),
    ])  # fmt: skip
    before, after = (
        revalue(portfolio, p, VOLS, p[:, None], VOLS[:, None]).trade_value
        for p in (PRICES, PRICES * 1.4)
    )
    chosen = np.isin(np.arange(portfolio.trades), trades)
    steps = dict(found.steps)
    assert steps["cold"] == pytest.approx(0.25 * before[chosen].sum())
    assert found.by_trade == pytest.approx(after * np.where(chosen, 0.625, 1.0) - before, abs=1e-6)
    assert sum(steps.values()) == pytest.approx(found.pnl)
    assert found.by_trade.sum() == pytest.approx(found.pnl)


def test_rates_and_discount_factors_move_what_is_paid():
    portfolio = held()
    paid = PaidPortfolio(
        portfolio,
        np.arange(len(portfolio.forwards)) % 2,
        tuple(np.arange(len(rows)) % 2 for rows in portfolio.options),
    )
    market = PaymentMarket(np.array([0.97, 0.9]), np.array([0, 1]), np.array([1.0, 0.86]))
    still = PRICES[:, None], VOLS[:, None]
    here, abroad = (revalue(paid.at(n), PRICES, VOLS, *still).value for n in (0, 1))
    found = stress(paid, PRICES, VOLS, [
        StressShock("pound", np.array([1]), -0.2, target=StressTarget.RATE),
        StressShock("interest", np.array([0, 1]), [-0.01, -0.05], target=StressTarget.DISCOUNT),
    ], payments=market)  # fmt: skip
    assert dict(found.steps) == pytest.approx({
        "pound": abroad * 0.9 * 0.86 * -0.2,
        "interest": here * 0.97 * -0.01 + abroad * 0.9 * 0.86 * 0.8 * -0.05,
    })  # fmt: skip
    assert found.by_trade.sum() == pytest.approx(found.pnl)
    for wrong, payments in ((paid, None), (portfolio, market)):
        with pytest.raises(ScenarioError, match="payments: must be given"):
            stress(wrong, PRICES, VOLS, [StressShock("up", EVERY, 0.1)], payments=payments)


@pytest.mark.parametrize(
    ("shocks", "said"),
    [
        ([], "at least one"),
        ([StressShock("too far", np.array([NODES]), 0.1)], "too far: nodes"),
        ([StressShock("odd", EVERY, [0.1, 0.2])], "odd: moves"),
        ([StressShock("bare", EVERY, 0.1, ShockRule.DISPLACED)], "displacement"),
        ([StressShock("down", EVERY, -80.0, ShockRule.ABSOLUTE),
          StressShock("twice", EVERY, 0.1)], r"twice: levels\[0\]: -30"),
        ([StressShock("gone", np.array([0]), -1.5, target=StressTarget.VOLUME)],
         "gone: a volume must not fall below zero"),
        ([StressShock("pound", np.array([0]), -0.1, target=StressTarget.RATE)],
         "pound: nodes must be positions of 0"),
    ],
)  # fmt: skip
def test_refuses_a_stress_by_its_name(shocks, said):
    forwards = Portfolio(1, ForwardRows(np.array([0]), np.array([1.0]), np.array([50.0])),
                         np.array([0]))  # fmt: skip
    with pytest.raises(ScenarioError, match=said):
        stress(forwards, PRICES, VOLS, shocks)


@settings(max_examples=8)
@example(2090)
@given(st.integers(0, 2**32 - 1))
def test_sensitivities_are_differences_of_the_value(seed):
    rng = np.random.default_rng(seed)
    portfolio = some_portfolio(rng)
    # What expires now has a kink where others have curvature.
    for rows in portfolio.options:
        object.__setattr__(rows, "years", np.maximum(rows.years, 0.1))
    found = sensitivities(portfolio, PRICES, VOLS)
    node = int(rng.integers(NODES))
    step = np.eye(NODES)[node]
    # Small beside 0.1, the deviation of the narrowest normal option.
    up, down = (at(portfolio, PRICES + s * 5e-4 * step) for s in (1, -1))
    assert found.delta[node] == pytest.approx((up - down) / 1e-3, rel=1e-4, abs=0.05)
    up, base, down = (at(portfolio, PRICES + s * 5e-3 * step) for s in (1, 0, -1))
    assert found.gamma[node] == pytest.approx((up - 2 * base + down) / 25e-6, rel=2e-3, abs=0.5)
    up, down = (at(portfolio, vols=VOLS + s * 1e-4 * step) for s in (1, -1))
    assert found.vega[node] == pytest.approx((up - down) / 2e-4, rel=1e-4, abs=0.5)


def test_refuses_a_node_that_is_none():
    with pytest.raises(ScenarioError, match="node: must be positions of 3"):
        sensitivities(held(), PRICES[:3], VOLS)


def test_a_liquid_position_has_its_own_var_and_the_spread():
    rng = np.random.default_rng(5)
    moves, units = rng.normal(size=(3, 500)), np.array([100.0, -50.0, 20.0])
    found = liquidity_adjusted(units, moves, np.ones(3), [0.1, 0.2, 0.0], Convention(), stressed=2)
    assert found.tail.var == pytest.approx(tail_risk(units @ moves, Convention()).var)
    assert found.cost == pytest.approx(100 * 0.1 + 50 * 0.2)
    assert found.var == found.tail.var + found.cost


def test_days_of_liquidation_weigh_what_is_left():
    moves, one = np.random.default_rng(6).normal(size=(1, 1000)), Convention()
    base = liquidity_adjusted([10.0], moves, [1.0], [0.0], one).var
    for days in (2, 5, 20):
        left = np.arange(days, 0, -1) / days
        factor = np.sqrt((left**2).sum())
        found = liquidity_adjusted([10.0], moves, [float(days)], [0.0], one).var
        assert found == pytest.approx(base * factor)


def test_a_position_takes_the_days_that_its_market_gives():
    days = liquidation_days([100.0, -2600.0, 0.0], [1000.0, 1000.0, 5.0])
    assert days.tolist() == [1.0, 11.0, 1.0]
    assert liquidation_days([500.0], [1000.0], participation=0.25).tolist() == [2.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: liquidation_days([1.0], [0.0]), "daily_volume"),
        (lambda: liquidation_days([1.0, 2.0], [1.0]), "daily_volume"),
        (lambda: liquidation_days([1.0], [1.0], participation=0.0), "participation"),
        (lambda: liquidity_adjusted([1.0], [[1.0]], [0.5], [0.0], Convention()), "days"),
        (lambda: liquidity_adjusted([1.0], [[1.0]], [1.0], [-0.1], Convention()), "spread"),
        (lambda: liquidity_adjusted([1.0], [1.0], [1.0], [0.0], Convention()), "moves"),
        (
            lambda: liquidity_adjusted([1.0], [[1.0]], [1.0], [0.0], Convention(), stressed=0.5),
            "stressed",
        ),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
