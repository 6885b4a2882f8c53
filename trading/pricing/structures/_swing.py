"""
Swing contracts: daily and yearly quantities, take-or-pay, make-up gas and carry-forward.

Last axis: interval. `_swing_rights` prices a plain number of rights on a lognormal spot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, OptionType, PricingError, check
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import (
    InfeasibleContract,
    delivery_dates,
    number,
    series,
)
from trading.pricing.structures._market_paths import simulated_value
from trading.pricing.structures._network import Indices, Moves, Network
from trading.pricing.structures._results import (
    Hedge,
    Method,
    SimulatedValue,
    SpotResponse,
    monthly_hedge,
)

_EPSILON = 1e-9
_MOST_MOVES = 5_000_000


@dataclass(frozen=True, slots=True)
class ContractYear:
    """
    What holds from a date until the next year's first date.

    first_date        delivery date that it begins with
    annual_max        MWh that may be taken at most
    take_or_pay       MWh to be taken, or paid for; a year's carry-forward counts towards it
    shortfall_price   currency for each MWh short of it, paid with the year's last day; None: no
                      such choice, it must be taken
    make_up_price     currency paid back for each MWh of make-up gas: taken above the take-or-pay
                      of a later year, up to what was short before
    """

    first_date: np.datetime64
    annual_max: float
    take_or_pay: float = 0.0
    shortfall_price: float | None = None
    make_up_price: float = 0.0


@dataclass(frozen=True, eq=False)
class Swing:
    """
    A right to take (call) or deliver (put) gas or power each day at a contract price.

    dates                 (interval,) delivery days, rising
    strike                contract price, currency/MWh, one or (interval,)
    lot                   MWh, > 0: all quantities are multiples of it
    max_quantity,         MWh a day, 0 ≤ min ≤ max, one or (interval,)
    min_quantity
    years                 contract years, rising; the first begins on the first day or before
    make_up_limit         MWh of shortfall that may be made up later, ≥ 0
    carry_forward_limit   MWh above take-or-pay that count towards later years', ≥ 0
    option                CALL: taken at the strike, worth spot. PUT: the reverse.

    What is above a year's take-or-pay first makes up earlier shortfall, then is carried forward; a
    shortfall first uses up what was carried. So one balance is enough: carried +, short −.

    :raises PricingError: naming the argument, its index and the rule.
    :raises InfeasibleContract: naming the year and the quantity that cannot be kept.
    """

    dates: npt.ArrayLike
    strike: npt.ArrayLike
    lot: float
    max_quantity: npt.ArrayLike
    years: tuple[ContractYear, ...]
    min_quantity: npt.ArrayLike = 0.0
    make_up_limit: float = 0.0
    carry_forward_limit: float = 0.0
    option: OptionType = OptionType.CALL

    def __post_init__(self) -> None:
        days = delivery_dates("dates", self.dates)
        if (same := np.flatnonzero(np.diff(days) == np.timedelta64(0, "D"))).size:
            raise PricingError(f"dates[{same[0] + 1}]: {days[same[0] + 1]} must come once.")
        object.__setattr__(self, "dates", days)
        object.__setattr__(self, "strike", series("strike", self.strike, len(days)))
        if number("lot", self.lot) <= 0:
            raise PricingError(f"lot: {self.lot} must be above 0.")
        for name in ("min_quantity", "max_quantity"):
            row = series(name, getattr(self, name), len(days), least=0)
            check(name, row, self._is_whole(row), f"must be a multiple of the lot {self.lot:g}")
            object.__setattr__(self, name, row)
        high = np.asarray(self.max_quantity)
        check("max_quantity", high, high >= self.min_quantity, "must not be below min_quantity")
        for name in ("make_up_limit", "carry_forward_limit"):
            self._check_lots(name, getattr(self, name))
        if not self.years:
            raise PricingError("years: there must be one at least.")
        firsts = np.array([year.first_date for year in self.years], dtype="datetime64[D]")
        begins = np.searchsorted(days, firsts)
        if firsts[0] > days[0] or (np.diff(begins, append=len(days)) <= 0).any():
            raise PricingError(
                "years: the first must begin by the first day, and each must have a day, in order."
            )
        for n, year in enumerate(self.years):
            self._check_lots(f"years[{n}].annual_max", year.annual_max)
            self._check_lots(f"years[{n}].take_or_pay", year.take_or_pay)
            if year.take_or_pay > year.annual_max:
                raise PricingError(f"years[{n}].take_or_pay: must not be above annual_max.")
            if year.shortfall_price is not None:
                number(f"years[{n}].shortfall_price", year.shortfall_price)
            number(f"years[{n}].make_up_price", year.make_up_price)
        self._check_totals()

    def _is_whole(self, quantity: Floats) -> npt.NDArray[np.bool_]:
        lots = quantity / self.lot
        whole: npt.NDArray[np.bool_] = np.abs(lots - np.round(lots)) <= _EPSILON * (1.0 + lots)
        return whole

    def _check_lots(self, name: str, quantity: float) -> None:
        value = np.array(number(name, quantity, least=0))
        check(name, value, self._is_whole(value), f"must be a multiple of the lot {self.lot:g}")

    def _check_totals(self) -> None:
        """Take all that may be taken: if even that is short of a year's minimum, name it."""
        balance = 0
        for n, (year, days) in enumerate(zip(self.years, self.spans, strict=True)):
            least, most = self.totals(n)
            if least > most:
                raise InfeasibleContract(
                    f"years[{n}].annual_max: min_quantity asks {least * self.lot:g} MWh of the "
                    f"{days.stop - days.start} days, more than {year.annual_max:g}."
                )
            cash, after = self.settle(n, np.array(balance), np.array(most))
            if np.isinf(cash):
                raise InfeasibleContract(
                    f"years[{n}].take_or_pay: {year.take_or_pay:g} MWh must be taken, but only "
                    f"{most * self.lot:g} can be."
                )
            balance = int(after)

    @property
    def spans(self) -> tuple[slice, ...]:
        """Return the days of each year."""
        firsts = np.array([year.first_date for year in self.years], dtype="datetime64[D]")
        begins = np.searchsorted(np.asarray(self.dates), firsts)
        ends = [*begins[1:], len(np.asarray(self.dates))]
        return tuple(slice(int(a), int(b)) for a, b in zip(begins, ends, strict=True))

    @property
    def daily_lots(self) -> tuple[Indices, Indices]:
        """Return the least and the most lots of each day."""
        low, high = (
            np.round(np.asarray(row) / self.lot).astype(np.int64)
            for row in (self.min_quantity, self.max_quantity)
        )
        return low, high

    @property
    def balances(self) -> tuple[int, int]:
        """Return the least and the most lots of the balance between years."""
        return -round(self.make_up_limit / self.lot), round(self.carry_forward_limit / self.lot)

    def totals(self, year: int) -> tuple[int, int]:
        """Return the least and the most lots of a year."""
        low, high = self.daily_lots
        span = self.spans[year]
        cap = round(self.years[year].annual_max / self.lot)
        return int(low[span].sum()), min(int(high[span].sum()), cap)

    def settle(self, year: int, balance: Indices, total: Indices) -> tuple[Floats, Indices]:
        """
        Return what a year's end pays and the balance after it.

        balance, total   lots, broadcast;  cash in currency, −inf where the year is not kept
        """
        terms = self.years[year]
        after = balance + total - round(terms.take_or_pay / self.lot)
        short = np.maximum(-after, 0) - np.maximum(-balance, 0)
        price = np.inf if terms.shortfall_price is None else terms.shortfall_price
        # Not ∞ · 0, which is no number.
        paid = np.where(short > 0, price, 0.0) * np.maximum(short, 1)
        cash = self.lot * (np.maximum(-short, 0) * terms.make_up_price - paid)
        least, most = self.balances
        return cash, np.clip(after, least, most)


