"""Every public function of the library refuses impossible numbers by name; no NaN leaves."""

import dataclasses
import inspect
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from trading import pricing
from trading.pricing import (
    ModelChoice,
    NegativePrices,
    PpaTerms,
    PriceModel,
    PricingError,
    RightKind,
)

THREE = np.array([30.0, 40.0, 50.0])
ONES = np.ones(3)
OPTION = {
    "forward": THREE, "strike": 38.0 * ONES, "expiry": 0.5 * ONES, "volatility": 0.4 * ONES,
    "discount": 0.9 * ONES,
}  # fmt: skip
IMPLIED = {name: row for name, row in OPTION.items() if name != "volatility"}
LEGS = {
    "first": THREE, "second": 35.0 * ONES, "expiry": 0.5 * ONES, "volatility1": 0.4 * ONES,
    "volatility2": 0.3 * ONES, "correlation": 0.5 * ONES,
}  # fmt: skip
SPREAD = LEGS | {"strike": 2.0 * ONES, "discount": 0.9 * ONES}
AVERAGE = {
    "forward": THREE, "strike": 38.0, "times": [0.1, 0.2, 0.3], "volatility": 0.4 * ONES,
    "weight": 0.3 * ONES, "fixed": 1.0, "discount": 0.9,
}  # fmt: skip
AVERAGES = AVERAGE | {"forward": np.array([THREE, THREE + 5.0])}
GRID = {"volume": ONES, "forward": THREE, "hours": ONES}
MONTH = np.array([0, 0, 1])
BLACK = ModelChoice(PriceModel.BLACK76)
SHIFTED = ModelChoice(PriceModel.DISPLACED_BLACK, 20.0)


def simulated(**arguments: Any) -> Any:
    return pricing.simulate_average_option(
        scenarios=64, generator=np.random.default_rng(7), **arguments
    )


def agreement(**arguments: Any) -> Any:
    terms = {
        name: arguments.pop(name) for name in ("price", "multiplier", "floor", "cap", "balancing")
    }
    return pricing.ppa(
        terms=PpaTerms(negative_prices=NegativePrices.NO_PAYMENT, **terms), month=MONTH, **arguments
    )


def early(function: str) -> Callable[..., Any]:
    """Return what prices early exercise; its boundary is NaN on purpose where there is none."""

    def price(**arguments: Any) -> Any:
        found = getattr(pricing, function)(BLACK, **arguments)
        return dataclasses.replace(found, boundary=np.zeros_like(found.price))

    return price


# By public name: what calls it, and arguments that it takes.
WALK: dict[str, tuple[Callable[..., Any] | None, dict[str, Any]]] = {
    "american_option": (early("american_option"), OPTION | {"rate": 0.03 * ONES}),
    "average_option": (None, AVERAGES),
    "bachelier": (None, OPTION),
    "bachelier_implied_volatility": (None, IMPLIED | {"price": 12.0 * ONES + [0, 2, 8]}),
    "baseload_conversion": (
        lambda **a: pricing.baseload_conversion(month=MONTH, **a), GRID | {"balancing": ONES},
    ),
    "bermudan_option": (
        early("bermudan_option"),
        {
            "forward": THREE, "strike": 38.0 * ONES, "times": np.array([[0.2, 0.5]] * 3),
            "volatility": 0.4 * ONES, "discounts": np.array([[0.95, 0.9]] * 3),
        },
    ),
    "black76": (None, OPTION),
    "black76_implied_volatility": (None, IMPLIED | {"price": 3.0 * ONES + [0, 2, 8]}),
    "calendar_spread": (None, {"later": THREE, "sooner": THREE, "cost": ONES}),
    "cap_floor": (
        lambda **a: pricing.cap_floor(BLACK, **a),
        {
            "forwards": THREE, "strikes": 38.0 * ONES, "expiries": 0.5 * ONES,
            "volatilities": 0.4 * ONES, "volumes": ONES, "discounts": 0.9 * ONES,
        },
    ),
    "crack_spread": (
        None, {"crude": THREE, "gasoline": THREE, "distillate": THREE, "cost": ONES},
    ),
    "dark_spread": (None, {
        "power": THREE, "coal": THREE, "efficiency": 0.4 * ONES, "calorific_value": 7.0 * ONES,
        "carbon": THREE, "emission_factor": 0.3 * ONES, "cost": ONES,
    }),
    "displaced_black": (None, OPTION | {"displacement": 20.0 * ONES}),
    "escalation_factors": (
        lambda rate: pricing.escalation_factors(month=np.arange(40), rate=rate, start=0),
        {"rate": 0.02 * ONES},
    ),
    "exceedance_factor": (None, {"deviation": 0.1 * ONES, "probability": 0.9 * ONES}),
    "implied_volatility": (
        lambda **a: pricing.implied_volatility(BLACK, **a),
        IMPLIED | {"price": 3.0 * ONES + [0, 2, 8]},
    ),
    "kirk_spread": (None, SPREAD),
    "levy_average_option": (None, {
        "spot": THREE, "strike": 38.0 * ONES, "length": ONES, "remaining": 0.5 * ONES,
        "volatility": 0.4 * ONES, "carry": 0.01 * ONES, "average": 35.0 * ONES,
        "discount": 0.9 * ONES,
    }),
    "margrabe": (None, LEGS | {
        "quantity1": ONES, "quantity2": ONES, "yield1": 0.01 * ONES, "yield2": 0.01 * ONES,
    }),
    "normal_average_option": (None, AVERAGES),
    "ppa": (agreement, GRID | {
        "expiry": ONES, "volatility": 20.0 * ONES, "discount": 0.9 * ONES, "price": ONES,
        "multiplier": 0.9, "floor": 10.0 * ONES, "cap": 60.0 * ONES, "balancing": ONES,
    }),
    "price_average_option": (lambda **a: pricing.price_average_option(SHIFTED, **a), AVERAGES),
    "price_option": (lambda **a: pricing.price_option(BLACK, **a), OPTION),
    "simulate_average_option": (simulated, AVERAGE),
    "spark_spread": (
        None, {"power": THREE, "gas": THREE, "heat_rate": 2.0 * ONES, "cost": ONES},
    ),
    "spread_option": (None, SPREAD),
    "swaption": (
        lambda **a: pricing.swaption(BLACK, **a),
        {
            "forwards": np.array([THREE, THREE + 5.0]), "strike": 38.0 * np.ones(2),
            "expiry": 0.5 * np.ones(2), "volatility": 0.4 * np.ones(2), "volumes": ONES,
            "discounts": 0.9 * ONES,
        },
    ),
    "transmission_right": (
        lambda **a: pricing.transmission_right(kind=RightKind.OPTION, **a),
        {
            "volume": ONES, "source": THREE, "sink": 41.0 * ONES, "strike": ONES, "expiry": ONES,
            "volatility": 20.0 * ONES, "discount": 0.9 * ONES, "firmness": 0.9 * ONES,
            "settled": [1.0, 0.0, 0.0],
        },
    ),
}  # fmt: skip
# What takes observations (and fits, `fit_…`) or objects beside numbers has its refusals in its own
# test.
ELSEWHERE = {
    "average_spread_option", "composed_correlation", "composed_volatility", "estimate", "seed_of",
    "simulate_together", "sum_surfaces", "value_in_scenarios",
}  # fmt: skip


