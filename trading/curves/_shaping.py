"""Shaping: from one price a cell to one price a day, hour or quarter hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading.curves._bootstrap import check_repriced, level_map
from trading.curves._cells import Cells
from trading.curves._curve import LoadCurve
from trading.curves._grids import DeliveryGrid
from trading.curves._quotes import BASE, CurveDoesNotCover, CurveError, CurveQuote
from trading.curves._spline import SplineEnd, smoothest_spline

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]


class Smoothing(StrEnum):
    """How the level runs within and between cells, under any seasonal terms."""

    FLAT = "FLAT"
    MAXIMUM_SMOOTHNESS = "MAXIMUM_SMOOTHNESS"


@dataclass(frozen=True, eq=False)
class ShapedCurve:
    """
    Hold a price for every period of a grid, linear in the quotes: prices = A @ quoted + constant.

    A is never formed; it is `spread` (sparse, periods × levels) times `levels` (levels × quotes).

    prices        float64, shape (periods,), currency/MWh
    constant      what the seasonal terms add whatever is quoted, shape (periods,)
    is_quoted     where a quote delivers; elsewhere the spline bridges a gap between contracts
    quotes        the quotes repriced, in the order of A's columns
    """

    grid: DeliveryGrid
    prices: Floats
    constant: Floats
    is_quoted: npt.NDArray[np.bool_]
    quotes: tuple[CurveQuote, ...]
    spread: csr_array
    levels: Floats
    cells: Cells

    def apply(self, quotes: Floats) -> Floats:
        """Return A @ x: what moves of the quotes do to prices; x (quotes,) or (quotes, k)."""
        moved: Floats = self.spread @ (self.levels @ quotes)
        return moved

    def project(self, values: Floats) -> Floats:
        """Return Aᵀ @ y: deltas by period summed to quotes; y (periods,) or (periods, k)."""
        projected: Floats = self.levels.T @ (self.spread.T @ values)
        return projected

    def average(self, interval: Interval, load: str = BASE) -> float:
        """
        Return the weighted price of a delivery, currency/MWh, by the curve's own weighting.

        :raises CurveDoesNotCover: unless the grid has every period of it.
        :raises CurveError: if its bounds or the load's lie within a period, or it is empty.
        """
        return float(self._row(interval, load) @ self.prices)

    def sensitivities_of(self, interval: Interval, load: str = BASE) -> Floats:
        """Return d average / d quote of a delivery, shape (quotes,)."""
        return self.project(self._row(interval, load))

    def prices_at(self, instants: npt.NDArray[np.datetime64]) -> Floats:
        """
        Return the price at UTC instants, same shape.

        :raises CurveDoesNotCover: naming the first instant outside the grid.
        """
        seconds = instants.astype("datetime64[s]").astype(np.int64)
        index = np.searchsorted(self.grid.edges, seconds, side="right") - 1
        outside = (index < 0) | (index >= len(self.grid))
        if outside.any():
            raise CurveDoesNotCover(f"instants: {instants[outside].flat[0]}Z is not covered.")
        return self.prices[index]

    def daily(self) -> ShapedCurve:
        """Return the curve of delivery days, each the mean of its periods weighted by hours."""
        from scipy.sparse import csr_array

        grid = self.grid
        by_day = DeliveryGrid.over(grid.calendar, grid.period, minutes=None)
        hours = grid.hours
        share = hours / np.bincount(grid.day, hours)[grid.day]
        mean = csr_array((share, (grid.day, np.arange(len(grid)))), shape=(len(by_day), len(grid)))
        return ShapedCurve(
            grid=by_day,
            prices=np.asarray(mean @ self.prices),
            constant=np.asarray(mean @ self.constant),
            is_quoted=np.bincount(grid.day, ~self.is_quoted) == 0,
            quotes=self.quotes,
            spread=csr_array(mean @ self.spread),
            levels=self.levels,
            cells=self.cells,
        )

    def _row(self, interval: Interval, load: str) -> Floats:
        edges = self.grid.edges
        start, end = int(interval.start.timestamp()), int(interval.end.timestamp())
        if start < edges[0] or end > edges[-1]:
            raise CurveDoesNotCover(f"interval: {interval} is not covered by the grid.")
        cuts = [np.array([start, end])]
        inside = np.zeros(len(self.grid), dtype=bool)
        first, after = np.searchsorted(edges, [start, end])
        inside[first:after] = True
        if load != BASE:
            if load not in self.cells.loads:
                raise CurveError(f"load: the hours of {load} were not given.")
            hours = self.cells.loads[load]
            inside[first:after] = hours.delivers(edges[first:after])
            cuts.append(hours.edges[(hours.edges > start) & (hours.edges < end)])
        if not _are_edges(np.concatenate(cuts), edges).all():
            raise CurveError(f"interval: {interval} {load} has bounds within a period of the grid.")
        if not inside.any():
            raise CurveError(f"load: {load} has no delivery in {interval}.")
        lengths = np.where(inside, _lengths(self.grid, self.cells), 0.0)
        row: Floats = lengths / lengths.sum()
        return row


def shape_curve(
    curve: LoadCurve,
    grid: DeliveryGrid,
    *,
    smoothing: Smoothing = Smoothing.FLAT,
    end: SplineEnd = SplineEnd.FREE,
    additive: Floats | None = None,
    multiplicative: Floats | None = None,
) -> ShapedCurve:
    """
    Shape a bootstrapped curve to a fine grid; every quote taken is repriced to 1e-9.

    The price is ``(f + additive) × multiplicative`` with a level f that is flat in each cell, or
    the smoothest quartic spline of each load bucket (∫ f″² least, one quartic a segment; time
    runs in delivery days and is looked at where periods start). The seasonal terms say how hours
    differ; what quotes say wins: base, peak and off-peak are met after shaping.

    Additive terms serve prices of any sign, and adding c to every quote adds c to the curve.
    Under them, quotes speak to what the terms leave open, so hours that no peak quote tells apart
    keep the history's peak spread.

    grid              of the curve's calendar; must hold all of its deliveries, and be fine enough
                      to tell its loads apart (shape to hours, then `daily`)
    end               how splines arrive at each bucket's last delivery
    additive          currency/MWh, shape (periods,), such as `SpotProfile.on`
    multiplicative    > 0, shape (periods,), such as `day_of_week_factors`; flat levels ask for
                      positive quotes as well

    :raises CurveError: naming the argument and the rule.
    :raises CurveDoesNotCover: for a period that no quote speaks of; a spline bridges gaps.
    """
    plus, times = _seasonal(grid, additive, multiplicative)
    if multiplicative is not None and smoothing is Smoothing.FLAT:
        for quote in curve.quotes:
            if quote.price <= 0:
                raise CurveError(
                    f"multiplicative: {quote.name} is {quote.price:g}; a multiplicative shape"
                    " needs positive prices, an additive one does not."
                )
    cells = curve.cells
    cell = _cell_of_periods(cells, grid)
    lengths = _lengths(grid, cells)
    seasonal = plus * times
    given = _cell_means(seasonal, lengths, cell, len(cells))
    if smoothing is Smoothing.FLAT:
        if (cell < 0).any():
            missing = grid.starts[cell < 0][0]
            raise CurveDoesNotCover(f"grid: no quote speaks of {missing}Z.")
        factor = _cell_means(times, lengths, cell, len(cells))
        by_cell = level_map(curve.rows, cells.weights, curve.premiums, factor)
        spread, levels = _flat(cell, times, len(cells)), by_cell
    else:
        by_cell = curve.sensitivities
        spread, levels = _smooth(cells, grid, cell, lengths, times, by_cell, end)
    # Quotes speak to what the seasonal terms leave open.
    constant = seasonal - spread @ (levels @ (curve.rows @ given))
    quoted = curve.quoted
    prices = spread @ (levels @ quoted) + constant
    check_repriced(curve.rows @ _cell_means(prices, lengths, cell, len(cells)), curve.quotes)
    return ShapedCurve(
        grid=grid,
        prices=prices,
        constant=constant,
        is_quoted=cell >= 0,
        quotes=curve.quotes,
        spread=spread,
        levels=levels,
        cells=cells,
    )


def delivery_grid(
    curve: LoadCurve, *, calendar: Calendar, minutes: int | None = 60
) -> DeliveryGrid:
    """Return the grid of all delivery days that a curve spans; None makes periods of days."""
    first, end = curve.cells.edges[[0, -1]].tolist()
    hull = Interval(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(end - 1, UTC))
    after = DatePeriod.day(calendar.date_of(hull.end)).after
    period = DatePeriod(calendar.date_of(hull.start), after)
    return DeliveryGrid.over(calendar, period, minutes=minutes)


def _seasonal(
    grid: DeliveryGrid, additive: Floats | None, multiplicative: Floats | None
) -> tuple[Floats, Floats]:
    plus = np.zeros(len(grid)) if additive is None else np.asarray(additive, dtype=float)
    times = np.ones(len(grid)) if multiplicative is None else np.asarray(multiplicative, float)
    for name, values in (("additive", plus), ("multiplicative", times)):
        if values.shape != (len(grid),) or not np.isfinite(values).all():
            raise CurveError(f"{name}: give one finite number for each of {len(grid)} periods.")
    if (times <= 0).any():
        raise CurveError(f"multiplicative: {times.min():g} is not above zero.")
    return plus, times


def _cell_of_periods(cells: Cells, grid: DeliveryGrid) -> npt.NDArray[np.int64]:
    """
    Return the cell of each period, −1 where no quote delivers.

    :raises CurveError: if a cell ends within a period or beyond the grid.
    """
    changes = cells.edges[1:-1][np.diff(cells.cell) != 0]
    needed = np.concatenate([cells.edges[:1], changes, cells.edges[-1:]])
    if needed[0] < grid.edges[0] or needed[-1] > grid.edges[-1]:
        raise CurveError(
            f"grid: {grid.starts[0]}Z to {grid.ends[-1]}Z does not hold all of the curve,"
            f" {np.datetime64(int(needed[0]), 's')}Z to {np.datetime64(int(needed[-1]), 's')}Z."
        )
    missed = needed[~_are_edges(needed, grid.edges)]
    if missed.size:
        raise CurveError(
            f"grid: a contract or load changes at {np.datetime64(int(missed[0]), 's')}Z, within a"
            " period; take a finer grid."
        )
    return cells.cell_at(grid.edges[:-1])


def _are_edges(
    instants: npt.NDArray[np.int64], edges: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Say which instants are among ascending edges."""
    index = np.minimum(np.searchsorted(edges, instants), len(edges) - 1)
    found: npt.NDArray[np.bool_] = edges[index] == instants
    return found


