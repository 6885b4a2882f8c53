"""Smooth functions of two moves as polynomials, asked on many paths, with their error measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError
from trading.pricing._scenarios import Indices, share_work

_CHECKS = 64
_BLOCK = 128  # paths that the kernel takes at a time
_CHUNK = 256  # paths whose moves are made at a time: few enough for a processor's own memory


@dataclass(frozen=True, slots=True)
class Lattice:
    """
    Where functions of two moves, each within −1 and 1, are asked to fit polynomials to them.

    columns     points of the first move, a multiple of 8; the degree is one less
    rows        points of the second move
    """

    columns: int
    rows: int

    @property
    def points(self) -> Floats:
        """
        Return both moves of each point, (2, point).

        A product of Chebyshev points, then scattered ones (an additive sequence, and the corners)
        that a fit is checked at.
        """
        x, y = _chebyshev(self.columns), _chebyshev(self.rows)
        n = np.arange(_CHECKS - 4)
        # Steps by the plane's own golden ratio: M. Roberts' sequence R2.
        scattered = 2 * np.stack([n * 0.7548776662466927 % 1, n * 0.5698402909980532 % 1]) - 1
        corners = np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]])
        product = np.stack([np.repeat(x, self.rows), np.tile(y, self.columns)])
        return np.concatenate([product, scattered, corners], axis=1)

    def fit(self, values: Floats) -> tuple[Floats, Floats]:
        """
        Return polynomials through the values at the Chebyshev points, and their error.

        values      (function, point), at `points`

        Returns powers (function, power of second, power of first), and the largest difference at
        the checks, (function,). Chebyshev points keep the error of a smooth function near the least
        that a polynomial of the degree has; powers, of degrees below 20, lose few digits.
        """
        count = self.columns * self.rows
        known = values[:, :count].reshape(-1, self.columns, self.rows)
        across, along = (
            np.linalg.inv(np.vander(_chebyshev(n), increasing=True))
            for n in (self.columns, self.rows)
        )
        powers = np.ascontiguousarray(along @ known.swapaxes(1, 2) @ across.T)
        x, y = self.points[:, count:]
        basis = (
            np.vander(y, self.rows, increasing=True)[:, :, None]
            * np.vander(x, self.columns, increasing=True)[:, None, :]
        ).reshape(len(x), -1)
        error = np.abs(powers.reshape(len(powers), -1) @ basis.T - values[:, count:])
        return powers, error.max(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """
    Polynomials of two moves each.

    first, second   (surface,), rows of the moves
    powers          (surface, power of second, power of first), of the latter a multiple of 8

    :raises PricingError: for shapes that do not fit.
    """

    first: Indices
    second: Indices
    powers: Floats

    def __post_init__(self) -> None:
        count = np.shape(self.powers)[:1]
        if np.shape(self.first) != count or np.shape(self.second) != count:
            raise PricingError(f"first, second: must be one for each of {count} surfaces.")
        if self.powers.ndim != 3 or not self.powers.shape[1] or self.powers.shape[2] % 8:
            raise PricingError(f"powers: shape {self.powers.shape} must be (surface, n, 8 m).")

    def __len__(self) -> int:
        return len(self.first)


def sum_surfaces(
    parts: Sequence[Surfaces], draws: Floats, loadings: Floats, *, workers: int | None = None
) -> tuple[Floats, Floats]:
    """
    Return the sum of all surfaces on each path, and the farthest move that they were asked at.

    draws       (path, factor)
    loadings    (factor, node); the moves are draws @ loadings, and a fit holds from −1 to 1
    workers     threads; by default one a processor. They change no digit.

    :raises PricingError: for a surface on a move that is none.
    """
    for part in parts:
        for name, row in (("first", part.first), ("second", part.second)):
            if row.size and not 0 <= row.min() <= row.max() < loadings.shape[1]:
                raise PricingError(f"{name}: must be positions of {loadings.shape[1]} moves.")
    from trading.pricing._surface_kernels import add_surfaces

    paths = len(draws)
    whole = np.pad(draws, ((0, -paths % _BLOCK), (0, 0)))
    by_node = np.ascontiguousarray(loadings.T)
    total, farthest = np.zeros((2, len(whole)))
    starts = range(0, len(whole), _CHUNK)

    def work(n: int) -> None:
        at = slice(starts[n], starts[n] + _CHUNK)
        moves = by_node @ whole[at].T
        for part in parts:
            add_surfaces(moves, part.first, part.second, part.powers, total[at], farthest[at])

    share_work(work, len(starts), workers)
    return total[:paths], farthest[:paths]


def _chebyshev(count: int) -> npt.NDArray[np.float64]:
    """Return the zeros of Chebyshev's polynomial of a degree."""
    found: Floats = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return found
