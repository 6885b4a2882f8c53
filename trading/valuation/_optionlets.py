"""
What options are worth: rights on weighted prices, by the formula that is chosen for each.

A right (optionlet) stands on rows, each a month's contract with a weight; positions of rights are
apart from them, as holdings are from contracts. Values are discounted to each payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trading.pricing import (
    EarlyExerciseValue,
    ModelChoice,
    OpenAverage,
    OptionType,
    PremiumGrid,
    PriceModel,
    american_option,
    average_spread_option,
    bachelier,
    bermudan_option,
    black76,
    displaced_black,
    price_average_option,
    spread_option,
)
from trading.valuation._holdings import Valued
from trading.valuation._market import Basis, Contract, Floats, MarketState, Seconds, counts

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.str_]

BLACK76, BACHELIER, DISPLACED = "BLACK76", "BACHELIER", "DISPLACED_BLACK"
YEAR = 365 * 86400.0
_DAY = 86400
# When an American may be exercised; in cash it is then paid five business days later, a week.
ANY_TIME, WEEK = -1, 7 * _DAY


@dataclass(frozen=True, slots=True, eq=False)
class EarlyDates:
    """
    When rights may be exercised that have more than one date; shape (dates,).

    optionlet   position of the right
    opens, at   seconds: from when until when; ANY_TIME both of an American, which has one of these
    payment     seconds: when an exercise on the date is paid, of an American how long after it;
                0 where payments do not depend on the exercise, as those for a delivery
    """

    optionlet: Indices
    opens: Seconds
    at: Seconds
    payment: Seconds


@dataclass(frozen=True, slots=True, eq=False)
class Optionlets:
    """
    Rights that are each decided once, and the rows that they stand on.

    sign            +1 a call, −1 a put; shape (rights,), as all up to `delivers`
    strike          currency/unit
    expiry          seconds; of an average the end of its last fixing
    averages        on the mean of fixings or the difference of two, else on forwards
    delivers        by notice: once expired it is worth nothing here, as what an exercise led to is
                    a trade or cash of its own
    row_optionlet   position of the right; shape (rows,), as all that follows
    row_contract    position of the contract whose price counts
    row_side        0, or 1 for what a spread subtracts
    row_weight      > 0; of each side of a right they sum to 1
    row_payment     seconds: when cash for the row is paid, if the right is decided as it expires
    row_factor      turns the contract's price into currency/unit of the right; 1 in one unit
    early           None where all are European
    """

    sign: Floats
    strike: Floats
    expiry: Seconds
    averages: Flags
    delivers: Flags
    row_optionlet: Indices
    row_contract: Indices
    row_side: Indices
    row_weight: Floats
    row_payment: Seconds
    row_factor: Floats
    early: EarlyDates | None = None

    def __len__(self) -> int:
        return len(self.strike)

    @property
    def spreads(self) -> Flags:
        """Say which are on the difference of two prices."""
        found = np.zeros(len(self), dtype=np.bool_)
        found[self.row_optionlet[self.row_side == 1]] = True
        return found

    @property
    def side_factor(self) -> Floats:
        """Return `row_factor` by side, which all rows of a side share; shape (2, rights)."""
        found = np.ones((2, len(self)))
        found[self.row_side, self.row_optionlet] = self.row_factor
        return found


@dataclass(frozen=True, slots=True, eq=False)
class OptionHoldings:
    """
    What lines (a trade in one currency) hold of rights; quantity in units, held +, written −.
    """

    lines: int
    line: Indices
    optionlet: Indices
    quantity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class OptionMarket:
    """
    What options are valued on beside the marks.

    formula         of each right: BLACK76, BACHELIER or DISPLACED_BLACK; "" where none is chosen
    displacement    currency/unit, of DISPLACED_BLACK, else 0
    volatility      shape (2, rights), by side, of the formula's kind; NaN where none is known
    correlation     of a spread's two forwards, else NaN
    rate            of each row: continuous zero rate to its payment, ACT/365; NaN where unknown
    settled         of each row: the contract's price when an expired right was decided, else NaN
    known           False of a right that must not be valued, whatever the rest says
    early_rate      of each early date: zero rate to its payment, of an American to that of an
                    exercise now; NaN where payments do not depend on it
    """

    formula: Words
    displacement: Floats
    volatility: Floats
    correlation: Floats
    rate: Floats
    settled: Floats
    known: Flags
    early_rate: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EarlyValues:
    """
    What the choice of time is worth, for one unit bought; NaN of rights without one.

    premium     currency/unit above the right to decide at the expiry alone
    exercise    what exercise now pays; 0 out of the money or where it is not allowed now
    hold        worth if not exercised now, nor of an American within a day, of a Bermudan today
    boundary    price of the underlying at which exercise now is worth as much; NaN without one
    error       estimate of what the price may be wrong by
    grid        what they were computed on; None where nothing is gained by choosing
    """

    premium: Floats
    exercise: Floats
    hold: Floats
    boundary: Floats
    error: Floats
    grid: PremiumGrid | None


@dataclass(frozen=True, slots=True, eq=False)
class OptionletValues:
    """
    The worth of one unit of each right, bought, and how it moves; zero where it is not priced.

    price           currency/unit, discounted
    forward         shape (2, rights): the price of each side; of an average its mean, fixed part
                    included
    annuity         discounted units paid for one
    vega            shape (2, rights), per 1.00 of each side's volatility
    theta           per year that passes; NaN of averages, which are revalued instead
    row_delta       per currency/unit of the row's contract
    row_gamma       of `row_delta`, where the prices of all rows of its side move by one
    priced          False where a price, rate, volatility or formula is missing or does not fit
    early           None where all are European
    """

    price: Floats
    forward: Floats
    annuity: Floats
    vega: Floats
    theta: Floats
    row_delta: Floats
    row_gamma: Floats
    priced: Flags
    early: EarlyValues | None = None


def discount_factors(optionlets: Optionlets, state: MarketState, market: OptionMarket) -> Floats:
    """Return the discount factor of each row's payment, 1 once it is due; NaN without a rate."""
    years = np.maximum(optionlets.row_payment - state.at, 0) / YEAR
    found: Floats = np.where(years > 0, np.exp(-market.rate * years), 1.0)
    return found


