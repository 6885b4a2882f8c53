"""Discount factors and exchange rates as scenario factors: against each payment by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.engine import (
    PaidPortfolio,
    PaymentMarket,
    ScenarioError,
    kernel_weights,
    revalue,
    revalue_paid,
)
from tests.risk.engine.test_revaluation import NODES, some_portfolio
from trading.pricing import price_option

PAYMENTS, SCENARIOS = 5, 40


def some_case(seed):
    rng = np.random.default_rng(seed)
    held = some_portfolio(rng)
    paid = PaidPortfolio(
        held,
        rng.integers(0, PAYMENTS, len(held.forwards)),
        tuple(rng.integers(0, PAYMENTS, len(rows)) for rows in held.options),
    )
    discount, rate = rng.uniform(0.8, 1.0, PAYMENTS), np.array([1.0, 0.86, 11.2])
    market = PaymentMarket(
        discount,
        rng.integers(0, 3, PAYMENTS),
        rate,
        discount[:, None] * np.exp(rng.normal(size=(PAYMENTS, SCENARIOS)) * 0.01),
        np.concatenate([
            np.ones((1, SCENARIOS)),
            rate[1:, None] * np.exp(rng.normal(size=(2, SCENARIOS)) * 0.05),
        ]),
    )  # fmt: skip
    prices, vols = rng.uniform(30, 90, NODES), rng.uniform(0.1, 0.6, NODES)
    moved = prices[:, None] * np.exp(rng.normal(size=(NODES, SCENARIOS)) * 0.1)
    moved_vols = vols[:, None] * np.exp(rng.normal(size=(NODES, SCENARIOS)) * 0.1)
    return paid, market, (prices, vols, moved, moved_vols)


def slow_values(paid, market, prices, vols, discount, rate):
    """Each trade's value in one state of the world, row by row and each by its own formula."""
    carried = discount * rate[market.currency]
    held = paid.held
    rows = [
        (held.forward_trade, held.forwards.amount * (prices[held.forwards.node]
                                                     - held.forwards.price), paid.forward_payment),
        *(
            (trade, options.amount * price_option(
                options.model, forward=prices[options.node], strike=options.strike,
                expiry=options.years, volatility=vols[options.volatility_node],
                option=options.option,
            ).price, payment)
            for options, trade, payment in zip(held.options, held.option_trade,
                                               paid.option_payment, strict=True)
        ),
    ]  # fmt: skip
    total = np.zeros(held.trades)
    for trades, worth, payments in rows:
        np.add.at(total, trades, worth * carried[payments])
    return total


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_each_scenario_is_a_direct_valuation_in_its_own_state(seed):
    paid, market, (prices, vols, moved, moved_vols) = some_case(seed)

    found = revalue_paid(paid, market, prices, vols, moved, moved_vols, each=True)

    today = slow_values(paid, market, prices, vols, market.discount, market.rate)
    assert found.trade_value == pytest.approx(today, abs=1e-6)
    assert found.value == pytest.approx(today.sum(), abs=1e-5)
    for scenario in (0, 7, SCENARIOS - 1):
        then = slow_values(
            paid, market, moved[:, scenario], moved_vols[:, scenario],
            market.scenario_discount[:, scenario], market.scenario_rate[:, scenario],
        )  # fmt: skip
        assert found.pnl[scenario] == pytest.approx((then - today).sum(), abs=1e-4)
        single = found.trade_pnl(np.arange(paid.held.trades))[:, scenario]
        assert single == pytest.approx(then - today, abs=1e-5)


def test_components_are_of_the_whole_move():
    paid, market, given_market = some_case(3)
    found = revalue_paid(paid, market, *given_market, each=True)
    weights = np.empty(SCENARIOS)
    weights[np.argsort(found.pnl)] = kernel_weights(SCENARIOS, 0.05)
    each = found.weighted(weights)
    assert each.sum() == pytest.approx(found.pnl @ weights)
    assert each == pytest.approx(found.trade_pnl(np.arange(paid.held.trades)) @ weights)


