"""The loop of surfaces: polynomials of two moves, summed on many paths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._compile import compiled, wide_vectors

Floats = npt.NDArray[np.float64]
# Paths at a time: in one array at fixed distances, so that the compiler knows that rows do not
# overlap, and in a processor's nearest memory.
_BLOCK = 128


@compiled
def add_surfaces(
    moves: Floats, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], powers: Floats,
    total: Floats, farthest: Floats,
) -> None:  # fmt: skip
    """
    Add surfaces to `total`, and raise `farthest` to the largest move they were asked at.

    moves           (node, path); the paths fill whole blocks
    powers          (surface, power of second, power of first), the latter eight, sixteen …
    """
    wide_vectors()
    surfaces, rows, columns = powers.shape
    # First and second move, the polynomial of the first, that of both, and the farthest move.
    work = np.empty(5 * _BLOCK)
    for at in range(0, total.size, _BLOCK):
        for i in range(_BLOCK):
            work[4 * _BLOCK + i] = farthest[at + i]
        for s in range(surfaces):
            one, other = first[s], second[s]
            for i in range(_BLOCK):
                x, y = moves[one, at + i], moves[other, at + i]
                work[i] = x
                work[_BLOCK + i] = y
                work[3 * _BLOCK + i] = 0.0
                work[4 * _BLOCK + i] = max(work[4 * _BLOCK + i], max(abs(x), abs(y)))
            for r in range(rows - 1, -1, -1):
                for i in range(_BLOCK):
                    work[2 * _BLOCK + i] = 0.0
                for c in range(columns - 8, -1, -8):
                    # Eight steps of Horner's rule in registers, for each turn through memory.
                    p, q, u, v = (
                        powers[s, r, c], powers[s, r, c + 1], powers[s, r, c + 2],
                        powers[s, r, c + 3],
                    )  # fmt: skip
                    P, Q, U, V = (
                        powers[s, r, c + 4], powers[s, r, c + 5], powers[s, r, c + 6],
                        powers[s, r, c + 7],
                    )  # fmt: skip
                    for i in range(_BLOCK):
                        x = work[i]
                        upper = (((work[2 * _BLOCK + i] * x + V) * x + U) * x + Q) * x + P
                        work[2 * _BLOCK + i] = (((upper * x + v) * x + u) * x + q) * x + p
                for i in range(_BLOCK):
                    work[3 * _BLOCK + i] = (
                        work[3 * _BLOCK + i] * work[_BLOCK + i] + work[2 * _BLOCK + i]
                    )
            for i in range(_BLOCK):
                total[at + i] += work[3 * _BLOCK + i]
        for i in range(_BLOCK):
            farthest[at + i] = work[4 * _BLOCK + i]
