"""Choosing the quotes to build from: what the finer and better ones imply is left out, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.curves._cells import Cells
from trading.curves._quotes import CurveQuote, HedgeLeg, LeftOut, QuoteQuality

# Rows are scaled to length one; a contract of an hour within a year still stands out by 1e-2.
_RANK_TOLERANCE = 1e-9
# A hedge of less than a hundredth of a watt is rounding.
_NO_HEDGE_MW = 1e-8
_QUALITY_RANK = {quality: rank for rank, quality in enumerate(QuoteQuality)}


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """
    taken      rows of quotes that are independent of each other, best first
    repeats    rows that are sums of those taken, each with its coefficients on them:
               row = coefficients @ rows[taken]
    """

    taken: tuple[int, ...]
    repeats: tuple[tuple[int, npt.NDArray[np.float64]], ...]


def in_order(quotes: Sequence[CurveQuote], cells: Cells) -> list[CurveQuote]:
    """
    Return quotes in the order in which they count.

    Shorter contracts first; of equal length better quality first, then the later made, then the
    one with fewer hours of delivery, then by name.
    """
    return sorted(
        quotes,
        key=lambda quote: (
            quote.interval.duration,
            _QUALITY_RANK[quote.quality],
            -quote.valid_from.timestamp() if quote.valid_from is not None else float("inf"),
            cells.hours(quote.interval, quote.load),
            quote.interval,
            quote.name,
        ),
    )


def select(rows: npt.NDArray[np.float64]) -> Selection:
    """
    Walk the rows in order and take those that the ones taken before do not imply.

    Independence is decided by Gram–Schmidt on rows of length one, done twice, so that any
    combination is seen: a year against four quarters, base against peak and off-peak.
    """
    count, width = rows.shape
    basis = np.zeros((min(count, width), width))
    # taken_in_basis: row taken k = sum over basis vectors, lower triangular.
    triangle = np.zeros((len(basis), len(basis)))
    taken: list[int] = []
    repeats: list[tuple[int, npt.NDArray[np.float64]]] = []
    for index, row in enumerate(rows):
        found = len(taken)
        known = basis[:found]
        norm = float(np.linalg.norm(row))
        inside = known @ row
        residual = row - inside @ known
        again = known @ residual
        inside, residual = inside + again, residual - again @ known
        left = float(np.linalg.norm(residual))
        if left > _RANK_TOLERANCE * norm and found < len(basis):
            basis[found] = residual / left
            triangle[found, :found], triangle[found, found] = inside, left
            taken.append(index)
        else:
            coefficients = np.linalg.solve(triangle[:found, :found].T, inside)
            repeats.append((index, coefficients))
    return Selection(tuple(taken), tuple(repeats))


def left_out(
    quote: CurveQuote,
    coefficients: npt.NDArray[np.float64],
    taken: Sequence[CurveQuote],
    *,
    implied: float,
    is_conflict: bool,
    cells: Cells,
) -> LeftOut:
    """Say what a quote repeats or contradicts, and the portfolio of the others that shows it."""
    hours = cells.hours(quote.interval, quote.load)
    weight = _length(cells, quote)
    legs = [
        HedgeLeg(other, coefficient * weight / _length(cells, other))
        for other, coefficient in zip(taken, coefficients.tolist(), strict=True)
    ]
    return LeftOut(
        quote=quote,
        implied=implied,
        is_conflict=is_conflict,
        replicated_by=tuple(leg for leg in legs if abs(leg.megawatts) > _NO_HEDGE_MW),
        hours=hours,
    )


def _length(cells: Cells, quote: CurveQuote) -> float:
    """Return how much a contract weighs in the curve's own measure (hours or days)."""
    return float(cells.weights[cells.row(quote.interval, quote.load) > 0].sum())