def test_held_at_one_it_is_the_plain_revaluation():
    paid, _, given_market = some_case(4)
    flat = PaymentMarket(np.ones(PAYMENTS), np.zeros(PAYMENTS, dtype=int), np.ones(1))
    plain = revalue(paid.held, *given_market)
    found = revalue_paid(paid, flat, *given_market)
    assert found.pnl == pytest.approx(plain.pnl, abs=1e-6)
    assert found.value == pytest.approx(plain.value)


def test_a_rate_alone_moves_what_is_worth_something():
    paid, market, (prices, vols, *_) = some_case(5)
    still = np.repeat(prices[:, None], SCENARIOS, 1), np.repeat(vols[:, None], SCENARIOS, 1)
    found = revalue_paid(paid, market, prices, vols, *still)
    by_currency = [
        sum(
            market.discount[p] * revalue(paid.at(p), prices, vols, *still).value
            for p in range(PAYMENTS)
            if market.currency[p] == money
        )
        for money in range(3)
    ]
    held = PaymentMarket(
        market.discount, market.currency, market.rate, scenario_rate=market.scenario_rate
    )
    only_rates = revalue_paid(paid, held, prices, vols, *still)
    expected = np.array(by_currency) @ (market.scenario_rate - market.rate[:, None])
    assert only_rates.pnl == pytest.approx(expected, abs=1e-6)
    assert found.pnl != pytest.approx(expected, abs=1e-6)


def test_a_portfolio_of_nothing_is_worth_nothing():
    paid, market, given_market = some_case(6)
    none = PaidPortfolio(paid.at(99), np.zeros(0, dtype=int))
    found = revalue_paid(none, market, *given_market, each=True)
    assert (found.value, found.pnl.tolist()) == (0.0, [0.0] * SCENARIOS)
    assert found.weighted(np.ones(SCENARIOS)).tolist() == [0.0] * 60


ONE, ZERO = np.ones(1), np.zeros(1, dtype=int)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: PaymentMarket(np.zeros(1), ZERO, ONE), r"discount\[0\]: 0.0 must be above 0"),
        (lambda: PaymentMarket(ONE, ZERO, np.array([np.nan])), r"rate\[0\]: nan"),
        (lambda: PaymentMarket(ONE, ZERO, ONE, scenario_rate=[[1.0, -1.0]]),
         r"scenario_rate\[0, 1\]: -1.0"),
        (lambda: PaymentMarket(ONE, ZERO + 1, ONE), "currency: must be positions of 1 rates"),
        (lambda: PaymentMarket(ONE, np.zeros(2, dtype=int), ONE), "currency: must be one"),
        (lambda: PaymentMarket(ONE, ZERO, ONE, np.ones((2, 3))), r"scenario_discount: shape"),
        (lambda: PaymentMarket(ONE, ZERO, ONE, np.ones((1, 3)), np.ones((1, 2))),
         "scenario_rate: must have the scenarios"),
    ],
)  # fmt: skip
def test_a_market_that_cannot_be_is_refused_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()


def test_a_portfolio_that_does_not_fit_is_refused_by_name():
    paid, market, given_market = some_case(7)
    held = paid.held
    for payment, option_payment, said in (
        (paid.forward_payment[1:], paid.option_payment, "forward_payment"),
        (paid.forward_payment, paid.option_payment[1:], "option_payment: must be one row"),
        (paid.forward_payment, tuple(p[1:] for p in paid.option_payment), "option_payment: must"),
    ):
        with pytest.raises(ScenarioError, match=said):
            PaidPortfolio(held, payment, option_payment)
    beyond = PaidPortfolio(held, paid.forward_payment + PAYMENTS, paid.option_payment)
    with pytest.raises(ScenarioError, match="payment: must be positions of 5"):
        revalue_paid(beyond, market, *given_market)
    fewer = PaymentMarket(
        market.discount, market.currency, market.rate, market.scenario_discount[:, 1:]
    )
    with pytest.raises(ScenarioError, match="scenario_discount: 39 scenarios must be 40"):
        revalue_paid(paid, fewer, *given_market)
