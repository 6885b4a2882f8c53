"""The state of the simulated market: one path of its factors from a fixed first day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

FIRST_DAY = date(2020, 1, 1)
FINAL_DAY = date(2049, 12, 31)
# Every forward reaches at most four years further, so the months of a world are a fixed number
# and the draws of a day do not depend on how far anyone looks.
MONTHS = 12 * 35
DAYS_A_YEAR = 365.25
_MONTHLY_LEVEL = (1.17, 1.12, 1.02, 0.92, 0.85, 0.86, 0.90, 0.92, 0.98, 1.03, 1.09, 1.14)


class WorldError(ValueError):
    """Raised for a window that the simulated world does not have; names the argument."""


class Stream(IntEnum):
    """One random stream for each use, so that adding a use does not change the others."""

    FACTORS = 1
    MONTHS = 2
    WEATHER = 3
    NOISE = 4
    SPIKES = 5
    PEAK = 6


@dataclass(frozen=True)
class MarketWorld:
    """
    Hold the parameters of a simulated market; the same ones make the same world.

    seed            of all random numbers
    level           long-run average of the base price, currency/MWh
    short_vol, long_vol, month_vol    yearly volatility of the fading, the parallel and the
                    delivery month's own factor (0.55 is 55 %)
    short_speed, long_speed    how fast they come back, a year
    correlation     of the two common factors
    """

    seed: int
    level: float = 78.0
    short_vol: float = 0.55
    long_vol: float = 0.16
    month_vol: float = 0.05
    short_speed: float = 2.2
    long_speed: float = 0.35
    correlation: float = 0.3
    _cache: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise WorldError(f"seed: {self.seed} must be zero or more.")
        if not self.level > 0:
            raise WorldError(f"level: {self.level} must be above zero.")

    def generator(self, stream: Stream) -> np.random.Generator:
        """Return a fresh generator of one stream of this world."""
        return np.random.default_rng([self.seed, int(stream)])

    @cached_property
    def season(self) -> npt.NDArray[np.float64]:
        """Return each delivery month's average level, currency/MWh, shape (months,)."""
        return self.level * np.tile(_MONTHLY_LEVEL, MONTHS // 12)

    def month_prices(self, days: int) -> npt.NDArray[np.float64]:
        """
        Return what each delivery month is worth at the close of each day from `FIRST_DAY`.

        Shape (days, months); months that are over keep moving and mean nothing.

        F(t, T) = season(T) · exp(e^(−k τ) χ_t + ξ_t + ε_T,t): χ fades with time to delivery τ
        (Samuelson's effect), ξ moves all months in parallel, ε is the month's own. All three are
        mean-reverting. Source: the two-factor form of E. Schwartz and J. Smith, Management
        Science 46 (2000) 893-911, with a parallel factor that reverts slowly too.
        """
        shocks = self.generator(Stream.FACTORS).standard_normal((days, 2))
        own = self.generator(Stream.MONTHS).standard_normal((days, MONTHS))
        long_shock = (
            self.correlation * shocks[:, 0] + np.sqrt(1 - self.correlation**2) * shocks[:, 1]
        )
        short = reverting(shocks[:, :1], speed=self.short_speed, vol=self.short_vol)
        parallel = reverting(long_shock[:, None], speed=self.long_speed, vol=self.long_vol)
        month = reverting(own, speed=self.short_speed, vol=self.month_vol)
        today = np.arange(days)[:, None] / DAYS_A_YEAR
        middle = (np.arange(MONTHS)[None, :] + 0.5) / 12
        fading = np.exp(-self.short_speed * np.maximum(middle - today, 0.0))
        factors: npt.NDArray[np.float64] = fading * short + parallel + month
        return self.season * np.exp(factors)


def reverting(
    shocks: npt.NDArray[np.float64], *, speed: float, vol: float
) -> npt.NDArray[np.float64]:
    """
    Return Ornstein-Uhlenbeck paths from zero, exact for daily steps, shape of `shocks`.

    shocks    standard normal, axis 0 is the day
    """
    keep = np.exp(-speed / DAYS_A_YEAR)
    scale = vol * np.sqrt((1 - keep**2) / (2 * speed))
    paths = np.empty_like(shocks)
    level = np.zeros(shocks.shape[1])
    for day, shock in enumerate(shocks):
        level = keep * level + scale * shock
        paths[day] = level
    return paths


def day_number(day: date) -> int:
    """
    Return how many days a date is after the first day of the world.

    :raises WorldError: if the world does not have the date.
    """
    if not FIRST_DAY <= day <= FINAL_DAY:
        raise WorldError(f"day: {day} is not within {FIRST_DAY} and {FINAL_DAY}.")
    return (day - FIRST_DAY).days


def month_number(day: date) -> int:
    """Return the index of a date's month."""
    return (day.year - FIRST_DAY.year) * 12 + day.month - 1
