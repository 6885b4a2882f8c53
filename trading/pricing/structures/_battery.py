"""
Battery tolling: terms, what they are worth on today's curve, and beyond it. Last axis: interval.

`trading.optimization` dispatches fleets day by day; here one battery has a contract with a limit on
cycles, and its flexibility has a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import (
    InfeasibleContract,
    delivery_dates,
    number,
    series,
)
from trading.pricing.structures._market_paths import simulated_value
from trading.pricing.structures._network import Moves, Network
from trading.pricing.structures._programme import NoSolution, Programme
from trading.pricing.structures._results import (
    Hedge,
    Method,
    SimulatedValue,
    SpotResponse,
    monthly_hedge,
)

_EPSILON = 1e-9


@dataclass(frozen=True, eq=False)
class Battery:
    """
    A right to charge and discharge a battery, by interval.

    dates                  (interval,) local delivery date of each interval
    energy_mwh             usable capacity, > 0, counted in the cells
    charge_mw,             limits at the grid, ≥ 0
    discharge_mw
    charge_efficiency,     shares, 0 < e ≤ 1: stored = charged · e, delivered = taken out · e
    discharge_efficiency
    cycle_cost             currency for each MWh delivered: degradation, ≥ 0
    max_cycles             full cycles (capacity taken out of the cells) in all; None: no limit
    daily_cycles           of each delivery date; None: no limit
    start_mwh, end_mwh     stored before the first and at least after the last interval
    interval_hours         length of an interval, > 0

    :raises PricingError: naming the argument, its index and the rule.
    :raises InfeasibleContract: where charging all the time does not reach the end.
    """

    dates: npt.ArrayLike
    energy_mwh: float
    charge_mw: float
    discharge_mw: float
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    cycle_cost: float = 0.0
    max_cycles: float | None = None
    daily_cycles: float | None = None
    start_mwh: float = 0.0
    end_mwh: float = 0.0
    interval_hours: float = 1.0

    def __post_init__(self) -> None:
        days = delivery_dates("dates", self.dates)
        object.__setattr__(self, "dates", days)
        for name in ("energy_mwh", "charge_efficiency", "discharge_efficiency", "interval_hours"):
            value = number(name, getattr(self, name))
            if value <= 0 or (value > 1 and name.endswith("efficiency")):
                most = " and at most 1" if name.endswith("efficiency") else ""
                raise PricingError(f"{name}: {value:g} must be above 0{most}.")
        for name in ("charge_mw", "discharge_mw", "cycle_cost"):
            number(name, getattr(self, name), least=0)
        for name in ("max_cycles", "daily_cycles"):
            if (limit := getattr(self, name)) is not None:
                number(name, limit, least=0)
        for name in ("start_mwh", "end_mwh"):
            number(name, getattr(self, name), least=0, most=self.energy_mwh)
        reached = self.start_mwh + len(days) * self.most_in
        if reached < self.end_mwh - _EPSILON:
            raise InfeasibleContract(
                f"end_mwh: {self.end_mwh:g} MWh cannot be stored by {days[-1]}: at most "
                f"{reached:g} can."
            )

    @property
    def most_in(self) -> float:
        """Return the MWh that the cells can take up in an interval."""
        return self.charge_mw * self.charge_efficiency * self.interval_hours

    @property
    def most_out(self) -> float:
        """Return the MWh that can be taken out of the cells in an interval."""
        return self.discharge_mw / self.discharge_efficiency * self.interval_hours


@dataclass(frozen=True, slots=True, eq=False)
class BatteryIntrinsic:
    """
    The schedule that earns most on the curve.

    value         currency today
    charge_mw,    (interval,), at the grid, ≥ 0, never both
    discharge_mw
    stored_mwh    (interval + 1,), in the cells, from before the first interval
    cash_flow     (interval,), currency today
    hedge         delta of the plan by delivery month
    gap           how much more a schedule could be worth; 0 where the optimum is proven
    """

    value: float
    charge_mw: Floats
    discharge_mw: Floats
    stored_mwh: Floats
    cash_flow: Floats
    hedge: Hedge
    method: Method
    gap: float


def battery_intrinsic(
    battery: Battery,
    curve: npt.ArrayLike,
    *,
    discount: npt.ArrayLike = 1.0,
    time_limit_seconds: float = 60.0,
) -> BatteryIntrinsic:
    """
    Find the schedule that earns most at today's prices, never charging and discharging at once.

    A linear programme; an interval whose price pays for losing energy takes a binary. Elsewhere
    doing both never helps, and is netted out for free.

    curve      (interval,), currency/MWh, any sign
    discount   factor from today to the payment of each interval, one or (interval,)

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: if no schedule was found in the time.
    """
    count = len(np.asarray(battery.dates))
    price, factor = series("curve", curve, count), series("discount", discount, count, least=0)
    cost = factor * price / battery.charge_efficiency
    gain = factor * (price - battery.cycle_cost) * battery.discharge_efficiency
    programme = Programme()
    into = programme.columns(count, cost=-cost, upper=battery.most_in)
    out = programme.columns(count, cost=gain, upper=battery.most_out)
    floor = np.where(np.arange(count) == count - 1, battery.end_mwh, 0.0)
    stored = programme.columns(count, lower=floor, upper=battery.energy_mwh)
    first = slice(0, 1)
    programme.rows(
        (stored[first], 1.0), (into[first], -1.0), (out[first], 1.0),
        lower=battery.start_mwh, upper=battery.start_mwh,
    )  # fmt: skip
    programme.rows(
        (stored[1:], 1.0), (stored[:-1], -1.0), (into[1:], -1.0), (out[1:], 1.0), lower=0, upper=0
    )
    if battery.max_cycles is not None:
        most = battery.max_cycles * battery.energy_mwh
        programme.rows(*[(out[t : t + 1], 1.0) for t in range(count)], upper=most)
    if battery.daily_cycles is not None:
        most = battery.daily_cycles * battery.energy_mwh
        days = np.asarray(battery.dates)
        for day in np.unique(days):
            inside = np.flatnonzero(days == day)
            programme.rows(*[(out[t : t + 1], 1.0) for t in inside], upper=most)
    pays = np.flatnonzero(gain > cost)
    if pays.size:
        charges = programme.columns(len(pays), upper=1.0, whole=True)
        programme.rows((into[pays], 1.0), (charges, -battery.most_in), upper=0.0)
        programme.rows((out[pays], 1.0), (charges, battery.most_out), upper=battery.most_out)
    try:
        found = programme.solve(time_limit_seconds=time_limit_seconds)
    except NoSolution as error:
        raise InfeasibleContract(f"end_mwh: no schedule reaches it ({error})") from error
    taken_in, taken_out = (np.maximum(found.values[flow], 0.0) for flow in (into, out))
    both = np.minimum(taken_in, taken_out)
    taken_in, taken_out = taken_in - both, taken_out - both
    sold = taken_out * battery.discharge_efficiency - taken_in / battery.charge_efficiency
    cash_flow = gain * taken_out - cost * taken_in
    held = battery.start_mwh + np.cumsum(taken_in - taken_out)
    return BatteryIntrinsic(
        value=float(cash_flow.sum()),
        charge_mw=taken_in / battery.charge_efficiency / battery.interval_hours,
        discharge_mw=taken_out * battery.discharge_efficiency / battery.interval_hours,
        stored_mwh=np.concatenate([[battery.start_mwh], held]),
        cash_flow=cash_flow,
        hedge=monthly_hedge(np.asarray(battery.dates), (factor * sold)[None], ("power",)),
        method=Method.MIXED_INTEGER_PROGRAMME if pays.size else Method.LINEAR_PROGRAMME,
        gap=found.gap,
    )


def battery_extrinsic(
    battery: Battery,
    curve: npt.ArrayLike,
    *,
    fit: Paths,
    paths: Paths,
    response: SpotResponse = SpotResponse.PARALLEL,
    discount: npt.ArrayLike = 1.0,
    levels: int = 21,
    degree: int = 2,
    seed: int | None = None,
) -> SimulatedValue:
    """
    Value a battery that is dispatched interval by interval, seeing the price of the interval.

    Least-squares Monte Carlo over energies evenly spread from empty to full; with a limit on
    cycles, in all or by the day, also over what they have used. The start is rounded down to a
    level and the end up, so the value is of a schedule that the battery can follow.

    curve        (interval,), today's curve, the mean of both sets of paths
    fit, paths   simulated prices and factors, one time an interval, independent of each other
    response     what a price does when its curve moves: for the hedge
    levels       ≥ 2;  degree  of the regression, 0 to 6;  seed  of the generator of `paths`

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: if a step between levels is more than the power allows.
    """
    count = len(np.asarray(battery.dates))
    price, factor = series("curve", curve, count), series("discount", discount, count, least=0)
    if levels < 2:
        raise PricingError(f"levels: {levels} must be 2 or more.")
    if battery.daily_cycles is not None and battery.max_cycles is not None:
        raise PricingError("daily_cycles: is not simulated together with max_cycles.")
    plan = battery_intrinsic(battery, price, discount=factor)
    network = battery_network(battery, levels)
    step = battery.energy_mwh / (levels - 1)
    if any(0 < rate < step - _EPSILON for rate in (battery.most_in, battery.most_out)):
        raise InfeasibleContract(
            f"levels: with {levels} of them a step is {step:g} MWh, more than the power allows in "
            f"an interval; take more."
        )
    if network.last_reached() < count:
        raise InfeasibleContract(f"levels: end_mwh is not reached by steps of {step:g} MWh.")
    sold = (plan.discharge_mw - plan.charge_mw) * battery.interval_hours
    return simulated_value(
        network,
        dates=np.asarray(battery.dates),
        commodities=("power",),
        curves=price[:, None],
        fit=(fit,),
        paths=(paths,),
        responses=(response,),
        discount=factor,
        ends=np.zeros(network.states),
        hedged=sold[:, None],
        degree=degree,
        seed=seed,
    )


def battery_network(battery: Battery, levels: int) -> Network:
    """
    Return the battery as states: level × levels taken out so far, if cycles are limited.

    So far is on the delivery date where the limit is by the day, which then begins anew.
    """
    step = battery.energy_mwh / (levels - 1)
    daily = battery.daily_cycles is not None
    limit = battery.daily_cycles if daily else battery.max_cycles
    counted = limit is not None
    width = int((limit or 0.0) * (levels - 1) + _EPSILON) + 1 if counted else 1
    up = int(min(battery.most_in / step + _EPSILON, levels - 1))
    down = int(min(battery.most_out / step + _EPSILON, levels - 1))
    level, used, change = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(levels), np.arange(width), np.arange(-down, up + 1), indexing="ij"
        )
    )
    after = level + change
    spent = used + np.where(counted, np.maximum(-change, 0), 0)
    kept = (after >= 0) & (after < levels) & (spent < width)
    level, used, change, after, spent = (row[kept] for row in (level, used, change, after, spent))
    delivered = np.maximum(-change, 0) * step * battery.discharge_efficiency
    bought = np.maximum(change, 0) * step / battery.charge_efficiency
    moves = Moves(
        source=level * width + used,
        target=after * width + spent,
        weight=np.zeros(len(level)),
        volume=(delivered - bought)[:, None],
        cash=-battery.cycle_cost * delivered,
    )
    # A day's last interval leads to a day on which nothing is used yet.
    days = np.asarray(battery.dates)
    ends = replace(moves, target=moves.target // width * width) if daily else moves
    # The last interval may only lead to what the contract asks for.
    enough = np.arange(levels * width) // width >= np.ceil(battery.end_mwh / step - _EPSILON)
    last = ends.kept(np.ones(levels * width, dtype=bool), enough)
    stage = np.append((days[1:] != days[:-1]).astype(np.int64), 2)
    return Network(
        states=levels * width,
        stages=(moves, ends, replace(last, target=ends.target[enough[ends.target]])),
        stage=stage,
        starts=(int(battery.start_mwh / step + _EPSILON) * width,),
    )