@dataclass(frozen=True, slots=True, eq=False)
class SwingIntrinsic:
    """
    The quantities that earn most on the forward curve.

    value        currency today
    quantity     (interval,), MWh
    total        (year,), MWh
    balance      (year + 1,), MWh carried + or short −, from before the first year
    settlement   (year,), currency paid (−) for shortfall or back (+) for make-up, undiscounted
    cash_flow    (interval,), currency today; a year's settlement is its last day's
    hedge        delta of the plan by delivery month
    """

    value: float
    quantity: Floats
    total: Floats
    balance: Floats
    settlement: Floats
    cash_flow: Floats
    hedge: Hedge
    method: Method = Method.DYNAMIC_PROGRAMME


def swing_intrinsic(
    swing: Swing, curve: npt.ArrayLike, *, discount: npt.ArrayLike = 1.0
) -> SwingIntrinsic:
    """
    Find the quantities that earn most at today's forward prices, exactly.

    Within a year only the total binds, so the best days come first: their margins, sorted and
    summed, are the worth of each total. Between years a dynamic programme goes over the balance.
    Everything is a multiple of the lot, where the optimum of the linear relaxation lies as well.

    curve      (interval,), currency/MWh, any sign
    discount   factor from today to each day's payment, one or (interval,)

    :raises PricingError: naming the argument and index.
    """
    count = len(np.asarray(swing.dates))
    price, factor = series("curve", curve, count), series("discount", discount, count, least=0)
    sign = 1.0 if swing.option is OptionType.CALL else -1.0
    margin = sign * factor * (price - np.asarray(swing.strike)) * swing.lot
    low, high = swing.daily_lots
    least, most = swing.balances
    balances = np.arange(least, most + 1)
    worth = np.zeros(len(balances))
    stages: list[tuple[Indices, Indices]] = []
    for n in range(len(swing.years) - 1, -1, -1):
        span, (fewest, greatest) = swing.spans[n], swing.totals(n)
        order = np.argsort(-margin[span], kind="stable")
        room = (high - low)[span][order]
        earned = np.repeat(margin[span][order], room)[: greatest - fewest]
        totals = np.arange(fewest, greatest + 1)
        taken = float(margin[span] @ low[span]) + np.concatenate([[0.0], np.cumsum(earned)])
        # With the first year the balance is 0; before others, any.
        held = balances if n else np.zeros(1, dtype=np.int64)
        cash, after = swing.settle(n, held[:, None], totals[None, :])
        value = taken + factor[span.stop - 1] * cash + worth[after - least]
        best = value.argmax(axis=1)
        worth = value[np.arange(len(held)), best]
        stages.append((totals[best], after[np.arange(len(held)), best]))
    quantity, balance = low.astype(np.float64), [0]
    settlement, total = [], []
    for n, (chosen, after) in enumerate(reversed(stages)):
        at = balance[-1] - least if n else 0
        span, taken_lots = swing.spans[n], int(chosen[at])
        order = np.argsort(-margin[span], kind="stable")
        room = (high - low)[span][order]
        more = taken_lots - swing.totals(n)[0]
        before = np.cumsum(room) - room
        extra = np.zeros(len(room))
        extra[order] = np.clip(more - before, 0, room)
        quantity[span] = low[span] + extra
        cash, _ = swing.settle(n, np.array(balance[-1]), np.array(taken_lots))
        settlement.append(float(cash))
        total.append(taken_lots)
        balance.append(int(after[at]))
    cash_flow = margin * quantity
    for cash_paid, span in zip(settlement, swing.spans, strict=True):
        cash_flow[span.stop - 1] += factor[span.stop - 1] * cash_paid
    delta = sign * factor * quantity * swing.lot
    return SwingIntrinsic(
        value=float(worth[0]),
        quantity=quantity * swing.lot,
        total=np.array(total) * swing.lot,
        balance=np.array(balance) * swing.lot,
        settlement=np.array(settlement),
        cash_flow=cash_flow,
        hedge=monthly_hedge(np.asarray(swing.dates), delta[None], ("spot",)),
    )


