"""Why the value of trades changed between two days: full revaluation, one thing after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.valuation._bounds import (
    BoundHoldings,
    BoundMarket,
    Bounds,
    value_bounds,
)
from trading.valuation._cents import Cents, ValuationError, cents
from trading.valuation._holdings import Holdings, Valued, value_holdings
from trading.valuation._market import Contract, Floats, MarketState
from trading.valuation._optionlets import (
    OptionHoldings,
    Optionlets,
    OptionMarket,
    value_options,
)
from trading.valuation._structures import StructureDay


class StepKind(StrEnum):
    """What changed in a step, in the order of the steps."""

    TIME = "TIME"
    PRICE = "PRICE"
    INTEREST = "INTEREST"
    VOL = "VOL"
    TIME_VALUE = "TIME_VALUE"
    FX = "FX"
    FIXING = "FIXING"
    VOLUME = "VOLUME"
    EXERCISE = "EXERCISE"
    NEW = "NEW"
    AMENDMENT = "AMENDMENT"
    FEES = "FEES"
    RESIDUAL = "RESIDUAL"


@dataclass(frozen=True, slots=True, eq=False)
class OptionDay:
    """A day's options: rights that both days share, what is held of them, and their market."""

    optionlets: Optionlets
    holdings: OptionHoldings
    market: OptionMarket


@dataclass(frozen=True, slots=True, eq=False)
class BoundDay:
    """A day's floors and caps of profiles: those that both days share, holdings and market."""

    bounds: Bounds
    holdings: BoundHoldings
    market: BoundMarket