def optionlet_prices(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    state: MarketState,
    market: OptionMarket,
) -> OptionletValues:
    """
    Price one unit of each right in a state of the market.

    Years to expiry are ACT/365. A right that has expired is worth its payoff at the prices that
    decided it, or nothing if it delivers.
    """
    count = len(optionlets)
    at, side = optionlets.row_optionlet, optionlets.row_side
    sides = sides_of(contracts, optionlets, state, market)
    weights, prices, sums, forward = sides.weights, sides.prices, sides.sums, sides.forward
    spread = optionlets.spreads
    unit = _Units.zero(count)
    expired = (state.at >= optionlets.expiry) & ~optionlets.averages
    paid = expired & ~optionlets.delivers
    fits = np.isfinite(sums[0]) & np.isfinite(forward[0] - forward[1]) & market.known
    alive = ~expired & fits
    priced = (expired & optionlets.delivers) | (paid & fits)
    _pay_off(unit, optionlets, forward[0] - forward[1], paid & fits)
    years = np.maximum(optionlets.expiry - state.at, 0) / YEAR
    single = alive & ~spread & ~optionlets.averages
    has_choice = np.zeros(count, dtype=np.bool_)
    if optionlets.early is not None:
        has_choice[optionlets.early.optionlet] = True
    priced |= _singles(unit, optionlets, market, forward[0], years, single & ~has_choice)
    early = None
    if optionlets.early is not None:
        early, done = _early(
            unit, optionlets, state, market, forward[0], sums[0], single & has_choice
        )
        priced |= done
    priced |= _spreads(
        unit, optionlets, market, forward, years, alive & spread & ~optionlets.averages
    )
    total = sums[side, at]
    share = np.divide(weights, total, out=np.zeros_like(weights), where=total != 0)
    row_delta, row_gamma = unit.delta[side, at] * share, unit.gamma[side, at] * share
    averaged = alive & optionlets.averages
    for wanted, price_averages in (
        (averaged & ~spread, _averages), (averaged & spread, _spread_averages)
    ):  # fmt: skip
        priced |= price_averages(
            unit, optionlets, state, market, sides.averaging, wanted, row_delta, row_gamma
        )
    factor = optionlets.row_factor
    annuity = np.where(priced, np.where(np.isfinite(sums[0]), sums[0], 0.0), 0.0)
    still = ~np.isfinite(market.settled) & priced[at]
    theta = _theta(optionlets, state, market, unit, forward, prices, weights, sums)
    return OptionletValues(
        price=np.where(priced, annuity * unit.price, 0.0),
        forward=np.where(priced, forward, 0.0),
        annuity=annuity,
        vega=np.where(priced, annuity * unit.vega, 0.0),
        theta=np.where(priced & ~(expired & optionlets.delivers), theta, 0.0),
        row_delta=np.where(still, annuity[at] * row_delta * factor, 0.0),
        row_gamma=np.where(still, annuity[at] * row_gamma * factor**2, 0.0),
        priced=priced,
        early=early,
    )


