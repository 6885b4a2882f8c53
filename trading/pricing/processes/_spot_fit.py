"""Calibration of mean-reverting spot with jumps to history, with how well it fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, NonPositivePrice, PricingError, check, numbers
from trading.pricing.processes._likelihood import Maximum, Parameter, maximize
from trading.pricing.processes._spot import MeanRevertingSpot

_NAMES = ("mean_reversion", "volatility", "jump_intensity", "jump_mean", "jump_deviation")
# When in its step a jump came, by Gauss-Legendre on 0 to 1.
_MOMENTS, _SHARES = (0.5 * (row + shift) for row, shift in
                     zip(np.polynomial.legendre.leggauss(5), (1.0, 0.0), strict=True))  # fmt: skip
_LEAST = 50
_Values = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """
    What a price (or its logarithm) usually is, by ordinary least squares.

    levels           one a group (hour of the day, of the week, day of the week)
    cosines, sines   of each harmonic of the year
    """

    levels: Floats
    cosines: Floats
    sines: Floats

    def at(self, times: npt.ArrayLike, groups: npt.ArrayLike = 0) -> Floats:
        """
        Return the season at the times, on the axis of the fit.

        :raises PricingError: for a group that the fit has not seen.
        """
        t = numbers("times", times)
        group = np.broadcast_to(np.asarray(groups), t.shape)
        wrong = (group < 0) | (group >= len(self.levels))
        if wrong.any():
            raise PricingError(f"groups: {group[wrong][0]} is not 0 to {len(self.levels) - 1}.")
        waves = _waves(t, len(self.cosines))
        found: Floats = self.levels[group] + waves @ np.concatenate([self.cosines, self.sines])
        return found


@dataclass(frozen=True, slots=True)
class Residuals:
    """
    What is left, as normal scores: of a process that fits these are 0, 1, 0, 0 and 0.

    autocorrelation   of each score with the next
    """

    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float
    autocorrelation: float


@dataclass(frozen=True, slots=True, eq=False)
class SpotFit:
    """
    A calibrated spot process with how well it fits.

    parameters                    each with its standard error, in the units of the process
    season_share                  of the variance that the season explains, 0 to 1
    log_likelihood                of the steps, with jumps or without as the process has them
    log_likelihood_without_jumps  of the best process that has none
    observations                  steps
    latest_time, latest_deviation where the history ends and how far from its season
    has_settled                   whether the search ended by its own rule
    """

    process: MeanRevertingSpot
    season: Season
    parameters: tuple[Parameter, ...]
    season_share: float
    log_likelihood: float
    log_likelihood_without_jumps: float
    observations: int
    residuals: Residuals
    latest_time: float
    latest_deviation: float
    has_settled: bool

    def expected(self, times: npt.ArrayLike, groups: npt.ArrayLike = 0) -> Floats:
        """
        Return the mean of spot after the history: the curve to simulate on where none is quoted.

        times   on the axis of the history, at or after its end; `simulate` counts from there

        :raises PricingError: for a time before the end, or a group that the fit has not seen.
        """
        t = numbers("times", times)
        check("times", t, t >= self.latest_time, "must not be before the end of the history")
        ahead = t - self.latest_time
        level = self.season.at(t, groups) + self.latest_deviation * np.exp(
            -self.process.mean_reversion * ahead
        )
        return np.exp(level + self.process.log_mean(ahead)) if self.process.is_lognormal else level


def fit_spot(
    times: npt.ArrayLike,
    prices: npt.ArrayLike,
    *,
    groups: npt.ArrayLike = 0,
    harmonics: int = 2,
    is_lognormal: bool = False,
) -> SpotFit:
    """
    Calibrate season, mean reversion, noise and jumps to a history of prices.

    First the season by least squares (the mean is what is wanted: a compensated jump belongs to
    it), then the rest by maximum likelihood of the steps, with any length each. A step has no or
    one jump, at any moment within it; two in one are neglected, so that λ times the step should
    be well below 1 and is held below 1/2. Jumps stay only where the Bayesian information
    criterion wants them.

    times          years, rising; the year's season turns with 1
    prices         currency/MWh, one a time; above 0 where `is_lognormal`
    groups         whole numbers from 0, one a time: hour of the day, day of the week, or both
    harmonics      of the year, 0 for none

    :raises PricingError: naming the argument and index; for fewer than 50 steps, more terms of
        season than half of them, or prices that their season leaves nothing of.
    Source: C. Ball, W. Torous, J. Financial and Quantitative Analysis 18 (1983) 53-65.
    """
    t = numbers("times", times)
    price = numbers("prices", prices)
    if t.ndim != 1 or price.shape != t.shape:
        raise PricingError(f"prices: shape {price.shape} is not one a time, of {t.shape}.")
    check("times", t, np.diff(t, prepend=-np.inf) > 0, "must rise")
    if is_lognormal:
        check("prices", price, price > 0, "must be above 0 for a lognormal", NonPositivePrice)
    check("prices", price, np.isfinite(price), "must be a number")
    if len(t) <= _LEAST:
        raise PricingError(f"prices: {len(t)} are too few, {_LEAST + 1} is the least.")
    level = np.log(price) if is_lognormal else price
    season = _fit_season(t, level, np.asarray(groups), harmonics)
    usual = season.at(t, groups)
    deviation = level - usual
    left = float(deviation.var())
    if left <= 1e-20 * float(level.var() + level.mean() ** 2):
        raise PricingError("prices: nothing is left to fit beside their season.")
    steps = _Steps(before=deviation[:-1], after=deviation[1:], length=np.diff(t))
    plain, jumping = _fit_steps(steps)
    # Three parameters more cost 3 ln n of twice the likelihood.
    jumps = 2.0 * (jumping.log_likelihood - plain.log_likelihood) > 3.0 * np.log(len(t) - 1)
    best = jumping if jumps else plain
    values = _natural(best.at)
    k, sigma, rate, jump_mean, jump_deviation = values
    process = MeanRevertingSpot(k, sigma, rate, jump_mean, jump_deviation, is_lognormal)
    return SpotFit(
        process=process,
        season=season,
        parameters=tuple(
            # Of a logarithm, the deviation is relative.
            Parameter(name, value, float(spread * (1.0 if name == "jump_mean" else value)))
            for name, value, spread in zip(_NAMES, values, best.deviation, strict=False)
        ),
        season_share=1.0 - left / float(level.var()),
        log_likelihood=best.log_likelihood,
        log_likelihood_without_jumps=plain.log_likelihood,
        observations=len(t) - 1,
        residuals=_residuals(steps.scores(values)),
        latest_time=float(t[-1]),
        latest_deviation=float(deviation[-1]),
        has_settled=best.has_settled,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Deviations before and after each step, and its length in years."""

    before: Floats
    after: Floats
    length: Floats

    def log_likelihood(self, values: _Values) -> float:
        """Return the sum of the log densities of the steps."""
        moves, weights, centers, spreads = self._mixture(values)
        z = (moves - centers) / spreads
        density = (weights * np.exp(-0.5 * z * z) / spreads).sum(axis=0)
        # Beyond 38 deviations nothing is left of a density; a search may ask there.
        found = np.log(np.maximum(density, 1e-300)) - 0.5 * np.log(2.0 * np.pi)
        return float(found.sum())

    def scores(self, values: _Values) -> Floats:
        """Return the steps as normal scores."""
        from scipy.special import ndtr, ndtri

        moves, weights, centers, spreads = self._mixture(values)
        chance = (weights * ndtr((moves - centers) / spreads)).sum(axis=0)
        found: Floats = ndtri(np.clip(chance, 1e-15, 1.0 - 1e-15))
        return found

    def _mixture(self, values: _Values) -> tuple[Floats, Floats, Floats, Floats]:
        """Return moves (step,) and the weights, centers, deviations of normals (normal, step)."""
        k, sigma, rate, mean, deviation = values
        stays = np.exp(-k * self.length)
        noise = sigma**2 * -np.expm1(-2.0 * k * self.length) / (2.0 * k)
        moves = self.after - stays * self.before + mean * rate * (1.0 - stays) / k
        if rate == 0.0:
            one = np.ones((1, len(moves)))
            return moves, one, 0.0 * one, np.sqrt(noise) * one
        left = np.exp(-k * self.length * _MOMENTS[:, None])
        chance = -np.expm1(-rate * self.length)
        weights = np.concatenate([(1.0 - chance)[None], chance * _SHARES[:, None]])
        centers = np.concatenate([np.zeros((1, len(moves))), mean * left])
        spreads = np.sqrt(noise + np.concatenate([centers[:1], (deviation * left) ** 2]))
        return moves, weights, centers, spreads