def call(name: str, **changes: Any) -> Any:
    through, arguments = WALK[name]
    return (through or getattr(pricing, name))(**(arguments | changes))


def spoiled(name: str, argument: str, number: float) -> Any:
    """Return an argument with the number in its second place, or instead of it."""
    row = np.array(WALK[name][1][argument], dtype=np.float64)
    row[(1,) * row.ndim] = number
    return row if row.ndim else float(row)


def numbers(found: Any) -> list[np.ndarray]:
    """Return all numbers of a result."""
    if dataclasses.is_dataclass(found):
        fields = [getattr(found, field.name) for field in dataclasses.fields(found)]
        return [row for field in fields for row in numbers(field)]
    row = np.asarray(found)
    return [row] if row.dtype.kind in "fiu" else []


def assert_finite(found: Any) -> None:
    assert numbers(found)
    for row in numbers(found):
        assert np.isfinite(row).all()


def names_an_argument(name: str, error: PricingError) -> bool:
    """Say whether a refusal begins with one of the arguments, or one of its periods' (forward)."""
    about = str(error).split(":")[0]
    return any(word.removesuffix("s") in about for word in WALK[name][1])


def test_walks_every_public_function():
    functions = {
        name
        for name in pricing.__all__
        if inspect.isfunction(getattr(pricing, name)) and not name.startswith("fit_")
    }

    assert functions - set(WALK) - ELSEWHERE == set()


@pytest.mark.parametrize("name", WALK)
def test_takes_what_is_in_order(name):
    assert_finite(call(name))


@pytest.mark.parametrize("name", WALK)
def test_names_what_is_not_finite(name):
    for argument, number in product(WALK[name][1], [np.nan, np.inf, -np.inf]):
        with pytest.raises(PricingError, match=rf"^{argument}\b"):
            call(name, **{argument: spoiled(name, argument, number)})


@pytest.mark.parametrize("name", WALK)
def test_names_what_is_no_number(name):
    for argument, value in product(WALK[name][1], ["much", ["1", "x", "2"], [[1.0], [1.0, 2.0]]]):
        with pytest.raises(PricingError, match=rf"^{argument}\b"):
            call(name, **{argument: value})


# `escalation_factors` has one argument, and more years than are reached do no harm.
@pytest.mark.parametrize("name", [name for name in WALK if name != "escalation_factors"])
def test_refuses_rows_of_another_length(name):
    for argument in WALK[name][1]:
        with pytest.raises(PricingError):
            call(name, **{argument: np.full(7, 0.5)})


@pytest.mark.parametrize("name", WALK)
def test_names_what_is_below_its_range_or_prices_it(name):
    for argument, number in product(WALK[name][1], [-5.0, 0.0, -1e-300]):
        try:
            found = call(name, **{argument: spoiled(name, argument, number)})
        except PricingError as error:
            assert names_an_argument(name, error), (argument, number, error)
        else:
            assert_finite(found)


@pytest.mark.parametrize("name", WALK)
def test_of_nothing_there_is_nothing_or_a_refusal(name):
    arguments = {
        argument: np.zeros(0) if np.ndim(value) else value
        for argument, value in WALK[name][1].items()
    }

    try:
        found = call(name, **arguments)
    except PricingError as error:
        assert names_an_argument(name, error), error
    else:
        assert not any(np.isnan(row).any() for row in numbers(found))
