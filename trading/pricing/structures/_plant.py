"""
Power plants under a tolling agreement: terms, and what they are worth on today's curves.

Last axis: interval. Commodities in this order: power, fuel, carbon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import (
    InfeasibleContract,
    delivery_dates,
    number,
    series,
)
from trading.pricing.structures._market_paths import simulated_value
from trading.pricing.structures._network import Moves, Network, best_path
from trading.pricing.structures._programme import Indices, NoSolution, Programme
from trading.pricing.structures._results import (
    Hedge,
    Method,
    SimulatedValue,
    SpotResponse,
    monthly_hedge,
)

COMMODITIES = ("power", "fuel", "carbon")
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class PlantState:
    """
    How a plant stands before the first interval.

    is_on       whether it runs
    intervals   for how long it has, ≥ 1
    output_mw   at which output; only read where ramps are limited
    """

    is_on: bool
    intervals: int
    output_mw: float = 0.0


@dataclass(frozen=True, eq=False)
class Plant:
    """
    A right to run a thermal plant, by interval.

    dates             (interval,) local delivery date of each interval
    output_mw         (point,) rising, > 0: from the least stable output to the most
    heat_mw           (point,) MW of fuel burnt at these outputs, straight between;
                      see `with_heat_rate`
    min_up, min_down  intervals that it must stay on or off, ≥ 1
    start_fuel        MWh of fuel a start, ≥ 0;  start_cost  currency a start
    fuel_addon        currency/MWh on top of the fuel's price: transport, tax
    carbon_intensity  t of CO2 a MWh of fuel, ≥ 0
    output_cost       currency a MWh of power
    ramp_up,          MW that output may rise or fall from one interval to the next while on,
    ramp_down         ≥ 0; None: no limit. A limited plant starts at its least output (up) and
                      stops from it (down).
    available         (interval,) 1, or 0 where it must stand still
    interval_hours    length of an interval, > 0
    max_starts        most starts in a calendar year of `dates`, ≥ 0; None: no limit
    initial           None: as the holder likes, without a start before the first interval

    :raises PricingError: naming the argument, its index and the rule.
    :raises InfeasibleContract: where outages and the least time on leave no plan.
    """

    dates: npt.ArrayLike
    output_mw: npt.ArrayLike
    heat_mw: npt.ArrayLike
    min_up: int = 1
    min_down: int = 1
    start_fuel: float = 0.0
    start_cost: float = 0.0
    fuel_addon: float = 0.0
    carbon_intensity: float = 0.0
    output_cost: float = 0.0
    ramp_up: float | None = None
    ramp_down: float | None = None
    available: npt.ArrayLike = 1.0
    interval_hours: float = 1.0
    max_starts: int | None = None
    initial: PlantState | None = None

    def __post_init__(self) -> None:
        days = delivery_dates("dates", self.dates)
        object.__setattr__(self, "dates", days)
        output = np.array(self.output_mw, dtype=np.float64)
        if output.ndim != 1 or not output.size:
            raise PricingError(f"output_mw: shape {output.shape} is not one row of points.")
        check("output_mw", output, np.diff(output, prepend=0.0) > 0, "must be above 0 and rise")
        heat = np.array(self.heat_mw, dtype=np.float64)
        if heat.shape != output.shape:
            raise PricingError(f"heat_mw: shape {heat.shape} is not that of output_mw.")
        check("heat_mw", heat, heat >= 0, "must not be negative")
        available = series("available", self.available, len(days), least=0, most=1)
        check("available", available, (available == 0) | (available == 1), "must be 0 or 1")
        for name, row in (("output_mw", output), ("heat_mw", heat), ("available", available)):
            object.__setattr__(self, name, row)
        for name in ("min_up", "min_down"):
            value = getattr(self, name)
            if value != int(number(name, value, least=1)):
                raise PricingError(f"{name}: {value} must be a whole number of intervals.")
        if self.max_starts is not None and self.max_starts != int(
            number("max_starts", self.max_starts, least=0)
        ):
            raise PricingError(f"max_starts: {self.max_starts} must be a whole number.")
        for name in ("start_fuel", "carbon_intensity"):
            number(name, getattr(self, name), least=0)
        for name in ("start_cost", "fuel_addon", "output_cost"):
            number(name, getattr(self, name))
        for name in ("ramp_up", "ramp_down"):
            if (value := getattr(self, name)) is not None:
                number(name, value, least=0)
        if number("interval_hours", self.interval_hours) <= 0:
            raise PricingError(f"interval_hours: {self.interval_hours} must be above 0.")
        if self.initial is not None:
            number("initial.intervals", self.initial.intervals, least=1)
            if self.initial.is_on and self.has_ramps:
                least, most = float(output[0]), float(output[-1])
                number("initial.output_mw", self.initial.output_mw, least=least, most=most)
        network = plant_network(self, output[:1])
        if (stuck := network.last_reached()) < len(days):
            raise InfeasibleContract(
                f"available[{stuck}]: the plant must stand still on {days[stuck]}, but min_up "
                f"{self.min_up} keeps it on."
            )

    @classmethod
    def with_heat_rate(
        cls, dates: npt.ArrayLike, *, p_min: float, p_max: float, heat_rate: float, **terms: object
    ) -> Plant:
        """
        Return a plant that burns `heat_rate` MWh of fuel a MWh of power at any output.

        :raises PricingError: as the class.
        """
        number("p_min", p_min, least=_EPSILON)
        number("p_max", p_max, least=p_min)
        number("heat_rate", heat_rate, least=0)
        points = np.unique([p_min, p_max])
        return cls(dates=dates, output_mw=points, heat_mw=heat_rate * points, **terms)  # type: ignore[arg-type]

    @property
    def has_ramps(self) -> bool:
        """Say whether one interval's output limits the next one's."""
        output = np.asarray(self.output_mw)
        spread = float(output[-1] - output[0])
        return any(ramp is not None and ramp < spread for ramp in (self.ramp_up, self.ramp_down))

    @property
    def first_state(self) -> tuple[int, ...]:
        """Return the states that it may begin in, numbered as in `plant_network` without ramps."""
        if self.initial is None:
            # On first: where both are worth the same, nothing is started.
            return (self.min_down + self.min_up - 1, self.min_down - 1)
        if self.initial.is_on:
            return (self.min_down + min(self.initial.intervals, self.min_up) - 1,)
        return (min(self.initial.intervals, self.min_down) - 1,)

    def volumes(self, output: Floats, heat: Floats) -> Floats:
        """Return power sold +, fuel and carbon bought −, at outputs, (…, commodity)."""
        fuel = heat * self.interval_hours
        return np.stack(
            [output * self.interval_hours, -fuel, -fuel * self.carbon_intensity], axis=-1
        )

    def running(self, output: Floats, heat: Floats) -> Floats:
        """Return the cash of intervals at outputs that has no market price."""
        return -self.interval_hours * (output * self.output_cost + heat * self.fuel_addon)

    @property
    def start(self) -> tuple[Floats, float]:
        """Return volumes, (commodity,), and cash of a start."""
        fuel = self.start_fuel
        volume = np.array([0.0, -fuel, -fuel * self.carbon_intensity])
        return volume, -(self.start_cost + fuel * self.fuel_addon)


def plant_network(plant: Plant, levels: npt.ArrayLike) -> Network:
    """
    Return the plant as states: off for 1 … min_down, then on for 1 … min_up (at each level).

    Without ramps the output is chosen afresh in each interval, and the states have no level. With
    them it moves between the levels, as far as they allow. A limit on starts has these states once
    for each number of starts that the year has seen.

    levels   MW, rising; the outputs that are chosen from
    """
    level = np.asarray(levels, dtype=np.float64)
    heat = np.interp(level, np.asarray(plant.output_mw), np.asarray(plant.heat_mw))
    down, up, ramped = plant.min_down, plant.min_up, plant.has_ramps
    count = len(level)
    most_up = np.inf if plant.ramp_up is None else plant.ramp_up + _EPSILON
    most_down = np.inf if plant.ramp_down is None else plant.ramp_down + _EPSILON
    start_volume, start_cash = plant.start

    def on(age: int, at: int) -> int:
        return down + (age * count + at if ramped else age)

    volumes, running = plant.volumes(level, heat), plant.running(level, heat)

    def run(before: int, age: int, at: int, *, started: bool) -> tuple[int, int, Floats, float]:
        volume, cash = volumes[at], float(running[at])
        if started:
            volume, cash = volume + start_volume, cash + start_cash
        return before, on(age, at), volume, cash

    nothing = np.zeros(len(COMMODITIES))
    still = [(off, min(off + 1, down - 1), nothing, 0.0) for off in range(down)]
    # What has run for min_up may stop.
    stops = range(count) if ramped else range(1)
    still += [
        (on(up - 1, at), 0, nothing, 0.0)
        for at in stops
        if not ramped or at == 0 or plant.ramp_down is None
    ]
    runs = [
        run(down - 1, 0, at, started=True)
        for at in range(count)
        if not ramped or at == 0 or plant.ramp_up is None
    ]
    for age in range(up):
        older = min(age + 1, up - 1)
        for at in range(count):
            for before in range(count) if ramped else (0,):
                rise = level[at] - level[before] if ramped else 0.0
                if -most_down <= rise <= most_up:
                    runs.append(run(on(age, before), older, at, started=False))
    states = down + up * (count if ramped else 1)
    counts = 1 if plant.max_starts is None else int(plant.max_starts) + 1

    def moves(rows: list[tuple[int, int, Floats, float]], *, anew: bool) -> Moves:
        counted = []
        for seen in range(counts):
            for source, target, volume, cash in rows:
                begins = plant.max_starts is not None and source < down <= target
                after = (0 if anew else seen) + begins
                if after < counts:
                    counted.append((seen * states + source, after * states + target, volume, cash))
        return Moves.of(counted)

    stages = [moves(still + runs, anew=False), moves(still, anew=False)]
    stage = 1 - np.asarray(plant.available).astype(np.int64)
    year = np.asarray(plant.dates).astype("datetime64[Y]")
    if plant.max_starts is not None and year[0] != year[-1]:
        stages += [moves(still + runs, anew=True), moves(still, anew=True)]
        stage[1:] += 2 * (year[1:] != year[:-1])
    starts = plant.first_state
    if ramped and plant.initial is None:
        starts = (*(on(up - 1, at) for at in range(count)), down - 1)
    elif ramped and plant.initial is not None and plant.initial.is_on:
        at = int(np.abs(level - plant.initial.output_mw).argmin())
        starts = (on(starts[0] - down, at),)
    return Network(
        states=states * counts,
        stages=tuple(stages),
        stage=stage,
        starts=starts,
    )


@dataclass(frozen=True, slots=True, eq=False)
class PlantIntrinsic:
    """
    The commitment that earns most on the curves.

    value        currency today
    on, started  (interval,), whether it runs, and whether it was started for it
    output_mw    (interval,), 0 where it stands still
    fuel_mwh     (interval,), burnt, starts included
    cash_flow    (interval,), currency today
    hedge        delta of the plan by delivery month: power sold +, fuel and carbon bought −
    gap          how much more a plan could be worth; 0 where the optimum is proven
    """

    value: float
    on: npt.NDArray[np.bool_]
    started: npt.NDArray[np.bool_]
    output_mw: Floats
    fuel_mwh: Floats
    cash_flow: Floats
    hedge: Hedge
    method: Method
    gap: float


def plant_intrinsic(
    plant: Plant,
    power: npt.ArrayLike,
    fuel: npt.ArrayLike,
    *,
    carbon: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    time_limit_seconds: float = 60.0,
) -> PlantIntrinsic:
    """
    Find the commitment and output that earn most at today's prices.

    By dynamic programming over the time on and off, exactly: without ramps the best output is a
    point of the heat curve. With ramps by a mixed-integer programme.

    power, fuel   (interval,), currency/MWh, any sign;  carbon  currency/t
    discount      factor from today to the payment of each interval, one or (interval,)

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: where ramps and outages leave no plan, or none was found in time.
    """
    prices, factors = plant_prices(plant, power, fuel, carbon, discount)
    if plant.has_ramps:
        on, output, gap = by_programme(plant, prices, factors, time_limit_seconds)
        started = np.diff(on.astype(np.int64), prepend=int(_was_on(plant, on))) > 0
        return _plan(plant, prices, factors, on, started, output, gap)
    levels = np.asarray(plant.output_mw)
    network = plant_network(plant, levels)
    best = best_path(network, prices, factors, np.zeros(network.states))
    moved = [network.stages[s] for s in network.stage]
    sold = np.array([moves.volume[m, 0] for moves, m in zip(moved, best.moves, strict=True)])
    state = best.states % (plant.min_down + plant.min_up)  # whatever was started before
    on = state[1:] >= plant.min_down
    started = on & (state[:-1] < plant.min_down)
    return _plan(plant, prices, factors, on, started, sold / plant.interval_hours, None)


def plant_prices(
    plant: Plant,
    power: npt.ArrayLike,
    fuel: npt.ArrayLike,
    carbon: npt.ArrayLike,
    discount: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    """Return the prices, (interval, commodity), and the discount factors, (interval,)."""
    count = len(np.asarray(plant.dates))
    rows = [series(name, row, count) for name, row in
            zip(COMMODITIES, (power, fuel, carbon), strict=True)]  # fmt: skip
    return np.stack(rows, axis=1), series("discount", discount, count, least=0)


def _was_on(plant: Plant, on: npt.NDArray[np.bool_]) -> bool:
    """Say whether the first interval needs no start: it ran before, or may have."""
    return bool(on[0]) if plant.initial is None else plant.initial.is_on


def _plan(
    plant: Plant,
    prices: Floats,
    discount: Floats,
    on: npt.NDArray[np.bool_],
    started: npt.NDArray[np.bool_],
    output: Floats,
    gap: float | None,
) -> PlantIntrinsic:
    """Count the money of a commitment; `gap` is None for dynamic programming."""
    curve = np.asarray(plant.output_mw), np.asarray(plant.heat_mw)
    heat = np.where(on, np.interp(output, *curve), 0.0)
    start_volume, start_cash = plant.start
    volume = plant.volumes(output, heat) + started[:, None] * start_volume
    cash = plant.running(output, heat) + started * start_cash
    cash_flow = discount * ((volume * prices).sum(axis=1) + cash)
    method = Method.DYNAMIC_PROGRAMME if gap is None else Method.MIXED_INTEGER_PROGRAMME
    return PlantIntrinsic(
        value=float(cash_flow.sum()),
        on=on,
        started=started,
        output_mw=output,
        fuel_mwh=-volume[:, 1],
        cash_flow=cash_flow,
        hedge=monthly_hedge(np.asarray(plant.dates), discount * volume.T, COMMODITIES),
        method=method,
        gap=gap or 0.0,
    )


def by_programme(
    plant: Plant, prices: Floats, discount: Floats, time_limit_seconds: float
) -> tuple[npt.NDArray[np.bool_], Floats, float]:
    """
    Return on, output and gap by a mixed-integer programme over on, start, stop and output.

    :raises InfeasibleContract: if no plan was found.
    """
    count = len(prices)
    points, heats = np.asarray(plant.output_mw), np.asarray(plant.heat_mw)
    hours = plant.interval_hours
    burnt = prices[:, 1] + plant.carbon_intensity * prices[:, 2] + plant.fuel_addon
    programme = Programme()
    on = programme.columns(count, upper=np.asarray(plant.available), whole=True)
    start_paid = -discount * (plant.start_cost + plant.start_fuel * burnt)
    start = programme.columns(count, upper=1.0, cost=start_paid, whole=True)
    stop = programme.columns(count, upper=1.0, whole=True)
    # One band of the heat curve holds the output while it is on.
    lows, highs = (points[:1], points[:1]) if len(points) == 1 else (points[:-1], points[1:])
    slopes = np.zeros(1) if len(points) == 1 else np.diff(heats) / np.diff(points)
    bands, outputs = [], []
    for low, high, slope, base in zip(lows, highs, slopes, heats, strict=False):
        fixed = -discount * hours * (base - slope * low) * burnt
        chosen = programme.columns(count, upper=1.0, cost=fixed, whole=True)
        gain = discount * hours * (prices[:, 0] - plant.output_cost - slope * burnt)
        held = programme.columns(count, cost=gain)
        programme.rows((held, 1.0), (chosen, -low), lower=0.0)
        programme.rows((held, 1.0), (chosen, -high), upper=0.0)
        bands.append(chosen)
        outputs.append(held)
    programme.rows((on, -1.0), *[(chosen, 1.0) for chosen in bands], lower=0.0, upper=0.0)
    programme.rows(
        (on[1:], 1.0), (on[:-1], -1.0), (start[1:], -1.0), (stop[1:], 1.0), lower=0.0, upper=0.0
    )
    _first_interval(programme, plant, on, start, stop, outputs)
    for changed, held_for, sign, upper in ((start, plant.min_up, -1.0, 0.0),
                                           (stop, plant.min_down, 1.0, 1.0)):  # fmt: skip
        for t in range(count):
            window = changed[max(0, t - held_for + 1) : t + 1]
            programme.rows(
                *[(window[i : i + 1], 1.0) for i in range(len(window))],
                (on[t : t + 1], sign), upper=upper,
            )  # fmt: skip
    if plant.max_starts is not None:
        year = np.asarray(plant.dates).astype("datetime64[Y]")
        for one in np.unique(year):
            within = [(start[t : t + 1], 1.0) for t in np.flatnonzero(year == one)]
            programme.rows(*within, upper=plant.max_starts)
    later = [(held[1:], 1.0) for held in outputs]
    before = [(held[:-1], -1.0) for held in outputs]
    if plant.ramp_up is not None:
        programme.rows(
            *later, *before, (on[:-1], -plant.ramp_up), (start[1:], -points[0]), upper=0.0
        )
    if plant.ramp_down is not None:
        programme.rows(
            *[(at, -c) for at, c in later + before],
            (on[1:], -plant.ramp_down), (stop[1:], -points[0]), upper=0.0,
        )  # fmt: skip
    try:
        found = programme.solve(time_limit_seconds=time_limit_seconds)
    except NoSolution as error:
        raise InfeasibleContract(
            f"ramp_up, ramp_down, available: no commitment keeps them all ({error})"
        ) from error
    is_on = found.values[on] > 0.5
    output = np.sum([found.values[held] for held in outputs], axis=0)
    return is_on, np.where(is_on, np.clip(output, points[0], points[-1]), 0.0), found.gap


def _first_interval(
    programme: Programme,
    plant: Plant,
    on: Indices,
    start: Indices,
    stop: Indices,
    outputs: list[Indices],
) -> None:
    """Join the first intervals to the state before them."""
    first, points, was = slice(0, 1), np.asarray(plant.output_mw), plant.initial
    if was is None:
        programme.rows((start[first], 1.0), (stop[first], 1.0), upper=0.0)
        return
    before = 1.0 if was.is_on else 0.0
    programme.rows(
        (on[first], 1.0), (start[first], -1.0), (stop[first], 1.0), lower=before, upper=before
    )
    held_for = plant.min_up if was.is_on else plant.min_down
    owed = on[: max(0, held_for - was.intervals)]
    if owed.size:
        programme.rows((owed, 1.0), lower=before, upper=before)
    now = [(held[first], 1.0) for held in outputs]
    output = was.output_mw if was.is_on else 0.0
    if plant.ramp_up is not None:
        upper = output + plant.ramp_up * before
        programme.rows(*now, (start[first], -points[0]), upper=upper)
    if plant.ramp_down is not None:
        programme.rows(*now, (on[first], plant.ramp_down), (stop[first], points[0]), lower=output)


@dataclass(frozen=True, slots=True)
class PlantPaths:
    """Simulated prices on the same scenarios; None keeps to its curve."""

    power: Paths
    fuel: Paths | None = None
    carbon: Paths | None = None


def plant_extrinsic(
    plant: Plant,
    power: npt.ArrayLike,
    fuel: npt.ArrayLike,
    *,
    fit: PlantPaths,
    paths: PlantPaths,
    carbon: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    responses: tuple[SpotResponse, SpotResponse, SpotResponse] = (SpotResponse.PARALLEL,) * 3,
    levels: int = 5,
    degree: int = 2,
    seed: int | None = None,
) -> SimulatedValue:
    """
    Value a plant that is committed interval by interval, seeing the prices of the interval.

    Least-squares Monte Carlo over the time on and off. Without ramps the output is the best point
    of the heat curve; with them it moves on `levels` outputs from least to most and the points of
    the curve, so that the value is of a plan that the plant can follow.

    power, fuel, carbon    (interval,), today's curves, the means of the simulated prices
    fit, paths             independent sets: the policy is fitted on one, and earns on the other
    responses              of power, fuel, carbon: what a price does when its curve moves
    degree                 of the regression on all factors together
    seed                   of the generator of `paths`, to be kept with the value

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: where ramps and outages leave no plan on these levels.
    """
    prices, factors = plant_prices(plant, power, fuel, carbon, discount)
    plan = plant_intrinsic(plant, power, fuel, carbon=carbon, discount=discount)
    points = np.asarray(plant.output_mw)
    if plant.has_ramps:
        if levels < 2:
            raise PricingError(f"levels: {levels} must be 2 or more.")
        began = [plant.initial.output_mw] if plant.initial and plant.initial.is_on else []
        points = np.unique([*points, *np.linspace(points[0], points[-1], levels), *began])
    network = plant_network(plant, points)
    if (stuck := network.last_reached()) < len(prices):
        raise InfeasibleContract(f"levels: no commitment on {len(points)} outputs keeps the ramps "
                                 f"beyond interval {stuck}.")  # fmt: skip
    burnt = -plan.fuel_mwh
    hedged = np.stack(
        [plan.output_mw * plant.interval_hours, burnt, burnt * plant.carbon_intensity], axis=1
    )
    return simulated_value(
        network,
        dates=np.asarray(plant.dates),
        commodities=COMMODITIES,
        curves=prices,
        fit=(fit.power, fit.fuel, fit.carbon),
        paths=(paths.power, paths.fuel, paths.carbon),
        responses=responses,
        discount=factors,
        ends=np.zeros(network.states),
        hedged=hedged,
        degree=degree,
        seed=seed,
    )
