"""
Full revaluation: forwards and options on nodes of a market, in every scenario.

A node is a price that scenarios move (a contract of a curve's basis) or a volatility. Forwards of a
node add up before they are revalued, which is exact; each option is valued by its own formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from trading.pricing import OptionRows, price_option, value_in_scenarios

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ForwardRows:
    """
    Forwards, one a row, or the linear part of something larger.

    node        (row,), position among the prices
    amount      (row,), units bought +, sold −, times the discount factor
    price       (row,), currency/unit agreed
    """

    node: Indices
    amount: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """
    What is held, in one currency, as arrays.

    trades          how many trades the rows belong to
    forward_trade   (row,), position of the trade of each forward
    options         rows of one model each
    option_trade    beside each of them (row,), position of the trade

    :raises ScenarioError: for rows whose lengths differ, a trade that is none, or what is not
        finite.
    """

    trades: int
    forwards: ForwardRows
    forward_trade: Indices
    options: tuple[OptionRows, ...] = ()
    option_trade: tuple[Indices, ...] = ()

    def __post_init__(self) -> None:
        held = self.forwards
        for name, row in (
            ("amount", held.amount), ("price", held.price), ("forward_trade", self.forward_trade),
        ):  # fmt: skip
            if np.shape(row) != (len(held),):
                raise ScenarioError(f"{name}: must be one for each of {len(held)} forwards.")
            if not np.isfinite(row).all():
                wrong = int(np.flatnonzero(~np.isfinite(row))[0])
                raise ScenarioError(f"{name}[{wrong}]: {row[wrong]} must be finite.")
        if len(self.options) != len(self.option_trade):
            raise ScenarioError("option_trade: must be one row for each of the options' models.")
        for rows, trade in zip(self.options, self.option_trade, strict=True):
            if np.shape(trade) != (len(rows),):
                raise ScenarioError(f"option_trade: must be one for each of {len(rows)} options.")
        for name, trades in (
            ("forward_trade", (self.forward_trade,)), ("option_trade", self.option_trade),
        ):  # fmt: skip
            if any(row.size and not 0 <= row.min() <= row.max() < self.trades for row in trades):
                raise ScenarioError(f"{name}: must be positions of {self.trades} trades.")

    def check_nodes(self, prices: int, volatilities: int) -> None:
        """Refuse rows on nodes that a market of so many does not have, by a ScenarioError."""
        _check_positions("node", self.forwards.node, prices, "prices")
        for rows in self.options:
            _check_positions("node", rows.node, prices, "prices")
            _check_positions("volatility_node", rows.volatility_node, volatilities, "volatilities")


@dataclass(frozen=True, slots=True, eq=False)
class Revaluation:
    """
    What a portfolio is worth today, and gains in each scenario; currency.

    value           today
    pnl             (scenario,), gains positive
    trade_value     (trade,), today; they sum to `value`
    """

    value: float
    pnl: Floats
    trade_value: Floats
    _portfolio: Portfolio
    _moves: Floats
    _rows: tuple[Floats, ...]

    def weighted(self, weights: Floats) -> Floats:
        """
        Return each trade's P&L summed with a weight a scenario, (trade,).

        With the weights of a quantile these are components of VaR, negative for a loss.

        :raises ScenarioError: unless the options' values were kept, and for another shape.
        """
        self._need_rows()
        if np.shape(weights) != self.pnl.shape:
            raise ScenarioError(f"weights: must be one for each of {self.pnl.size} scenarios.")
        held, by_node = self._portfolio, self._moves @ weights
        found: Floats = np.bincount(
            held.forward_trade, held.forwards.amount * by_node[held.forwards.node], held.trades
        ).astype(np.float64)
        for trade, rows in zip(held.option_trade, self._rows, strict=True):
            found += np.bincount(trade, rows @ weights, held.trades)
        return found

    def trade_pnl(self, chosen: Sequence[int] | Indices) -> Floats:
        """
        Return the P&L of some trades in each scenario, (chosen, scenario).

        :raises ScenarioError: unless the options' values were kept.
        """
        self._need_rows()
        held, wanted = self._portfolio, np.asarray(chosen, dtype=np.int64)
        place = np.full(held.trades, -1)
        place[wanted] = np.arange(wanted.size)
        found = np.zeros((wanted.size, self.pnl.size))
        rows = np.flatnonzero(place[held.forward_trade] >= 0)
        amount, node = held.forwards.amount[rows], held.forwards.node[rows]
        np.add.at(found, place[held.forward_trade[rows]], amount[:, None] * self._moves[node])
        for trade, values in zip(held.option_trade, self._rows, strict=True):
            rows = np.flatnonzero(place[trade] >= 0)
            np.add.at(found, place[trade[rows]], values[rows])
        return found

    def _need_rows(self) -> None:
        if any(len(rows) != len(o) for rows, o in zip(self._rows, self._portfolio.options,
                                                      strict=True)):  # fmt: skip
            raise ScenarioError("each: revalue with `each` to ask for single trades.")


def revalue(
    portfolio: Portfolio, prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    scenario_prices: npt.ArrayLike, scenario_volatilities: npt.ArrayLike, *, each: bool = False,
    workers: int | None = None,
) -> Revaluation:  # fmt: skip
    """
    Value a portfolio today and in every scenario, in full.

    prices, volatilities    today, (node,) and (volatility node,)
    scenario_prices         (node, scenario), currency/unit: prices themselves, not their changes
    scenario_volatilities   (volatility node, scenario)
    each                    keep the options' values by scenario, for attribution
    workers                 threads; by default one a processor. They change no digit.

    :raises ScenarioError: for shapes that do not fit, a node that is none, or a price that a
        forward stands on and is not finite; naming node and scenario.
    :raises trading.pricing.PricingError: for what an option's formula cannot take, as a forward
        at or below zero under Black-76; naming node and scenario.
    """
    today, vols = np.asarray(prices, np.float64), np.asarray(volatilities, np.float64)
    moved = np.asarray(scenario_prices, np.float64)
    moved_vols = np.asarray(scenario_volatilities, np.float64)
    _check_shapes(today, vols, moved, moved_vols)
    portfolio.check_nodes(today.size, vols.size)
    held = portfolio.forwards
    moves = _moves_of(np.unique(held.node), today, moved)
    energy = np.bincount(held.node, held.amount, today.size)
    pnl = energy @ moves
    trade_value: Floats = np.bincount(
        portfolio.forward_trade, held.amount * (today[held.node] - held.price), portfolio.trades
    ).astype(np.float64)
    kept = []
    for rows, trade in zip(portfolio.options, portfolio.option_trade, strict=True):
        gained, values = value_in_scenarios(
            rows, moved, moved_vols, today=(today, vols), each=each, workers=workers
        )
        pnl += gained
        trade_value += np.bincount(trade, _worth(rows, today, vols), portfolio.trades)
        kept.append(values)
    return Revaluation(float(trade_value.sum()), pnl, trade_value, portfolio, moves, tuple(kept))


def _moves_of(used: Indices, today: Floats, moved: Floats) -> Floats:
    """Return what prices move by, (node, scenario); zero where no forward stands on them."""
    with np.errstate(invalid="ignore"):
        found: Floats = moved - today[:, None]
    if used.size < today.size:
        found[np.setdiff1d(np.arange(today.size), used)] = 0.0
    if np.isfinite(found).all():
        return found
    for name, row in (("prices", today[used]), ("scenario_prices", moved[used])):
        if not np.isfinite(row).all():
            where = np.argwhere(~np.isfinite(row))[0].tolist()
            said = [int(used[where[0]]), *where[1:]]
            raise ScenarioError(f"{name}{said}: {row[tuple(where)]} must be finite.")
    raise ScenarioError("scenario_prices: must not be further from today than numbers reach.")


def _worth(rows: OptionRows, today: Floats, vols: Floats) -> Floats:
    """Return what each option is worth today."""
    found: Floats = rows.amount * price_option(
        rows.model, forward=today[rows.node], strike=rows.strike, expiry=rows.years,
        volatility=vols[rows.volatility_node], option=rows.option,
    ).price  # fmt: skip
    return found


def _check_positions(name: str, row: Indices, count: int, of: str) -> None:
    if row.size and not 0 <= row.min() <= row.max() < count:
        raise ScenarioError(f"{name}: must be positions of {count} {of}.")


def _check_shapes(today: Floats, vols: Floats, moved: Floats, moved_vols: Floats) -> None:
    for name, row, base in (
        ("scenario_prices", moved, today), ("scenario_volatilities", moved_vols, vols)
    ):  # fmt: skip
        if base.ndim != 1 or row.ndim != 2 or len(row) != len(base):
            raise ScenarioError(
                f"{name}: shape {row.shape} must be (node, scenario) of {base.shape} nodes."
            )
    if moved.shape[1] != moved_vols.shape[1] or not moved.shape[1]:
        raise ScenarioError(
            f"scenarios: {moved.shape[1]} of prices and {moved_vols.shape[1]} of volatilities must"
            " be the same, and at least one."
        )
