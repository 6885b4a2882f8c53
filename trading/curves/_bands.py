"""Quotes with bid and ask: a conflict only where no prices lie within all bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar
from trading.curves._bootstrap import DEFAULT_TOLERANCE, bootstrap, walk
from trading.curves._curve import LoadCurve
from trading.curves._loads import LoadHours
from trading.curves._measures import Weighting
from trading.curves._premiums import SpreadRule
from trading.curves._quotes import CurveError, CurveQuote, LeftOut
from trading.curves._selection import left_out

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BandedCurve:
    """
    A curve that lies within the bands of all quotes not in conflict.

    curve        built from `adjusted` quotes, which it reprices
    moved        quotes whose price was moved within its band: (as quoted, as taken)
    redundant    quotes within whose band (or `tolerance` of it) the curve lies by the others
    conflicts    quotes whose band the finer ones exclude; `implied` is the nearest possible
    """

    curve: LoadCurve
    moved: tuple[tuple[CurveQuote, CurveQuote], ...]
    redundant: tuple[LeftOut, ...]
    conflicts: tuple[LeftOut, ...]


def bootstrap_within_bands(
    quotes: Sequence[CurveQuote],
    *,
    calendar: Calendar,
    loads: Mapping[str, LoadHours] | None = None,
    weighting: Weighting = Weighting.HOURS,
    cut_months: bool = False,
    tolerance: float = DEFAULT_TOLERANCE,
    spread: SpreadRule = SpreadRule.LEVEL,
) -> BandedCurve:
    """
    Build a curve between bid and ask, moving prices within their bands as little as possible.

    Quotes are walked in the order of `bootstrap`. One that repeats those before it joins them if
    some prices lie within all their bands, and is a conflict if not. The prices then taken are the
    nearest to the quoted ones, in the sum of squares, that do not contradict each other.

    A linear program says whether a band can be met, a quadratic one which prices to take (HiGHS).
    A quote without a band has to be met as it is; one within `tolerance` of what others
    imply counts as met.

    :raises CurveError: as `bootstrap`.
    """
    cells, ordered, _, selection = walk(
        quotes, calendar=calendar, loads=loads or {}, weighting=weighting, cut_months=cut_months
    )
    free = [ordered[index] for index in selection.taken]
    joined: list[tuple[CurveQuote, Floats]] = []
    conflicts = []
    for index, coefficients in selection.repeats:
        quote = ordered[index]
        wide = np.zeros(len(free))
        wide[: len(coefficients)] = coefficients
        nearest = _nearest_possible(free, joined, quote, wide, tolerance)
        if abs(nearest - np.clip(nearest, *quote.band)) <= tolerance:
            joined.append((quote, wide))
            continue
        conflicts.append(
            left_out(quote, wide, free, implied=nearest, is_conflict=True, cells=cells)
        )
    prices = _prices_within(free, joined, tolerance)
    moved = []
    adjusted = []
    for quote, price in zip(free, prices.tolist(), strict=True):
        # The solver stops within 1e-7 of a bound: that is no move, and no price beyond the band.
        # Rounded, so that a curve built again on another machine is the same.
        bid, ask = quote.band
        near = abs(price - quote.price) < 1e-6
        taken = quote.price if near else min(max(round(price, 6), bid), ask)
        adjusted.append(replace(quote, price=taken))
        if taken != quote.price:
            moved.append((quote, adjusted[-1]))
    curve = bootstrap(
        adjusted,
        calendar=calendar,
        loads=loads,
        weighting=weighting,
        cut_months=cut_months,
        tolerance=tolerance,
        spread=spread,
    )
    redundant = tuple(
        left_out(
            quote,
            row,
            curve.quotes,
            implied=curve.average(quote.interval, quote.load),
            is_conflict=False,
            cells=cells,
        )
        for quote, row in joined
    )
    return BandedCurve(curve, tuple(moved), redundant, tuple(conflicts))


def _nearest_possible(
    free: Sequence[CurveQuote],
    joined: Sequence[tuple[CurveQuote, Floats]],
    quote: CurveQuote,
    coefficients: Floats,
    slack: float,
) -> float:
    """Return the price nearest to a quote's band that the bands of the others allow."""
    bid, ask = quote.band
    highest = coefficients @ _solve(free, joined, cost=-coefficients, quadratic=None, slack=slack)
    lowest = coefficients @ _solve(free, joined, cost=coefficients, quadratic=None, slack=slack)
    return float(np.clip(np.clip(quote.price, bid, ask), lowest, highest))


def _prices_within(
    free: Sequence[CurveQuote], joined: Sequence[tuple[CurveQuote, Floats]], slack: float
) -> Floats:
    """Return the prices nearest to the quoted ones, joined ones counted too, within all bands."""
    quoted = np.array([quote.price for quote in free])
    weights = np.eye(len(free))
    linear = np.zeros(len(free))
    for quote, row in joined:
        weights += np.outer(row, row)
        linear += 2.0 * (row @ quoted - quote.price) * row
    return _solve(free, joined, cost=linear, quadratic=2.0 * weights, slack=slack)


def _solve(
    free: Sequence[CurveQuote],
    joined: Sequence[tuple[CurveQuote, Floats]],
    *,
    cost: Floats,
    quadratic: Floats | None,
    slack: float,
) -> Floats:
    """
    Minimize ½ dᵀQd + cᵀd over moves d of the independent quotes' prices, within the bands of all.

    Moves rather than prices, because the solver's regularization pulls its variables to zero.
    Returns the prices, shape (independent quotes,).

    slack    by how much a band of a joined quote may be missed, currency/MWh
    """
    import highspy

    count = len(free)
    quoted = np.array([quote.price for quote in free])
    lower, upper = np.array([quote.band for quote in free]).T - quoted
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.addVars(count, lower, upper)
    solver.changeColsCost(count, np.arange(count, dtype=np.int32), cost)
    for quote, row in joined:
        used = np.flatnonzero(row).astype(np.int32)
        bid, ask = np.array(quote.band) - row @ quoted
        solver.addRow(bid - slack, ask + slack, len(used), used, row[used])
    if quadratic is not None:
        _pass_hessian(solver, quadratic)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        status = solver.modelStatusToString(solver.getModelStatus())
        raise CurveError(f"bands: no prices were found within them ({status}).")
    moves: Floats = np.array(solver.getSolution().col_value)
    return quoted + moves


def _pass_hessian(solver: Any, quadratic: Floats) -> None:
    import highspy

    count = len(quadratic)
    starts: list[int] = []
    index: list[int] = []
    values: list[float] = []
    for column in range(count):
        starts.append(len(index))
        below = np.flatnonzero(quadratic[column:, column]) + column
        index.extend(below.tolist())
        values.extend(quadratic[below, column].tolist())
    hessian = highspy.HighsHessian()
    hessian.dim_ = count
    hessian.format_ = highspy.HessianFormat.kTriangular
    hessian.start_ = np.array([*starts, len(index)], dtype=np.int32)
    hessian.index_ = np.array(index, dtype=np.int32)
    hessian.value_ = np.array(values)
    solver.passHessian(hessian)
