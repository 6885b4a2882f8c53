"""
Contracts with choices in a state of the market: what was chosen, and the best of what is open.

Intervals are delivery days, or hours of what has a power. An interval whose day has begun, or that
was nominated without a gap up to it, is chosen; the rest goes where it earns most at the marks
(`_structure_plans`). Delivered intervals count at their fixings, as every delivery does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trading.deals import Structure
from trading.pricing import PricingError
from trading.valuation._market import (
    NO_FIXINGS,
    Contract,
    Floats,
    MarketState,
    Seconds,
    interval_fixings,
)
from trading.valuation._optionlets import YEAR
from trading.valuation._structure_plans import Choices, Plan, PlanRefused, plan_of

Dates = npt.NDArray[np.datetime64]
_HOUR = 3600


@dataclass(frozen=True, slots=True, eq=False)
class StructureHolding:
    """
    One contract with choices that a line holds or has granted.

    line        position in the list of lines
    dates       (interval,), local delivery day of each
    bounds      (interval + 1,), seconds, whole hours: they tile the delivery
    payment     (interval,), seconds: when what is delivered then is paid
    contracts   by role of the leg's terms: positions of hourly contracts that tile the delivery
    hours       (interval,), of the leg's shape
    nominated   (interval,), MW or units a day: taken, withdrawn or made +, injected or charged −;
                NaN where nothing was said
    """

    line: int
    leg: Structure
    dates: Dates
    bounds: Seconds
    payment: Seconds
    contracts: tuple[tuple[int, ...], ...]
    hours: Floats
    nominated: Floats

    def begun(self, at: int) -> int:
        """Return how many intervals can no longer be chosen: their delivery day has begun."""
        days, first = np.unique(self.dates, return_index=True)
        closed = int(np.searchsorted(self.bounds[first], at, side="right"))
        return len(self.dates) if closed == len(days) else int(first[closed])

    def chosen(self, at: int) -> int:
        """Return how many intervals are begun, or nominated in one run from there."""
        begun = self.begun(at)
        silent = np.flatnonzero(np.isnan(self.nominated[begun:]))
        return begun + (int(silent[0]) if silent.size else len(self.dates) - begun)


@dataclass(frozen=True, slots=True, eq=False)
class StructureMarket:
    """
    What a holding is valued on beside prices.

    rate        (interval,), continuous, to its payment; 0 where nothing is discounted
    volatility  (interval,) normal, of the spread of a transmission right, per √year; or (3,
                interval) lognormal of source and sink, with their correlation; NaN without a model
    model       id of the model that says so
    """

    rate: Floats
    volatility: Floats | None = None
    model: int | None = None


@dataclass(frozen=True, slots=True)
class HedgeMonth:
    """What the value moves by with the price of a role's delivery month; our side, discounted."""

    role: str
    month: np.datetime64
    delta: float
    gamma: float
    vega: float


@dataclass(frozen=True, slots=True, eq=False)
class StructureValue:
    """
    What a holding is worth; money is our side, quantities are the holder's.

    realised, unrealised    currency, of what is delivered and of what is to come
    time_value  of the latter, above what it would be if all forwards came true
    gap         how much more a plan could be worth; 0 where the optimum is proven
    chosen      intervals that are no longer open
    quantity    (interval,), + taken, withdrawn or made, − injected or charged
    level       (interval + 1,), what is in store; None of what stores nothing
    prices      (role, interval)
    cash        (interval,), ours, discounted
    reason      why there is no value; then the numbers are zero
    """

    realised: float
    unrealised: float
    time_value: float
    method: str
    gap: float
    chosen: int
    quantity: Floats
    level: Floats | None
    prices: Floats
    cash: Floats
    hedge: tuple[HedgeMonth, ...]
    reason: str = ""

    @property
    def total(self) -> float:
        return self.realised + self.unrealised


@dataclass(frozen=True, slots=True, eq=False)
class StructuresValued:
    """The values of some holdings, and their sums by line."""

    values: tuple[StructureValue, ...]
    total: Floats
    realised: Floats
    missing: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StructureHoldings:
    """Holdings of lines; what a state gave is kept, because an explain asks for it again."""

    lines: int
    held: tuple[StructureHolding, ...]
    _known: dict[tuple[int, bytes], StructureValue] = field(
        init=False, repr=False, default_factory=dict
    )

    def value(
        self,
        contracts: Sequence[Contract],
        state: MarketState,
        markets: Sequence[StructureMarket],
    ) -> StructuresValued:
        """Value each holding in a state of the market."""
        values = []
        for n, (holding, market) in enumerate(zip(self.held, markets, strict=True)):
            prices = interval_prices(contracts, holding, state)
            vols = b"" if market.volatility is None else market.volatility.tobytes()
            key = (n, b"|".join((str(state.at).encode(), prices.tobytes(), vols,
                                 market.rate.tobytes())))  # fmt: skip
            if key not in self._known:
                self._known[key] = value_structure(holding, prices, state.at, market)
            values.append(self._known[key])
        line = np.array([one.line for one in self.held], dtype=np.int64)
        total, realised = (
            np.bincount(line, np.array(row, dtype=np.float64), self.lines).astype(np.float64)
            for row in ([v.total for v in values], [v.realised for v in values])
        )
        missing = np.zeros(self.lines, dtype=np.bool_)
        missing[line[np.array([bool(v.reason) for v in values], dtype=np.bool_)]] = True
        return StructuresValued(tuple(values), total, realised, missing)


