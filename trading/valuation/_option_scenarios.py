"""
What options gain in scenarios of their prices, each revalued by its own formula.

A right keeps its volatility in every scenario: that of its strike, as it was read at today's
forward (sticky strike); what scenarios add to it comes on top. Axis order: right, scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.pricing import (
    ModelChoice,
    OptionRows,
    PriceModel,
    bachelier,
    price_average_option,
    spread_option,
    value_in_scenarios,
)
from trading.valuation._market import Contract, Floats, MarketState
from trading.valuation._optionlets import (
    BACHELIER,
    YEAR,
    EarlyDates,
    Flags,
    Indices,
    Optionlets,
    OptionMarket,
    Sides,
    optionlet_prices,
    sides_of,
    slots_of,
    words_of,
)

# Prices at which what an early exercise adds is computed in full; others lie between them.
EARLY_NODES = 9
# Of the average options that are valued together: rights × scenarios × fixings at a time.
_MOST_FIXINGS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class OptionScenarios:
    """
    What one unit of each right, bought, is worth and gains.

    price       shape (rights,), currency/unit, discounted, as `optionlet_prices` has it
    change      shape (rights, scenarios): price in the scenario less price; zero where it is not
                priced or decided
    priced      as `optionlet_prices` has it
    error       shape (rights,), currency/unit: measured of what is not revalued in full, else 0
    payoffs     shape (rights,): in how many scenarios a price is not above zero, where a formula
                without a logarithm has its limit: the payoff counts
    """

    price: Floats
    change: Floats
    priced: Flags
    error: Floats
    payoffs: Indices


def options_in_scenarios(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    state: MarketState,
    market: OptionMarket,
    moves: Floats,
    volatility_moves: Floats | None = None,
) -> OptionScenarios:
    """
    Revalue each right in every scenario, at the time of the state.

    European rights and averages by their formulas, decided fixings kept. An American or Bermudan
    is its European in each scenario and what early exercise adds to that, interpolated over
    prices; the difference of two averages moves by delta and gamma. Of both the error is measured
    against the full formula.

    moves               shape (contracts, scenarios): what scenarios add to each mark
    volatility_moves    shape (2, rights, scenarios): what they add to each side's volatility, of
                        the formula's kind; None: nothing
    """
    found = optionlet_prices(contracts, optionlets, state, market)
    count, scenarios = len(optionlets), moves.shape[1]
    result = OptionScenarios(
        found.price, np.zeros((count, scenarios)), found.priced, np.zeros(count),
        np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    if not count:
        return result
    still = ~np.isfinite(market.settled) * optionlets.row_factor
    one = _Revaluation(
        contracts, optionlets, state, market, moves, volatility_moves, result,
        sides_of(contracts, optionlets, state, market),
        moves[optionlets.row_contract] * still[:, None],
    )  # fmt: skip
    alive = found.priced & ((state.at < optionlets.expiry) | optionlets.averages)
    spread, average = optionlets.spreads, optionlets.averages
    has_choice = np.zeros(count, dtype=np.bool_)
    if optionlets.early is not None:
        has_choice[optionlets.early.optionlet] = True
    one.singles(np.flatnonzero(alive & ~spread & ~average), found.annuity)
    one.spreads(np.flatnonzero(alive & spread & ~average), found.annuity)
    one.averages(np.flatnonzero(alive & average & ~spread), found.annuity)
    one.early(np.flatnonzero(alive & has_choice))
    one.by_greeks(
        np.flatnonzero(alive & average & spread), found.row_delta, found.row_gamma, found.vega
    )
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Revaluation:
    """
    row_moves   shape (rows, scenarios): what is added to each row's price, per the right's unit
    """

    contracts: Sequence[Contract]
    optionlets: Optionlets
    state: MarketState
    market: OptionMarket
    moves: Floats
    volatility_moves: Floats | None
    result: OptionScenarios
    sides: Sides
    row_moves: Floats

    def forwards(self, rights: Indices, side: int) -> Floats:
        """Return the price of a side of some rights: today's, then that of each scenario."""
        sides, optionlets = self.sides, self.optionlets
        place = np.full(len(optionlets), -1, dtype=np.int64)
        place[rights] = np.arange(rights.size)
        rows = np.flatnonzero(
            (place[optionlets.row_optionlet] >= 0) & (optionlets.row_side == side)
        )
        moved = np.zeros((rights.size, 1 + self.moves.shape[1]))
        added = self.row_moves[rows] * sides.weights[rows, None]
        np.add.at(moved[:, 1:], place[optionlets.row_optionlet[rows]], added)
        moved /= np.where(sides.sums[side] != 0, sides.sums[side], 1.0)[rights, None]
        found: Floats = moved + sides.forward[side, rights, None]
        return found

    def volatilities(self, rights: Indices, side: int) -> Floats:
        """Return the volatility of a side of some rights, as `forwards`."""
        held = self.market.volatility[side, rights, None]
        found = np.repeat(held, 1 + self.moves.shape[1], axis=1)
        if self.volatility_moves is not None:
            found[:, 1:] += self.volatility_moves[side, rights]
        return np.maximum(found, 0.0)

    def years(self, rights: Indices) -> Floats:
        found: Floats = np.maximum(self.optionlets.expiry[rights] - self.state.at, 0) / YEAR
        return found

    def put(self, rights: Indices, worth: Floats) -> None:
        """Keep what values gain over that of today, which is the first of each."""
        self.result.change[rights] += worth[:, 1:] - worth[:, :1]

    def pay_off(self, rights: Indices, price: Floats, bad: Flags, worth: Floats) -> None:
        """Put the payoff where a price has no logarithm, and count the scenarios."""
        gain = self.optionlets.sign[rights, None] * (price - self.optionlets.strike[rights, None])
        worth[bad] = np.maximum(gain, 0.0)[bad]
        self.result.payoffs[rights] += bad[:, 1:].sum(axis=1)

    def groups(self, rights: Indices) -> Iterator[tuple[str, float, Indices]]:
        """Return some rights by formula and displacement."""
        formula, shift = self.market.formula[rights], self.market.displacement[rights]
        for name, shifted in sorted(set(zip(formula.tolist(), shift.tolist(), strict=True))):
            yield name, shifted, rights[(formula == name) & (shift == shifted)]

    def singles(self, rights: Indices, annuity: Floats) -> None:
        """Revalue rights on one forward as Europeans."""
        for name, shift, chosen in self.groups(rights):
            price, sigma = self.forwards(chosen, 0), self.volatilities(chosen, 0)
            bad = np.zeros(price.shape, dtype=np.bool_)
            if name != BACHELIER:
                bad = price + shift <= 0
            at = np.arange(chosen.size)
            rows = OptionRows(
                ModelChoice(PriceModel(name), shift), node=at, volatility_node=at,
                strike=self.optionlets.strike[chosen], years=self.years(chosen),
                amount=np.ones(chosen.size), option=words_of(self.optionlets.sign[chosen]),
            )  # fmt: skip
            _, worth = value_in_scenarios(rows, np.where(bad, 1.0 - shift, price), sigma, each=True)
            self.pay_off(chosen, price, bad, worth)
            self.put(chosen, worth * annuity[chosen, None])

    def spreads(self, rights: Indices, annuity: Floats) -> None:
        """Revalue Europeans on the difference of two forwards."""
        factor = self.optionlets.side_factor
        for name, shift, chosen in self.groups(rights):
            first, second = self.forwards(chosen, 0), self.forwards(chosen, 1)
            a, b = self.volatilities(chosen, 0), self.volatilities(chosen, 1)
            rho = self.market.correlation[chosen, None]
            terms: dict[str, Any] = {
                "strike": self.optionlets.strike[chosen, None],
                "expiry": self.years(chosen)[:, None],
                "option": words_of(self.optionlets.sign[chosen])[:, None],
            }  # fmt: skip
            if name == BACHELIER:
                sigma = np.sqrt(np.maximum(a * a - 2 * rho * a * b + b * b, 0.0))
                worth = bachelier(forward=first - second, volatility=sigma, **terms).price
            else:
                # As the desk's formula: the second forward is displaced in its own factor.
                other = shift * (factor[1] / factor[0])[chosen, None]
                bad = (first + shift <= 0) | (second + other <= 0)
                terms["strike"] = terms["strike"] + shift - other
                worth = spread_option(
                    first=np.where(bad, 1.0, first + shift),
                    second=np.where(bad, 1.0, second + other),
                    volatility1=a, volatility2=b, correlation=rho, **terms,
                ).price.copy()  # fmt: skip
                self.pay_off(chosen, first - second, bad, worth)
            self.put(chosen, worth * annuity[chosen, None])

    def averages(self, rights: Indices, annuity: Floats) -> None:
        """Revalue rights on the average of one price, whose decided fixings stay."""
        if not rights.size:
            return
        optionlets, averaging = self.optionlets, self.sides.averaging
        at, counted = optionlets.row_optionlet[averaging.row], averaging.share > 0
        is_open = np.bincount(at, counted & (averaging.years > 0), len(optionlets)) > 0
        fixed = np.bincount(
            optionlets.row_optionlet, optionlets.row_weight * averaging.fixed, len(optionlets)
        ).astype(np.float64)
        marks = self.state.marks[optionlets.row_contract] * optionlets.row_factor
        moves = np.pad(self.row_moves, ((0, 0), (1, 0)))
        # Where nothing is left that moves by itself, the payoff counts, at any price.
        for done, opened in ((False, rights[is_open[rights]]), (True, rights[~is_open[rights]])):
            for name, shift, chosen in self.groups(opened):
                model = ModelChoice(PriceModel(BACHELIER if done else name), 0.0 if done else shift)
                for part in _parts(chosen, averaging.row.size, moves.shape[1]):
                    mine, trade, slot = slots_of(averaging, at, part)
                    row = averaging.row[mine]
                    shape = (part.size, int(np.bincount(trade, minlength=1).max()))
                    times, weight = np.zeros(shape), np.zeros(shape)
                    times[trade, slot] = averaging.years[mine]
                    weight[trade, slot] = optionlets.row_weight[row] * averaging.share[mine]
                    prices = np.ones((part.size, moves.shape[1], shape[1]))
                    used = counted[mine]
                    prices[trade[used], :, slot[used]] = (marks[:, None] + moves)[row[used]]
                    self._average(part, model, prices, times, weight, fixed, annuity, done)

    def _average(
        self, rights: Indices, model: ModelChoice, prices: Floats, times: Floats, weight: Floats,
        fixed: Floats, annuity: Floats, done: bool,
    ) -> None:  # fmt: skip
        bad: Flags = np.any(prices + model.displacement <= 0, axis=2)
        bad &= model.model is not PriceModel.BACHELIER
        mean = (prices * weight[:, None]).sum(axis=2) + fixed[rights, None]
        sigma = np.zeros(bad.shape) if done else self.volatilities(rights, 0)
        worth = price_average_option(
            model, forward=np.where(bad[..., None], 1.0 - model.displacement, prices),
            strike=self.optionlets.strike[rights, None], times=times[:, None],
            weight=weight[:, None], volatility=sigma[..., None], fixed=fixed[rights, None],
            option=words_of(self.optionlets.sign[rights])[:, None],
        ).price.copy()  # fmt: skip
        self.pay_off(rights, mean, bad, worth)
        self.put(rights, worth * annuity[rights, None])

    def early(self, rights: Indices) -> None:
        """Add what the choice of time gains: on a grid of prices, at today's volatility."""
        if not rights.size:
            return
        from scipy.interpolate import PchipInterpolator

        price = self.forwards(rights, 0)
        base = price[:, :1]
        nodes = np.linspace(0.0, 1.0, EARLY_NODES)
        # Half way between nodes, at both ends: there the interpolation is held against the formula.
        checks = np.array([nodes[:2].mean(), nodes[-2:].mean()])
        low, high = price.min(axis=1, keepdims=True), price.max(axis=1, keepdims=True)
        floor = np.where(
            self.market.formula[rights] == BACHELIER, -np.inf,
            1e-3 * base[:, 0] - 0.999 * self.market.displacement[rights],
        )[:, None]  # fmt: skip
        low = np.maximum(low, np.minimum(floor, base))
        grid = low + np.append(nodes, checks) * (high - low)
        premium = self._premiums(rights, grid - base)
        for n, right in enumerate(rights.tolist()):
            if not high[n, 0] > low[n, 0]:
                continue
            curve = PchipInterpolator(grid[n, :EARLY_NODES], premium[n, :EARLY_NODES])
            gained = curve(np.clip(price[n], low[n, 0], high[n, 0]))
            self.result.change[right] += gained[1:] - gained[0]
            apart = np.abs(curve(grid[n, EARLY_NODES:]) - premium[n, EARLY_NODES:])
            self.result.error[right] = float(apart.max())

    def _premiums(self, rights: Indices, moved: Floats) -> Floats:
        """Return what early exercise adds where all prices move: (rights, moves)."""
        copies = moved.shape[1]
        inputs = _repeated(self.optionlets, self.market, rights, copies)
        optionlets, market, rows = inputs
        held = self.optionlets.row_contract[rows]
        per_row = moved.T.ravel()[optionlets.row_optionlet]
        marks = np.tile(self.state.marks[held], copies) + per_row / optionlets.row_factor
        optionlets = replace(optionlets, row_contract=np.arange(marks.size))
        contracts = [self.contracts[at] for at in held.tolist()] * copies
        found = optionlet_prices(
            contracts, optionlets, replace(self.state, marks=marks, fine={}), market
        )
        assert found.early is not None
        premium = np.where(np.isfinite(found.early.premium), found.early.premium, 0.0)
        return premium.reshape(copies, rights.size).T

    def by_greeks(
        self, rights: Indices, row_delta: Floats, row_gamma: Floats, vega: Floats
    ) -> None:
        """Move the difference of two averages by delta and gamma; measure at both extremes."""
        for right in rights.tolist():
            rows = np.flatnonzero(self.optionlets.row_optionlet == right)
            moved = self.moves[self.optionlets.row_contract[rows]]
            gained = row_delta[rows] @ moved
            # Of each side its own gamma, with the cross term of a price that depends on the spread.
            bent = np.zeros(moved.shape[1])
            for side, sign in ((0, 1.0), (1, -1.0)):
                mine = self.optionlets.row_side[rows] == side
                weight = self.optionlets.row_weight[rows[mine]]
                gamma = max(float(row_gamma[rows[mine]].sum()), 0.0)
                bent += sign * np.sqrt(gamma) * (weight @ moved[mine])
            gained = gained + bent**2 / 2
            if self.volatility_moves is not None:
                gained = gained + vega[:, right] @ self.volatility_moves[:, right]
            self.result.change[right] = gained
            self.result.error[right] = max(
                abs(self._in_full(right, at) - gained[at])
                for at in (int(gained.argmin()), int(gained.argmax()))
            )

    def _in_full(self, right: int, scenario: int) -> float:
        optionlets, market, _ = _repeated(self.optionlets, self.market, np.array([right]), 1)
        if self.volatility_moves is not None:
            added = self.volatility_moves[:, [right], scenario]
            market = replace(market, volatility=np.maximum(market.volatility + added, 0.0))
        state = replace(self.state, marks=self.state.marks + self.moves[:, scenario])
        found = optionlet_prices(self.contracts, optionlets, state, market)
        return float(found.price[0] - self.result.price[right])


