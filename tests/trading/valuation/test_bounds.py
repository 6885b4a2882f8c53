"""Floors and caps of profiles by the interval: written numbers, and `trading.pricing.ppa`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import ModelChoice, PpaTerms, PriceModel, ppa
from trading.valuation import (
    Basis,
    BoundDay,
    BoundHoldings,
    BoundMarket,
    Bounds,
    Contract,
    DayState,
    FixingSeries,
    Holdings,
    MarketState,
    MeteredHoldings,
    bound_greeks,
    bound_values,
    value_bounds,
    waterfall,
)

HOUR = 3600
YEAR = 365 * 86400
START = 1_800_000_000
HOURS = 48
MONTH = Contract("DE", Basis.PROFILE, START, START + HOURS * HOUR, None, 60)
# A cap at 90 that is held, a floor at 20 that is written; paid ten days after the delivery.
BOUNDS = Bounds(
    np.array([0, 0]), np.array([1.0, -1.0]), np.array([90.0, 20.0]),
    np.full(2, START + HOURS * HOUR + 10 * 86400),
)  # fmt: skip
RNG = np.random.default_rng(7)
CURVE = RNG.normal(60, 40, HOURS)
POWER = np.where(np.arange(HOURS) % 24 < 6, 0.0, RNG.uniform(1, 5, HOURS))
HELD = BoundHoldings(1, np.zeros(2, dtype=np.int64), np.array([0, 1]), (POWER, -POWER))
NO_LINEAR = Holdings(
    1, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)
)


def quoted(formula="BACHELIER", vol=25.0, shift=0.0, rate=0.03):
    return BoundMarket(
        np.array([formula] * 2, dtype="<U16"), np.full(2, shift), np.full(2, vol),
        np.full(2, rate), np.ones(2, dtype=np.bool_),
    )  # fmt: skip


def state(at, curve=CURVE, fixed=()):
    starts = START + HOUR * np.arange(len(fixed), dtype=np.int64)
    fixings = FixingSeries(starts, starts + HOUR, np.array(fixed, dtype=np.float64))
    return MarketState(at, at, {"DE": fixings}, np.array([np.nan]), {0: np.asarray(curve)})


@pytest.mark.parametrize(
    ("formula", "model", "vol"),
    [
        ("BACHELIER", ModelChoice(PriceModel.BACHELIER), 25.0),
        ("DISPLACED_BLACK", ModelChoice(PriceModel.DISPLACED_BLACK, 200.0), 0.3),
    ],
)
def test_bounds_ahead_are_the_optionality_of_the_agreement(formula, model, vol):
    at = START - 30 * 86400
    market = quoted(formula, vol, model.displacement)

    found = bound_values([MONTH], BOUNDS, HELD, state(at), market)

    discount = np.exp(-0.03 * (BOUNDS.payment[0] - at) / YEAR)
    whole = ppa(
        terms=PpaTerms(price=0.0, multiplier=1.0, floor=20.0, cap=90.0), volume=POWER,
        forward=CURVE, hours=1.0, month=np.zeros(HOURS, dtype=np.int64),
        expiry=(START + HOUR * np.arange(HOURS) - at) / YEAR, volatility=vol, discount=discount,
        model=model,
    )  # fmt: skip
    assert found.unrealised.sum() == pytest.approx(float(whole.optionality) * discount)
    assert found.delta.sum() == pytest.approx(float(whole.delta[0]))
    assert found.vega.sum() == pytest.approx(float(whole.vega[0]))
    assert not found.realised.any() and not found.missing.any()


def test_greeks_are_what_revaluation_gives():
    at = START - 30 * 86400
    market = quoted()
    found = bound_values([MONTH], BOUNDS, HELD, state(at), market)
    (greeks,) = [bound_greeks(found, BOUNDS, HELD, market)]

    def worth(move=0.0, vol=0.0, later=0):
        moved = replace(market, volatility=market.volatility + vol)
        values = bound_values([MONTH], BOUNDS, HELD, state(at + later, CURVE + move), moved)
        return float(values.unrealised.sum())

    assert greeks.delta[0] == pytest.approx((worth(1e-3) - worth(-1e-3)) / 2e-3, rel=1e-5)
    assert greeks.gamma[0] == pytest.approx((worth(0.1) - 2 * worth() + worth(-0.1)) / 0.01, 1e-3)
    assert greeks.vega[0] == pytest.approx((worth(vol=1e-3) - worth(vol=-1e-3)) / 2e-3, rel=1e-5)
    assert greeks.theta[0] == pytest.approx((worth(later=HOUR) - worth(later=-HOUR)) * 12, rel=1e-3)


def test_delivered_intervals_count_as_published_and_need_no_model():
    at = START + 30 * HOUR
    bare = quoted("", np.nan, rate=0.0)
    flat = np.full(HOURS, 2.0)
    # Hours 24 to 29 were delivered and are not published: they stand at the curve, 100.
    held = BoundHoldings(
        1, HELD.line, HELD.bound,
        tuple(np.where(np.arange(HOURS) < 30, sign * flat, 0.0) for sign in (1, -1)),
    )  # fmt: skip
    prices = [10.0] * 4 + [110.0] * 8 + [50.0] * 12

    found = bound_values([MONTH], BOUNDS, held, state(at, np.full(HOURS, 100.0), prices), bare)

    assert found.realised.tolist() == [2.0 * (8 * 20 + 6 * 10), -2.0 * 4 * 10]
    assert found.unrealised.tolist() == [0.0, 0.0]
    # Only what is not published still moves.
    assert found.delta.tolist() == [12.0, 0.0]
    assert not found.missing.any()


@pytest.mark.parametrize(
    "bare",
    [
        {"formula": np.array(["", ""])},
        {"volatility": np.full(2, np.nan)},
        {"rate": np.full(2, np.nan)},
        {"known": np.zeros(2, dtype=np.bool_)},
    ],
)
def test_what_is_not_known_leaves_no_number(bare):
    found = bound_values([MONTH], BOUNDS, HELD, state(START - HOUR), replace(quoted(), **bare))

    assert found.missing.all()
    for row in (found.realised, found.unrealised, found.delta, found.vega, found.theta):
        assert not row.any()


def test_a_logarithm_needs_prices_above_nothing_and_idle_intervals_need_none():
    low = np.where(POWER == 0, -5.0, 50.0)
    market = quoted("BLACK76", 0.5)
    assert not bound_values([MONTH], BOUNDS, HELD, state(START - HOUR, low), market).missing.any()
    low[np.flatnonzero(POWER)[0]] = 0.0
    assert bound_values([MONTH], BOUNDS, HELD, state(START - HOUR, low), market).missing.all()


@given(st.integers(-48, 60), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_steps_of_a_day_sum_to_the_change_whatever_is_delivered_in_it(begin, hours, seed):
    rng = np.random.default_rng(seed)
    opened, closed = START + begin * HOUR, START + (begin + hours) * HOUR
    curves = rng.normal(60, 40, (2, HOURS))
    prices = rng.normal(60, 60, max(min(begin + hours, HOURS), 0))
    states = [
        state(opened, curves[0], prices[: max(begin, 0)]), state(closed, curves[1], prices),
    ]  # fmt: skip
    markets = [quoted(vol=30.0), quoted(vol=20.0, rate=0.02)]
    other = BoundHoldings(1, HELD.line, HELD.bound, (1.5 * POWER, -1.5 * POWER))
    metered = MeteredHoldings(NO_LINEAR, None, other)
    days = [
        DayState(NO_LINEAR, at, np.zeros(1), np.ones(1), np.ones(1, dtype=np.bool_),
                 bounds=BoundDay(BOUNDS, held, market))
        for at, market, held in zip(states, markets, (HELD, other), strict=True)
    ]  # fmt: skip

    found = waterfall([MONTH], *days, metered=metered)

    assert (found.native.sum(axis=0) == found.closing - found.opening).all()
    worth = [
        value_bounds([MONTH], BOUNDS, held, at, market).total[0]
        for at, market, held in zip(states, markets, (HELD, other), strict=True)
    ]
    assert [found.opening[0], found.closing[0]] == pytest.approx([100 * w for w in worth], abs=0.51)
    by_kind = {step.kind: int(row[0]) for step, row in zip(found.steps, found.native, strict=True)}
    assert by_kind["NEW"] == by_kind["AMENDMENT"] == by_kind["FEES"] == 0
    thirds = value_bounds([MONTH], BOUNDS, HELD, states[1], markets[1]).total[0]
    assert by_kind["VOLUME"] == pytest.approx(50 * thirds, abs=1.01)
