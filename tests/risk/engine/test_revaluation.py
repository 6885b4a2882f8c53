"""Full revaluation against the formulas trade by trade, and against shared reference cases."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.engine import (
    Convention,
    ForwardRows,
    Portfolio,
    ScenarioError,
    attribute,
    kernel_weights,
    revalue,
    tail_components,
    tail_of_rank,
    tail_risk,
)
from trading.pricing import (
    ModelChoice,
    NonPositivePrice,
    OptionRows,
    PriceModel,
    PricingError,
    price_option,
    value_in_scenarios,
)

ORACLES = Path("/work/shared/data/oracles/trading_risk.json")
CHOICES = (
    ModelChoice(PriceModel.BLACK76),
    ModelChoice(PriceModel.DISPLACED_BLACK, 30.0),
    ModelChoice(PriceModel.BACHELIER),
)
NODES = 7


def some_options(rng, choice, n):
    return OptionRows(
        choice,
        rng.integers(0, NODES, n),
        rng.integers(0, NODES, n),
        rng.uniform(30, 90, n),
        rng.choice([0.0, 0.1, 1.0, 2.0], n),
        rng.normal(size=n) * 1000,
        rng.choice(["CALL", "PUT"], n),
    )


def some_market(rng, choice, scenarios):
    shift = -20.0 if choice.model is not PriceModel.BLACK76 else 0.0
    forwards = rng.uniform(20, 120, (NODES, scenarios)) + shift
    vols = rng.choice([0.0, 0.2, 0.5, 1.1], (NODES, scenarios))
    return forwards, vols * (40.0 if choice.model is PriceModel.BACHELIER else 1.0)


def one_by_one(rows, forwards, vols):
    return np.stack([
        amount * price_option(
            rows.model, forward=forwards[node], strike=strike, expiry=years,
            volatility=vols[vol], option=word,
        ).price
        for node, vol, strike, years, amount, word in zip(
            rows.node, rows.volatility_node, rows.strike, rows.years, rows.amount, rows.option,
            strict=True,
        )
    ])  # fmt: skip


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(CHOICES), st.integers(1, 30), st.integers(1, 300))
def test_each_option_has_its_formulas_price_in_every_scenario(seed, choice, n, scenarios):
    rng = np.random.default_rng(seed)
    rows, market = some_options(rng, choice, n), some_market(rng, choice, scenarios)
    total, each = value_in_scenarios(rows, *market, each=True)
    slow = one_by_one(rows, *market)
    assert each == pytest.approx(slow, abs=1e-8)
    assert total == pytest.approx(slow.sum(axis=0), abs=1e-6)


def test_threads_and_company_change_no_digit():
    rng = np.random.default_rng(1)
    rows, market = some_options(rng, CHOICES[0], 2000), some_market(rng, CHOICES[0], 500)
    total, nothing = value_in_scenarios(rows, *market, workers=1)
    assert nothing.shape == (0, 500)
    for workers in (2, 3):
        again, _ = value_in_scenarios(rows, *market, workers=workers)
        assert again.tobytes() == total.tobytes()
    first, _ = value_in_scenarios(rows, market[0][:, :1], market[1][:, :1])
    assert first[0] == total[0]


def test_gains_are_what_values_rise_by_in_blocks_of_scenarios_too():
    rng = np.random.default_rng(3)
    rows = some_options(rng, CHOICES[1], 300)
    today = tuple(row[:, 0] for row in some_market(rng, CHOICES[1], 1))
    market = some_market(rng, CHOICES[1], 5_000)
    gained, _ = value_in_scenarios(rows, *market, today=today)
    base, own = value_in_scenarios(rows, *(row[:, None] for row in today), each=True)
    total, values = value_in_scenarios(rows, *market, each=True)
    assert gained == pytest.approx(total - base, abs=1e-6)
    assert gained.tobytes() == (total - base).tobytes()
    few = tuple(row[:, 4_000:4_200] for row in market)
    _, rises = value_in_scenarios(rows, *few, today=today, each=True)
    assert rises.tobytes() == (values[:, 4_000:4_200] - own).tobytes()
    with pytest.raises(PricingError, match="today: shape"):
        value_in_scenarios(rows, *market, today=(today[0][:2], today[1]))


def some_portfolio(rng, trades=60):
    options = tuple(some_options(rng, choice, n) for choice, n in zip(CHOICES, (40, 25, 30),
                                                                     strict=True))  # fmt: skip
    return Portfolio(
        trades,
        ForwardRows(
            rng.integers(0, NODES, 80), rng.normal(size=80) * 1000, rng.uniform(20, 90, 80)
        ),
        rng.integers(0, trades, 80),
        options,
        tuple(rng.integers(0, trades, len(rows)) for rows in options),
    )


def by_trade(held, forwards, vols):
    """Return (trade, scenario) one row at a time."""
    found = np.zeros((held.trades, forwards.shape[1]))
    rows = zip(held.forward_trade, held.forwards.node, held.forwards.amount, held.forwards.price,
               strict=True)  # fmt: skip
    for trade, node, amount, price in rows:
        found[trade] += amount * (forwards[node] - price)
    for options, trades in zip(held.options, held.option_trade, strict=True):
        for trade, value in zip(trades, one_by_one(options, forwards, vols), strict=True):
            found[trade] += value
    return found


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_a_portfolio_is_the_sum_of_its_trades(seed, scenarios):
    rng = np.random.default_rng(seed)
    held = some_portfolio(rng)
    prices, vols = rng.uniform(30, 90, NODES), rng.uniform(0.1, 1.0, NODES)
    moved = prices[:, None] * np.exp(rng.normal(size=(NODES, scenarios)) * 0.1)
    moved_vols = vols[:, None] * np.exp(rng.normal(size=(NODES, scenarios)) * 0.1)
    found = revalue(held, prices, vols, moved, moved_vols, each=True)
    base = by_trade(held, prices[:, None], vols[:, None])[:, 0]
    slow = by_trade(held, moved, moved_vols) - base[:, None]
    assert found.trade_value == pytest.approx(base, abs=1e-6)
    assert found.value == pytest.approx(base.sum(), abs=1e-5)
    assert found.pnl == pytest.approx(slow.sum(axis=0), abs=1e-5)
    assert found.trade_pnl(range(held.trades)) == pytest.approx(slow, abs=1e-6)
    chosen = [5, 3, 40]
    assert found.trade_pnl(chosen) == pytest.approx(slow[chosen], abs=1e-6)
    weights = rng.normal(size=scenarios)
    assert found.weighted(weights) == pytest.approx(slow @ weights, abs=1e-4)


def test_without_a_move_nothing_is_gained():
    rng = np.random.default_rng(7)
    prices, vols = rng.uniform(30, 90, NODES), rng.uniform(0.1, 1.0, NODES)
    still = [np.repeat(row[:, None], 130, axis=1) for row in (prices, vols)]
    found = revalue(some_portfolio(rng), prices, vols, *still, each=True)
    assert (found.pnl == 0).all()
    assert (found.trade_pnl(range(60)) == 0).all()


def test_components_of_trades_are_those_of_their_vectors():
    rng = np.random.default_rng(8)
    held = some_portfolio(rng)
    prices, vols = rng.uniform(30, 90, NODES), rng.uniform(0.1, 1.0, NODES)
    moved = prices[:, None] * np.exp(rng.normal(size=(NODES, 500)) * 0.05)
    found = revalue(held, prices, vols, moved, np.repeat(vols[:, None], 500, axis=1), each=True)
    parts = attribute(found.trade_pnl(range(held.trades)), Convention())
    weights = np.empty(500)
    weights[np.argsort(found.pnl, kind="stable")] = kernel_weights(500, 0.01)
    assert -found.weighted(weights) == pytest.approx(parts.component, rel=1e-9, abs=1e-6)
    assert parts.var == pytest.approx(tail_risk(found.pnl, Convention()).var)
    split = tail_components(
        found.pnl, Convention(), held, prices, vols, moved, np.repeat(vols[:, None], 500, axis=1)
    )
    assert split.component == pytest.approx(parts.component, rel=1e-9, abs=1e-6)
    assert split.es_component == pytest.approx(parts.es_component, rel=1e-9, abs=1e-6)
    assert split.kernel_var == pytest.approx(parts.kernel_var)


def test_names_the_scenario_whose_price_has_no_logarithm():
    rng = np.random.default_rng(9)
    rows, (forwards, vols) = some_options(rng, CHOICES[0], 50), some_market(rng, CHOICES[0], 4)
    forwards[3, 2] = -5.0
    with pytest.raises(NonPositivePrice, match=r"forwards\[3, 2\]: -5.0"):
        value_in_scenarios(rows, forwards, vols)
    # A node that no option stands on may do as it likes.
    only = OptionRows(CHOICES[0], [1], [1], [50.0], [1.0], [1.0], "CALL")
    assert value_in_scenarios(only, forwards, vols)[0].shape == (4,)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"node": [7]}, r"node\[0\]: 7 is no position in forwards"),
        ({"volatility_node": [-1]}, r"volatility_node\[0\]: -1"),
        ({"node": [0.5]}, "node: must be whole numbers"),
        ({"node": 0}, "node: must be one row"),
        ({"strike": [50.0, 51.0]}, "strike: must be one for each of 1"),
        ({"strike": [0.0]}, "strike"),
        ({"years": [-1.0]}, "years"),
        ({"amount": [np.nan]}, "amount"),
        ({"option": ["STRADDLE"]}, "option"),
    ],
)
def test_refuses_options_that_are_none(terms, said):
    whole = {
        "node": [0], "volatility_node": [0], "strike": [50.0], "years": [1.0], "amount": [1.0],
        "option": ["CALL"],
    }  # fmt: skip
    with pytest.raises(PricingError, match=said):
        value_in_scenarios(
            OptionRows(CHOICES[0], **(whole | terms)), np.ones((NODES, 3)), np.ones((NODES, 3))
        )


FORWARDS = ForwardRows(np.array([0, 1]), np.array([1.0, 2.0]), np.array([50.0, 60.0]))
HELD = Portfolio(2, FORWARDS, np.array([0, 1]))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Portfolio(2, FORWARDS, np.array([0])), "forward_trade: must be one for each"),
        (lambda: Portfolio(1, FORWARDS, np.array([0, 1])), "positions of 1 trades"),
        (lambda: Portfolio(2, FORWARDS, np.array([0, 1]), (), (np.array([0]),)), "option_trade"),
        (
            lambda: Portfolio(
                1, ForwardRows(np.array([0]), np.array([np.inf]), np.array([1.0])), np.array([0])
            ),
            r"amount\[0\]: inf",
        ),
        (lambda: revalue(HELD, [50.0], [0.2], [[1.0]], [[0.2]]), "node: must be positions of 1"),
        (
            lambda: revalue(HELD, [50.0, 60.0], [0.2], [[1.0, 2.0], [1.0, np.nan]], [[0.2, 0.2]]),
            r"scenario_prices\[1, 1\]: nan",
        ),
        (lambda: revalue(HELD, [50.0, np.nan], [0.2], np.ones((2, 1)), [[0.2]]), r"prices\[1\]"),
        (lambda: revalue(HELD, [50.0, 60.0], [0.2], np.ones((3, 1)), [[0.2]]), "scenario_prices"),
        (lambda: revalue(HELD, [50.0, 60.0], [0.2], np.ones((2, 0)), np.ones((1, 0))), "at least"),
        (lambda: revalue(HELD, [50.0, 60.0], [0.2], np.ones((2, 2)), np.ones((1, 3))), "the same"),
        (
            lambda: revalue(
                HELD, [50.0, 60.0], [], np.ones((2, 2)), np.ones((0, 2))
            ).weighted(np.ones(3)),
            "weights",
        ),
    ],
)  # fmt: skip
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()


def test_asks_for_the_trades_before_it_splits_options():
    rng = np.random.default_rng(2)
    market = rng.uniform(30, 90, NODES), rng.uniform(0.1, 1, NODES)
    moved = [np.repeat(row[:, None], 3, axis=1) for row in market]
    with pytest.raises(ScenarioError, match="`each`"):
        revalue(some_portfolio(rng), *market, *moved).weighted(np.ones(3))


def test_a_rank_that_is_given_is_taken():
    pnl = np.array([5.0, -3.0, -7.0, 1.0])
    assert tail_of_rank(pnl, 2) == (-3.0, -5.0)


@pytest.mark.skipif(not ORACLES.exists(), reason="the shared reference cases are not here")
@pytest.mark.parametrize(
    "topic",
    [
        "basel_traffic_light", "component_var", "garch11", "kupiec_christoffersen",
        "kupiec_region", "nearest_correlation", "portfolio_full_reval", "var_es_closed_form",
    ],
)  # fmt: skip
def test_equals_the_shared_reference_cases(topic):
    call_command("validate_models", ORACLES, "--topic", topic)
