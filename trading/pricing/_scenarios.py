"""Options on forwards in many scenarios at once: what they are worth together, or each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    Options,
    PricingError,
    finite,
    not_negative,
    positive,
    signs,
)
from trading.pricing._model import ModelChoice, PriceModel

Indices = npt.NDArray[np.int64]
_BLOCK = 64  # scenarios that the kernels take at a time
_WIDE = 64 * _BLOCK - 1  # scenarios that memory holds at a time; with today they fill whole blocks
_CHUNK = 256  # options of a partial sum: fixed, so that a total repeats bit for bit


@dataclass(frozen=True, slots=True, eq=False)
class OptionRows:
    """
    European options of one model, each on a node of prices and one of volatilities.

    node, volatility_node   (option,), positions in the arrays of a scenario
    strike                  (option,), currency/unit
    years                   (option,), to expiry, ACT/365, ≥ 0; 0 gives the payoff
    amount                  (option,), units held +, written −, times the discount factor
    option                  CALL or PUT, one for all or one each

    :raises PricingError: naming the argument and its first offending index.
    """

    model: ModelChoice
    node: Indices
    volatility_node: Indices
    strike: Floats
    years: Floats
    amount: Floats
    option: Options

    def __post_init__(self) -> None:
        count = np.shape(self.node)
        if len(count) != 1:
            raise PricingError("node: must be one row, a position for each option.")
        for name in ("volatility_node", "strike", "years", "amount"):
            if np.shape(getattr(self, name)) != count:
                raise PricingError(f"{name}: must be one for each of {count[0]} options.")
        for name in ("node", "volatility_node"):
            if not np.issubdtype(np.asarray(getattr(self, name)).dtype, np.integer):
                raise PricingError(f"{name}: must be whole numbers.")
        shift = self.model.displacement
        if self.model.model is PriceModel.BACHELIER:
            finite("strike", self.strike)
        else:
            positive("strike", np.asarray(self.strike, dtype=np.float64) + shift)
        not_negative("years", self.years)
        finite("amount", self.amount)
        signs(self.option)

    def __len__(self) -> int:
        return len(self.node)


def value_in_scenarios(
    options: OptionRows, forwards: npt.ArrayLike, volatilities: npt.ArrayLike, *,
    today: tuple[npt.ArrayLike, npt.ArrayLike] | None = None, each: bool = False,
    workers: int | None = None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """
    Value options in each scenario by their formula, in full.

    forwards        (node, scenario), currency/unit
    volatilities    (volatility node, scenario), of the model's kind, per √year, ≥ 0
    today           both today, (node,) and (volatility node,): what options gain since is returned
                    in place of what they are worth, without a move exactly nothing
    each            whether to keep the value of every option: (option, scenario), else (0, …)
    workers         threads; by default one a processor. They change no digit.

    Returns the sum of all by scenario, and the values of each.

    :raises NonPositivePrice: for a forward (with its displacement) that has no logarithm, of a
        node that an option stands on; naming node and scenario.
    :raises PricingError: for a shape, a position beyond it, or what is not finite.
    """
    F, sigma = np.asarray(forwards, dtype=np.float64), np.asarray(volatilities, dtype=np.float64)
    if F.ndim != 2 or sigma.ndim != 2 or F.shape[1] != sigma.shape[1] or not F.shape[1]:
        raise PricingError(
            f"forwards, volatilities: shapes {F.shape} and {sigma.shape} must be (node, scenario)"
            " with the same scenarios."
        )
    bases = (None, None) if today is None else [np.asarray(row, np.float64) for row in today]
    for name, row, base in (("forwards", F, bases[0]), ("volatilities", sigma, bases[1])):
        if base is not None and base.shape != row.shape[:1]:
            raise PricingError(f"today: shape {base.shape} of {name} must be {row.shape[:1]}.")
    prices = _Levels.on("node", "forwards", options.node, F, bases[0])
    vols = _Levels.on("volatility_node", "volatilities", options.volatility_node, sigma, bases[1])
    normal = options.model.model is PriceModel.BACHELIER
    shift = 0.0 if normal else float(options.model.displacement)
    for row in (prices.rows, prices.today):
        (finite if normal else positive)("forwards", row + shift if shift else row)
    for row in (vols.rows, vols.today):
        not_negative("volatilities", row)
    scenarios = F.shape[1]
    wide = scenarios if each else _WIDE
    totals, kept = [], np.empty((0, scenarios))
    for start in range(0, scenarios, wide):
        at = slice(start, min(start + wide, scenarios))
        count = at.stop - at.start
        total, rows = _valued(
            options, (prices.place, prices.blocks(at, shift)), (vols.place, vols.blocks(at)),
            None if today is None else count, each, workers,
        )  # fmt: skip
        totals.append(total[:count])
        kept = rows[:, :count] if each else kept
    return np.concatenate(totals), kept


def _valued(
    options: OptionRows, prices: tuple[Indices, Floats], volatilities: tuple[Indices, Floats],
    base: int | None, each: bool, workers: int | None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """
    Return the sum of all options, and the values of each, in whole blocks of scenarios.

    base    scenario whose values are taken off, if any
    """
    from trading.pricing._option_kernels import bachelier_scenarios, black76_scenarios

    (node, F), (vol_node, sigma) = prices, volatilities
    normal = options.model.model is PriceModel.BACHELIER
    K = np.asarray(options.strike, dtype=np.float64)
    K = K if normal else K + float(options.model.displacement)
    T = np.asarray(options.years, dtype=np.float64)
    amount = np.asarray(options.amount, dtype=np.float64)
    sign = np.broadcast_to(signs(options.option), node.shape).copy()
    starts = range(0, len(options), _CHUNK)
    totals = np.zeros((len(starts), F.shape[1]))
    rows = np.empty((len(options) if each else 0, F.shape[1]))
    lnF = None if normal else np.log(F)

    def work(n: int) -> None:
        at = slice(starts[n], starts[n] + _CHUNK)
        into = totals[n], rows[at] if each else rows
        if lnF is None:
            bachelier_scenarios(
                F, sigma, node[at], vol_node[at], K[at], T[at], amount[at], sign[at], *into
            )
        else:
            black76_scenarios(
                F, lnF, sigma, node[at], vol_node[at], K[at], T[at], amount[at], sign[at], *into
            )
        if each and base is not None:
            # Here, while the processor still has them at hand.
            rows[at] -= rows[at, base : base + 1].copy()

    share_work(work, len(starts), workers)
    total = totals.sum(axis=0)
    return total if base is None else total - total[base], rows


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """
    Levels of the nodes that options stand on.

    place       (option,), the row of each
    rows        (row, scenario)
    today       (row,); in their last scenario where no today was given
    """

    place: Indices
    rows: Floats
    today: Floats

    @classmethod
    def on(
        cls, name: str, what: str, positions: Sequence[int] | Indices, rows: Floats,
        today: Floats | None,
    ) -> _Levels:  # fmt: skip
        at = np.asarray(positions, dtype=np.int64)
        if at.size and (at.min() < 0 or at.max() >= len(rows)):
            wrong = int(np.flatnonzero((at < 0) | (at >= len(rows)))[0])
            raise PricingError(f"{name}[{wrong}]: {at[wrong]} is no position in {what}.")
        base = rows[:, -1] if today is None else today
        used, place = np.unique(at, return_inverse=True)
        if used.size < len(rows):
            rows, base = rows[used], base[used]
        return cls(place.astype(np.int64), rows, base)

    def blocks(self, at: slice, shift: float = 0.0) -> Floats:
        """Return some scenarios, then today until a whole block is full: once or more."""
        count = at.stop - at.start
        found = np.empty((len(self.rows), (count // _BLOCK + 1) * _BLOCK))
        found[:, :count] = self.rows[:, at]
        found[:, count:] = self.today[:, None]
        if shift:
            found += shift
        return found


def share_work(work: Callable[[int], None], count: int, workers: int | None) -> None:
    threads = min(count, workers or cpu_count() or 1)
    if threads < 2:
        for n in range(count):
            work(n)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(count)):
            pass
