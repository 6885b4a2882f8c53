"""Bootstrap: one price for each cell, so that every quote taken is repriced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval
from trading.curves._cells import Cells, cut_into_cells
from trading.curves._curve import ForwardCurve, LoadCurve
from trading.curves._loads import LoadHours
from trading.curves._measures import DayClock, Weighting
from trading.curves._premiums import Premiums, SpreadRule
from trading.curves._quotes import BASE, CurveError, CurveQuote, LeftOut
from trading.curves._selection import Selection, in_order, left_out, select

METHOD = "bootstrap"
METHOD_VERSION = "2"
# Two quotes in steps of one cent may disagree by that much without saying anything.
DEFAULT_TOLERANCE = 0.01
_REPRICE_TOLERANCE = 1e-9


def build_curve(
    quotes: Sequence[CurveQuote], *, calendar: Calendar, tolerance: float = DEFAULT_TOLERANCE
) -> ForwardCurve:
    """
    Build a piecewise flat curve of base load from quotes of base-load contracts.

    It is `bootstrap` with one price for each segment, weighted by hours.

    :raises CurveError: if there is no quote, or one of another load than base.
    """
    for quote in quotes:
        if quote.load != BASE:
            raise CurveError(f"load: {quote.name} is {quote.load}; a curve of base takes BASE.")
    curve = bootstrap(quotes, calendar=calendar, tolerance=tolerance, cut_months=True)
    return curve.base()


def bootstrap(
    quotes: Sequence[CurveQuote],
    *,
    calendar: Calendar,
    loads: Mapping[str, LoadHours] | None = None,
    weighting: Weighting = Weighting.HOURS,
    tolerance: float = DEFAULT_TOLERANCE,
    cut_months: bool = False,
    spread: SpreadRule = SpreadRule.LEVEL,
) -> LoadCurve:
    """
    Build one price for each cell (segment × load bucket) from overlapping quotes.

    Quotes are walked in order: shorter contracts first, then better quality, then the later made.
    One that those taken before imply is left out; it is a conflict if its price is further than
    `tolerance` (currency/MWh) from what they imply. Every quote taken is repriced to 1e-9 (times
    the largest quote where that exceeds 1); base is the weighted mean of peak and off-peak.

    Where quotes leave freedom, the prices are those nearest (in the weighted sum of squares) to
    each cell's longest contract. So what is left of a year after its quoted months is flat, and a
    month quoted as base only keeps the peak spread of its year.

    loads        hours of every load quoted but BASE
    weighting    what averages are weighted by
    cut_months   whether segments also end with the calendar's months; a spline through them would
                 have to keep each one's mean, so leave it off before maximum smoothness
    spread       what loads keep of their longest contract: its level, or its premium over base

    Prices are linear in the quotes; `sensitivities` is that map.

    :raises CurveError: if there is no quote, a load's hours are missing, or quotes are so nearly
        dependent that one cannot be repriced.
    Source: the arbitrage-free bootstrap of overlapping forwards, as in S. Fleten and J. Lemming,
    Energy Economics 25 (2003) 409-424, section 2, without their smoothing.
    """
    cells, ordered, rows, selection = walk(
        quotes, calendar=calendar, loads=loads or {}, weighting=weighting, cut_months=cut_months
    )
    taken = tuple(ordered[index] for index in selection.taken)
    matrix = rows[list(selection.taken)]
    quoted = np.array([quote.price for quote in taken])
    premiums = Premiums.of(cells, taken, matrix) if spread is SpreadRule.PREMIUM else None
    sensitivities = level_map(matrix, cells.weights, premiums)
    prices = sensitivities @ quoted
    check_repriced(matrix @ prices, taken)
    return LoadCurve(
        cells=cells,
        prices=prices,
        quotes=taken,
        rows=matrix,
        sensitivities=sensitivities,
        left_out=_left_out(ordered, selection.repeats, rows @ prices, taken, tolerance, cells),
        premiums=premiums,
    )


def walk(
    quotes: Sequence[CurveQuote],
    *,
    calendar: Calendar,
    loads: Mapping[str, LoadHours],
    weighting: Weighting,
    cut_months: bool,
) -> tuple[Cells, list[CurveQuote], npt.NDArray[np.float64], Selection]:
    """
    Return the cells of a curve of quotes, the quotes in order, their rows, and which are taken.

    rows    share of each cell in each quote, shape (quotes, cells)

    :raises CurveError: if there is no quote, or a load's hours are missing.
    """
    if not quotes:
        raise CurveError("quotes: a curve needs at least one quote.")
    hull = Interval(
        min(quote.interval.start for quote in quotes), max(quote.interval.end for quote in quotes)
    )
    cuts = _month_starts(hull, calendar) if cut_months else []
    cells = cut_into_cells(
        quotes,
        loads=loads,
        cuts=np.array(cuts, dtype=np.int64),
        clock=DayClock.around(calendar, hull),
        weighting=weighting,
    )
    ordered = in_order(quotes, cells)
    rows = np.array([cells.row(quote.interval, quote.load) for quote in ordered])
    return cells, ordered, rows, select(rows)


def level_map(
    shares: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    premiums: Premiums | None = None,
    factor: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """
    Return B with ``(shares × factor) @ B = 1``: the cell levels that a unit of each quote asks for.

    shares     share of each cell in each quote, finest quote first, rows independent
    weights    how long each cell counts
    factor     of each cell, for multiplicative shapes; None is 1

    A cell starts at the level of its longest contract, or as premiums say; then all cells move
    least, in the weighted sum of squares, until every quote is met. The move is a sum of one
    constant a contract, so hours that no quote tells apart are never told apart.
    """
    factor = np.ones(shares.shape[1]) if factor is None else factor
    matrix = shares * factor
    start = np.zeros((matrix.shape[1], len(matrix)))
    longest = len(matrix) - 1 - np.argmax(matrix[::-1] > 0, axis=0)
    cells = np.arange(matrix.shape[1])
    start[cells, longest] = 1.0 / matrix.sum(axis=1)[longest]
    if premiums is not None:
        start = premiums.applied(start, longest, matrix, factor)
    scale = 1.0 / np.sqrt(weights)
    basis, triangle = np.linalg.qr((matrix * scale).T)
    gap = np.eye(len(matrix)) - matrix @ start
    levels = start + scale[:, None] * (basis @ np.linalg.solve(triangle.T, gap))
    # One step of refinement takes out what rounding left.
    gap = np.eye(len(matrix)) - matrix @ levels
    refined: npt.NDArray[np.float64] = levels + scale[:, None] * (
        basis @ np.linalg.solve(triangle.T, gap)
    )
    return refined


def check_repriced(repriced: npt.NDArray[np.float64], taken: Sequence[CurveQuote]) -> None:
    """
    Refuse prices that miss a quote.

    :raises CurveError: naming the quote that is missed by most.
    """
    quoted = np.array([quote.price for quote in taken])
    error = np.abs(repriced - quoted)
    if error.max() > _REPRICE_TOLERANCE * max(1.0, float(np.abs(quoted).max())):
        worst = taken[int(error.argmax())]
        raise CurveError(
            f"quotes: the curve misses {worst.name} by {error.max():g}; it is too nearly"
            " implied by the others."
        )


def _left_out(
    ordered: Sequence[CurveQuote],
    repeats: Sequence[tuple[int, npt.NDArray[np.float64]]],
    repriced: npt.NDArray[np.float64],
    taken: Sequence[CurveQuote],
    tolerance: float,
    cells: Cells,
) -> tuple[LeftOut, ...]:
    return tuple(
        left_out(
            ordered[index],
            coefficients,
            taken[: len(coefficients)],
            implied=float(repriced[index]),
            is_conflict=bool(abs(repriced[index] - ordered[index].price) > tolerance),
            cells=cells,
        )
        for index, coefficients in repeats
    )


def _month_starts(hull: Interval, calendar: Calendar) -> list[int]:
    month = calendar.date_of(hull.start).replace(day=1)
    found = []
    while (edge := calendar.start_of(month)) < hull.end:
        found.append(int(edge.timestamp()))
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return found
