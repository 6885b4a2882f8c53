"""Earnings at risk: closed forms, sums, and what volume that moves with price does."""

from decimal import Decimal

import numpy as np
import pytest
from scipy.special import ndtri

from risk.engine import PhysicalAsset, ScenarioError, TailError, earnings_at_risk
from trading.pricing.processes import MeanRevertingSpot

PATHS = 40_000
FORWARD = np.array([80.0, 60.0, 50.0])
DEVIATION = np.array([0.2, 0.3, 0.4])


def lognormal_prices(seed=1):
    news = np.random.default_rng(seed).standard_normal((1, PATHS, 3))
    return FORWARD * np.exp(DEVIATION * news - DEVIATION**2 / 2)


def farm(**changes):
    fields = {"market": 0, "volume": np.array([900.0, 700.0, 500.0]), "cost": np.full(3, 20.0)}
    return PhysicalAsset("farm", **(fields | changes))


def test_known_volume_earns_the_margin_on_every_path():
    prices, asset = lognormal_prices(), farm()
    found = earnings_at_risk([asset], prices)
    by_hand = ((prices[0] - 20.0) * asset.volume).sum(axis=1)
    assert found.earnings == pytest.approx(by_hand)
    assert (found.total.p5, found.total.p50, found.total.p95) == pytest.approx(
        tuple(np.quantile(by_hand, (0.05, 0.5, 0.95)))
    )
    assert found.total.at_risk == pytest.approx(by_hand.mean() - np.sort(by_hand)[PATHS // 20 - 1])
    assert found.assets == (("farm", found.total),)
    assert found.by_month.sum() == pytest.approx(found.total.expected)
    margin = (asset.volume * (FORWARD - 20.0)).sum()
    assert abs(found.total.expected - margin) < 4 * found.total.error


def test_one_month_has_the_closed_form():
    prices = lognormal_prices()[:, :, :1]
    found = earnings_at_risk(
        [farm(volume=np.array([900.0]), cost=np.array([20.0]))], prices, confidence=Decimal("0.99")
    )
    quantile = 80.0 * np.exp(0.2 * ndtri(0.01) - 0.02)
    assert found.total.at_risk == pytest.approx(900.0 * (80.0 - quantile), rel=0.02)
    assert found.confidence == Decimal("0.99")


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.6])
def test_volume_that_moves_with_price_earns_their_covariance(correlation):
    deviation = np.array([0.3, 0.2, 0.1])
    prices = lognormal_prices()
    found = earnings_at_risk([farm(deviation=deviation, correlation=correlation)], prices, seed=3)
    together = np.exp(correlation * DEVIATION * np.sqrt(np.log1p(deviation**2)))
    expected = (farm().volume * (FORWARD * together - 20.0)).sum()
    assert abs(found.total.expected - expected) < 4 * found.total.error


def test_a_supplier_is_short_when_it_is_dear_and_cold():
    load = {"volume": np.full(3, -1000.0), "cost": np.full(3, 70.0), "deviation": np.full(3, 0.2)}
    prices = lognormal_prices()
    apart, together = (
        earnings_at_risk([farm(**load, correlation=rho)], prices).total for rho in (0.0, 0.8)
    )
    assert together.expected < apart.expected
    assert together.at_risk > apart.at_risk


def test_assets_sum_and_a_seed_repeats():
    prices = np.concatenate([lognormal_prices(1), lognormal_prices(2)])
    wind = farm(deviation=np.full(3, 0.3), correlation=-0.4)
    plant = PhysicalAsset("plant", 1, np.full(3, 400.0), np.array([30.0, 35.0, 40.0]))
    found, again, other = (earnings_at_risk([wind, plant], prices, seed=s) for s in (5, 5, 6))
    assert found.earnings.tobytes() == again.earnings.tobytes() != other.earnings.tobytes()
    assert sum(row.expected for _, row in found.assets) == pytest.approx(found.total.expected)
    assert sum(row.at_risk for _, row in found.assets) > found.total.at_risk
    # Whether others are there changes nothing of an asset's own draws.
    assert earnings_at_risk([wind], prices, seed=5).total == found.assets[0][1]


def test_months_of_simulated_spot_earn_the_curve_on_average():
    days = np.arange(1, 91)
    curve = np.where(days <= 30, 90.0, np.where(days <= 60, 70.0, 55.0))
    spot = MeanRevertingSpot(40.0, 120.0, 10.0, 20.0, 10.0).simulate(
        times=days / 365, curve=curve, scenarios=4000, generator=np.random.default_rng(8)
    ).spot  # fmt: skip
    months = spot.reshape(4000, 3, 30).mean(axis=2)[None]
    found = earnings_at_risk([farm()], months)
    margin = (farm().volume * (np.array([90.0, 70.0, 55.0]) - 20.0)).sum()
    assert found.total.expected == pytest.approx(margin, abs=4 * found.total.error)
    assert found.total.p5 < found.total.p50 < found.total.p95


PRICES = np.full((1, 10, 3), 50.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: farm(cost=np.zeros(2)), "farm: cost must be one a month"),
        (lambda: farm(volume=np.array([1.0, np.nan, 1.0])), "farm: volume must be finite"),
        (lambda: farm(deviation=np.full(3, -0.1)), "farm: deviation"),
        (lambda: farm(correlation=1.5, deviation=np.ones(3)), "farm: correlation 1.5"),
        (lambda: farm(correlation=0.5), "farm: deviation must be given"),
        (lambda: earnings_at_risk([], PRICES), "assets: at least one"),
        (lambda: earnings_at_risk([farm(), farm()], PRICES), "a name of its own"),
        (lambda: earnings_at_risk([farm()], PRICES[0]), "prices: shape"),
        (lambda: earnings_at_risk([farm()], PRICES[:, :1]), "two paths"),
        (lambda: earnings_at_risk([farm()], PRICES * np.nan), r"prices\[0, 0, 0\]"),
        (lambda: earnings_at_risk([farm(market=1)], PRICES), "farm: market"),
        (lambda: earnings_at_risk([farm()], PRICES[..., :2]), "farm: volume has 3 months"),
        (
            lambda: earnings_at_risk([farm(correlation=0.5, deviation=np.ones(3))], -PRICES),
            "farm: correlation needs prices above zero",
        ),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()


@pytest.mark.parametrize("confidence", [Decimal(0), Decimal(1), Decimal("1.2"), 0.95])
def test_a_confidence_lies_within_zero_and_one(confidence):
    with pytest.raises(TailError, match="confidence"):
        earnings_at_risk([farm()], PRICES, confidence=confidence)