def swing_extrinsic(
    swing: Swing,
    curve: npt.ArrayLike,
    *,
    fit: Paths,
    paths: Paths,
    response: SpotResponse = SpotResponse.PROPORTIONAL,
    discount: npt.ArrayLike = 1.0,
    degree: int = 3,
    seed: int | None = None,
) -> SimulatedValue:
    """
    Value a contract whose holder decides each day, seeing the spot price of the day.

    Least-squares Monte Carlo over lots taken in the year and the balance before it: a coarser lot
    is faster. Policy, noise and hedge as in `storage_extrinsic`.

    curve        (interval,), today's forward for each day, the mean of both sets of paths
    fit, paths   simulated spot and factors, one time a day, independent of each other
    response     what spot does when the forward moves: for the hedge
    degree       of the regression, 0 to 6;  seed  of the generator of `paths`

    :raises PricingError: naming the argument and index, and for more states than can be held.
    Source: F. Longstaff, E. Schwartz, Review of Financial Studies 14 (2001) 113-147; P. Jaillet,
    E. Ronn, S. Tompaidis, Management Science 50 (2004) 909-921 for the states.
    """
    count = len(np.asarray(swing.dates))
    price, factor = series("curve", curve, count), series("discount", discount, count, least=0)
    plan = swing_intrinsic(swing, price, discount=factor)
    network = swing_network(swing)
    strike = np.asarray(swing.strike)
    sign = 1.0 if swing.option is OptionType.CALL else -1.0
    return simulated_value(
        network,
        dates=np.asarray(swing.dates),
        commodities=("spot",),
        curves=np.stack([price, strike], axis=1),
        fit=(fit, None),
        paths=(paths, None),
        responses=(response, SpotResponse.PARALLEL),
        discount=factor,
        ends=np.zeros(network.states),
        hedged=np.stack([sign * plan.quantity, np.zeros(count)], axis=1),
        degree=degree,
        seed=seed,
    )


