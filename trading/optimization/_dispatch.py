"""Exact dispatch by HiGHS: one model, handed from battery to battery with its basis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from trading.optimization._bounds import StoredBounds, stored_bounds
from trading.optimization._fleet import BatteryFleet
from trading.optimization._plan import DispatchPlan, PlanStatus

SOLVER = "highs-lp-milp"
KWH_PER_MWH = 1000.0
_TOLERANCE = 1e-10
_BOTH = 1e-9  # kWh in and out in one period that count as doing both


def dispatch_batteries(
    prices: npt.NDArray[np.float64],
    fleet: BatteryFleet,
    period_hours: float,
    *,
    time_limit_seconds: float = 5.0,
) -> DispatchPlan:
    """
    Return the schedule of each battery that earns most at given prices.

    Maximises Σ_t p_t (d_t − c_t) h / 1000 − w d_t h over charging c and discharging d in kW, with
    stored energy s_t = s_{t−1} + e_c c_t h − d_t h / e_d within its bounds and never c and d at
    once. The linear programme without that last rule is solved first. With a price that
    does not pay for losing energy doing both never helps, so it is netted out for free; only a
    battery that gained by it, at negative prices, is solved again with one binary for each such
    period.

    prices           currency/MWh, finite, shape (periods,) for all, or (batteries, periods)
    period_hours     length of a period, > 0
    time_limit_seconds    for the binaries of one battery; a plan that stopped there is feasible,
                     says so and states its gap

    There is always a plan: see `stored_bounds` for what is relaxed, and `relaxations` for what was.

    :raises ValueError: for prices that are not finite or of another shape, or a bad period.
    """
    batteries = len(fleet)
    market = np.asarray(prices, dtype=np.float64)
    if market.ndim == 1:
        market = np.broadcast_to(market, (batteries, market.size))
    if market.ndim != 2 or market.shape[0] != batteries or market.shape[1] == 0:
        raise ValueError(f"prices: shape {market.shape} must be ({batteries}, periods ≥ 1).")
    if not np.isfinite(market).all():
        battery, period = np.argwhere(~np.isfinite(market))[0].tolist()
        raise ValueError(f"prices: period {period} of battery {battery} is not a finite number.")
    if not (np.isfinite(period_hours) and period_hours > 0):
        raise ValueError(f"period_hours: {period_hours} must be above zero.")
    periods = market.shape[1]
    bounds = stored_bounds(fleet, periods=periods, period_hours=period_hours)
    # Value of a kWh taken out of the cells, and cost of one put in.
    e_c, e_d = fleet.charge_efficiency[:, None], fleet.discharge_efficiency[:, None]
    gain = (market / KWH_PER_MWH - fleet.cycle_cost_per_kwh[:, None]) * e_d
    cost = market / KWH_PER_MWH / e_c
    flows = np.zeros((2, batteries, periods))
    upper_bound, gap = np.zeros(batteries), np.zeros(batteries)
    status = [PlanStatus.OPTIMAL] * batteries
    if batteries:
        model = _Model(periods)
        for battery in range(batteries):
            relaxed = model.solve(bounds, battery, gain[battery], cost[battery])
            upper_bound[battery] = gain[battery] @ relaxed[1] - cost[battery] @ relaxed[0]
            best = _netted(relaxed)
            # Doing both pays only where a lost kWh is paid for.
            pays = gain[battery] > cost[battery]
            if (np.minimum(relaxed[0], relaxed[1])[pays] > _BOTH).any():
                best, gap[battery], status[battery] = _exclusive(
                    bounds,
                    battery,
                    gain[battery],
                    cost[battery],
                    pays,
                    best,
                    time_limit_seconds,
                )
            flows[:, battery] = best
    taken_in, taken_out = flows
    value = (gain * taken_out - cost * taken_in).sum(axis=1)
    stored = np.concatenate(
        (
            bounds.initial[:, None],
            bounds.initial[:, None] + np.cumsum(taken_in - taken_out, axis=1),
        ),
        axis=1,
    )
    return DispatchPlan(
        charge_kw=taken_in / e_c / period_hours,
        discharge_kw=taken_out * e_d / period_hours,
        stored_kwh=stored,
        value=value,
        upper_bound=np.maximum(upper_bound, value),
        gap=gap,
        status=tuple(status),
        relaxations=bounds.relaxations,
        solver=SOLVER,
    )


def _netted(flows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the flows with what goes in and out at once taken off both: the same stored path."""
    netted: npt.NDArray[np.float64] = flows - np.minimum(flows[0], flows[1])
    return netted


