"""Bootstrap: finer contracts first, what is left of a coarser one is flat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar
from trading.curves._curve import (
    CurveError,
    CurveQuote,
    ForwardCurve,
    LeftOut,
    bounds,
    hours_between,
    instant,
)

METHOD = "bootstrap"
METHOD_VERSION = "1"
# Two quotes in steps of one cent may disagree by that much without saying anything.
DEFAULT_TOLERANCE = 0.01
_RANK_TOLERANCE = 1e-9
_REPRICE_TOLERANCE = 1e-8


def build_curve(
    quotes: Sequence[CurveQuote], *, calendar: Calendar, tolerance: float = DEFAULT_TOLERANCE
) -> ForwardCurve:
    """
    Build a piecewise flat curve that reprices quotes of overlapping base-load contracts.

    Segments are cut at the bounds of all contracts and at the starts of the calendar's months.
    Contracts are taken from the shortest to the longest: a contract's hours that no shorter one
    spoke of get the one price that makes its hours-weighted average equal its quote. Where
    overlaps determine more than that, the prices move least (in the sum of squares) so that every
    quote taken is met. A contract whose price the shorter ones imply already is left out, and is
    a conflict if it is further than `tolerance` (currency/MWh) from what they imply.

    Prices are linear in the quotes; `sensitivities` is that map.

    :raises CurveError: if there is no quote.
    Source: the arbitrage-free bootstrap of overlapping forwards, as in S. Fleten and J. Lemming,
    Energy Economics 25 (2003) 409-424, section 2, without their smoothing.
    """
    if not quotes:
        raise CurveError("quotes: a curve needs at least one quote.")
    ordered = sorted(
        quotes, key=lambda quote: (quote.interval.duration, quote.interval, quote.name)
    )
    starts, ends = _segments(ordered, calendar)
    hours = hours_between(starts, ends)
    rows = np.array([_weights(quote, starts, ends, hours) for quote in ordered])
    taken, flat, left = _take(rows)
    matrix = rows[taken]
    quoted = np.array([ordered[index].price for index in taken])
    gap = np.eye(len(taken)) - matrix @ flat
    sensitivities = flat + np.linalg.pinv(matrix) @ gap
    prices = sensitivities @ quoted
    error = float(np.abs(matrix @ prices - quoted).max())
    if error > _REPRICE_TOLERANCE * max(1.0, float(np.abs(quoted).max())):
        raise CurveError(f"quotes: the curve misses a quote by {error:g}; they are near-dependent.")
    left_out = []
    for index in left:
        implied = float(rows[index] @ prices)
        apart = abs(implied - ordered[index].price) > tolerance
        left_out.append(LeftOut(ordered[index], implied, apart))
    return ForwardCurve(
        starts=starts,
        ends=ends,
        prices=prices,
        quotes=tuple(ordered[index] for index in taken),
        sensitivities=sensitivities,
        left_out=tuple(left_out),
    )


def _take(
    rows: npt.NDArray[np.float64],
) -> tuple[list[int], npt.NDArray[np.float64], list[int]]:
    """
    Choose the quotes to build from, finer first.

    Returns the rows taken, the flat bootstrap as a matrix (segments, taken), and the rows left.
    """
    count, segments = rows.shape
    flat = np.zeros((segments, count))
    known = np.zeros(segments, dtype=bool)
    taken: list[int] = []
    left: list[int] = []
    for index, row in enumerate(rows):
        fresh = (row > 0) & ~known
        if fresh.any():
            coefficients = -(row[known] @ flat[known])
            coefficients[len(taken)] += 1.0
            flat[fresh] = coefficients / row[fresh].sum()
            known |= fresh
        elif not _is_independent(row, rows[taken]):
            left.append(index)
            continue
        taken.append(index)
    return taken, flat[:, : len(taken)], left


def _is_independent(row: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> bool:
    solution = np.linalg.lstsq(others.T, row, rcond=None)[0]
    return bool(np.abs(others.T @ solution - row).max() > _RANK_TOLERANCE)


def _segments(
    quotes: Sequence[CurveQuote], calendar: Calendar
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    first = min(quote.interval.start for quote in quotes)
    end = max(quote.interval.end for quote in quotes)
    edges = {edge for quote in quotes for edge in (quote.interval.start, quote.interval.end)}
    month = calendar.date_of(first).replace(day=1)
    while (edge := calendar.start_of(month)) < end:
        if edge > first:
            edges.add(edge)
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    cuts = np.array([instant(edge) for edge in sorted(edges)], dtype="datetime64[s]")
    starts, ends = cuts[:-1], cuts[1:]
    covered = np.zeros(len(starts), dtype=bool)
    for quote in quotes:
        start, stop = bounds(quote.interval)
        covered |= (starts >= start) & (ends <= stop)
    return starts[covered], ends[covered]


def _weights(
    quote: CurveQuote,
    starts: npt.NDArray[np.datetime64],
    ends: npt.NDArray[np.datetime64],
    hours: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    start, end = bounds(quote.interval)
    inside = np.where((starts >= start) & (ends <= end), hours, 0.0)
    weights: npt.NDArray[np.float64] = inside / inside.sum()
    return weights