def _lengths(grid: DeliveryGrid, cells: Cells) -> Floats:
    return grid.clock.lengths(grid.edges, cells.weighting)


def _cell_means(values: Floats, lengths: Floats, cell: npt.NDArray[np.int64], count: int) -> Floats:
    known = cell >= 0
    total = np.bincount(cell[known], lengths[known], minlength=count)
    means: Floats = np.bincount(cell[known], (lengths * values)[known], minlength=count) / total
    return means


def _flat(cell: npt.NDArray[np.int64], times: Floats, count: int) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((times, (np.arange(len(cell)), cell)), shape=(len(cell), count))


def _smooth(
    cells: Cells,
    grid: DeliveryGrid,
    cell: npt.NDArray[np.int64],
    lengths: Floats,
    times: Floats,
    by_cell: Floats,
    end: SplineEnd,
) -> tuple[csr_array, Floats]:
    """Return the splines of all buckets: at the periods, and their coefficients by quote."""
    from scipy.sparse import csr_array, diags_array, vstack

    x = grid.clock.days(grid.edges[:-1])
    bounds = grid.clock.days(cells.bounds.ravel()).reshape(-1, 2)
    bucket_at = cells.bucket_at(grid.edges[:-1])
    _require_bridged(cells, grid, cell, bucket_at)
    weight = lengths * times / _total(lengths, cell, len(cells))
    pieces, rows, levels, width = [], [], [], 0
    for bucket in np.unique(cells.bucket):
        own = np.flatnonzero(cells.bucket == bucket)
        periods = np.flatnonzero(bucket_at == bucket)
        segment = np.full(len(cells) + 1, -1)
        segment[own] = np.arange(len(own))
        design, coefficients = smoothest_spline(
            x[periods],
            weight[periods],
            segment[cell[periods]],
            bounds[cells.segment[own]],
            end,
        )
        pieces.append((design, width))
        rows.append(periods)
        levels.append(coefficients @ by_cell[own])
        width += design.shape[1]
    wide = [
        csr_array((d.data, d.indices + offset, d.indptr), shape=(d.shape[0], width))
        for d, offset in pieces
    ]
    back = np.argsort(np.concatenate(rows), kind="stable")
    spread = csr_array(diags_array(times) @ csr_array(vstack(wide))[back])
    return spread, np.vstack(levels)


def _require_bridged(
    cells: Cells,
    grid: DeliveryGrid,
    cell: npt.NDArray[np.int64],
    bucket_at: npt.NDArray[np.int64],
) -> None:
    """
    Refuse periods without a quote that do not lie between quoted ones of the same bucket.

    :raises CurveDoesNotCover: naming the first such period.
    """
    starts = grid.edges[:-1]
    outside = cell < 0
    for bucket in np.unique(cells.bucket):
        own = cells.bounds[cells.segment[cells.bucket == bucket]]
        outside &= ~((bucket_at == bucket) & (starts >= own.min()) & (starts < own.max()))
    if outside.any():
        raise CurveDoesNotCover(f"grid: no quote speaks of {grid.starts[outside][0]}Z.")


def _total(lengths: Floats, cell: npt.NDArray[np.int64], count: int) -> Floats:
    """Return for each period the length of its cell; 1 where it has none."""
    known = cell >= 0
    total = np.bincount(cell[known], lengths[known], minlength=count)
    return np.where(known, total[cell], 1.0)