def _parts(rights: Indices, fixings: int, scenarios: int) -> Iterator[Indices]:
    """Return some rights, as many at a time as fit in memory with all their fixings."""
    most = max(1, _MOST_FIXINGS // max(1, scenarios * min(fixings, 366)))
    for start in range(0, rights.size, most):
        yield rights[start : start + most]


def _repeated(
    optionlets: Optionlets, market: OptionMarket, rights: Indices, copies: int
) -> tuple[Optionlets, OptionMarket, Indices]:
    """Return some rights several times over, one copy after the other, and their rows."""
    place = np.full(len(optionlets), -1, dtype=np.int64)
    place[rights] = np.arange(rights.size)
    rows = np.flatnonzero(place[optionlets.row_optionlet] >= 0)
    rows = rows[np.argsort(place[optionlets.row_optionlet[rows]], kind="stable")]
    shift = np.arange(copies) * rights.size

    def each(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.tile(values, copies)

    early, early_rate = None, None
    if optionlets.early is not None and market.early_rate is not None:
        dates = np.flatnonzero(place[optionlets.early.optionlet] >= 0)
        dates = dates[np.argsort(place[optionlets.early.optionlet[dates]], kind="stable")]
        if dates.size:
            held = place[optionlets.early.optionlet[dates]]
            early = EarlyDates(
                np.add.outer(shift, held).ravel(),
                *(each(getattr(optionlets.early, name)[dates]) for name in
                  ("opens", "at", "payment")),
            )  # fmt: skip
            early_rate = each(market.early_rate[dates])
    of_right = {
        name: each(getattr(optionlets, name)[rights])
        for name in ("sign", "strike", "expiry", "averages", "delivers")
    }
    of_row = {
        name: each(getattr(optionlets, name)[rows])
        for name in ("row_contract", "row_side", "row_weight", "row_payment", "row_factor")
    }
    made = Optionlets(
        **of_right, **of_row, early=early,
        row_optionlet=np.add.outer(shift, place[optionlets.row_optionlet[rows]]).ravel(),
    )  # fmt: skip
    state = OptionMarket(
        formula=each(market.formula[rights]), displacement=each(market.displacement[rights]),
        volatility=np.tile(market.volatility[:, rights], (1, copies)),
        correlation=each(market.correlation[rights]), rate=each(market.rate[rows]),
        settled=each(market.settled[rows]), known=each(market.known[rights]),
        early_rate=early_rate,
    )  # fmt: skip
    return made, state, rows
