"""
Revaluation with discount factors and exchange rates that move: what is paid when, in what money.

A payment is a date and a currency. What falls due at one is valued undiscounted by `revalue`, then
carried to today's money of the report at each scenario's own discount factor and exchange rate:
value and change of value together, so that a rate that moves earns or costs what it does to both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._currency import Exchange, in_currency
from risk.engine._errors import ScenarioError
from risk.engine._revaluation import Portfolio, Revaluation, revalue
from risk.engine._rows import of_rows

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PaymentMarket:
    """
    Discount factors and exchange rates, today and in scenarios.

    discount            (payment,), today's to each date in its currency, > 0
    scenario_discount   (payment, scenario); None holds them
    currency            (payment,), position of each one's currency among the rates
    rate                (currency,), units of the report's money for one, > 0; its own is 1
    scenario_rate       (currency, scenario); None holds them

    :raises ScenarioError: naming the argument and place; a currency without a rate among them.
    """

    discount: Floats
    currency: Indices
    rate: Floats
    scenario_discount: Floats | None = None
    scenario_rate: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("discount", "rate", "scenario_discount", "scenario_rate"):
            given = getattr(self, name)
            row = None if given is None else np.asarray(given, dtype=np.float64)
            object.__setattr__(self, name, row)
            if row is not None and not (np.isfinite(row) & (row > 0)).all():
                where = np.argwhere(~(np.isfinite(row) & (row > 0)))[0].tolist()
                raise ScenarioError(f"{name}{where}: {row[tuple(where)]} must be above 0.")
        if self.discount.ndim != 1 or np.shape(self.currency) != self.discount.shape:
            raise ScenarioError("currency: must be one for each discount factor.")
        if self.currency.size and not 0 <= self.currency.min() <= self.currency.max() < len(
            self.rate
        ):
            raise ScenarioError(f"currency: must be positions of {len(self.rate)} rates.")
        moved = (("discount", self.scenario_discount), ("rate", self.scenario_rate))
        counts = set()
        for name, row in moved:
            if row is None:
                continue
            if row.ndim != 2 or len(row) != len(getattr(self, name)):
                raise ScenarioError(
                    f"scenario_{name}: shape {row.shape} must be"
                    f" ({len(getattr(self, name))}, scenario)."
                )
            counts.add(row.shape[1])
        if len(counts) > 1:
            raise ScenarioError("scenario_rate: must have the scenarios of scenario_discount.")

    def exchange(self, payment: int, scenarios: int) -> Exchange:
        """
        Return what one unit paid there is worth in the report's money, today and in scenarios.

        :raises ScenarioError: for another number of scenarios.
        """
        money = int(self.currency[payment])
        today = float(self.discount[payment] * self.rate[money])
        factor = np.ones(scenarios)
        for name, moved, base in (
            ("scenario_discount", self.scenario_discount, self.discount),
            ("scenario_rate", self.scenario_rate, self.rate),
        ):
            if moved is None:
                continue
            if moved.shape[1] != scenarios:
                raise ScenarioError(f"{name}: {moved.shape[1]} scenarios must be {scenarios}.")
            place = payment if base is self.discount else money
            factor = factor * (moved[place] / base[place])
        return Exchange(today, factor - 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class PaidPortfolio:
    """
    A portfolio whose rows say where they are paid; amounts are undiscounted.

    forward_payment     (forward,), position of each one's payment
    option_payment      beside each model's options (option,), likewise

    :raises ScenarioError: for rows whose lengths differ.
    """

    held: Portfolio
    forward_payment: Indices
    option_payment: tuple[Indices, ...] = ()

    def __post_init__(self) -> None:
        if np.shape(self.forward_payment) != (len(self.held.forwards),):
            raise ScenarioError(
                f"forward_payment: must be one for each of {len(self.held.forwards)} forwards."
            )
        if len(self.option_payment) != len(self.held.options):
            raise ScenarioError("option_payment: must be one row for each of the options' models.")
        for rows, payment in zip(self.held.options, self.option_payment, strict=True):
            if np.shape(payment) != (len(rows),):
                raise ScenarioError(f"option_payment: must be one for each of {len(rows)} options.")

    @property
    def payments(self) -> Indices:
        """Return the payments that some row falls due at, ascending."""
        found: Indices = np.unique(np.concatenate([self.forward_payment, *self.option_payment]))
        return found

    def at(self, payment: int) -> Portfolio:
        """Return the rows of a payment, with the trades' positions as they were."""
        return of_rows(
            self.held,
            self.forward_payment == payment,
            [row == payment for row in self.option_payment],
        )


@dataclass(frozen=True, slots=True, eq=False)
class PaidRevaluation:
    """
    What a portfolio is worth today, and gains in each scenario; the report's money.

    value           today
    pnl             (scenario,), gains positive
    trade_value     (trade,), today; they sum to `value`
    """

    value: float
    pnl: Floats
    trade_value: Floats
    _parts: tuple[tuple[Revaluation, Exchange], ...]

    def weighted(self, weights: Floats) -> Floats:
        """
        Return each trade's P&L summed with a weight a scenario, (trade,).

        :raises ScenarioError: as `Revaluation.weighted`.
        """
        found = np.zeros_like(self.trade_value)
        for part, exchange in self._parts:
            moved = 1.0 + exchange.changes
            found += exchange.rate * (
                part.weighted(weights * moved)
                + float(weights @ exchange.changes) * part.trade_value
            )
        return found

    def trade_pnl(self, chosen: Sequence[int] | Indices) -> Floats:
        """
        Return the P&L of some trades in each scenario, (chosen, scenario).

        :raises ScenarioError: as `Revaluation.trade_pnl`.
        """
        wanted = np.asarray(chosen, dtype=np.int64)
        found = np.zeros((wanted.size, self.pnl.size))
        for part, exchange in self._parts:
            rows = part.trade_pnl(wanted)
            for n, trade in enumerate(wanted):
                found[n] += in_currency(float(part.trade_value[trade]), rows[n], exchange)[1]
        return found


def revalue_paid(
    portfolio: PaidPortfolio, market: PaymentMarket, prices: npt.ArrayLike,
    volatilities: npt.ArrayLike, scenario_prices: npt.ArrayLike,
    scenario_volatilities: npt.ArrayLike, *, each: bool = False, workers: int | None = None,
) -> PaidRevaluation:  # fmt: skip
    """
    Value a portfolio today and in every scenario, with the moves of discount factors and rates.

    Prices, volatilities and the rest are those of `revalue`.

    :raises ScenarioError: for a payment that the market lacks, and as `revalue`.
    :raises trading.pricing.PricingError: as `revalue`.
    """
    moved = np.asarray(scenario_prices, dtype=np.float64)
    scenarios = moved.shape[-1] if moved.ndim else 0
    payments = portfolio.payments
    if payments.size and not 0 <= payments[0] <= payments[-1] < len(market.discount):
        raise ScenarioError(f"payment: must be positions of {len(market.discount)} discounts.")
    value, pnl = 0.0, np.zeros(scenarios)
    trade_value = np.zeros(portfolio.held.trades)
    parts = []
    for payment in payments:
        own = portfolio.at(int(payment))
        part = revalue(
            own, prices, volatilities, moved, scenario_volatilities, each=each, workers=workers
        )
        exchange = market.exchange(int(payment), scenarios)
        worth, gained = in_currency(part.value, part.pnl, exchange)
        value, pnl = value + worth, pnl + gained
        trade_value += exchange.rate * part.trade_value
        parts.append((part, exchange))
    return PaidRevaluation(value, pnl, trade_value, tuple(parts))
