"""A delivery's volatility from those of its contracts: exact for normal, two moments for others."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import (
    NonPositivePrice,
    PriceModel,
    PricingError,
    composed_correlation,
    composed_volatility,
)

NORMAL, LOGNORMAL = PriceModel.BACHELIER, PriceModel.BLACK76
CASE = {
    "forward": [90.0, 110.0], "weight": [0.6, 0.4], "volatility": [0.5, 0.3], "correlation": 0.8,
    "expiry": 0.5,
}  # fmt: skip
NUMBERS = st.lists(
    st.tuples(st.floats(1, 500), st.floats(0.01, 1), st.floats(0.01, 1.5)), min_size=1, max_size=12
)


def test_two_contracts_written_out():
    normal = composed_volatility(NORMAL, **{**CASE, "volatility": [20.0, 10.0]})
    lognormal = composed_volatility(LOGNORMAL, **CASE)

    assert normal == pytest.approx(sqrt(12**2 + 4**2 + 2 * 0.8 * 12 * 4))
    # E[F^2] of 54 and 44 at 50 % and 30 %, half a year, over (54 + 44)^2.
    second = 54**2 * exp(0.25 / 2) + 44**2 * exp(0.09 / 2) + 2 * 54 * 44 * exp(0.8 * 0.5 * 0.3 / 2)
    assert lognormal == pytest.approx(sqrt(log(second / 98**2) / 0.5))


@given(NUMBERS, st.floats(0, 1), st.floats(0.01, 3), st.sampled_from([NORMAL, LOGNORMAL]))
def test_one_is_the_upper_bound_and_like_contracts_at_one_are_as_each(rows, rho, expiry, model):
    forward, weight, volatility = (np.array(row) for row in zip(*rows, strict=True))
    terms = {"forward": forward, "weight": weight, "expiry": expiry}

    found, most = (
        composed_volatility(model, **terms, volatility=volatility, correlation=at)
        for at in (rho, 1.0)
    )
    same = composed_volatility(
        LOGNORMAL, **terms, volatility=np.full(len(rows), 0.4), correlation=1.0
    )

    assert 0 < found <= most * (1 + 1e-9)
    assert same == pytest.approx(0.4, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"correlation": 1.01}, PricingError, "correlation"),
        ({"correlation": -0.1}, PricingError, "correlation"),
        ({"expiry": 0.0}, PricingError, "expiry"),
        ({"weight": [-0.1, 1.1]}, PricingError, "weight"),
        ({"volatility": [0.5, np.nan]}, PricingError, "volatility"),
        ({"forward": [90.0, 0.0]}, NonPositivePrice, "forward"),
    ],
)
def test_what_cannot_be_composed_is_refused_by_name(change, error, field):
    with pytest.raises(error, match=field):
        composed_volatility(LOGNORMAL, **{**CASE, **change})


def basket(rows):
    return dict(zip(("forward", "weight", "volatility"), map(np.array, zip(*rows, strict=True)),
                    strict=True))  # fmt: skip


@given(NUMBERS, NUMBERS, st.floats(0, 1), st.floats(0.01, 3),
       st.sampled_from([NORMAL, LOGNORMAL]))  # fmt: skip
def test_two_sums_have_the_covariance_of_their_contracts(one, two, rho, expiry, model):
    first, second = basket(one), basket(two)
    at = {"correlation": rho, "expiry": expiry}
    found = composed_correlation(
        model, **first, **{f"{name}2": row for name, row in second.items()}, **at
    )
    sigma = [composed_volatility(model, **each, **at) for each in (first, second)]
    other = composed_correlation(
        model, **second, **{f"{name}2": row for name, row in first.items()}, **at
    )

    assert 0 <= found <= 1 and found == pytest.approx(other, rel=1e-9, abs=1e-12)
    # Written out pair by pair.
    pairs = [(w * F, s, v * G, t) for F, w, s in one for G, v, t in two]
    if model is NORMAL:
        wanted = sum(w * s * v * t for (_, w, s) in one for (_, v, t) in two) * rho
        assert found * sigma[0] * sigma[1] == pytest.approx(wanted, rel=1e-9)
    elif found < 1:
        means = sum(a * b for a, _, b, _ in pairs)
        moment = sum(a * b * exp(rho * s * t * expiry) for a, s, b, t in pairs)
        assert found * sigma[0] * sigma[1] * expiry == pytest.approx(
            log(moment / means), rel=1e-6, abs=1e-12
        )


@pytest.mark.parametrize("model", [NORMAL, LOGNORMAL])
def test_of_one_contract_each_it_is_theirs_and_nothing_moves_by_it_without_volatility(model):
    one = {"forward": [90.0], "weight": [1.0], "volatility": [0.5]}
    two = {"forward2": [70.0], "weight2": [1.0], "volatility2": [0.3]}
    still = {**two, "volatility2": [0.0]}

    for rho in (0.0, 0.85, 1.0):
        at = {"correlation": rho, "expiry": 0.5}
        assert composed_correlation(model, **one, **two, **at) == pytest.approx(rho, abs=1e-12)
        assert composed_correlation(model, **one, **still, **at) == rho
    with pytest.raises(PricingError, match="correlation"):
        composed_correlation(model, **one, **two, correlation=1.5, expiry=0.5)


def test_a_lognormal_variance_beyond_all_numbers_is_refused_and_a_normal_one_is_not():
    wild = {"forward": [90.0, 80.0], "weight": [0.5, 0.5], "volatility": [40.0, 0.3]}

    with pytest.raises(PricingError, match=r"volatility.*total variance"):
        composed_volatility(LOGNORMAL, **wild, correlation=0.5, expiry=1.0)
    assert composed_volatility(NORMAL, **wild, correlation=0.0, expiry=1.0) > 19