def swing_network(swing: Swing) -> Network:
    """
    Return the contract as states: balance before the year × lots taken in it.

    The volumes of a move are of the spot and of the strike, which is a price that does not move.
    """
    low, high = swing.daily_lots
    least, most = swing.balances
    width = max(swing.totals(n)[1] for n in range(len(swing.years))) + 1
    sign = 1.0 if swing.option is OptionType.CALL else -1.0
    states = (most - least + 1) * width
    moves = states * (int((high - low).max()) + 1)
    if moves > _MOST_MOVES:
        raise PricingError(
            f"lot: {swing.lot:g} makes {moves} moves a day, more than {_MOST_MOVES}; "
            f"take a coarser one."
        )
    stages: dict[tuple[int, int, int, bool], Moves] = {}
    names = []
    for n, span in enumerate(swing.spans):
        for t in range(span.start, span.stop):
            name = (n, int(low[t]), int(high[t]), t + 1 == span.stop)
            names.append(name)
            if name in stages:
                continue
            balance, used, lots = (
                axis.ravel()
                for axis in np.meshgrid(
                    np.arange(least, most + 1), np.arange(width),
                    np.arange(name[1], name[2] + 1), indexing="ij",
                )
            )  # fmt: skip
            source, total = (balance - least) * width + used, used + lots
            target, cash = source + lots, np.zeros(len(source))
            kept = total <= swing.totals(n)[1]
            if name[3]:
                cash, after = swing.settle(n, balance, total)
                target = (after - least) * width
                kept &= np.isfinite(cash)
            volume = sign * swing.lot * lots[kept]
            stages[name] = Moves(
                source=source[kept], target=target[kept], weight=np.zeros(int(kept.sum())),
                volume=np.stack([volume, -volume], axis=1), cash=cash[kept],
            )  # fmt: skip
    place = {name: n for n, name in enumerate(stages)}
    return Network(
        states=states,
        stages=tuple(stages.values()),
        stage=np.array([place[name] for name in names]),
        starts=(-least * width,),
    )
