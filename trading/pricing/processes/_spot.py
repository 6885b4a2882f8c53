"""Mean-reverting spot prices with jumps, normal or lognormal. Axis order: scenario, time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, not_negative, refuse_overflow
from trading.pricing.processes._paths import Paths, grid, normals, on_grid, parameter, within_range

# e^700 is about the largest number.
_LARGEST = 700.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True, slots=True)
class MeanRevertingSpot:
    """
    Spot around its season (or today's forward curve), with noise and jumps that fade.

        dX = −κ X dt + σ dW + J dN − λ μ_J dt,   J ~ N(μ_J, σ_J²),   N Poisson of λ a year
        S = curve + X,   or   S = curve · e^X / E[e^X] where `is_lognormal`

    mean_reversion    κ, per year, > 0
    volatility        σ, currency/MWh per √year (per √year where lognormal), ≥ 0
    jump_intensity    λ, jumps a year, ≥ 0
    jump_mean         μ_J, currency/MWh (of ln S where lognormal)
    jump_deviation    σ_J, likewise, ≥ 0
    is_lognormal      False lets prices go below zero, as power does

    :raises PricingError: naming the parameter.
    Source: A. Cartea, M. Figueroa, Applied Mathematical Finance 12 (2005) 313-335.
    """

    mean_reversion: float
    volatility: float
    jump_intensity: float = 0.0
    jump_mean: float = 0.0
    jump_deviation: float = 0.0
    is_lognormal: bool = False

    def __post_init__(self) -> None:
        parameter("mean_reversion", self.mean_reversion, self.mean_reversion > 0, "must be above 0")
        for name in ("volatility", "jump_intensity", "jump_deviation"):
            value = getattr(self, name)
            parameter(name, value, value >= 0, "must not be negative")
        parameter("jump_mean", self.jump_mean, True, "must be a number")

    @property
    def half_life(self) -> float:
        """Return the years in which half of a deviation is gone."""
        return float(np.log(2.0) / self.mean_reversion)

    def simulate(
        self,
        *,
        times: npt.ArrayLike,
        curve: npt.ArrayLike,
        scenarios: int,
        generator: np.random.Generator,
        antithetic: bool = True,
        news: Floats | None = None,
    ) -> Paths:
        """
        Simulate spot prices, exactly on any grid: a jump falls at its own time and fades from it.

        times   years from now, rising
        curve   the mean of spot at each time: today's forwards, or the season; > 0 if lognormal
        news    (scenario, time), standard normals of the noise, where those of another market move
                with it (`simulate_together`); None draws them. Jumps are this price's own

        A mirrored scenario has the jumps of its twin at the same times, mirrored about their mean.

        :raises PricingError: naming the argument and index.
        """
        at, steps = grid(times)
        mean = on_grid("curve", curve, at, positive=self.is_lognormal)
        k = self.mean_reversion
        if news is None:
            news = normals(generator, scenarios, at.shape, antithetic=antithetic)
        noise = news * (self.volatility * np.sqrt(-np.expm1(-2.0 * k * steps) / (2.0 * k)))
        moves = noise + self._jumps(generator, scenarios, steps, antithetic=antithetic)
        deviation = np.empty_like(moves)
        state = np.zeros(scenarios)
        for n, step in enumerate(steps):
            state = state * np.exp(-k * step) + moves[:, n]
            deviation[:, n] = state
        spot = (
            mean * np.exp(deviation - self.log_mean(at)) if self.is_lognormal else mean + deviation
        )
        return Paths(
            times=at, spot=within_range(spot), factors=deviation[..., None], antithetic=antithetic
        )

    def variance(self, times: npt.ArrayLike) -> Floats:
        """Return the variance of the deviation X at the times, years from now, ≥ 0."""
        t = not_negative("times", times)
        k = self.mean_reversion
        jumps = self.jump_intensity * (self.jump_mean**2 + self.jump_deviation**2)
        found: Floats = (self.volatility**2 + jumps) * -np.expm1(-2.0 * k * t) / (2.0 * k)
        return found

    def log_mean(self, times: npt.ArrayLike) -> Floats:
        """
        Return ln E[e^X] at the times: of the noise in closed form, of jumps by quadrature.

        :raises PricingError: naming the first time where E[e^X] is beyond 64-bit numbers.
        """
        t = not_negative("times", times)
        k = self.mean_reversion
        found: Floats = self.volatility**2 * -np.expm1(-2.0 * k * t) / (4.0 * k)
        if self.jump_intensity > 0:
            found = found + self._log_mean_of_jumps(t)
        beyond = ~(found <= _LARGEST)
        refuse_overflow(int(np.argmax(beyond)) if beyond.any() else -1, found.shape)
        return found

    def _log_mean_of_jumps(self, t: Floats) -> Floats:
        k = self.mean_reversion
        # λ ∫ (E[e^{J θ}] − 1 − μ_J θ) ds with θ = e^{−κ s}, ds = −dθ / (κ θ).
        low = np.exp(-k * t)[..., None]
        theta = 0.5 * (1.0 + low) + 0.5 * (1.0 - low) * _NODES
        moment = np.expm1(self.jump_mean * theta + 0.5 * (self.jump_deviation * theta) ** 2)
        inside = (moment - self.jump_mean * theta) / (k * theta)
        found: Floats = self.jump_intensity * (0.5 * (1.0 - low) * _WEIGHTS * inside).sum(axis=-1)
        return found

    def _jumps(
        self, generator: np.random.Generator, scenarios: int, steps: Floats, *, antithetic: bool
    ) -> Floats:
        """Return what is left at each step's end of the jumps within, less their mean."""
        k = self.mean_reversion
        drawn = scenarios // 2 if antithetic else scenarios
        count = generator.poisson(self.jump_intensity * steps, (drawn, len(steps)))
        cell = np.repeat(np.arange(count.size), count.ravel())
        left = np.exp(-k * steps[cell % len(steps)] * generator.random(len(cell)))
        size = self.jump_deviation * generator.standard_normal(len(cell))
        expected = self.jump_mean * self.jump_intensity * -np.expm1(-k * steps) / k

        def landed(sizes: Floats) -> Floats:
            row = np.zeros(count.size)
            np.add.at(row, cell, sizes * left)
            return row.reshape(count.shape) - expected

        jumps = landed(self.jump_mean + size)
        if not antithetic:
            return jumps
        return np.concatenate([jumps, landed(self.jump_mean - size)])
