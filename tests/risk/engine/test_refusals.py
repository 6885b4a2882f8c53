"""
What cannot be computed is refused by name at every door of the package, or has a stated rule.

Each door's own rules are tested beside it; here one kind of bad input walks past all of them.
"""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from risk.engine import (
    BackTestError,
    BookVector,
    ContractQuote,
    Convention,
    Exchange,
    Exposure,
    Factors,
    ForwardRows,
    Garch,
    JumpDiffusion,
    MonthlyCurve,
    NoCurve,
    PaymentMarket,
    Portfolio,
    QuoteDay,
    ScenarioError,
    ShockRule,
    Shocks,
    Simulation,
    StressShock,
    TailError,
    attribute,
    base_value,
    delta_gamma,
    delta_normal,
    earnings_at_risk,
    exchange_changes,
    exposure_by_tenor,
    factors_of_covariance,
    factors_of_history,
    filtered_returns,
    fit_garch,
    kernel_weights,
    lower_tail,
    monte_carlo,
    month_number,
    nearest_correlation,
    normal_tail,
    proportion_of_failures,
    repaired_covariance,
    revalue,
    risk_concentration,
    sensitivities,
    shards,
    stress,
    student_tail,
    tail_risk,
    tenor_shocks,
)
from trading.pricing import ModelChoice, NonPositivePrice, OptionRows, PriceModel, PricingError
from trading.pricing.processes import MeanRevertingSpot

ORIGIN = month_number(date(2027, 1, 1))
NONE = np.zeros(0)
NO_ROWS = ForwardRows(np.zeros(0, dtype=int), NONE, NONE)
NOTHING = Portfolio(0, NO_ROWS, np.zeros(0, dtype=int))
FORWARD = Portfolio(1, ForwardRows(np.zeros(1, dtype=int), np.ones(1), np.full(1, 50.0)),
                    np.zeros(1, dtype=int))  # fmt: skip
AGAINST_EACH_OTHER = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])
STILL = Shocks.all(2, ShockRule.ABSOLUTE)


def call_option(years=1.0, strike=50.0):
    rows = OptionRows(
        ModelChoice(PriceModel.BLACK76), np.zeros(1, dtype=int), np.zeros(1, dtype=int),
        np.array([strike]), np.array([years]), np.ones(1), "CALL",
    )  # fmt: skip
    return Portfolio(1, NO_ROWS, np.zeros(0, dtype=int), (rows,), (np.zeros(1, dtype=int),))


def simulated(portfolio, price, move):
    return monte_carlo(
        portfolio, [price], [0.3], Factors(np.array([[move, 0.0]]), 1.0), STILL,
        Simulation(20, 2), Convention(),
    )  # fmt: skip


def quoted(day, price):
    return QuoteDay(date(2026, 11, day), (ContractQuote(ORIGIN, 1, price),))


def shocks_of(*prices, rule=ShockRule.ABSOLUTE):
    history = [quoted(day, price) for day, price in enumerate(prices, start=2)]
    return tenor_shocks(history, lambda month: 744.0, scenarios=1, tenors=1, rule=rule)


def refuses(call, error, said):
    return pytest.param(call, error, said, id=said)


