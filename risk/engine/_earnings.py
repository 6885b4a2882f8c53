"""
Earnings at risk of physical assets: what months of delivery may earn, not what a day may change.

An asset (a plant, a load, a store's expected flow) is held to delivery, so what counts is the sum
over its months of volume × (price − cost), on simulated prices of those months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._tail import Convention, lower_tail

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PhysicalAsset:
    """
    A position that is delivered and not sold.

    name        what it is called in refusals
    market      position of its prices among the markets
    volume      (month,), expected, MWh: what is produced or bought +, consumed or sold −
    cost        (month,), currency/MWh that the price is set against: fuel and emissions of a
                plant, the tariff of customers (of whose load volume is negative)
    deviation   (month,), standard deviation of volume over its expectation, ≥ 0; volume is then
                lognormal about it. None is as expected
    correlation of the logarithms of volume and of the market's price of the month, −1 to 1: a cold
                month is dear and heavy for a supplier, a windy one cheap and full for a farm

    :raises ScenarioError: naming the asset and the field.
    """

    name: str
    market: int
    volume: Floats
    cost: Floats
    deviation: Floats | None = None
    correlation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("volume", "cost", "deviation"):
            given = getattr(self, name)
            if given is None:
                continue
            row = np.asarray(given, dtype=np.float64)
            if row.ndim != 1 or not row.size or row.shape != np.shape(self.volume):
                raise ScenarioError(f"{self.name}: {name} must be one a month.")
            if not np.isfinite(row).all() or (name == "deviation" and (row < 0).any()):
                rule = "finite, none below zero" if name == "deviation" else "finite"
                raise ScenarioError(f"{self.name}: {name} must be {rule}.")
            object.__setattr__(self, name, row)
        if not -1.0 <= self.correlation <= 1.0:
            raise ScenarioError(f"{self.name}: correlation {self.correlation} is not within ±1.")
        if self.correlation and self.deviation is None:
            raise ScenarioError(f"{self.name}: deviation must be given for a correlation.")


@dataclass(frozen=True, slots=True)
class EarningsRange:
    """
    What is earned over the horizon; currency, gains positive.

    p5, p50, p95    quantiles: 5 % of all paths earn p5 or less
    at_risk         expected − the quantile at the confidence
    error           standard error of `expected`, of independent paths
    """

    expected: float
    p5: float
    p50: float
    p95: float
    at_risk: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class EarningsAtRisk:
    """
    Earnings of all assets together, and of each.

    earnings        (path,), of all
    by_month        (month,), expected of all
    assets          by name, in the order given
    """

    confidence: Decimal
    total: EarningsRange
    assets: tuple[tuple[str, EarningsRange], ...]
    by_month: Floats
    earnings: Floats = field(repr=False)


def earnings_at_risk(
    assets: Sequence[PhysicalAsset],
    prices: npt.ArrayLike,
    *,
    confidence: Decimal = Decimal("0.95"),
    seed: int = 0,
) -> EarningsAtRisk:
    """
    Return what assets may earn over months of delivery.

    prices      (market, path, month), currency/MWh: mean prices of the delivery months on
                simulated paths, as the processes of `trading.pricing` give them; any sign
    confidence  exact, within (0, 1): at 0.95 it is the quantile of 5 %
    seed        of the draws of volume

    Each asset's volume is drawn by itself, moved with its market where it is correlated.

    :raises ScenarioError: naming the asset or argument and the rule; a correlation needs prices
        above zero that move.
    :raises TailError: for a confidence outside (0, 1).
    """
    tail = Convention(confidence=confidence).tail
    paths = np.asarray(prices, dtype=np.float64)
    if not assets:
        raise ScenarioError("assets: at least one.")
    if len({asset.name for asset in assets}) < len(assets):
        raise ScenarioError("assets: each needs a name of its own.")
    if paths.ndim != 3 or paths.shape[1] < 2 or not paths.shape[2]:
        raise ScenarioError(
            f"prices: shape {paths.shape} must be (market, path, month), of two paths or more."
        )
    if not np.isfinite(paths).all():
        where = np.argwhere(~np.isfinite(paths))[0].tolist()
        raise ScenarioError(f"prices{where}: {paths[tuple(where)]} must be finite.")
    streams = np.random.SeedSequence(seed).spawn(len(assets))
    total = np.zeros(paths.shape[1:])
    found = []
    for asset, stream in zip(assets, streams, strict=True):
        if not 0 <= asset.market < len(paths):
            raise ScenarioError(f"{asset.name}: market must be a position of {len(paths)}.")
        if asset.volume.size != paths.shape[2]:
            raise ScenarioError(
                f"{asset.name}: volume has {asset.volume.size} months, prices {paths.shape[2]}."
            )
        own = paths[asset.market]
        volume = _volumes(asset, own, np.random.Generator(np.random.PCG64(stream)))
        earned = volume * (own - asset.cost)
        total += earned
        found.append((asset.name, _range(earned.sum(axis=1), tail)))
    earnings = total.sum(axis=1)
    return EarningsAtRisk(
        confidence, _range(earnings, tail), tuple(found), total.mean(axis=0), earnings
    )


def _volumes(asset: PhysicalAsset, prices: Floats, rng: np.random.Generator) -> Floats:
    """Return the asset's volume, (path, month)."""
    expected = np.broadcast_to(asset.volume, prices.shape)
    if asset.deviation is None or not asset.deviation.any():
        return expected
    own = rng.standard_normal(prices.shape)
    if asset.correlation:
        if (prices <= 0).any():
            raise ScenarioError(
                f"{asset.name}: correlation needs prices above zero, for their logarithm."
            )
        logs = np.log(prices)
        spread = logs.std(axis=0)
        # Months whose price is known have nothing to move with.
        news = np.divide(logs - logs.mean(axis=0), spread, out=np.zeros_like(logs),
                         where=spread > 1e-12)  # fmt: skip
        rho = np.where(spread > 1e-12, asset.correlation, 0.0)
        own = rho * news + np.sqrt(1.0 - rho**2) * own
    variance = np.log1p(asset.deviation**2)
    found: Floats = expected * np.exp(np.sqrt(variance) * own - 0.5 * variance)
    return found


def _range(earned: Floats, tail: Decimal) -> EarningsRange:
    quantile, _ = lower_tail(earned, tail)
    p5, p50, p95 = (float(value) for value in np.quantile(earned, (0.05, 0.5, 0.95)))
    expected = float(earned.mean())
    return EarningsRange(
        expected, p5, p50, p95, expected - quantile,
        float(earned.std(ddof=1)) / float(np.sqrt(earned.size)),
    )  # fmt: skip
