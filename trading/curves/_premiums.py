"""What peak and other loads are worth above base, where quotes leave their prices free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.curves._cells import Cells
from trading.curves._quotes import BASE, CurveDoesNotCover, CurveQuote

Floats = npt.NDArray[np.float64]

_IN_SPAN = 1e-9


class SpreadRule(StrEnum):
    """
    Where cells start from, before they are moved as little as meets every quote.

    LEVEL      each at the level of its longest contract
    PREMIUM    at the level of its longest base contract and, if its longest contract is of
               another load, that one's premium over base of the same delivery: a quarter quoted
               as base only keeps the peak spread of its year, whether the year's base is
               quoted or implied by its quarters
    """

    LEVEL = "LEVEL"
    PREMIUM = "PREMIUM"


@dataclass(frozen=True, eq=False)
class Premiums:
    """
    Base of the delivery of each quote of another load, as the quotes taken imply it.

    is_base         which quotes are of base themselves, shape (quotes,)
    is_known        where base of the delivery is implied, shape (quotes,)
    rows            share of each cell in base of the delivery, shape (quotes, cells)
    coefficients    of the quotes whose sum that base is, shape (quotes, quotes)
    """

    is_base: npt.NDArray[np.bool_]
    is_known: npt.NDArray[np.bool_]
    rows: Floats
    coefficients: Floats

    @classmethod
    def of(cls, cells: Cells, quotes: Sequence[CurveQuote], matrix: Floats) -> Premiums:
        """Return them for the quotes taken, whose shares of the cells are the matrix' rows."""
        is_base = np.array([quote.load == BASE for quote in quotes])
        rows, covered = np.zeros(matrix.shape), np.zeros(len(quotes), dtype=bool)
        for index in np.flatnonzero(~is_base).tolist():
            try:
                rows[index] = cells.row(quotes[index].interval)
            except CurveDoesNotCover:
                continue  # off-peak is not quoted there, so neither is base
            covered[index] = True
        coefficients = np.linalg.lstsq(matrix.T, rows.T, rcond=None)[0].T.astype(float)
        missed = np.linalg.norm(coefficients @ matrix - rows, axis=1)
        is_known = covered & (missed <= _IN_SPAN * np.linalg.norm(rows, axis=1))
        return cls(is_base, is_known, rows, coefficients)

    def applied(
        self, start: Floats, longest: npt.NDArray[np.int64], matrix: Floats, factor: Floats
    ) -> Floats:
        """
        Return where cells start from, shape (cells, quotes).

        start      at the levels of the longest contracts, same shape
        longest    quote of each cell, shape (cells,)
        matrix     shares times `factor`, shape (quotes, cells)
        """
        found = start.copy()
        base = np.where(self.is_base[:, None], matrix, 0.0)
        longest_base = len(base) - 1 - np.argmax(base[::-1] > 0, axis=0)
        has_base = (base > 0).any(axis=0)
        sums, of_base = matrix.sum(axis=1), (self.rows * factor).sum(axis=1)
        for cell in np.flatnonzero(has_base & self.is_known[longest]):
            quote = longest[cell]
            found[cell, longest_base[cell]] += 1.0 / sums[longest_base[cell]]
            found[cell] -= self.coefficients[quote] / of_base[quote]
        return found
