"""A linear or mixed-integer programme put together by columns and rows, and solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats

Indices = npt.NDArray[np.int64]
_TOLERANCE = 1e-10


class NoSolution(ArithmeticError):
    """Raised where HiGHS finds no point within the rows; the caller says which term is at fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """
    The best point found.

    gap   how much more the objective could be at most: 0 where the optimum is proven
    """

    values: Floats
    objective: float
    gap: float


class Programme:
    """Maximises cost · x over bounds and rows; columns and rows come in blocks."""

    def __init__(self) -> None:
        self._cost: list[Floats] = []
        self._lower: list[Floats] = []
        self._upper: list[Floats] = []
        self._whole: list[npt.NDArray[np.bool_]] = []
        self._count = 0
        self._rows = 0
        self._entries: list[tuple[Indices, Indices, Floats]] = []
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []
        self._begun: list[tuple[Indices, Floats]] = []

    def columns(
        self,
        count: int,
        *,
        cost: npt.ArrayLike = 0.0,
        lower: npt.ArrayLike = 0.0,
        upper: npt.ArrayLike = np.inf,
        whole: bool = False,
    ) -> Indices:
        """Add variables and return their indices."""
        for rows, values in ((self._cost, cost), (self._lower, lower), (self._upper, upper)):
            rows.append(np.broadcast_to(np.asarray(values, dtype=np.float64), (count,)))
        self._whole.append(np.full(count, whole))
        self._count += count
        return np.arange(self._count - count, self._count)

    def rows(
        self,
        *terms: tuple[Indices, npt.ArrayLike],
        lower: npt.ArrayLike = -np.inf,
        upper: npt.ArrayLike = np.inf,
    ) -> None:
        """
        Add rows lower ≤ Σ coefficient · x ≤ upper, one for each place in the terms' indices.

        terms   columns, (row,), with a coefficient for all or for each
        """
        count = len(terms[0][0])
        at = np.arange(self._rows, self._rows + count)
        for columns, coefficient in terms:
            value = np.broadcast_to(np.asarray(coefficient, dtype=np.float64), (count,))
            self._entries.append((at, columns, value))
        for bounds, values in ((self._row_lower, lower), (self._row_upper, upper)):
            bounds.append(np.broadcast_to(np.asarray(values, dtype=np.float64), (count,)))
        self._rows += count

    def begin(self, columns: Indices, values: npt.ArrayLike) -> None:
        """Begin the search at these values; the solver finds those of the other columns."""
        self._begun.append((columns, np.asarray(values, dtype=np.float64)))

    @property
    def is_mixed(self) -> bool:
        """Say whether some variable must be whole."""
        return any(block.any() for block in self._whole)

    def solve(self, *, time_limit_seconds: float) -> Solution:
        """
        Return the optimum; of a mixed programme the best point within the time, with its gap.

        :raises NoSolution: if no point was found.
        """
        import highspy

        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("primal_feasibility_tolerance", _TOLERANCE),
            ("dual_feasibility_tolerance", _TOLERANCE),
            ("mip_feasibility_tolerance", _TOLERANCE),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", _TOLERANCE),
            ("time_limit", time_limit_seconds),
        ):
            highs.setOptionValue(option, value)
        highs.passModel(self._model())
        if self._begun:
            at, values = (np.concatenate(part) for part in zip(*self._begun, strict=True))
            highs.setSolution(len(at), at.astype(np.int32), values)
        highs.run()
        status, info = highs.getModelStatus(), highs.getInfo()
        feasible = highspy.SolutionStatus.kSolutionStatusFeasible
        if info.primal_solution_status != feasible:
            raise NoSolution(f"HiGHS stopped with {highs.modelStatusToString(status)}.")
        found = np.array(highs.getSolution().col_value)
        objective = float(info.objective_function_value)
        proven = status == highspy.HighsModelStatus.kOptimal
        if not proven and not self.is_mixed:
            raise NoSolution(f"HiGHS stopped with {highs.modelStatusToString(status)}.")
        gap = 0.0 if proven else max(0.0, float(info.mip_dual_bound) - objective)
        return Solution(values=found, objective=objective, gap=gap)

    def _model(self) -> Any:
        import highspy
        from scipy.sparse import coo_array

        row, column, value = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = coo_array((value, (row, column)), shape=(self._rows, self._count)).tocsr()
        whole = np.concatenate(self._whole)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self._count, self._rows
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.col_cost_ = np.concatenate(self._cost)
        lp.col_lower_ = np.concatenate(self._lower)
        lp.col_upper_ = np.concatenate(self._upper)
        lp.row_lower_ = np.concatenate(self._row_lower)
        lp.row_upper_ = np.concatenate(self._row_upper)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
        lp.a_matrix_.value_ = matrix.data
        if whole.any():
            kind = highspy.HighsVarType
            lp.integrality_ = [kind.kInteger if w else kind.kContinuous for w in whole]
        return lp
