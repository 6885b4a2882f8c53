"""
What the choices of a contract are worth beyond its best plan on today's curve, by simulation.

`_structures` solves for the plan, `trading.pricing.structures` fits and follows a policy on paths;
here a holding's open part is laid out for it, and both are set against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from trading.deals import BatteryTerms, StructureKind, SwingTerms
from trading.pricing import (
    MeanRevertingSpot,
    Paths,
    PricingError,
    TwoFactorForwards,
    simulate_together,
)
from trading.pricing.structures import (
    PlantPaths,
    SimulatedValue,
    SpotResponse,
    Swing,
    battery_extrinsic,
    battery_network,
    plant_extrinsic,
    plant_network,
    storage_extrinsic,
    swing_extrinsic,
    swing_network,
)
from trading.valuation._market import Floats
from trading.valuation._optionlets import YEAR
from trading.valuation._structure_plans import (
    Choices,
    PlanRefused,
    battery_levels,
    battery_terms,
    plant_state,
    plant_terms,
    storage_terms,
    swing_terms,
)
from trading.valuation._structures import (
    StructureHolding,
    StructureMarket,
    StructureValue,
    choices_of,
)

PriceModel = MeanRevertingSpot | TwoFactorForwards

# What one contract may cost: measured, 1000 daily scenarios of a year's store take about 1.5 s and
# the most below about a minute.
MOST_PATHS, FEWEST_PATHS = 1000, 200
_PRICES = 600_000
_MOVES = 400_000_000
_MOST_MOVES = 6_000_000_000
_MOST_INTERVALS = 40_000
_LEVELS = 31
_BATTERY_LEVELS, _LIMITED_LEVELS = 21, 13


@dataclass(frozen=True, slots=True, eq=False)
class PriceModels:
    """
    How the prices of a holding move.

    models          by role of the leg's terms; of each the interval's price is the spot
    correlation     (role, role), of the news of each interval
    seed            of the scenarios that the value is earned on; the rule is fitted on others
    """

    models: tuple[PriceModel, ...]
    correlation: Floats
    seed: int


@dataclass(frozen=True, slots=True)
class SimulatedDelta:
    """What the simulated value moves by with a role's delivery month; our side, discounted."""

    role: str
    month: np.datetime64
    delta: float
    error: float


@dataclass(frozen=True, slots=True)
class TimeValue:
    """
    What choosing later is worth beyond the best plan on today's curve; our side, currency.

    amount          max(0, estimate − intrinsic) of who holds the choices: both are lower bounds of
                    the value, the plan's certain and the policy's but for noise, and the larger
                    one holds. So it is never negative for the holder, and where both are close it
                    is too high on average by up to 0.4 standard errors
    estimate        of the open part, out of sample; intrinsic of the same part and curve
    standard_error  of the estimate
    in_sample       what the policy earned where it was fitted, before control
    deltas          of the estimate; empty where the plan holds
    reason          why nothing is simulated; then the numbers are zero
    """

    amount: float
    estimate: float
    intrinsic: float
    standard_error: float
    in_sample: float
    paths: int
    seed: int
    deltas: tuple[SimulatedDelta, ...]
    reason: str = ""


def time_value(
    holding: StructureHolding,
    worth: StructureValue,
    at: int,
    market: StructureMarket,
    prices: PriceModels,
) -> TimeValue:
    """
    Simulate what is open of a contract, and set it against its plan.

    worth   of the holding at the same time and market;  at  seconds

    The same arguments give the same numbers. Payments keep their discount factors on all paths.
    """
    choices = choices_of(holding, worth.prices, at, market)
    k, count = choices.chosen, len(choices.dates)
    sign = float(holding.leg.direction.sign)
    if worth.reason or k == count:
        return _none(prices.seed, worth.reason or "nothing is left to choose.")
    if count - k > _MOST_INTERVALS:
        return _none(
            prices.seed, f"{count - k} open intervals are too many, {_MOST_INTERVALS} is the most."
        )
    try:
        found = _SIMULATED[holding.leg.kind](_Open.of(choices, prices))
    except (PlanRefused, PricingError) as error:
        return _none(prices.seed, str(error))
    intrinsic = sign * float(worth.cash[k:].sum())
    estimate = found.value
    amount = max(0.0, estimate - intrinsic)
    return TimeValue(
        amount=sign * amount,
        estimate=sign * estimate,
        intrinsic=sign * intrinsic,
        standard_error=found.estimate.standard_error,
        in_sample=sign * found.in_sample,
        paths=found.estimate.paths,
        seed=prices.seed,
        deltas=_deltas(holding, found, sign) if amount > 0 else (),
    )


