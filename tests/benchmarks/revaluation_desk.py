"""A desk of forwards and options to revalue, how NumPy does it, and how work is timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from risk.engine import ForwardRows, Portfolio
from trading.pricing import ModelChoice, OptionRows, PriceModel

TRADES, SCENARIOS, CURVES, MONTHS = 10_000, 500, 20, 24
ROUNDS = 7
RATE = 0.03
Row = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Desk:
    """A made portfolio: sign 0 of a forward, +1 of a call, −1 of a put; nodes are curve × month."""

    prices: Row
    vols: Row
    moved: Row
    moved_vols: Row
    node: npt.NDArray[np.int64]
    sign: Row
    quantity: Row
    strike: Row
    years: Row

    @property
    def discounted(self) -> Row:
        found: Row = self.quantity * np.exp(-RATE * self.years)
        return found

    def portfolio(self) -> Portfolio:
        forwards, options = np.flatnonzero(self.sign == 0), np.flatnonzero(self.sign != 0)
        rows = OptionRows(
            ModelChoice(PriceModel.BLACK76), self.node[options], self.node[options],
            self.strike[options], self.years[options], self.discounted[options],
            np.where(self.sign[options] > 0, "CALL", "PUT"),
        )  # fmt: skip
        held = ForwardRows(self.node[forwards], self.discounted[forwards], self.strike[forwards])
        return Portfolio(len(self.node), held, forwards, (rows,), (options,))


def made_desk(trades: int = TRADES, scenarios: int = SCENARIOS) -> Desk:
    """Draw a desk; seeds are fixed, so each run has the same."""
    rng = np.random.default_rng(20)
    months = np.arange(1, MONTHS + 1) / 12
    level = rng.uniform(25, 100, CURVES)[:, None]
    prices = level * (1 + 0.15 * np.cos(2 * np.pi * months)) * np.exp(0.02 * months)
    vols = (0.25 + 0.4 * np.exp(-months)) * rng.uniform(0.8, 1.2, CURVES)[:, None]
    shape = (scenarios, CURVES, 1)
    common = rng.standard_t(4, (scenarios, 1, 1))
    moves = 0.015 * (common + rng.standard_t(4, shape)) * (0.4 + 0.6 * np.exp(-months))
    vol_moves = (0.02 * rng.normal(size=shape) + 0.3 * np.abs(moves)) * np.ones(MONTHS)
    node = rng.integers(0, CURVES * MONTHS, trades)
    return Desk(
        prices=prices.ravel(),
        vols=vols.ravel(),
        moved=(prices * np.exp(moves)).reshape(scenarios, -1).T.copy(),
        moved_vols=(vols * np.exp(vol_moves)).reshape(scenarios, -1).T.copy(),
        node=node,
        sign=rng.choice([0.0, 1.0, -1.0], trades, p=[0.6, 0.2, 0.2]),
        quantity=rng.integers(100, 10_000, trades) * rng.choice([-1.0, 1.0], trades),
        strike=prices.ravel()[node] * rng.uniform(0.8, 1.2, trades),
        years=months[node % MONTHS],
    )


def by_trade(desk: Desk) -> Row:
    """Revalue as one would write it down: trade by trade, all scenarios of each at once."""
    amounts = desk.discounted
    pnl = np.zeros(desk.moved.shape[1])
    for node, sign, amount, strike, years in zip(
        desk.node, desk.sign, amounts, desk.strike, desk.years, strict=True
    ):
        forward, base = desk.moved[node], desk.prices[node]
        if sign == 0:
            pnl += amount * (forward - base)
            continue
        root = np.sqrt(years)
        values = []
        for f, vol in ((forward, desk.moved_vols[node]), (base, desk.vols[node])):
            deviation = vol * root
            d1 = np.log(f / strike) / deviation + 0.5 * deviation
            d2 = d1 - deviation
            values.append(sign * (f * ndtr(sign * d1) - strike * ndtr(sign * d2)))
        pnl += amount * (values[0] - values[1])
    return pnl


def least(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the least processor time of each, taken in turn."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            started = time.process_time()
            work()
            best[i] = min(best[i], time.process_time() - started)
    return best