def interval_prices(
    contracts: Sequence[Contract], holding: StructureHolding, state: MarketState
) -> Floats:
    """
    Return the price of each role and interval: hours at their fixing, else at the mark; (role, n).

    An interval has the mean of its hours, and NaN where one of them has no price.
    """
    found = np.full((len(holding.contracts), len(holding.dates)), np.nan)
    for n, positions in enumerate(holding.contracts):
        hourly = np.concatenate([_hourly(contracts[at], at, state) for at in positions])
        begins = (holding.bounds - holding.bounds[0]) // _HOUR
        found[n] = np.add.reduceat(hourly, begins[:-1]) / np.diff(begins)
    return found


def _hourly(contract: Contract, position: int, state: MarketState) -> Floats:
    series = state.fixings.get(contract.market, NO_FIXINGS).until(state.fixed_until)
    fixings = interval_fixings(contract, series)
    curve = state.fine.get(position)
    if curve is None:
        curve = np.full(fixings.size, state.marks[position])
    return np.where(np.isnan(fixings), curve, fixings)


def value_structure(
    holding: StructureHolding, prices: Floats, at: int, market: StructureMarket
) -> StructureValue:
    """
    Value what was chosen and the best of what is open, discounted where there are rates.

    prices      (role, interval), currency per unit, as `interval_prices` gives them
    at          seconds: parts what is delivered from what is to come
    """
    choices = choices_of(holding, prices, at, market)
    chosen = choices.chosen
    lengths = np.diff(holding.bounds)
    ahead = np.clip((holding.bounds[1:] - at) / lengths, 0.0, 1.0)
    try:
        plan = plan_of(choices)
    except (PlanRefused, PricingError) as error:
        return _refused(holding, prices, chosen, str(error))
    sign = float(holding.leg.direction.sign)
    cash = sign * plan.cash
    realised = float((cash * (1.0 - ahead)).sum())
    total = float(cash.sum())
    return StructureValue(
        realised=realised,
        unrealised=total - realised,
        time_value=sign * float((plan.time_value * ahead).sum()),
        method=plan.method,
        gap=plan.gap,
        chosen=chosen,
        quantity=plan.quantity,
        level=plan.level,
        prices=prices,
        cash=cash,
        hedge=tuple(_hedge(holding, plan, sign * ahead)),
    )


def choices_of(
    holding: StructureHolding, prices: Floats, at: int, market: StructureMarket
) -> Choices:
    """Return a holding as it stands at a time, with prices by role and interval."""
    years = np.maximum(holding.payment - at, 0) / YEAR
    factor = np.exp(-np.where(years > 0, market.rate, 0.0) * years)
    return Choices(
        leg=holding.leg, dates=holding.dates, bounds=holding.bounds, hours=holding.hours,
        nominated=holding.nominated, chosen=holding.chosen(at), prices=prices, factor=factor,
        at=at, volatility=market.volatility,
    )  # fmt: skip


def _hedge(holding: StructureHolding, plan: Plan, weight: Floats) -> list[HedgeMonth]:
    found = []
    months, month = np.unique(holding.dates.astype("datetime64[M]"), return_inverse=True)
    roles = type(holding.leg.terms).roles
    for n in range(len(plan.delta)):
        rows = [np.bincount(month, row * weight, len(months))
                for row in (plan.delta[n], plan.gamma[n], plan.vega[n])]  # fmt: skip
        for at, first in enumerate(months):
            if any(row[at] for row in rows):
                delta, gamma, vega = (float(row[at]) for row in rows)
                found.append(HedgeMonth(roles[n], first, delta, gamma, vega))
    return found


def _refused(holding: StructureHolding, prices: Floats, chosen: int, reason: str) -> StructureValue:
    nothing = np.zeros(len(holding.dates))
    return StructureValue(
        0.0, 0.0, 0.0, "", 0.0, chosen, nothing, None, prices, nothing, (), reason
    )


@dataclass(frozen=True, slots=True, eq=False)
class StructureDay:
    """
    A day's contracts with choices and what they are valued on beside prices.

    later       the same of the day that is explained towards, of these holdings
    """

    holdings: StructureHoldings
    markets: tuple[StructureMarket, ...]
    later: tuple[StructureMarket, ...] = ()
