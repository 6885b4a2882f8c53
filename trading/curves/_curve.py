"""What a forward curve is, whatever built it: prices by segment, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from energyopti.foundation.intervals import Interval

_SECOND = np.timedelta64(1, "s")


class CurveError(ValueError):
    """Raised when quotes cannot make a curve; names the quote and the rule."""


class CurveDoesNotCover(LookupError):
    """Raised when a price is asked for that no quote of the curve speaks of."""


@dataclass(frozen=True, slots=True)
class CurveQuote:
    """
    The price of a base-load contract, currency/MWh over its delivery interval.

    :raises CurveError: if the price is not finite; zero and negative are prices.
    """

    name: str
    interval: Interval
    price: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.price):
            raise CurveError(f"price: {self.name} is {self.price}, which is not a price.")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    A quote that the curve was not built from, because finer quotes say its price already.

    implied    what the curve says, currency/MWh
    is_conflict    whether the two are further apart than the tolerance of the build
    """

    quote: CurveQuote
    implied: float
    is_conflict: bool

    def __str__(self) -> str:
        return (
            f"{self.quote.name}: quoted {self.quote.price:g}, finer contracts imply"
            f" {self.implied:.4f} ({self.quote.price - self.implied:+.4f})"
        )


@dataclass(frozen=True, eq=False)
class ForwardCurve:
    """
    Hold prices per MWh that are flat on consecutive segments.

    starts, ends     UTC, datetime64[s], shape (segments,), ascending; gaps are possible
    prices           float64, shape (segments,), currency/MWh
    quotes           the quotes that the curve reprices, hours-weighted
    sensitivities    d price / d quote, shape (segments, quotes): prices = sensitivities @ quoted
    left_out         quotes not built from, each with what the curve implies instead
    """

    starts: npt.NDArray[np.datetime64]
    ends: npt.NDArray[np.datetime64]
    prices: npt.NDArray[np.float64]
    quotes: tuple[CurveQuote, ...]
    sensitivities: npt.NDArray[np.float64]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def conflicts(self) -> tuple[LeftOut, ...]:
        """Return the quotes left out that contradict finer ones."""
        return tuple(quote for quote in self.left_out if quote.is_conflict)

    @property
    def hours(self) -> npt.NDArray[np.float64]:
        """Return the length of each segment in hours."""
        return hours_between(self.starts, self.ends)

    def weights(self, interval: Interval) -> npt.NDArray[np.float64]:
        """
        Return each segment's share of an interval's hours, shape (segments,), sum 1.

        :raises CurveDoesNotCover: unless the segments cover the whole interval.
        """
        start, end = bounds(interval)
        overlap = np.minimum(self.ends, end) - np.maximum(self.starts, start)
        seconds = np.maximum(overlap / _SECOND, 0.0)
        total = float((end - start) / _SECOND)
        if seconds.sum() != total:
            raise CurveDoesNotCover(
                f"interval: {interval} is not covered; the curve has {self.coverage}."
            )
        return seconds / total

    def average(self, interval: Interval) -> float:
        """
        Return the hours-weighted price of base load over an interval, currency/MWh.

        :raises CurveDoesNotCover: unless the curve covers the whole interval.
        """
        return float(self.weights(interval) @ self.prices)

    def prices_at(self, instants: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
        """
        Return the price at UTC instants, same shape.

        :raises CurveDoesNotCover: naming the first instant outside the segments.
        """
        seconds = instants.astype("datetime64[s]")
        index = np.searchsorted(self.starts, seconds, side="right") - 1
        outside = (index < 0) | (seconds >= self.ends[np.maximum(index, 0)])
        if outside.any():
            raise CurveDoesNotCover(
                f"instants: {seconds[outside].flat[0]}Z is not covered; the curve has"
                f" {self.coverage}."
            )
        return self.prices[index]

    @property
    def coverage(self) -> str:
        """Return the span of the curve as text."""
        return f"{self.starts[0]}Z to {self.ends[-1]}Z"

    def segments(self) -> tuple[tuple[Interval, float], ...]:
        """Return the segments as intervals with their prices."""
        return tuple(
            (Interval(aware(start), aware(end)), price)
            for start, end, price in zip(self.starts, self.ends, self.prices.tolist(), strict=True)
        )


def hours_between(
    starts: npt.NDArray[np.datetime64], ends: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.float64]:
    """Return lengths in hours, same shape."""
    lengths: npt.NDArray[np.float64] = (ends - starts) / (3600 * _SECOND)
    return lengths


def bounds(interval: Interval) -> tuple[np.datetime64, np.datetime64]:
    """Return the bounds of an interval as NumPy instants in UTC."""
    return instant(interval.start), instant(interval.end)


def instant(moment: datetime) -> np.datetime64:
    """Return an aware datetime as a NumPy instant in UTC."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")


def aware(moment: np.datetime64) -> datetime:
    """Return a NumPy instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(int(moment.astype("datetime64[s]").astype(np.int64)), UTC)