def _fit_steps(steps: _Steps) -> tuple[Maximum, Maximum]:
    """Return the greatest likelihoods without and with jumps."""
    length = float(np.median(steps.length))
    memory = float(steps.before @ steps.after / (steps.before @ steps.before))
    k = -np.log(np.clip(memory, 0.01, 0.9999)) / length
    moves = steps.after - np.exp(-k * steps.length) * steps.before
    spread = float(moves.std())
    count = len(moves)
    scale = np.log(spread / np.sqrt(length))
    slowest, fastest = -np.log(0.999999) / length, -np.log(1e-4) / length
    bounds = [
        (float(np.log(slowest)), float(np.log(fastest))),
        (float(scale - 8.0), float(scale + 8.0)),
    ]
    plain = maximize(
        lambda at: steps.log_likelihood(_natural(at)),
        starts=[(float(np.log(k)), float(scale))],
        bounds=bounds,
        observations=count,
    )
    # The middle of the moves tells the noise, what is far beyond it the jumps.
    quiet = float(np.median(np.abs(moves)) / 0.6745) or spread
    starts = []
    for limit in (2.5, 4.0):
        far = np.abs(moves) > limit * quiet
        seen = moves[far] if far.sum() > 2 else np.array([-spread, spread])
        rate = np.clip(far.mean(), 2.0 / count, 0.3) / length
        starts.append(
            (float(np.log(k)), float(np.log(quiet / np.sqrt(length))), float(np.log(rate)),
             float(seen.mean()) / spread, float(np.log(max(seen.std(), 0.1 * spread) / spread)))
        )  # fmt: skip

    def scaled(at: Floats) -> Floats:
        # Jumps are sought in units of the moves, so that every transform is of the order of 1.
        return np.array([*at[:3], at[3] * spread, at[4] + np.log(spread)])

    found = maximize(
        lambda at: steps.log_likelihood(_natural(scaled(at))),
        starts=starts,
        bounds=[
            *bounds,
            (float(np.log(0.1 / (count * length))), float(np.log(0.5 / length))),
            (-50.0, 50.0),
            (-8.0, 5.0),
        ],
        observations=count,
    )
    jumping = Maximum(
        at=scaled(found.at),
        deviation=found.deviation * np.array([1.0, 1.0, 1.0, spread, 1.0]),
        log_likelihood=found.log_likelihood,
        has_settled=found.has_settled,
    )
    return plain, jumping