class _Model:
    """
    The linear programme of one battery: columns in_t, out_t, stored_t; rows the energy balance.

    Flows are counted in the cells, so that the matrix holds only 1 and −1 and stays the same from
    battery to battery: costs and bounds change, and the basis of the one starts the next.
    """

    def __init__(self, periods: int) -> None:
        self.periods = periods
        self.highs = _highs()
        lp = _programme(periods)
        self.highs.passModel(lp)
        self.columns = np.arange(3 * periods, dtype=np.int32)

    def solve(
        self,
        bounds: StoredBounds,
        battery: int,
        gain: npt.NDArray[np.float64],
        cost: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Return the flows in and out that earn most, shape (2, periods)."""
        lower, upper, objective = _columns(bounds, battery, gain, cost)
        count = self.columns.size
        self.highs.changeColsBounds(count, self.columns, lower, upper)
        self.highs.changeColsCost(count, self.columns, objective)
        start = float(bounds.initial[battery])
        self.highs.changeRowBounds(0, start, start)
        _run(self.highs)
        return _flows(self.highs, bounds, battery, self.periods)


def _exclusive(
    bounds: StoredBounds,
    battery: int,
    gain: npt.NDArray[np.float64],
    cost: npt.NDArray[np.float64],
    pays: npt.NDArray[np.bool_],
    incumbent: npt.NDArray[np.float64],
    time_limit_seconds: float,
) -> tuple[npt.NDArray[np.float64], float, PlanStatus]:
    """Solve one battery with a binary for each period in which doing both would pay."""
    import highspy

    periods = gain.size
    binary = np.flatnonzero(pays)
    highs = _highs()
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", _TOLERANCE)
    highs.setOptionValue("mip_feasibility_tolerance", _TOLERANCE)
    highs.setOptionValue("time_limit", time_limit_seconds)
    highs.passModel(_programme(periods))
    lower, upper, objective = _columns(bounds, battery, gain, cost)
    columns = np.arange(3 * periods, dtype=np.int32)
    highs.changeColsBounds(columns.size, columns, lower, upper)
    highs.changeColsCost(columns.size, columns, objective)
    start = float(bounds.initial[battery])
    highs.changeRowBounds(0, start, start)
    most_in, most_out = float(bounds.intake[battery]), float(bounds.output[battery])
    infinity = highspy.kHighsInf
    for period in binary.tolist():
        column = highs.getNumCol()
        highs.addCol(0.0, 0.0, 1.0, 0, np.array([], dtype=np.int32), np.array([]))
        highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)
        # in ≤ most_in · z and out ≤ most_out · (1 − z)
        into = np.array([period, column], dtype=np.int32)
        out = np.array([periods + period, column], dtype=np.int32)
        highs.addRow(-infinity, 0.0, 2, into, np.array([1.0, -most_in]))
        highs.addRow(-infinity, most_out, 2, out, np.array([1.0, most_out]))
    highs.run()
    known = float(gain @ incumbent[1] - cost @ incumbent[0])
    model_status, info = highs.getModelStatus(), highs.getInfo()
    proven = model_status == highspy.HighsModelStatus.kOptimal
    found = _netted(_flows(highs, bounds, battery, periods)) if _has_solution(info) else incumbent
    worth = float(gain @ found[1] - cost @ found[0])
    if worth < known:
        found, worth = incumbent, known
    if proven:
        return found, 0.0, PlanStatus.OPTIMAL
    return found, max(0.0, float(info.mip_dual_bound) - worth), PlanStatus.FEASIBLE


def _has_solution(info: Any) -> bool:
    import highspy

    return bool(info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)


def _highs() -> Any:
    import highspy

    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("primal_feasibility_tolerance", _TOLERANCE)
    highs.setOptionValue("dual_feasibility_tolerance", _TOLERANCE)
    return highs


def _programme(periods: int) -> Any:
    """Return the model with the matrix filled in and neutral bounds and costs."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = 3 * periods, periods
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.zeros(3 * periods)
    lp.col_lower_ = np.zeros(3 * periods)
    lp.col_upper_ = np.zeros(3 * periods)
    lp.row_lower_ = np.zeros(periods)
    lp.row_upper_ = np.zeros(periods)
    # Row t: stored_t − stored_{t−1} − in_t + out_t = 0; of row 0 the right side is the initial.
    starts, index, values = [0], [], []
    for period in range(periods):
        index += [period, periods + period, 2 * periods + period]
        values += [-1.0, 1.0, 1.0]
        if period:
            index.append(2 * periods + period - 1)
            values.append(-1.0)
        starts.append(len(index))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
    lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
    lp.a_matrix_.value_ = np.array(values)
    return lp


def _columns(
    bounds: StoredBounds,
    battery: int,
    gain: npt.NDArray[np.float64],
    cost: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return lower bounds, upper bounds and objective of one battery's columns."""
    periods = gain.size
    zeros = np.zeros(2 * periods)
    upper = np.concatenate(
        (
            np.full(periods, bounds.intake[battery]),
            np.full(periods, bounds.output[battery]),
            bounds.upper[battery],
        )
    )
    lower = np.concatenate((zeros, bounds.lower[battery]))
    return lower, upper, np.concatenate((-cost, gain, np.zeros(periods)))


def _run(highs: Any) -> None:
    import highspy

    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        # The bounds leave a schedule by construction; a basis handed on can still mislead.
        highs.clearSolver()
        highs.run()
        status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise ArithmeticError(f"HiGHS stopped with {highs.modelStatusToString(status)}.")


def _flows(highs: Any, bounds: StoredBounds, battery: int, periods: int) -> npt.NDArray[np.float64]:
    values = np.array(highs.getSolution().col_value[: 2 * periods]).reshape(2, periods)
    limits = np.array([[bounds.intake[battery]], [bounds.output[battery]]])
    flows: npt.NDArray[np.float64] = np.clip(values, 0.0, limits)
    return flows
