"""What every forecaster gets and gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod, period_starts


class MissingHistory(LookupError):
    """Raised when a model needs prices that are not known; names the day."""


@dataclass(frozen=True, eq=False)
class PriceHistory:
    """
    Hold the prices known when a forecast is made.

    starts     UTC, datetime64[s], ascending and unique, shape (periods,); gaps are possible
    values     float64, currency/MWh, same shape, finite
    minutes    length of every period
    calendar   of the market's delivery days

    :raises ValueError: for shapes that differ, an order that is not ascending, or NaN.
    """

    starts: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    minutes: int
    calendar: Calendar

    def __post_init__(self) -> None:
        if self.starts.shape != self.values.shape or self.starts.ndim != 1:
            raise ValueError(f"values: shape {self.values.shape} is not that of the starts.")
        if self.starts.size > 1 and not (np.diff(self.starts) > np.timedelta64(0, "s")).all():
            raise ValueError("starts: must be ascending, each once.")
        if not np.isfinite(self.values).all():
            raise ValueError("values: a price in the history is not finite.")

    def day(self, day: date) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.float64]]:
        """
        Return the starts and prices of one delivery day.

        :raises MissingHistory: if one of its periods is not known.
        """
        wanted = period_starts(self.calendar, DatePeriod.day(day), minutes=self.minutes)
        index = np.searchsorted(self.starts, wanted)
        inside = index < self.starts.size
        found = np.zeros(wanted.shape, dtype=bool)
        found[inside] = self.starts[index[inside]] == wanted[inside]
        if not found.all():
            missing = np.flatnonzero(~found)
            raise MissingHistory(
                f"history: {missing.size} of {wanted.size} prices of {day} are not known; the"
                f" first is that of {wanted[missing[0]]}Z."
            )
        return wanted, self.values[index]

    def content_hash(self) -> str:
        """Return the SHA-256 of what the history says, for the record of what a model saw."""
        digest = hashlib.sha256(f"{self.minutes} {self.calendar.zone_key}".encode())
        digest.update(self.starts.astype("datetime64[s]").astype("<i8").tobytes())
        digest.update(self.values.astype("<f8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class PointForecast:
    """
    Hold the expected prices of one delivery day.

    starts    UTC, datetime64[s], shape (periods,): 23, 24 or 25 hours, 92, 96 or 100 quarters
    values    float64, currency/MWh, same shape, finite
    """

    starts: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    minutes: int


class Forecaster(Protocol):
    """A model: what it is called, how much it looks back, and what it expects."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def days_of_history(self) -> int:
        """Return how many delivery days before the forecast's the model looks at."""

    def forecast(self, history: PriceHistory, delivery_date: date) -> PointForecast:
        """
        Return the expected prices of a delivery day.

        :raises MissingHistory: if the history lacks what the model needs.
        """
