"""Monte Carlo that revalues the tail in full has the numbers of the run that revalues all."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from risk.engine import (
    Convention,
    Draw,
    Factors,
    ForwardRows,
    JumpDiffusion,
    Portfolio,
    QuantileRule,
    ScenarioError,
    ShockRule,
    Shocks,
    ShortfallRule,
    Simulation,
    Valuation,
    _proxy,
    attribute,
    monte_carlo,
    revalue,
)
from trading.pricing import ModelChoice, NonPositivePrice, OptionRows, PriceModel
from trading.pricing.processes import MeanRevertingSpot

NODES, VOL_NODES, TRADES = 8, 4, 200
PRICES = np.array([50.0, 60.0, 70.0, 40.0, 55.0, 30.0, 80.0, 65.0])
# Two lognormal, two normal.
VOLATILITIES = np.array([0.45, 0.3, 12.0, 20.0])
MODELS = (
    (ModelChoice(PriceModel.BLACK76), (0, 1)),
    (ModelChoice(PriceModel.DISPLACED_BLACK, 30.0), (0, 1)),
    (ModelChoice(PriceModel.BACHELIER), (2, 3)),
)
LOGARITHMIC = Shocks.all(NODES + VOL_NODES, ShockRule.LOGARITHMIC)
CONVENTION = Convention()


def some_book(seed=1, years=(0.1, 0.5, 1.0, 3.0), options=90):
    rng = np.random.default_rng(seed)
    rows = tuple(
        OptionRows(
            choice, rng.integers(0, NODES, options), rng.choice(vols, options),
            rng.uniform(30, 90, options), rng.choice(years, options),
            rng.normal(size=options) * 1000, rng.choice(["CALL", "PUT"], options),
        )
        for choice, vols in MODELS
    )  # fmt: skip
    forwards = ForwardRows(
        rng.integers(0, NODES, 60), rng.normal(size=60) * 1000, rng.uniform(30, 90, 60)
    )
    return Portfolio(
        TRADES, forwards, rng.integers(0, TRADES, 60), rows,
        tuple(rng.integers(0, TRADES, options) for _ in rows),
    )  # fmt: skip


def some_factors(seed=2, size=0.03):
    loadings = np.random.default_rng(seed).normal(size=(6, NODES + VOL_NODES)) * size / 2
    loadings[:, -1] = 0.0
    return Factors(loadings, 1.0)


def simulated(
    book, valuation=Valuation.TAIL, shocks=LOGARITHMIC, factors=None, convention=CONVENTION,
    each=False, workers=None, **terms,
):  # fmt: skip
    drawn = replace(Simulation(8_000, 4, 3, draw=Draw.PSEUDO), **terms)
    return monte_carlo(
        book, PRICES, VOLATILITIES, factors or some_factors(), shocks, drawn, convention,
        valuation=valuation, each=each, workers=workers,
    )  # fmt: skip


def assert_same(fast, slow, most=0.2):
    for name in ("var", "es"):
        assert getattr(fast.tail, name) == pytest.approx(getattr(slow.tail, name), rel=1e-9)
    assert (fast.tail.scenario, fast.tail.worst) == (slow.tail.scenario, slow.tail.worst)
    assert fast.value == pytest.approx(slow.value)
    assert fast.var_error == pytest.approx(slow.var_error, rel=1e-9)
    assert fast.es_error == pytest.approx(slow.es_error, rel=1e-9)
    assert slow.revalued == slow.pnl.size
    assert slow.pnl_error == 0.0
    assert 0 < fast.revalued < most * slow.revalued
    assert np.abs(fast.pnl - slow.pnl).max() <= fast.pnl_error < 1e-3 * slow.tail.var


@pytest.mark.parametrize("degrees", [None, 4.0])
@pytest.mark.parametrize("draw", list(Draw))
def test_has_the_tail_of_full_revaluation(draw, degrees):
    book, terms = some_book(), {"draw": draw, "degrees": degrees, "paths": 8_192}
    assert_same(
        simulated(book, **terms), simulated(book, Valuation.ALL, **terms),
    )  # fmt: skip


@pytest.mark.parametrize(
    "convention",
    [
        Convention(quantile_rule=QuantileRule.LINEAR_TYPE7),
        Convention(confidence=Decimal("0.975"), shortfall_rule=ShortfallRule.ACERBI),
    ],
)
def test_so_it_has_by_other_rules(convention):
    book = some_book(seed=4)
    assert_same(
        simulated(book, convention=convention),
        simulated(book, Valuation.ALL, convention=convention),
    )


def test_values_in_full_what_expires_before_its_price_has_moved():
    # Half of the options bend within a fraction of what a day moves; some have expired.
    book = some_book(seed=5, years=(0.0, 1e-5, 0.0005, 1.0))
    assert_same(simulated(book), simulated(book, Valuation.ALL))


def test_tries_more_points_before_it_values_in_full():
    market = _proxy.Market(PRICES, VOLATILITIES, LOGARITHMIC)
    reach = Simulation().reach(some_factors(size=0.06).loadings)
    book = some_book(seed=6, years=(0.02, 0.05, 1.0))
    found = _proxy.proxy_of(book, market, reach)
    columns = {part.powers.shape[2] for part in found.surfaces}
    assert columns == {8, 16}
    near = _proxy.proxy_of(some_book(seed=6, years=(1e-5, 1.0)), market, reach)
    assert sum(len(rows) for rows in near.rest.options) > 0
    assert all((rows.years < 1e-3).all() for rows in near.rest.options)


def test_follows_factors_that_revert_and_jump():
    # By the logarithm, some jumping farther than anything is fitted for.
    calm = MeanRevertingSpot(5.0, 0.3)
    wild = MeanRevertingSpot(40.0, 0.5, 6.0, 0.3, 0.2)
    law = JumpDiffusion((calm, wild), np.array([[1.0, 0.4], [0.4, 1.0]]), 1.0, 365.0,
                        np.array([0.05, -0.1]))  # fmt: skip
    factors = Factors(some_factors().loadings[:2] * 20, 1.0)
    terms = {"factors": factors, "jumps": law}
    book = some_book(seed=10)
    assert_same(simulated(book, **terms), simulated(book, Valuation.ALL, **terms))
    with pytest.raises(ScenarioError, match="processes: 2 must be 6"):
        simulated(book, jumps=law)


def test_prices_that_no_path_visits_refuse_nothing():
    # Reach by amounts passes zero, where Black-76 has no value, and no path does.
    factors = Factors(np.zeros((1, NODES + VOL_NODES)), 1.0)
    factors.loadings[0, 5] = 7.3
    shocks = Shocks.all(NODES + VOL_NODES, ShockRule.ABSOLUTE)
    terms = {"shocks": shocks, "factors": factors, "paths": 2_000, "seed": 1}
    book = some_book(seed=7)
    assert_same(simulated(book, **terms), simulated(book, Valuation.ALL, **terms))


def test_a_path_that_has_no_value_is_refused_either_way():
    factors = Factors(np.zeros((1, NODES + VOL_NODES)), 1.0)
    factors.loadings[0, 5] = 15.0
    shocks = Shocks.all(NODES + VOL_NODES, ShockRule.ABSOLUTE)
    for valuation in Valuation:
        with pytest.raises(NonPositivePrice):
            simulated(some_book(), valuation, shocks=shocks, factors=factors)


def test_mixed_rules_and_a_hedged_book():
    rules = np.array([*ShockRule] * 3)
    shocks = Shocks(rules, np.where(rules == ShockRule.DISPLACED, 20.0, 0.0))
    factors = some_factors()
    # Amounts move in currency, the others by shares.
    factors.loadings[:, np.flatnonzero(rules == ShockRule.ABSOLUTE)[:2]] *= 40
    factors.loadings[:, 8] *= 0.1
    book = some_book(seed=8)
    assert_same(
        simulated(book, shocks=shocks, factors=factors),
        simulated(book, Valuation.ALL, shocks=shocks, factors=factors),
    )


def test_threads_change_no_digit():
    book = some_book(options=400)
    one, two, three = (simulated(book, workers=n, each=True) for n in (1, 2, 3))
    assert one.pnl.tobytes() == two.pnl.tobytes() == three.pnl.tobytes()
    assert one.components.component.tobytes() == three.components.component.tobytes()


def test_a_bound_that_is_broken_means_full_revaluation(monkeypatch):
    book = some_book()
    assert simulated(book).revalued < 2_000
    monkeypatch.setattr(_proxy, "_SAFETY", 1e-9)
    found = simulated(book)
    assert (found.revalued, found.pnl_error) == (8_000, 0.0)
    assert found.sentence() == "all 8,000 paths revalued in full"


def test_says_how_paths_were_valued():
    assert simulated(some_book()).sentence().startswith(
        f"{simulated(some_book()).revalued:,} of 8,000 paths revalued in full, every one that can"
    )  # fmt: skip
    assert simulated(some_book(), paths=1_000).revalued == 1_000


@pytest.mark.parametrize("rule", list(ShortfallRule))
def test_components_are_those_of_all_trades_on_all_paths(rule):
    book, convention = some_book(seed=9), Convention(shortfall_rule=rule)
    terms = {"paths": 4_000, "batches": 4, "convention": convention}
    found = simulated(book, each=True, **terms)
    loadings = some_factors().loadings
    simulation = Simulation(4_000, 4, 3, draw=Draw.PSEUDO)
    moves = np.concatenate([simulation.normals(b, 6) for b in range(4)]) @ loadings
    moved = (np.concatenate([PRICES, VOLATILITIES]) * np.exp(moves)).T
    every = revalue(book, PRICES, VOLATILITIES, moved[:NODES], moved[NODES:], each=True)
    slow = attribute(every.trade_pnl(range(TRADES)), convention)
    split = found.components
    scale = np.abs(slow.component).max()
    assert split.component == pytest.approx(slow.component, abs=1e-9 * scale)
    assert split.es_component == pytest.approx(slow.es_component, abs=1e-9 * scale)
    assert split.kernel_var == pytest.approx(slow.kernel_var)
    assert split.es_component.sum() == pytest.approx(found.tail.es)
    assert simulated(book, **terms).components is None


def test_refuses_options_on_no_node():
    book = some_book()
    book.options[0].volatility_node[3] = VOL_NODES
    with pytest.raises(ScenarioError, match="volatility_node: must be positions of 4"):
        simulated(book)


def test_refuses_loadings_that_are_not_finite():
    factors = Factors(np.full((1, NODES + VOL_NODES), np.nan), 1.0)
    with pytest.raises(ScenarioError, match="loadings"):
        simulated(some_book(), factors=factors)