@dataclass(frozen=True, slots=True, eq=False)
class MeteredHoldings:
    """What is held, with other volumes; rights are None where their volumes are the same."""

    holdings: Holdings
    options: OptionHoldings | None = None
    bounds: BoundHoldings | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """
    What became of options between the days: exercised, fixed and paid, or lapsed.

    options     the holdings before, volumes as metered, without the rights that were decided
    bounds      likewise
    cash        shape (lines,), what that paid us, received +; a part of the later day's fees
    made        shape (lines,), True where an exercise made the line's trade
    """

    options: OptionHoldings
    bounds: BoundHoldings
    cash: Floats
    made: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DayState:
    """
    All that a day's values depend on.

    holdings    of lines and contracts that both days share
    fees        shape (lines,), our cash so far, paid −, in the line's currency
    rates       shape (lines,), reporting currency per unit of the line's; NaN where unknown
    held        shape (lines,), True where the line's trade was there
    options     of both days, or None of both; bounds and structures likewise
    simulated   shape (lines,), what a simulation found of choices beyond their plan, as it was
                stored: a step of its own takes one day's to the other's. None of neither day
    """

    holdings: Holdings
    market: MarketState
    fees: Floats
    rates: Floats
    held: npt.NDArray[np.bool_]
    options: OptionDay | None = None
    structures: StructureDay | None = None
    bounds: BoundDay | None = None
    simulated: Floats | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step; of a price step the market whose curve moved."""

    kind: StepKind
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """
    What each step added to each line, whole cents, shape (steps, lines); columns sum exactly.

    native      in the line's currency; realised is the part of it that is not in the future
    reporting   in the reporting currency
    opening, closing    value of each line in both, shape (lines,)
    """

    steps: tuple[StepRow, ...]
    native: Cents
    realised: Cents
    reporting: Cents
    opening: Cents
    closing: Cents
    opening_reporting: Cents
    closing_reporting: Cents


def waterfall(
    contracts: Sequence[Contract],
    before: DayState,
    after: DayState,
    *,
    metered: MeteredHoldings | None = None,
    decided: Decisions | None = None,
) -> Explained:
    """
    Explain the change of value of each line from one day to the next.

    In order: time passes on yesterday's curves and fixings; each market's curve moves, by code; of
    options interest rates and then volatilities, correlations and models; the simulated time value
    of choices that were held, not simulated again; exchange rates; what was delivered is fixed;
    then, on today's market, what was metered of yesterday's holdings, new trades, changed terms and
    fees. Time keeps each payment's zero rate; prices move while each right keeps its volatility
    (sticky strike).

    Native amounts up to the exchange rates are converted at yesterday's rate, those after at
    today's, and the rate's own step is the value then × its change. Each line is rounded to the
    cent after each step and steps are differences of these, so they sum exactly.

    metered     the holdings before, with only their volumes as they were metered since; None if
                nothing was
    decided     None where there was nothing before

    :raises ValuationError: if both days are not of the same lines, or time runs backward.
    """
    held = before.holdings if metered is None else metered.holdings
    if not before.holdings.lines == held.lines == after.holdings.lines:
        raise ValuationError("lines: both days need the same.")
    if after.market.at < before.market.at:
        raise ValuationError("after: its time is before the other's.")
    if (before.options is None) != (after.options is None):
        raise ValuationError("options: both days have them, or neither.")
    if (before.structures is None) != (after.structures is None):
        raise ValuationError("structures: both days have them, or neither.")
    if (before.simulated is None) != (after.simulated is None):
        raise ValuationError("simulated: both days have it, or neither.")
    if (before.bounds is None) != (after.bounds is None):
        raise ValuationError("bounds: both days have them, or neither.")
    rights = _Rights(contracts, before, after)
    opened = rights.beside(value_holdings(contracts, before.holdings, before.market))
    aged_market = replace(before.market, at=after.market.at)
    aged = value_holdings(contracts, before.holdings, aged_market)
    moved_market = replace(aged_market, marks=after.market.marks, fine=after.market.fine)
    moved = value_holdings(contracts, before.holdings, moved_market)
    rights.state = aged_market
    walked = [(StepRow(StepKind.TIME), rights.beside(aged))]
    markets = np.array([contract.market for contract in contracts])
    at = aged
    for code in sorted(set(markets.tolist())):
        at = _with_market(at, moved, markets == code)
        rights.move(markets == code)
        walked.append((StepRow(StepKind.PRICE, code), rights.beside(at)))
    if any(day is not None for day in (after.options, after.bounds, after.structures)):
        rights.charge()
        walked.append((StepRow(StepKind.INTEREST), rights.beside(at)))
        rights.imply()
        walked.append((StepRow(StepKind.VOL), rights.beside(at)))
    if after.simulated is not None:
        walked.append((StepRow(StepKind.TIME_VALUE), walked[-1][1]))
    rights.state = after.market
    linear = value_holdings(contracts, before.holdings, after.market)
    fixed = rights.beside(linear)
    if metered is not None:
        linear = value_holdings(contracts, metered.holdings, after.market)
        rights.meter(metered)
    volumes = rights.beside(linear)
    rights.decide(decided)
    exercised = rights.beside(linear)
    rights.close()
    closed = rights.beside(value_holdings(contracts, after.holdings, after.market))
    steps = [step for step, _ in walked]
    passed = [opened, *(worth for _, worth in walked)]
    passed += [passed[-1], fixed, volumes, exercised, closed, closed]
    native, of_realised = ([worth[n] for worth in passed] for n in (0, 1))
    if before.simulated is not None and after.simulated is not None:
        # What was not held before comes with its trade; what is held moves in its step.
        moved_on = np.where(before.held, after.simulated, 0.0)
        first = len(walked)
        more = [before.simulated] * first + [moved_on] * (len(native) - 2 - first)
        more += [after.simulated] * 2
        native = [worth + part for worth, part in zip(native, more, strict=True)]
    steps += [StepRow(StepKind.FX), StepRow(StepKind.FIXING), StepRow(StepKind.VOLUME)]
    steps += [StepRow(StepKind.EXERCISE), StepRow(StepKind.AMENDMENT), StepRow(StepKind.FEES)]
    paid = before.fees if decided is None else before.fees + decided.cash
    fees = [before.fees] * (len(native) - 3) + [paid, paid, after.fees]
    rates = [before.rates] * (len(steps) - 5) + [after.rates] * 6
    if np.isnan(before.rates[before.held]).any() or np.isnan(after.rates[after.held]).any():
        raise ValuationError("rates: each line that is held needs one.")
    nets = np.array([cents(value + fee) for value, fee in zip(native, fees, strict=True)])
    parts = np.array([cents(value + fee) for value, fee in zip(of_realised, fees, strict=True)])
    shown = np.array(
        [
            cents((value + fee) * np.where(np.isnan(rate), 0.0, rate))
            for value, fee, rate in zip(native, fees, rates, strict=True)
        ]
    )
    return _split_new(
        Explained(
            steps=tuple(steps),
            native=np.diff(nets, axis=0),
            realised=np.diff(parts, axis=0),
            reporting=np.diff(shown, axis=0),
            opening=nets[0],
            closing=nets[-1],
            opening_reporting=shown[0],
            closing_reporting=shown[-1],
        ),
        before.held,
        np.zeros_like(before.held) if decided is None else decided.made,
    )


class _Rights:
    """Options, bounds and structures beside the linear values: whose, in which state."""

    def __init__(self, contracts: Sequence[Contract], before: DayState, after: DayState) -> None:
        self.contracts, self.after = contracts, after
        self.options, self.bounds = before.options, before.bounds
        self.delivers = np.zeros(0, dtype=np.bool_)
        if self.options is not None:
            rights = self.options.optionlets
            self.delivers = rights.delivers
            gone = rights.delivers & (before.market.at >= rights.expiry)
            self.options = replace(self.options, optionlets=replace(rights, delivers=gone))
        self.structures = before.structures
        self.state = before.market

    def beside(self, linear: Valued) -> tuple[Floats, Floats]:
        """Return the total and the realised value of each line, rights included."""
        total, realised = linear.total, linear.by_line(linear.realised)
        if self.options is not None:
            day = self.options
            found = value_options(
                self.contracts, day.optionlets, day.holdings, self.state, day.market
            )
            # The payoff of what delivers is never realised here: its trade is still to come.
            coming = self.delivers[day.holdings.optionlet]
            total = total + found.total
            realised = realised + found.by_line(np.where(coming, 0.0, found.realised))
        if self.bounds is not None:
            held = self.bounds
            worth = value_bounds(
                self.contracts, held.bounds, held.holdings, self.state, held.market
            )
            total, realised = total + worth.total, realised + worth.by_line(worth.realised)
        if self.structures is not None:
            chosen = self.structures.holdings.value(
                self.contracts, self.state, self.structures.markets
            )
            total, realised = total + chosen.total, realised + chosen.realised
        return total, realised

    def move(self, contracts: npt.NDArray[np.bool_]) -> None:
        """Take some contracts to the prices of the later day."""
        marks = np.where(contracts, self.after.market.marks, self.state.marks)
        chosen = set(np.flatnonzero(contracts).tolist())
        fine = {n: row for n, row in self.state.fine.items() if n not in chosen}
        fine |= {n: row for n, row in self.after.market.fine.items() if n in chosen}
        self.state = replace(self.state, marks=marks, fine=fine)
        if self.options is not None and self.after.options is not None:
            day, later = self.options, self.after.options.market
            rows = contracts[day.optionlets.row_contract]
            settled = np.where(rows, later.settled, day.market.settled)
            self.options = replace(day, market=replace(day.market, settled=settled))

    def charge(self) -> None:
        """Take interest rates to the later day; a payment made by then has none."""
        if self.options is not None and self.after.options is not None:
            market = self.options.market
            later = self.after.options.market
            rate, early = _later(market.rate, later.rate), market.early_rate
            if early is not None and later.early_rate is not None:
                early = _later(early, later.early_rate)
            charged = replace(market, rate=rate, early_rate=early)
            self.options = replace(self.options, market=charged)
        if self.bounds is not None and self.after.bounds is not None:
            quoted = self.bounds.market
            rate = _later(quoted.rate, self.after.bounds.market.rate)
            self.bounds = replace(self.bounds, market=replace(quoted, rate=rate))
        self._restate("rate")

    def imply(self) -> None:
        """Take volatilities, correlations and models to the later day."""
        if self.options is not None and self.after.options is not None:
            self.options = replace(self.options, market=self.after.options.market)
        if self.bounds is not None and self.after.bounds is not None:
            self.bounds = replace(self.bounds, market=self.after.bounds.market)
        self._restate("volatility")

    def meter(self, metered: MeteredHoldings) -> None:
        """Take volumes to what was metered."""
        if self.options is not None and metered.options is not None:
            self.options = replace(self.options, holdings=metered.options)
        if self.bounds is not None and metered.bounds is not None:
            self.bounds = replace(self.bounds, holdings=metered.bounds)

    def decide(self, decided: Decisions | None) -> None:
        """Take out what was decided; what delivers and has expired is nothing from here on."""
        if self.options is not None:
            rights = replace(self.options.optionlets, delivers=self.delivers)
            held = self.options.holdings if decided is None else decided.options
            self.options = replace(self.options, optionlets=rights, holdings=held)
        if self.bounds is not None and decided is not None:
            self.bounds = replace(self.bounds, holdings=decided.bounds)

    def close(self) -> None:
        """Take what is held to the later day."""
        if self.options is not None and self.after.options is not None:
            self.options = replace(self.options, holdings=self.after.options.holdings)
        if self.bounds is not None and self.after.bounds is not None:
            self.bounds = replace(self.bounds, holdings=self.after.bounds.holdings)
        self.structures = self.after.structures

    def _restate(self, name: str) -> None:
        if self.structures is not None:
            both = zip(self.structures.markets, self.structures.later, strict=True)
            markets = tuple(replace(one, **{name: getattr(later, name)}) for one, later in both)
            self.structures = replace(self.structures, markets=markets)


def _later(rate: Floats, later: Floats) -> Floats:
    found: Floats = np.where(np.isnan(later), rate, later)
    return found


def _with_market(at: Valued, moved: Valued, chosen: npt.NDArray[np.bool_]) -> Valued:
    """Return values with the contracts of some markets on the moved curves."""
    rows = chosen[at.contract]
    return replace(
        at,
        realised=np.where(rows, moved.realised, at.realised),
        unrealised=np.where(rows, moved.unrealised, at.unrealised),
        missing=np.where(rows, moved.missing, at.missing),
    )


def _split_new(
    explained: Explained, held: npt.NDArray[np.bool_], made: npt.NDArray[np.bool_]
) -> Explained:
    """
    Move what lines that were not there before added out of the amendments.

    What an exercise made comes in with the exercise.
    """
    position = explained.steps.index(StepRow(StepKind.AMENDMENT))

    def split(rows: Cents) -> Cents:
        changed = rows[position]
        come = np.where(made & ~held, changed, 0)
        new, amended = np.where(held | made, 0, changed), np.where(held, changed, 0)
        exercised = rows[position - 1] + come
        return np.concatenate(
            (rows[: position - 1], [exercised, new, amended], rows[position + 1 :])
        )

    steps = explained.steps
    return replace(
        explained,
        steps=(*steps[:position], StepRow(StepKind.NEW), *steps[position:]),
        native=split(explained.native),
        realised=split(explained.realised),
        reporting=split(explained.reporting),
    )