def optionlet_forwards(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    state: MarketState,
    market: OptionMarket,
) -> Floats:
    """Return the price of each side of each right, shape (2, rights); NaN where one is missing."""
    return sides_of(contracts, optionlets, state, market).forward


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Rows with their discounted weights and prices, and what they sum to by side and right."""

    weights: Floats
    prices: Floats
    averaging: Averaging
    sums: Floats
    forward: Floats


def sides_of(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    state: MarketState,
    market: OptionMarket,
) -> Sides:
    count = len(optionlets)
    at = optionlets.row_optionlet
    weights = optionlets.row_weight * discount_factors(optionlets, state, market)
    prices, averaging = _row_prices(contracts, optionlets, state, market)
    sums, forward = np.zeros((2, count)), np.zeros((2, count))
    for side in (0, 1):
        rows = optionlets.row_side == side
        sums[side] = np.bincount(at[rows], weights[rows], count)
        forward[side] = np.bincount(at[rows], (weights * prices)[rows], count)
    present = np.array([np.ones(count, dtype=np.bool_), optionlets.spreads])
    forward = np.where(present, forward / np.where(sums != 0, sums, 1.0), 0.0)
    return Sides(weights, prices, averaging, sums, forward)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Undiscounted prices and their derivatives by side, filled family by family."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats

    @classmethod
    def zero(cls, count: int) -> _Units:
        return cls(
            np.zeros(count), np.zeros((2, count)), np.zeros((2, count)), np.zeros((2, count)),
            np.zeros(count),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Averaging:
    """
    The fixings of rows under averages that are not fixed, and what is fixed of each row.

    row, years, share   of each such fixing: its row, time to it, its share of the row's average;
                        what is delivered and not published counts at the mark, in no time
    fixed               shape (rows,): what published fixings add to the row's average
    """

    row: Indices
    years: Floats
    share: Floats
    fixed: Floats


def _row_prices(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    state: MarketState,
    market: OptionMarket,
) -> tuple[Floats, Averaging]:
    """Return the price that each row counts with; of an average the mean over its month."""
    factor = optionlets.row_factor
    marks = state.marks[optionlets.row_contract] * factor
    prices = np.where(np.isfinite(market.settled), market.settled * factor, marks)
    rows = np.flatnonzero(optionlets.averages[optionlets.row_optionlet])
    fixed = np.zeros(len(prices))
    if not rows.size:
        nothing = np.zeros(0)
        return prices, Averaging(np.zeros(0, dtype=np.int64), nothing, nothing, fixed)
    used, place = np.unique(optionlets.row_contract[rows], return_inverse=True)
    chosen = [contracts[position] for position in used.tolist()]
    done = counts(chosen, state)
    total = done.delivered + done.open
    open_fixings = [_open_fixings(contract, state.at) for contract in chosen]
    parts: list[tuple[Indices, Floats, Floats]] = []
    for row, n in zip(rows.tolist(), place.tolist(), strict=True):
        starts, amounts = open_fixings[n]
        starts = np.append(starts, float(state.at))
        share = np.append(amounts, done.unfixed[n]) / (total[n] or np.nan)
        left = float(share.sum())
        fixed[row] = factor[row] * done.fixing[n] / total[n] if total[n] else np.nan
        prices[row] = fixed[row] + (left * marks[row] if left else 0.0)
        years = np.maximum(starts - state.at, 0) / YEAR
        parts.append((np.full(starts.size, row, dtype=np.int64), years, share))
    row_of, years_of, share_of = (np.concatenate(part) for part in zip(*parts, strict=True))
    return prices, Averaging(row_of, years_of, share_of, fixed)


def _open_fixings(contract: Contract, at: int) -> tuple[Floats, Floats]:
    """
    Return when each open fixing begins, and the hours or days that it counts.

    Hours are fixed a day at a time: a window longer than that is cut every 24 hours.
    """
    if contract.windows is None:
        return np.zeros(0), np.zeros(0)
    if contract.basis is not Basis.HOUR:
        starts = contract.windows[:, 0]
        is_open = starts >= at if contract.basis is Basis.DAY else contract.windows[:, 1] > at
        return starts[is_open].astype(np.float64), np.ones(int(is_open.sum()))
    cuts = [np.arange(start, end, _DAY) for start, end in contract.windows.tolist()]
    starts = np.concatenate(cuts)
    ends = np.concatenate(
        [
            np.append(cut[1:], end)
            for cut, (_, end) in zip(cuts, contract.windows.tolist(), strict=True)
        ]
    )
    left = np.maximum(ends - np.maximum(starts, at), 0) / 3600.0
    chosen = left > 0
    return starts[chosen].astype(np.float64), left[chosen]


def _pay_off(unit: _Units, optionlets: Optionlets, price: Floats, chosen: Flags) -> None:
    gain = optionlets.sign * (price - optionlets.strike)
    unit.price[chosen] = np.maximum(gain, 0.0)[chosen]
    unit.delta[0, chosen] = np.where(gain > 0, optionlets.sign, 0.0)[chosen]
    unit.delta[1, chosen] = -unit.delta[0, chosen]


def words_of(sign: Floats) -> Words:
    return np.where(sign > 0, OptionType.CALL.value, OptionType.PUT.value)


def _singles(
    unit: _Units, optionlets: Optionlets, market: OptionMarket, forward: Floats, years: Floats,
    wanted: Flags,
) -> Flags:  # fmt: skip
    """Price rights on one forward, and return which."""
    sigma, shift = market.volatility[0], market.displacement
    wanted = wanted & np.isfinite(sigma)
    positive = np.minimum(forward, optionlets.strike) + shift > 0
    done: Flags = np.zeros_like(wanted)
    for formula in (BLACK76, DISPLACED, BACHELIER):
        chosen = wanted & (market.formula == formula)
        if formula != BACHELIER:
            chosen &= positive
        if not chosen.any():
            continue
        terms = {
            "forward": forward[chosen], "strike": optionlets.strike[chosen],
            "expiry": years[chosen], "volatility": sigma[chosen],
            "option": words_of(optionlets.sign[chosen]),
        }  # fmt: skip
        if formula == DISPLACED:
            found = displaced_black(displacement=shift[chosen], **terms)
        else:
            found = (black76 if formula == BLACK76 else bachelier)(**terms)
        unit.price[chosen], unit.theta[chosen] = found.price, found.theta
        unit.delta[0, chosen], unit.gamma[0, chosen] = found.delta, found.gamma
        unit.vega[0, chosen] = found.vega
        done |= chosen
    return done


def _early(
    unit: _Units, optionlets: Optionlets, state: MarketState, market: OptionMarket,
    forward: Floats, annuity: Floats, wanted: Flags,
) -> tuple[EarlyValues, Flags]:  # fmt: skip
    """
    Price rights on one forward that may be exercised early, and return which.

    An exercise is worth its payoff × the discount factor of its payment over that at expiry.
    """
    early, rates = optionlets.early, market.early_rate
    assert early is not None and rates is not None
    at, is_any, moves = early.optionlet, early.at == ANY_TIME, early.payment > 0
    sigma, shift = market.volatility[0], market.displacement
    normal = market.formula == BACHELIER
    positive = np.minimum(forward, optionlets.strike) + shift > 0
    wanted = wanted & np.isfinite(sigma) & (market.formula != "") & (normal | positive)
    wanted[at[moves & ~np.isfinite(rates)]] = False
    left = np.where(is_any, early.payment, early.payment - state.at) / YEAR
    gains = np.where(moves, np.exp(-np.where(moves, rates, 0.0) * left), annuity[at]) / annuity[at]
    years = (optionlets.expiry - state.at) / YEAR
    none = np.full(len(optionlets), np.nan)
    premium, exercise, hold, boundary, error = (none.copy() for _ in range(5))
    grid = None
    for formula, shifted in sorted(set(zip(market.formula[wanted].tolist(),
                                           shift[wanted].tolist(), strict=True))):  # fmt: skip
        same = wanted & (market.formula == formula) & (shift == shifted)
        choice = ModelChoice(PriceModel(formula), shifted)
        for american in (True, False):
            dates = np.flatnonzero(same[at] & (is_any == american))
            rights = np.unique(at[dates])
            if not rights.size:
                continue
            terms = {
                "forward": forward[rights], "strike": optionlets.strike[rights],
                "volatility": sigma[rights], "option": words_of(optionlets.sign[rights]),
            }  # fmt: skip
            T = years[rights]
            if american:
                rate = np.zeros(len(optionlets))
                rate[at[dates]] = np.log(gains[dates])
                found = american_option(choice, expiry=T, rate=rate[rights] / T, **terms)
            else:
                # Dates that are over count as the expiry. The last of each row is now, if one of
                # them has begun.
                place = np.searchsorted(rights, at[dates])
                slot = np.arange(dates.size) - np.searchsorted(place, np.arange(rights.size))[place]
                times = np.repeat(T[:, None], slot.max() + 2, axis=1)
                factors = np.ones(times.shape)
                ahead = early.at[dates] >= state.at
                where = (place[ahead], slot[ahead])
                times[where] = (early.at[dates][ahead] - state.at) / YEAR
                factors[where] = gains[dates][ahead]
                begun = ahead & (early.opens[dates] <= state.at)
                times[place[begun], -1] = 0.0
                factors[place[begun], -1] = gains[dates][begun]
                found = bermudan_option(choice, times=times, discounts=factors, **terms)
                if begun.any():  # to hold is to let the date that has begun pass
                    times[place[begun], slot[begun]] = times[place[begun], -1] = T[place[begun]]
                    factors[place[begun], slot[begun]] = factors[place[begun], -1] = 1.0
                    later = bermudan_option(choice, times=times, discounts=factors, **terms)
                    found = replace(found, hold=later.price)
            _put(unit, rights, found, market, optionlets, state, annuity)
            scale = annuity[rights]
            premium[rights], error[rights] = scale * found.premium, scale * found.error
            exercise[rights], hold[rights] = scale * found.exercise, scale * found.hold
            boundary[rights] = found.boundary
            grid = found.grid if np.any(found.error > 0) else grid
    return EarlyValues(premium, exercise, hold, boundary, error, grid), wanted


def _put(
    unit: _Units, rights: Indices, found: EarlyExerciseValue, market: OptionMarket,
    optionlets: Optionlets, state: MarketState, annuity: Floats,
) -> None:  # fmt: skip
    """Put values in place; what is best exercised now waits for no interest."""
    unit.price[rights], unit.theta[rights] = found.price, found.theta
    unit.delta[0, rights], unit.gamma[0, rights] = found.delta, found.gamma
    unit.vega[0, rights] = found.vega
    rows = optionlets.row_payment > state.at
    weights = optionlets.row_weight * discount_factors(optionlets, state, market)
    grown = np.bincount(
        optionlets.row_optionlet[rows], (market.rate * weights)[rows], len(annuity)
    )  # fmt: skip
    interest = (grown / annuity)[rights] * found.price
    unit.theta[rights] -= np.where(found.is_best_now, interest, 0.0)


def _spreads(
    unit: _Units, optionlets: Optionlets, market: OptionMarket, forward: Floats, years: Floats,
    wanted: Flags,
) -> Flags:  # fmt: skip
    """
    Price rights on the difference of two forwards, both normal or both lognormal.

    Displaced, each forward is lognormal with what its market is displaced by in its own factor.
    """
    first, second = market.volatility
    rho = market.correlation
    factor = optionlets.side_factor
    shift = np.array([market.displacement, market.displacement * factor[1] / factor[0]])
    known = wanted & np.isfinite(first) & np.isfinite(second) & np.isfinite(rho)
    normal: Flags = known & (market.formula == BACHELIER)
    if normal.any():
        a, b, r = first[normal], second[normal], rho[normal]
        sigma = np.sqrt(np.maximum(a * a - 2 * r * a * b + b * b, 0.0))
        one = bachelier(
            forward=(forward[0] - forward[1])[normal], strike=optionlets.strike[normal],
            expiry=years[normal], volatility=sigma, option=words_of(optionlets.sign[normal]),
        )  # fmt: skip
        unit.price[normal], unit.theta[normal] = one.price, one.theta
        unit.delta[0, normal], unit.delta[1, normal] = one.delta, -one.delta
        unit.gamma[0, normal], unit.gamma[1, normal] = one.gamma, one.gamma
        scale = np.where(sigma > 0, sigma, 1.0)
        unit.vega[0, normal] = one.vega * (a - r * b) / scale
        unit.vega[1, normal] = one.vega * (b - r * a) / scale
    shifted = forward + shift
    is_logarithmic = (market.formula == BLACK76) | (market.formula == DISPLACED)
    lognormal: Flags = known & is_logarithmic & (shifted > 0).all(axis=0)
    if lognormal.any():
        both = spread_option(
            first=shifted[0, lognormal], second=shifted[1, lognormal],
            strike=(optionlets.strike + shift[0] - shift[1])[lognormal], expiry=years[lognormal],
            volatility1=first[lognormal], volatility2=second[lognormal],
            correlation=rho[lognormal], option=words_of(optionlets.sign[lognormal]),
        )  # fmt: skip
        unit.price[lognormal], unit.theta[lognormal] = both.price, both.theta
        unit.delta[0, lognormal], unit.delta[1, lognormal] = both.delta1, both.delta2
        unit.gamma[0, lognormal], unit.gamma[1, lognormal] = both.gamma11, both.gamma22
        unit.vega[0, lognormal], unit.vega[1, lognormal] = both.vega1, both.vega2
    return normal | lognormal


def _averages(
    unit: _Units, optionlets: Optionlets, state: MarketState, market: OptionMarket,
    averaging: Averaging, wanted: Flags, row_delta: Floats, row_gamma: Floats,
) -> Flags:  # fmt: skip
    """Price rights on averages, put what their rows move by in place, and return which."""
    rights = np.flatnonzero(wanted)
    if not rights.size:
        return wanted
    at = optionlets.row_optionlet[averaging.row]
    mark = _open_marks(optionlets, state, averaging)
    shift = market.displacement[at]
    counted = averaging.share > 0
    is_open = np.bincount(at, counted & (averaging.years > 0), len(wanted)) > 0
    sigma = market.volatility[0]
    lowest = np.bincount(at, counted & ~(mark + shift > 0), len(wanted)) > 0
    fits = (market.formula != "") & np.isfinite(sigma) & ((market.formula == BACHELIER) | ~lowest)
    # Where nothing is left that moves, any formula gives the payoff; this one takes any price.
    formula = np.where(is_open, market.formula, BACHELIER)
    shifts = np.where(is_open, market.displacement, 0.0)
    done: Flags = wanted & (~is_open | fits)
    fixed = np.bincount(
        optionlets.row_optionlet, optionlets.row_weight * averaging.fixed, len(wanted)
    )
    for name, shifted in sorted(set(zip(formula[done].tolist(), shifts[done].tolist(),
                                        strict=True))):  # fmt: skip
        rights = np.flatnonzero(done & (formula == name) & (shifts == shifted))
        mine, trade, slot = slots_of(averaging, at, rights)
        shape = (rights.size, int(np.bincount(trade, minlength=1).max()))
        prices, times, weight = np.ones(shape), np.zeros(shape), np.zeros(shape)
        prices[trade, slot] = np.where(counted[mine], mark[mine], 1.0)
        times[trade, slot] = averaging.years[mine]
        weight[trade, slot] = optionlets.row_weight[averaging.row[mine]] * averaging.share[mine]
        found = price_average_option(
            ModelChoice(PriceModel(name), shifted), forward=prices,
            strike=optionlets.strike[rights], times=times, weight=weight,
            volatility=np.where(is_open[rights], sigma[rights], 0.0)[:, None],
            fixed=fixed[rights], option=words_of(optionlets.sign[rights]),
        )  # fmt: skip
        unit.price[rights], unit.vega[0, rights] = found.price, found.vega
        unit.theta[rights] = np.where(is_open[rights], np.nan, 0.0)
        rows = averaging.row[mine]
        moved = np.bincount(rows, found.fixing_delta[trade, slot], len(row_delta))
        touched = np.zeros(len(row_delta), dtype=np.bool_)
        touched[rows] = True
        row_delta[touched] = moved[touched]
        # Gamma is of all open months together; months share it as they share delta.
        gamma = np.zeros(len(wanted))
        gamma[rights] = found.gamma
        whole = np.bincount(optionlets.row_optionlet[touched], moved[touched], len(wanted))
        part = np.where(whole != 0, whole, 1.0)[optionlets.row_optionlet]
        row_gamma[touched] = (gamma[optionlets.row_optionlet] * moved / part)[touched]
    return done


def slots_of(
    averaging: Averaging, optionlet: Indices, rights: Indices
) -> tuple[Indices, Indices, Indices]:
    """
    Lay the open fixings of some rights out in rows: which, and the row and column of each.

    optionlet   the right of each open fixing
    """
    place = np.full(int(optionlet.max(initial=0)) + 1, -1, dtype=np.int64)
    place[rights] = np.arange(rights.size)
    mine = np.flatnonzero(place[optionlet] >= 0)
    mine = mine[np.argsort(place[optionlet[mine]], kind="stable")]
    trade = place[optionlet[mine]]
    slot = np.arange(mine.size) - np.searchsorted(trade, np.arange(rights.size))[trade]
    return mine, trade, slot


def _open_marks(optionlets: Optionlets, state: MarketState, averaging: Averaging) -> Floats:
    found: Floats = (state.marks[optionlets.row_contract] * optionlets.row_factor)[averaging.row]
    return found


def _spread_averages(
    unit: _Units, optionlets: Optionlets, state: MarketState, market: OptionMarket,
    averaging: Averaging, wanted: Flags, row_delta: Floats, row_gamma: Floats,
) -> Flags:  # fmt: skip
    """Price rights on the difference of two averages one by one; as `_averages`."""
    done = np.zeros_like(wanted)
    mark, row_side = _open_marks(optionlets, state, averaging), optionlets.row_side
    signed = np.where(row_side == 0, 1.0, -1.0) * optionlets.row_weight * averaging.fixed
    fixed = np.bincount(optionlets.row_optionlet, signed, len(wanted))
    at, weight = optionlets.row_optionlet[averaging.row], optionlets.row_weight[averaging.row]
    for right in np.flatnonzero(wanted).tolist():
        mine = (at == right) & (averaging.share > 0)
        is_open = bool((averaging.years[mine] > 0).any())
        # Where nothing is left that moves, any formula gives the payoff; this one takes any price.
        formula = str(market.formula[right]) if is_open else BACHELIER
        vols = market.volatility[:, right] if is_open else np.zeros(2)
        rho = float(market.correlation[right]) if is_open else 0.0
        if formula not in (BLACK76, BACHELIER) or not np.isfinite([*vols, rho]).all():
            continue
        if formula == BLACK76 and not (mark[mine] > 0).all():
            continue
        places = [np.flatnonzero(mine & (row_side[averaging.row] == side)) for side in (0, 1)]
        first, second = (
            OpenAverage(mark[own], weight[own] * averaging.share[own], averaging.years[own], vol)
            for own, vol in zip(places, vols.tolist(), strict=True)
        )
        found = average_spread_option(
            PriceModel(formula), first=first, second=second,
            strike=float(optionlets.strike[right]), correlation=rho, fixed=float(fixed[right]),
            option=OptionType.CALL if optionlets.sign[right] > 0 else OptionType.PUT,
        )  # fmt: skip
        unit.price[right], unit.theta[right] = found.price, np.nan if is_open else 0.0
        unit.vega[:, right] = found.vega1, found.vega2
        for own, deltas, gamma in (
            (places[0], found.delta1, found.gamma1), (places[1], found.delta2, found.gamma2)
        ):  # fmt: skip
            rows = averaging.row[own]
            moved = np.bincount(rows, deltas, len(row_delta))
            whole = float(moved.sum())
            row_delta[rows] = moved[rows]
            row_gamma[rows] = gamma * moved[rows] / whole if whole else 0.0
        idle = (optionlets.row_optionlet == right) & ~np.isin(
            np.arange(len(row_delta)), averaging.row[mine]
        )
        row_delta[idle] = row_gamma[idle] = 0.0
        done[right] = True
    return done


def _theta(
    optionlets: Optionlets, state: MarketState, market: OptionMarket, unit: _Units,
    forward: Floats, prices: Floats, weights: Floats, sums: Floats,
) -> Floats:  # fmt: skip
    """
    Return what a year that passes adds: the formula's time, and interest on each payment.

    Interest also moves the weights of months that are paid at different times.
    """
    at, side, count = optionlets.row_optionlet, optionlets.row_side, len(optionlets)
    grows = np.where(optionlets.row_payment > state.at, market.rate * weights, 0.0)
    first = side == 0
    found = sums[0] * unit.theta + np.bincount(at[first], grows[first], count) * unit.price
    for n in (0, 1):
        rows = side == n
        drift = np.bincount(at[rows], (grows * (prices - forward[side, at]))[rows], count)
        scale = np.where(sums[n] != 0, sums[0] / np.where(sums[n] != 0, sums[n], 1.0), 0.0)
        found = found + unit.delta[n] * drift * scale
    return np.where(np.isfinite(found) | np.isnan(unit.theta), found, 0.0)


def value_options(
    contracts: Sequence[Contract],
    optionlets: Optionlets,
    holdings: OptionHoldings,
    state: MarketState,
    market: OptionMarket,
) -> Valued:
    """
    Value holdings of rights; `contract` of the result is the right's position.

    Realised is what is decided, unrealised what may still come; both discounted.
    """
    found = optionlet_prices(contracts, optionlets, state, market)
    values = holdings.quantity * found.price[holdings.optionlet]
    decided = (state.at >= optionlets.expiry)[holdings.optionlet]
    return Valued(
        line=holdings.line,
        contract=holdings.optionlet,
        realised=np.where(decided, values, 0.0),
        unrealised=np.where(decided, 0.0, values),
        missing=~found.priced[holdings.optionlet],
        lines=holdings.lines,
    )
