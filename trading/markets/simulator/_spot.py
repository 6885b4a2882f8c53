"""Day-ahead prices of the simulated market: seasons, weekends, sun, wind, spikes, below zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod, offset_seconds, period_starts
from trading.markets.simulator._world import (
    FIRST_DAY,
    MarketWorld,
    Stream,
    day_number,
    month_number,
)

# Harmonised limits of European day-ahead auctions.
LOWEST_PRICE, HIGHEST_PRICE = -500.0, 4000.0
QUARTERS = 100  # of the longest day
_LATITUDE = np.radians(51.0)
_SUN, _MORNING, _EVENING, _NIGHT = 74.0, 11.0, 24.0, 10.0
_WEEKEND = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -9.0, -15.0])
_WIND_SPREAD, _WIND_MEMORY = 17.0, 0.75
_NOISE_SPREAD, _NOISE_MEMORY = 1.6, 0.85
_SPIKE_CHANCE, _SPIKE_SIZE = 0.012, 90.0
_CLEAR_LOWEST, _CLEAR_RANGE = 0.25, 0.75


@dataclass(frozen=True, eq=False)
class SimulatedSpot:
    """
    Hold simulated day-ahead prices.

    starts     UTC, datetime64[s], shape (periods,)
    prices     float64, shape (periods,), currency/MWh, in cents
    minutes    length of a period
    """

    starts: npt.NDArray[np.datetime64]
    prices: npt.NDArray[np.float64]
    minutes: int


def simulate_spot(
    world: MarketWorld, *, first: date, latest: date, calendar: Calendar, minutes: int = 60
) -> SimulatedSpot:
    """
    Return the prices of the delivery days from `first` to `latest`.

    A day's average is what its month was worth when the auction was held, the day before, less
    weekends and wind: spot and forwards rise together. Within the day: two peaks, a cheap night,
    a dip as deep as the sun is high and the sky clear, noise with a memory of some hours, and in
    about one evening of eighty a spike. Sunny, windy weekends go below zero.

    :raises WorldError: for dates that the world does not have.
    :raises CalendarError: if days are no whole number of periods.
    """
    days = day_number(latest) + 1
    day_number(first)
    starts = period_starts(calendar, DatePeriod(first, _after(latest)), minutes=minutes)
    dates, day, hour = _on_the_wall(calendar, starts, minutes)
    worth = world.month_prices(days)
    months = np.array([month_number(d) for d in np.unique(dates).tolist()])
    auction = np.maximum(np.unique(day) - 1, 0)
    base = worth[auction, months][day - day[0]]
    weekday = (day + FIRST_DAY.weekday()) % 7
    wind, clear = _weather(world, days)
    shape = _shape(hour, dates, clear[day], weekday)
    shape -= _day_mean(shape, day - day[0])
    # When a megawatt-hour is worth more, so are its swings.
    swing = (base / world.level) * (shape + _WEEKEND[weekday] + wind[day])
    prices = base + swing + _noise(world, days, day, hour)
    prices += _spikes(world, days, day, hour)
    return SimulatedSpot(starts, np.round(np.clip(prices, LOWEST_PRICE, HIGHEST_PRICE), 2), minutes)


def expected_swing(
    calendar: Calendar, starts: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.float64]:
    """
    Return by how much an hour is above its day's worth on average over weather, shape of `starts`.

    Where base is at the world's level, currency/MWh; spikes are left out.

    starts    UTC, of hours of whole days, ascending
    """
    dates, day, hour = _on_the_wall(calendar, starts, 60)
    weekday = (day + FIRST_DAY.weekday()) % 7
    clear = np.full(len(starts), _CLEAR_LOWEST + _CLEAR_RANGE / 2)
    shape = _shape(hour, dates, clear, weekday)
    swing: npt.NDArray[np.float64] = shape - _day_mean(shape, day - day[0]) + _WEEKEND[weekday]
    return swing


def _on_the_wall(
    calendar: Calendar, starts: npt.NDArray[np.datetime64], minutes: int
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the civil date of each period, its number in the world, and its middle's hour."""
    local = starts + offset_seconds(calendar, starts).astype("timedelta64[s]")
    dates = local.astype("datetime64[D]")
    day = (dates - np.datetime64(FIRST_DAY, "D")).astype(np.int64)
    return dates, day, (local - dates).astype(np.int64) / 3600 + minutes / 120


def _shape(
    hour: npt.NDArray[np.float64],
    dates: npt.NDArray[np.datetime64],
    clear: npt.NDArray[np.float64],
    weekday: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    morning = _MORNING * np.exp(-((hour - 8.0) ** 2) / 4.5) * np.where(weekday < 5, 1.0, 0.4)
    evening = _EVENING * np.exp(-((hour - 19.0) ** 2) / 5.0)
    night = -_NIGHT * np.exp(-((hour - 3.5) ** 2) / 9.0)
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    # Declination by Cooper's formula; solar noon is taken at 13 o'clock on the wall.
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day_of_year) / 365)
    angle = np.radians(15.0) * (hour - 13.0)
    elevation = np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(
        declination
    ) * np.cos(angle)
    shape: npt.NDArray[np.float64] = (
        morning + evening + night - _SUN * clear * np.maximum(elevation, 0.0)
    )
    return shape


def _day_mean(
    values: npt.NDArray[np.float64], day: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = (np.bincount(day, values) / np.bincount(day))[day]
    return mean


def _weather(
    world: MarketWorld, days: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what wind adds to a day's price, and how clear its sky is (0.25 to 1)."""
    draws = world.generator(Stream.WEATHER).standard_normal((days, 2))
    wind = _remembering(draws[:, :1].T, _WIND_MEMORY)[0] * _WIND_SPREAD
    # Much wind pushes prices down further than calm lifts them.
    wind = np.where(wind < 0, 1.35 * wind, 0.75 * wind)
    clear = _CLEAR_LOWEST + _CLEAR_RANGE / (1 + np.exp(-1.4 * draws[:, 1]))
    return wind, clear


def _noise(
    world: MarketWorld,
    days: int,
    day: npt.NDArray[np.int64],
    hour: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    draws = world.generator(Stream.NOISE).standard_normal((days, QUARTERS))
    walk = _remembering(draws, _NOISE_MEMORY) * _NOISE_SPREAD
    noise: npt.NDArray[np.float64] = walk[day, (hour * 4).astype(np.int64)]
    return noise


def _spikes(
    world: MarketWorld,
    days: int,
    day: npt.NDArray[np.int64],
    hour: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    draws = world.generator(Stream.SPIKES).random((days, 2))
    size = np.where(draws[:, 0] < _SPIKE_CHANCE, -_SPIKE_SIZE * np.log1p(-draws[:, 1]), 0.0)
    spikes: npt.NDArray[np.float64] = size[day] * np.exp(-((hour - 18.5) ** 2) / 1.5)
    return spikes


def _remembering(draws: npt.NDArray[np.float64], memory: float) -> npt.NDArray[np.float64]:
    """Return first-order autoregressive paths with unit variance along the last axis."""
    paths = np.empty_like(draws)
    paths[:, 0] = draws[:, 0]
    scale = np.sqrt(1 - memory**2)
    for step in range(1, draws.shape[1]):
        paths[:, step] = memory * paths[:, step - 1] + scale * draws[:, step]
    return paths


def _after(day: date) -> date:
    return DatePeriod.day(day).after