EMPTY_BOOK = [
    refuses(lambda: tail_risk(NONE, Convention()), TailError, "at least one scenario"),
    refuses(lambda: attribute(np.zeros((0, 5)), Convention()), TailError, "parts: shape"),
    refuses(lambda: delta_normal([], np.zeros((0, 0)), 0.99), TailError, "positions: shape"),
    refuses(lambda: risk_concentration({}, Convention()), ScenarioError, "one group"),
    refuses(lambda: earnings_at_risk([], np.ones((1, 2, 1))), ScenarioError, "assets: at least"),
    refuses(lambda: stress(FORWARD, [50.0], [], []), ScenarioError, "shocks: at least one"),
    refuses(lambda: shards(0, 5, trades_each=1), ScenarioError, "trades: 0"),
]
NO_SCENARIO = [
    refuses(lambda: revalue(FORWARD, [50.0], [], np.zeros((1, 0)), np.zeros((0, 0))),
            ScenarioError, "at least one"),
    refuses(lambda: kernel_weights(0, 0.01), TailError, "count: 0"),
    refuses(lambda: BookVector(0), ScenarioError, "scenarios: 0"),
    refuses(lambda: factors_of_history([[1.0]]), ScenarioError, "with two days"),
    refuses(lambda: filtered_returns([0.1], Garch.ewma(0.94)), ScenarioError, "two steps"),
    refuses(lambda: shocks_of(50.0), ScenarioError, "0 daily changes, 1 are needed"),
]  # fmt: skip
NAN_QUOTE = [
    refuses(lambda: shocks_of(50.0, np.nan), ScenarioError, "a price on 2026-11-02 or 2026-11-03"),
    refuses(lambda: STILL.applied([np.nan, 1.0], [0.0, 0.0]), ScenarioError, r"levels\[0\]: nan"),
    refuses(lambda: STILL.between([1.0, 1.0], [1.0, np.inf]), ScenarioError, r"after\[1\]: inf"),
    refuses(lambda: revalue(FORWARD, [np.nan], [], np.ones((1, 2)), np.zeros((0, 2))),
            ScenarioError, r"prices\[0\]: nan"),
    refuses(lambda: revalue(FORWARD, [50.0], [], [[51.0, np.nan]], np.zeros((0, 2))),
            ScenarioError, r"scenario_prices\[0, 1\]: nan"),
    refuses(lambda: revalue(call_option(), [50.0], [0.3], [[50.0]], [[np.nan]]),
            PricingError, "volatilities.*nan"),
    refuses(lambda: sensitivities(call_option(), [np.nan], [0.3]), PricingError, "forward"),
    refuses(lambda: stress(FORWARD, [np.nan], [], [StressShock("up", np.zeros(1, int), 0.1)]),
            ScenarioError, "up: levels.*nan"),
    refuses(lambda: simulated(FORWARD, np.nan, 1.0), ScenarioError, r"levels\[0\]: nan"),
    refuses(lambda: exchange_changes([(1.1, 1.2), (np.nan, 1.0)]), ScenarioError, r"rates\[1\]"),
    refuses(lambda: factors_of_history([[1.0], [np.nan]]), ScenarioError, r"moves\[1, 0\]"),
    refuses(lambda: fit_garch(np.append(np.ones(120), np.nan)), ScenarioError, r"nan at \[120\]"),
    refuses(lambda: tail_risk(np.array([1.0, np.nan]), Convention()), TailError, "scenario 1"),
]  # fmt: skip
NO_LOGARITHM = [
    *(
        refuses(lambda price=price: revalue(call_option(), [50.0], [0.3], [[price]], [[0.3]]),
                NonPositivePrice, rf"forwards\[0, 0\].*{price}")
        for price in (0.0, -12.5)
    ),
    refuses(lambda: revalue(call_option(), [-1.0], [0.3], [[50.0]], [[0.3]]),
            NonPositivePrice, r"forwards\[0.*: -1"),
    refuses(lambda: simulated(call_option(), 50.0, 500.0), NonPositivePrice, "forwards"),
    refuses(
        lambda: stress(
            call_option(), [50.0], [0.3],
            [StressShock("down", np.zeros(1, int), -50.0, ShockRule.ABSOLUTE)],
        ),
        NonPositivePrice, "forwards",
    ),
    refuses(lambda: sensitivities(call_option(), [0.0], [0.3]), NonPositivePrice, "forward"),
    refuses(lambda: shocks_of(50.0, 0.0, rule=ShockRule.LOGARITHMIC), ScenarioError,
            "2027-01.*must be above 0"),
    refuses(lambda: call_option(strike=-1.0), NonPositivePrice, "strike"),
]  # fmt: skip
NO_COVARIANCE = [
    refuses(lambda: factors_of_covariance([[1.0, 2.0], [2.0, 1.0]]), ScenarioError, "repair it"),
    refuses(lambda: delta_normal([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], 0.99), TailError,
            "negative variance; repair"),
    refuses(lambda: JumpDiffusion((MeanRevertingSpot(5.0, 9.0),) * 3, AGAINST_EACH_OTHER),
            ScenarioError, "correlation: has a negative eigenvalue"),
    refuses(lambda: repaired_covariance([[-1.0]]), TailError, "negative variance"),
    refuses(lambda: nearest_correlation([[1.0, np.nan], [np.nan, 1.0]]), TailError, "finite"),
]  # fmt: skip
NO_CURVE = [
    refuses(
        lambda: base_value([Exposure(ORIGIN + 2, 10.0, 500.0, 700.0)],
                           MonthlyCurve(ORIGIN, np.array([80.0, 81.0]))),
        NoCurve, "no price for 2027-03",
    ),
    refuses(
        lambda: base_value([Exposure(ORIGIN, 10.0, 500.0, 700.0)],
                           MonthlyCurve(ORIGIN, np.array([np.nan]))),
        NoCurve, "no price for 2027-01",
    ),
    refuses(lambda: revalue(FORWARD, [], [], np.zeros((0, 1)), np.zeros((0, 1))), ScenarioError,
            "node: must be positions of 0"),
    refuses(lambda: revalue(call_option(), [50.0], [], [[50.0]], np.zeros((0, 1))), ScenarioError,
            "volatility_node"),
]  # fmt: skip
NO_RATE = [
    refuses(lambda: PaymentMarket(np.ones(1), np.array([1]), np.ones(1)), ScenarioError,
            "currency: must be positions of 1 rates"),
    refuses(lambda: PaymentMarket(np.ones(1), np.array([0]), np.array([np.nan])), ScenarioError,
            r"rate\[0\]: nan"),
    refuses(lambda: Exchange(0.0, np.zeros(2)), ScenarioError, "rate: 0.0 must be above 0"),
    refuses(lambda: Exchange(1.1, np.array([0.0, -1.0])), ScenarioError, "changes: must leave"),
]  # fmt: skip
WRONG_CONFIDENCE = [
    pytest.param(lambda q=q, door=door: door(q), TailError, "confidence|tail|q:", id=f"{name} {q}")
    for q in (0.0, 1.0, -0.5, 1.5, float("nan"))
    for name, door in (
        ("convention", lambda q: Convention(confidence=Decimal(str(q)))),
        ("normal", lambda q: normal_tail(0.0, 1.0, q)),
        ("student", lambda q: student_tail(5.0, q)),
        ("delta-normal", lambda q: delta_normal([1.0], [[1.0]], q)),
        ("delta-gamma", lambda q: delta_gamma([1.0], [[0.0]], [[1.0]], q)),
        ("kernel", lambda q: kernel_weights(100, q)),
        ("lower tail", lambda q: lower_tail(np.ones(5), Decimal(str(q)))),
        ("earnings", lambda q: earnings_at_risk(
            [], np.ones((1, 2, 1)), confidence=Decimal(str(q)))),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [*EMPTY_BOOK, *NO_SCENARIO, *NAN_QUOTE, *NO_LOGARITHM, *NO_COVARIANCE, *NO_CURVE, *NO_RATE,
     *WRONG_CONFIDENCE],
)  # fmt: skip
def test_is_refused_by_name(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_a_book_that_holds_nothing_is_worth_and_risks_nothing():
    found = revalue(NOTHING, [50.0], [], [[40.0, 60.0]], np.zeros((0, 2)))
    assert (found.value, found.pnl.tolist(), found.trade_value.size) == (0.0, [0.0, 0.0], 0)
    assert BookVector(2).tail(Convention()).var == 0.0


def test_of_one_scenario_the_tail_is_that_scenario():
    for rule in (Convention(), Convention(confidence=Decimal("0.5"))):
        found = tail_risk(np.array([-7.0]), rule)
        assert (found.var, found.es, found.count, found.scenario) == (7.0, 7.0, 1, 0)
        parts = attribute([[-9.0], [2.0]], rule)
        assert parts.component.tolist() == parts.es_component.tolist() == [9.0, -2.0]


def test_a_singular_covariance_that_some_moves_have_is_no_fault():
    together = np.ones((2, 2))
    assert delta_normal([1.0, -1.0], together, 0.99).var == 0.0
    assert len(factors_of_covariance(together, explained=0.999).loadings) == 1
    assert factors_of_covariance(np.zeros((2, 2))).loadings.shape == (0, 2)


def test_what_has_matured_is_its_payoff_or_nothing():
    paid = revalue(call_option(years=0.0), [62.0], [0.3], [[70.0, 40.0]], [[0.3, 0.3]])
    assert (paid.value, paid.pnl.tolist()) == (12.0, [8.0, -12.0])
    delivered = [Exposure(ORIGIN - 1, 10.0, 900.0, 0.0), Exposure(ORIGIN, 10.0, 900.0, 0.0)]
    curve = MonthlyCurve(ORIGIN, np.array([80.0]))
    assert base_value(delivered, curve) == 0.0
    assert exposure_by_tenor(delivered, origin=ORIGIN, tenors=3).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("observations", "exceptions", "p", "said"),
    [(0, 0, 0.01, "observations: 0"), (10, 11, 0.01, "exceptions: 11"), (10, 1, 0.0, "p: 0.0"),
     (10, 1, 1.0, "p: 1.0")],
)  # fmt: skip
def test_a_back_test_without_days_or_a_probability_is_refused(observations, exceptions, p, said):
    with pytest.raises(BackTestError, match=said):
        proportion_of_failures(observations, exceptions, p)
