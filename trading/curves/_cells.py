"""Cells: the stretches of delivery that no quote tells apart, one price each.

A cell is a segment between contract bounds, and within it the hours that belong to the same
loads: with base and peak quotes, peak and off-peak of each segment. This is the basis in which
quotes are not redundant. Matrices have the axes quote, cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energyopti.foundation.intervals import Interval
from trading.curves._loads import LoadHours, bounds_in_seconds
from trading.curves._measures import DayClock, Weighting
from trading.curves._quotes import BASE, CurveDoesNotCover, CurveError, CurveQuote

_NO_CELL = -1
_MOST_LOADS = 62


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """
    Hold the cells of a curve, and which of them delivers when.

    edges      seconds since 1970, ascending, shape (pieces + 1,)
    cell       cell of each piece between edges, −1 where no quote delivers, shape (pieces,)
    lengths    how long each piece counts, in hours or days, shape (pieces,)
    loaded     bucket of each piece, also where no quote delivers, shape (pieces,)
    segment    segment of each cell, shape (cells,); segments ascend in time
    bucket     bucket of each cell, shape (cells,)
    buckets    the loads that deliver in each bucket; none is the rest (off-peak, if only PEAK is
               quoted)
    bounds     seconds since 1970, start and end of each segment, shape (segments, 2)
    """

    edges: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.float64]
    loaded: npt.NDArray[np.int64]
    segment: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.int64]
    buckets: tuple[frozenset[str], ...]
    bounds: npt.NDArray[np.int64]
    loads: Mapping[str, LoadHours]
    clock: DayClock
    weighting: Weighting

    def __len__(self) -> int:
        return len(self.segment)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Return how long each cell counts, in hours or days, shape (cells,)."""
        known = self.cell >= 0
        return np.bincount(self.cell[known], self.lengths[known], len(self)).astype(np.float64)

    def cell_at(self, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the cell of instants in seconds since 1970, −1 where there is none."""
        return self._of_piece(self.cell, seconds)

    def bucket_at(self, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the bucket of instants in seconds since 1970, −1 beyond the curve."""
        return self._of_piece(self.loaded, seconds)

    def _of_piece(
        self, values: npt.NDArray[np.int64], seconds: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        piece = np.searchsorted(self.edges, seconds, side="right") - 1
        inside = (piece >= 0) & (piece < len(values))
        found: npt.NDArray[np.int64] = np.where(
            inside, values[np.clip(piece, 0, len(values) - 1)], _NO_CELL
        )
        return found

    def row(self, interval: Interval, load: str = BASE) -> npt.NDArray[np.float64]:
        """
        Return each cell's share of a delivery, shape (cells,), sum 1.

        Exact for any interval and load: pieces are cut where the delivery cuts them.

        :raises CurveDoesNotCover: unless the curve has a price at every hour of the delivery.
        :raises CurveError: for a load whose hours were not given, or that has none there.
        """
        start, end = bounds_in_seconds(interval)
        hours = _load(self.loads, load)
        own = np.empty(0, dtype=np.int64) if hours is None else hours.edges
        inner = np.concatenate([self.edges, own])
        cuts = np.unique(
            np.concatenate([[start, end], inner[(inner > start) & (inner < end)]])
        ).astype(np.int64)
        delivers = np.ones(len(cuts) - 1, bool) if hours is None else hours.delivers(cuts[:-1])
        if not delivers.any():
            raise CurveError(f"load: {load} has no delivery in {interval}.")
        cell = self.cell_at(cuts[:-1])
        if (cell[delivers] < 0).any():
            missing = np.datetime64(int(cuts[:-1][delivers & (cell < 0)][0]), "s")
            raise CurveDoesNotCover(
                f"interval: {interval} {load} is not covered at {missing}Z; the curve has"
                f" {np.datetime64(int(self.edges[0]), 's')}Z to"
                f" {np.datetime64(int(self.edges[-1]), 's')}Z."
            )
        lengths = self.clock.lengths(cuts, self.weighting)[delivers]
        found = np.bincount(cell[delivers], lengths, minlength=len(self))
        share: npt.NDArray[np.float64] = found / found.sum()
        return share

    def hours(self, interval: Interval, load: str = BASE) -> float:
        """Return how many hours a load delivers in an interval."""
        start, end = bounds_in_seconds(interval)
        hours = _load(self.loads, load)
        if hours is None:
            return (end - start) / 3600.0
        clipped = np.clip(hours.edges, start, end)
        return float(np.diff(clipped)[::2].sum()) / 3600.0


def cut_into_cells(
    quotes: Sequence[CurveQuote],
    *,
    loads: Mapping[str, LoadHours],
    cuts: npt.NDArray[np.int64],
    clock: DayClock,
    weighting: Weighting,
) -> Cells:
    """
    Return the cells of quotes.

    cuts    further bounds of segments, seconds since 1970 (starts of months)

    :raises CurveError: for a load whose hours are not given or do not cover its contracts.
    """
    spans = np.array([bounds_in_seconds(quote.interval) for quote in quotes], dtype=np.int64)
    first, end = int(spans[:, 0].min()), int(spans[:, 1].max())
    segment_edges = np.unique(np.concatenate([spans.ravel(), cuts[(cuts > first) & (cuts < end)]]))
    codes = sorted({quote.load for quote in quotes} - {BASE})
    if len(codes) > _MOST_LOADS:
        raise CurveError(f"load: at most {_MOST_LOADS} loads in one curve, not {len(codes)}.")
    inner = [_known_load(loads, code).edges for code in codes]
    edges = np.unique(np.concatenate([segment_edges, *inner])).astype(np.int64)
    edges = edges[(edges >= first) & (edges <= end)]
    starts = edges[:-1]
    covered = np.zeros(len(starts), dtype=bool)
    signature = np.zeros(len(starts), dtype=np.int64)
    delivers = {BASE: np.ones(len(starts), dtype=bool)}
    for bit, code in enumerate(codes):
        delivers[code] = _delivers_when_quoted(loads[code], starts, spans, quotes)
        signature |= delivers[code].astype(np.int64) << bit
    for quote, (opening, closing) in zip(quotes, spans, strict=True):
        a, b = np.searchsorted(edges, [opening, closing])
        covered[a:b] |= delivers[quote.load][a:b]
    segment = np.searchsorted(segment_edges, starts, side="right") - 1
    signatures, bucket = np.unique(signature, return_inverse=True)
    key = segment * len(signatures) + bucket
    cells, cell = np.unique(key[covered], return_inverse=True)
    of_piece = np.full(len(starts), _NO_CELL, dtype=np.int64)
    of_piece[covered] = cell
    return Cells(
        edges=edges,
        cell=of_piece,
        lengths=clock.lengths(edges, weighting),
        loaded=bucket,
        segment=cells // len(signatures),
        bucket=cells % len(signatures),
        buckets=tuple(
            frozenset(code for bit, code in enumerate(codes) if found >> bit & 1)
            for found in signatures.tolist()
        ),
        bounds=np.column_stack([segment_edges[:-1], segment_edges[1:]]),
        loads=dict(loads),
        clock=clock,
        weighting=weighting,
    )


def _delivers_when_quoted(
    load: LoadHours,
    starts: npt.NDArray[np.int64],
    spans: npt.NDArray[np.int64],
    quotes: Sequence[CurveQuote],
) -> npt.NDArray[np.bool_]:
    """Say where a load delivers; beyond the hours given it is only asked for if quoted there."""
    start, end = bounds_in_seconds(load.covers)
    for quote, (opening, closing) in zip(quotes, spans, strict=True):
        if quote.load == load.code and (opening < start or closing > end):
            raise CurveError(
                f"load: {quote.name} delivers in {quote.interval}; the hours of {load.code} are"
                f" known only in {load.covers}."
            )
    known = (starts >= start) & (starts < end)
    delivers = np.zeros(len(starts), dtype=bool)
    delivers[known] = load.delivers(starts[known])
    return delivers


def _known_load(loads: Mapping[str, LoadHours], code: str) -> LoadHours:
    hours = _load(loads, code)
    assert hours is not None
    return hours


def _load(loads: Mapping[str, LoadHours], code: str) -> LoadHours | None:
    if code == BASE:
        return None
    try:
        return loads[code]
    except KeyError:
        raise CurveError(f"load: the hours of {code} were not given.") from None
