"""Parts of a portfolio: some of its rows, or some of its trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._revaluation import ForwardRows, Portfolio
from trading.pricing import OptionRows

Mask = npt.NDArray[np.bool_]


def of_rows(portfolio: Portfolio, forwards: Mask, options: Sequence[Mask]) -> Portfolio:
    """Return the chosen rows, with the trades' positions as they were; models without one leave."""
    held = portfolio.forwards
    kept = [
        (chosen_options(rows, mask), trade[mask])
        for rows, trade, mask in zip(portfolio.options, portfolio.option_trade, options,
                                     strict=True)
        if mask.any()
    ]  # fmt: skip
    return replace(
        portfolio,
        forwards=ForwardRows(held.node[forwards], held.amount[forwards], held.price[forwards]),
        forward_trade=portfolio.forward_trade[forwards],
        options=tuple(rows for rows, _ in kept),
        option_trade=tuple(trade for _, trade in kept),
    )


def of_trades(portfolio: Portfolio, first: int, last: int) -> Portfolio:
    """
    Return trades [first, last), counted from `first`.

    :raises ScenarioError: for trades that are none.
    """
    if not 0 <= first < last <= portfolio.trades:
        raise ScenarioError(f"trades: [{first}, {last}) must be some of {portfolio.trades}.")
    found = of_rows(
        portfolio,
        _within(portfolio.forward_trade, first, last),
        [_within(trade, first, last) for trade in portfolio.option_trade],
    )
    return replace(
        found,
        trades=last - first,
        forward_trade=found.forward_trade - first,
        option_trade=tuple(trade - first for trade in found.option_trade),
    )


def _within(trade: npt.NDArray[np.int64], first: int, last: int) -> Mask:
    found: Mask = (trade >= first) & (trade < last)
    return found


def chosen_options(rows: OptionRows, mask: Mask) -> OptionRows:
    """Return some of the options of a model."""
    of_each = np.asarray(rows.option)
    return OptionRows(
        rows.model,
        np.asarray(rows.node)[mask],
        np.asarray(rows.volatility_node)[mask],
        np.asarray(rows.strike)[mask],
        np.asarray(rows.years)[mask],
        np.asarray(rows.amount)[mask],
        of_each[mask] if of_each.ndim else rows.option,
    )
