"""Two-factor forward curves. Axis order: scenario, time, delivery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    PricingError,
    broadcast,
    check,
    numbers,
)
from trading.pricing.processes._paths import Paths, grid, normals, on_grid, parameter, within_range


@dataclass(frozen=True, slots=True)
class TwoFactorForwards:
    """
    Forwards moved by news that fades and news that stays, today's curve taken as it is.

        dF(t,T)/F(t,T) = σ_s e^{−κ(T−t)} dW_s + σ_l dW_l,   dW_s dW_l = ρ dt

    mean_reversion     κ, per year, > 0: the short factor halves in ln 2 / κ years
    short_volatility   σ_s, lognormal, per √year, ≥ 0
    long_volatility    σ_l, likewise
    correlation        ρ, −1 to 1

    Forwards are martingales and lognormal, so prices must be above 0; for spot that goes below
    see `MeanRevertingSpot`. A delivery period is moved by the mean of e^{−κ(T−t)} over it, which
    is how its own forward is lognormal too (Kiesel, Schindlmayr, Börger, Quantitative Finance 9
    (2009) 279-287).

    :raises PricingError: naming the parameter.
    Source: E. Schwartz, J. Smith, Management Science 46 (2000) 893-911, as a forward model.
    """

    mean_reversion: float
    short_volatility: float
    long_volatility: float
    correlation: float

    def __post_init__(self) -> None:
        parameter("mean_reversion", self.mean_reversion, self.mean_reversion > 0, "must be above 0")
        for name in ("short_volatility", "long_volatility"):
            value = getattr(self, name)
            parameter(name, value, value >= 0, "must not be negative")
        parameter("correlation", self.correlation, abs(self.correlation) <= 1, "must be −1 to 1")

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
        Simulate spot prices F(t,t), exactly, on any grid.

        times   years from now, rising; curve   today's forward for delivery at each time, > 0
        news    as in `factors`

        :raises PricingError: naming the argument and index.
        """
        at, _ = grid(times)
        today = on_grid("curve", curve, at, positive=True)
        factors = self.factors(
            times=at, scenarios=scenarios, generator=generator, antithetic=antithetic, news=news
        )
        log_mean = np.log(today) - 0.5 * self.variance(expiry=at, delivery=at)
        spot = np.exp(log_mean + factors.sum(axis=2))
        return Paths(times=at, spot=within_range(spot), factors=factors, antithetic=antithetic)

    def factors(
        self,
        *,
        times: npt.ArrayLike,
        scenarios: int,
        generator: np.random.Generator,
        antithetic: bool = True,
        news: Floats | None = None,
    ) -> Floats:
        """
        Simulate the short and the long factor, (scenario, time, 2), exactly, both 0 now.

        news    (scenario, time), standard normals of each step's move of the sum of both, which is
                that of spot, where those of another market move with it (`simulate_together`); how
                a move is shared between the factors is drawn. None draws both.

        :raises PricingError: naming the argument and index.
        """
        at, steps = grid(times)
        drawn = 2 if news is None else 1
        draws = normals(generator, scenarios, (len(at), drawn), antithetic=antithetic)
        found = np.empty((scenarios, len(at), 2))
        short = np.zeros(scenarios)
        long = np.zeros(scenarios)
        for n, step in enumerate(steps):
            root = _root(self.covariance(float(step)))
            own = draws[:, n]
            if news is not None:
                along = _along(root)
                across = np.array([-along[1], along[0]])
                own = news[:, n, None] * along + own * across
            moves = own @ root.T
            short = short * np.exp(-self.mean_reversion * step) + moves[:, 0]
            long = long + moves[:, 1]
            found[:, n, 0], found[:, n, 1] = short, long
        return found

    def forwards(
        self,
        factors: npt.ArrayLike,
        *,
        times: npt.ArrayLike,
        curve: npt.ArrayLike,
        delivery: npt.ArrayLike,
        length: npt.ArrayLike = 0.0,
    ) -> Floats:
        """
        Return the forward curves at simulated factors, (scenario, time, delivery).

        factors    (scenario, time, 2) of `factors` or `Paths.factors`, for these times
        curve      today's forwards, one a delivery, > 0
        delivery   years from now to the start of each delivery, ≥ 0
        length     years that each delivers; 0 is a moment

        A delivery that has begun keeps the price of the last time at or before its start.

        :raises PricingError: naming the argument and index.
        """
        at, _ = grid(times)
        state = numbers("factors", factors)
        if state.ndim != 3 or state.shape[1:] != (len(at), 2):
            raise PricingError(f"factors: shape {state.shape} is not (scenario, {len(at)}, 2).")
        check("factors", state, np.isfinite(state), "must be a number")
        today, start, period = np.atleast_1d(
            *broadcast(curve=curve, delivery=delivery, length=length)
        )
        check("curve", today, today > 0, "must be above 0", NonPositivePrice)
        check("delivery", start, start >= 0, "must not be before now")
        check("length", period, period >= 0, "must not be negative")
        # The last time at or before the start of delivery; −1 is now, where no factor has moved.
        seen = np.minimum(np.searchsorted(at, start, side="right") - 1, np.arange(len(at))[:, None])
        known = np.where(seen >= 0, at[seen], 0.0)
        moved = np.where(seen[..., None] >= 0, state[:, seen], 0.0)
        log_moves = self.loading(start - known, period) * moved[..., 0] + moved[..., 1]
        drift = -0.5 * self.variance(expiry=known, delivery=start, length=period)
        return within_range(np.exp(np.log(today) + drift + log_moves))

    def loading(self, ahead: npt.ArrayLike, length: npt.ArrayLike = 0.0) -> Floats:
        """
        Return what one unit of the short factor moves ln F: the mean of e^{−κ(T−t)} in delivery.

        ahead, length   years to the start of delivery, and of delivery, ≥ 0
        """
        to_start, period = broadcast(ahead=ahead, length=length)
        decay = self.mean_reversion * period
        long_enough = decay > 1e-8
        safe = np.where(long_enough, decay, 1.0)
        found: Floats = np.exp(-self.mean_reversion * to_start) * np.where(
            long_enough, -np.expm1(-safe) / safe, 1.0 - 0.5 * decay
        )
        return found

    def variance(
        self, *, expiry: npt.ArrayLike, delivery: npt.ArrayLike, length: npt.ArrayLike = 0.0
    ) -> Floats:
        """
        Return the variance of ln F(expiry, delivery) seen from now.

        expiry, delivery, length   years; all broadcast, expiry ≤ delivery

        :raises PricingError: naming the argument and index.
        """
        until, start, period = broadcast(expiry=expiry, delivery=delivery, length=length)
        check("expiry", until, (until >= 0) & (until <= start), "must be from now to delivery")
        check("length", period, period >= 0, "must not be negative")
        load = self.loading(start - until, period)
        cover = self.covariance(until)
        found: Floats = load**2 * cover[0, 0] + 2.0 * load * cover[0, 1] + cover[1, 1]
        return np.maximum(found, 0.0)

    def volatility(
        self, *, expiry: npt.ArrayLike, delivery: npt.ArrayLike, length: npt.ArrayLike = 0.0
    ) -> Floats:
        """
        Return the Black-76 volatility of an option on a delivery, per √year.

        expiry   years, > 0 and ≤ delivery

        :raises PricingError: naming the argument and index.
        """
        until = numbers("expiry", expiry)
        check("expiry", until, until > 0, "must be above 0")
        return np.sqrt(self.variance(expiry=until, delivery=delivery, length=length) / until)

    def covariance(self, time: npt.ArrayLike) -> Floats:
        """Return the covariance of both factors over a time from zero, (2, 2, *shape)."""
        t = np.asarray(time, dtype=np.float64)
        k = self.mean_reversion
        short = self.short_volatility**2 * -np.expm1(-2.0 * k * t) / (2.0 * k)
        both = self.correlation * self.short_volatility * self.long_volatility
        cross = both * -np.expm1(-k * t) / k
        return np.array([[short, cross], [cross, self.long_volatility**2 * t]])


def _root(covariance: Floats) -> Floats:
    """Return a lower triangular root of a 2×2 covariance that may be singular."""
    first = np.sqrt(covariance[0, 0])
    below = covariance[1, 0] / first if first > 0 else 0.0
    rest = np.sqrt(max(covariance[1, 1] - below**2, 0.0))
    return np.array([[first, 0.0], [below, rest]])


def _along(root: Floats) -> Floats:
    """Return the direction of normals, length 1, in which the sum of both factors moves."""
    both = root.sum(axis=0)
    size = float(np.hypot(both[0], both[1]))
    return both / size if size > 0 else np.array([1.0, 0.0])
