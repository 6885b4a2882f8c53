"""What a forward curve is: prices by segment or by cell, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from energyopti.foundation.intervals import Interval
from trading.curves._cells import Cells
from trading.curves._loads import epoch_seconds
from trading.curves._premiums import Premiums
from trading.curves._quotes import BASE, CurveDoesNotCover, CurveQuote, LeftOut

_SECOND = np.timedelta64(1, "s")


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


@dataclass(frozen=True, eq=False)
class LoadCurve:
    """
    Hold one price for each cell: a segment between contract bounds, and the loads within it.

    prices           float64, shape (cells,), currency/MWh
    quotes           the quotes taken, which the curve reprices, finest first
    rows             share of each cell in each quote, shape (quotes, cells)
    sensitivities    d price / d quote, shape (cells, quotes): prices = sensitivities @ quoted
    left_out         quotes not built from, each with what the curve implies instead
    premiums         by which cells started, None where each did at its contract's level
    """

    cells: Cells
    prices: npt.NDArray[np.float64]
    quotes: tuple[CurveQuote, ...]
    rows: npt.NDArray[np.float64]
    sensitivities: npt.NDArray[np.float64]
    left_out: tuple[LeftOut, ...] = ()
    premiums: Premiums | None = None

    @property
    def conflicts(self) -> tuple[LeftOut, ...]:
        """Return the quotes left out that contradict those taken."""
        return tuple(quote for quote in self.left_out if quote.is_conflict)

    @property
    def quoted(self) -> npt.NDArray[np.float64]:
        """Return the prices of the quotes taken, shape (quotes,)."""
        return np.array([quote.price for quote in self.quotes])

    def average(self, interval: Interval, load: str = BASE) -> float:
        """
        Return the weighted price of a delivery, currency/MWh.

        :raises CurveDoesNotCover: unless the curve covers every hour of it.
        """
        return float(self.cells.row(interval, load) @ self.prices)

    def prices_at(self, instants: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
        """
        Return the price at UTC instants, same shape.

        :raises CurveDoesNotCover: naming the first instant that no quote speaks of.
        """
        cell = self.cells.cell_at(epoch_seconds(instants))
        if (cell < 0).any():
            raise CurveDoesNotCover(f"instants: {instants[cell < 0].flat[0]}Z is not covered.")
        return self.prices[cell]

    def base(self) -> ForwardCurve:
        """Return the prices of base load by segment; segments without all hours are left away."""
        cells = self.cells
        covered = np.bincount(cells.segment, cells.weights, minlength=len(cells.bounds))
        # A segment whose pieces have no cell lacks hours, so it has no price of base load.
        piece_segment = np.searchsorted(cells.bounds[:, 0], cells.edges[:-1], side="right") - 1
        lacking = np.bincount(piece_segment[cells.cell < 0], minlength=len(cells.bounds)) > 0
        share = np.zeros((len(cells.bounds), len(cells)))
        share[cells.segment, np.arange(len(cells))] = cells.weights / covered[cells.segment]
        whole = ~lacking
        bounds = cells.bounds[whole].astype("datetime64[s]")
        return ForwardCurve(
            starts=bounds[:, 0],
            ends=bounds[:, 1],
            prices=share[whole] @ self.prices,
            quotes=self.quotes,
            sensitivities=share[whole] @ self.sensitivities,
            left_out=self.left_out,
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
