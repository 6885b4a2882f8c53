"""
Work cut into blocks of trades × scenarios, and put together again so that no digit depends on who
did what: a sum's order is that of the blocks, whoever finished first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._revaluation import Portfolio, revalue
from risk.engine._rows import of_trades

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shard:
    """
    Trades [first, last) in scenarios [start, end).

    number      position in the order of the sum
    """

    number: int
    first: int
    last: int
    start: int
    end: int


def shards(
    trades: int, scenarios: int, *, trades_each: int, scenarios_each: int | None = None
) -> tuple[Shard, ...]:
    """
    Return the blocks of a run, in the order of the sum; every trade in every scenario once.

    trades_each, scenarios_each     of a block, the last ones smaller; all scenarios by default

    Which blocks there are depends on these numbers alone, never on how many workers there are.

    :raises ScenarioError: naming the argument that is below one.
    """
    wide = scenarios if scenarios_each is None else scenarios_each
    for name, value in (
        ("trades", trades), ("scenarios", scenarios), ("trades_each", trades_each),
        ("scenarios_each", wide),
    ):  # fmt: skip
        if value < 1:
            raise ScenarioError(f"{name}: {value} must be 1 or more.")
    edges = [
        (first, min(first + trades_each, trades), start, min(start + wide, scenarios))
        for start in range(0, scenarios, wide)
        for first in range(0, trades, trades_each)
    ]
    return tuple(Shard(number, *edge) for number, edge in enumerate(edges))


def merge(plan: Iterable[Shard], parts: Mapping[int, npt.ArrayLike]) -> Floats:
    """
    Return the P&L of all trades, (scenario,), from the blocks' own.

    parts   by the block's number (scenario of the block,), in any order

    :raises ScenarioError: for a block that is missing, unknown, of another shape or not finite.
    """
    blocks = sorted(plan, key=lambda shard: shard.number)
    unknown = parts.keys() - {shard.number for shard in blocks}
    if unknown:
        raise ScenarioError(f"parts: {min(unknown)} is no block of the plan.")
    total = np.zeros(max((shard.end for shard in blocks), default=0))
    for shard in blocks:
        if shard.number not in parts:
            raise ScenarioError(f"parts: block {shard.number} is missing.")
        part = np.asarray(parts[shard.number], dtype=np.float64)
        if part.shape != (shard.end - shard.start,) or not np.isfinite(part).all():
            raise ScenarioError(
                f"parts[{shard.number}]: must be {shard.end - shard.start} finite values."
            )
        total[shard.start : shard.end] += part
    return total


def value_shard(
    portfolio: Portfolio, shard: Shard, prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    scenario_prices: npt.ArrayLike, scenario_volatilities: npt.ArrayLike, *,
    workers: int | None = None,
) -> Floats:  # fmt: skip
    """
    Return the P&L of a block, (scenario of the block,); the market is that of the whole run.

    :raises ScenarioError: for trades that are none, and as `revalue`.
    """
    columns = slice(shard.start, shard.end)
    return revalue(
        of_trades(portfolio, shard.first, shard.last),
        prices,
        volatilities,
        np.ascontiguousarray(np.asarray(scenario_prices, dtype=np.float64)[:, columns]),
        np.ascontiguousarray(np.asarray(scenario_volatilities, dtype=np.float64)[:, columns]),
        workers=workers,
    ).pnl


def revalue_in_shards(
    portfolio: Portfolio, plan: Iterable[Shard], prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    scenario_prices: npt.ArrayLike, scenario_volatilities: npt.ArrayLike, *,
    run: Callable[
        [Callable[[Shard], Floats], Iterable[Shard]], Iterable[tuple[int, Floats]]
    ] | None = None,
) -> Floats:  # fmt: skip
    """
    Return a portfolio's P&L, (scenario,), block by block.

    run     does the blocks anywhere and returns each one's number and result, in any order; by
            default here, one after the other. Every digit is the same either way.

    :raises ScenarioError: as `merge` and `value_shard`.
    """
    blocks = tuple(plan)

    def work(shard: Shard) -> Floats:
        return value_shard(
            portfolio, shard, prices, volatilities, scenario_prices, scenario_volatilities
        )

    done = ((s.number, work(s)) for s in blocks) if run is None else run(work, blocks)
    return merge(blocks, dict(done))