def _none(seed: int, reason: str) -> TimeValue:
    return TimeValue(0.0, 0.0, 0.0, 0.0, 0.0, 0, seed, (), reason)


def _deltas(
    holding: StructureHolding, found: SimulatedValue, sign: float
) -> tuple[SimulatedDelta, ...]:
    hedge, roles = found.hedge, type(holding.leg.terms).roles
    assert hedge.error is not None, "it is simulated"
    return tuple(
        SimulatedDelta(roles[n], month, sign * float(delta), float(error))
        for n in range(len(holding.contracts))
        for month, delta, error in zip(hedge.months, hedge.delta[n], hedge.error[n], strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """The open part of a contract: (interval,) from its first open one on, and how to simulate."""

    choices: Choices
    models: PriceModels
    first: int
    curves: Floats  # (role, interval)
    factor: Floats

    @classmethod
    def of(cls, choices: Choices, models: PriceModels) -> _Open:
        k = choices.chosen
        return cls(choices, models, k, choices.prices[:, k:], choices.factor[k:])

    @property
    def dates(self) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
        return self.choices.dates[self.first :]

    def response(self, role: int) -> SpotResponse:
        model = self.models.models[role]
        normal = isinstance(model, MeanRevertingSpot) and not model.is_lognormal
        return SpotResponse.PARALLEL if normal else SpotResponse.PROPORTIONAL

    def both(self, moves: int) -> tuple[tuple[Paths, ...], tuple[Paths, ...], int]:
        """
        Return the paths of each role to fit on and to earn on, and the seed of the latter.

        moves   of one scenario: the more, the fewer scenarios

        :raises PlanRefused: for more than can be simulated.
        """
        if moves * FEWEST_PATHS > _MOST_MOVES:
            raise PlanRefused("it has too many open intervals and states to be simulated.")
        most = min(_PRICES // self.curves.shape[1], _MOVES // max(moves, 1), MOST_PATHS)
        scenarios = max(most, FEWEST_PATHS) // 2 * 2
        times = (self.choices.bounds[self.first : -1] - self.choices.at) / YEAR
        fit, paths = (
            simulate_together(
                self.models.models, times=times, curves=list(self.curves),
                correlation=self.models.correlation, scenarios=scenarios,
                generator=np.random.default_rng(seed),
            )
            for seed in ([self.models.seed, 1], self.models.seed)
        )  # fmt: skip
        return fit, paths, self.models.seed


def _storage(part: _Open) -> SimulatedValue:
    said = part.choices.said(0.0)
    level = float(part.choices.leg.terms.start_inventory) - float(said.sum())  # type: ignore[union-attr]
    store = storage_terms(part.choices.leg, part.dates, level)
    (fit,), (paths,), seed = part.both(len(part.dates) * _LEVELS * 20)
    return storage_extrinsic(
        store, part.curves[0], fit=fit, paths=paths, response=part.response(0),
        discount=part.factor, levels=_LEVELS, seed=seed,
    )  # fmt: skip


def _swing(part: _Open) -> SimulatedValue:
    """Take the least or the most each day: lots of their difference on top of the least."""
    terms = part.choices.leg.terms
    assert isinstance(terms, SwingTerms)
    swing, base = _whole_days(part, terms)
    (fit,), (paths,), seed = part.both(swing_network(swing).moves)
    found = swing_extrinsic(
        swing, part.curves[0], fit=fit, paths=paths, response=part.response(0),
        discount=part.factor, seed=seed,
    )  # fmt: skip
    if not base:
        return found
    # What must be taken in any case is a forward: worth its curve, hedged by itself.
    months = np.searchsorted(found.hedge.months, part.dates.astype("datetime64[M]"))
    held = base * np.bincount(months, part.factor, len(found.hedge.months))
    always = base * float((part.factor * (part.curves[0] - float(terms.strike))).sum())
    return replace(
        found,
        estimate=replace(found.estimate, value=found.estimate.value + always),
        in_sample=found.in_sample + always,
        hedge=replace(found.hedge, delta=found.hedge.delta + held),
    )


def _whole_days(part: _Open, terms: SwingTerms) -> tuple[Swing, float]:
    """
    Return the open days with lots of most − least on top of the least, and this least.

    Limits are rounded to what such lots can keep, so that its value is one of a plan that the
    contract allows.

    :raises PlanRefused: without a choice, or with a balance of contract years that have ended.
    """
    low, high = float(terms.daily_minimum), part.choices.most
    lot = high - low
    if lot <= 0:
        raise PlanRefused("there is nothing to choose: the least of a day is the most.")
    every = np.full(len(part.dates), 0.0)
    whole = swing_terms(part.choices.leg, part.choices.dates, np.full(len(part.choices.dates), low),
                        np.full(len(part.choices.dates), high))  # fmt: skip
    begins = [np.datetime64(first, "D") for first in part.choices.leg.contract_years]
    current = int(np.searchsorted(np.array(begins), part.dates[0], side="right")) - 1
    if current and (terms.make_up or terms.carry_forward):
        raise PlanRefused("a balance of contract years that have ended is not simulated.")
    said, dates = part.choices.said(low), part.choices.dates[: part.first]
    taken = float(said[dates >= begins[current]].sum())
    years = []
    for n, year in enumerate(whole.years[current:]):
        ends = begins[current + n + 1] if current + n + 1 < len(begins) else None
        days = part.dates >= begins[current + n]
        days &= True if ends is None else part.dates < ends
        used = (taken if n == 0 else 0.0) + low * float(days.sum())
        most = np.floor((year.annual_max - used) / lot + 1e-9)
        least = np.ceil((year.take_or_pay - used) / lot - 1e-9)
        years.append(
            replace(
                year, first_date=max(year.first_date, part.dates[0]), annual_max=lot * max(most, 0),
                take_or_pay=lot * max(least, 0),
            )
        )  # fmt: skip
    swing = Swing(
        dates=part.dates, strike=float(terms.strike), lot=lot, max_quantity=every + lot,
        min_quantity=every, years=tuple(years),
        make_up_limit=lot * np.floor(whole.make_up_limit / lot + 1e-9),
        carry_forward_limit=lot * np.floor(whole.carry_forward_limit / lot + 1e-9),
    )  # fmt: skip
    return swing, low


def _tolling(part: _Open) -> SimulatedValue:
    plant = plant_terms(part.choices.leg, part.dates, plant_state(part.choices.said(0.0)))
    moves = plant_network(plant, np.asarray(plant.output_mw)).moves
    fit, paths, seed = part.both(moves)
    carbon = part.curves[2] if len(part.curves) > 2 else 0.0
    last = len(part.curves) - 1
    responses = part.response(0), part.response(1), part.response(min(2, last))
    return plant_extrinsic(
        plant, part.curves[0], part.curves[1], carbon=carbon, fit=PlantPaths(*fit),
        paths=PlantPaths(*paths), discount=part.factor, responses=responses, seed=seed,
    )  # fmt: skip


def _battery(part: _Open) -> SimulatedValue:
    terms = part.choices.leg.terms
    assert isinstance(terms, BatteryTerms)
    stored = float(battery_levels(terms, part.choices.said(0.0))[-1])
    battery = battery_terms(part.choices.leg, part.dates, stored)
    levels = _LIMITED_LEVELS if terms.daily_cycles else _BATTERY_LEVELS
    (fit,), (paths,), seed = part.both(battery_network(battery, levels).moves)
    return battery_extrinsic(
        battery, part.curves[0], fit=fit, paths=paths, response=part.response(0),
        discount=part.factor, levels=levels, seed=seed,
    )  # fmt: skip


_SIMULATED: Mapping[StructureKind, Callable[[_Open], SimulatedValue]] = {
    StructureKind.SWING: _swing,
    StructureKind.STORAGE: _storage,
    StructureKind.TOLLING: _tolling,
    StructureKind.BATTERY_TOLLING: _battery,
}
# A transmission option has its time value by formula.
SIMULATED = frozenset(_SIMULATED)