def _natural(at: Floats) -> _Values:
    """Return the parameters of the process from their transforms, without jumps from two."""
    k, sigma = (float(np.exp(value)) for value in at[:2])
    if len(at) == 2:
        return k, sigma, 0.0, 0.0, 0.0
    return k, sigma, float(np.exp(at[2])), float(at[3]), float(np.exp(at[4]))


def _fit_season(
    times: Floats, level: Floats, groups: npt.NDArray[np.generic], harmonics: int
) -> Season:
    if not np.issubdtype(groups.dtype, np.integer) or groups.shape not in ((), times.shape):
        raise PricingError(f"groups: {groups.dtype} of shape {groups.shape} is not one a time.")
    group = np.broadcast_to(groups, times.shape).astype(np.int64)
    if group.min() < 0:
        raise PricingError(f"groups: {group.min()} is below 0.")
    count = np.bincount(group)
    if (count == 0).any():
        raise PricingError(f"groups: none is {int(np.argmin(count))}, though some are above.")
    if harmonics < 0 or len(count) + 2 * harmonics > len(times) // 2:
        raise PricingError(
            f"harmonics: {harmonics} with {len(count)} groups are too many for {len(times)} prices."
        )
    waves = _waves(times, harmonics)
    # Levels by group are taken out of both sides first, which leaves a small system.
    inner = level - (np.bincount(group, weights=level) / count)[group]
    rows = [np.bincount(group, weights=row) / count for row in waves.T]
    across = waves - np.array(rows).reshape(2 * harmonics, len(count)).T[group]
    coefficients = np.asarray(np.linalg.lstsq(across, inner, rcond=None)[0], dtype=np.float64)
    levels = np.bincount(group, weights=level - waves @ coefficients) / count
    return Season(levels, coefficients[:harmonics], coefficients[harmonics:])


def _waves(times: Floats, harmonics: int) -> Floats:
    angles = 2.0 * np.pi * times[..., None] * np.arange(1, harmonics + 1)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)


def _residuals(scores: Floats) -> Residuals:
    from scipy.stats import kurtosis, skew

    return Residuals(
        mean=float(scores.mean()),
        deviation=float(scores.std()),
        skewness=float(skew(scores)),
        excess_kurtosis=float(kurtosis(scores)),
        autocorrelation=float(np.corrcoef(scores[:-1], scores[1:])[0, 1]),
    )
