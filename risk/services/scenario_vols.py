"""What scenarios add to implied volatilities: their quoted moves of the scenarios' own days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from risk.engine import ContractQuote, QuoteDay, month_number, paired_shocks
from risk.models import ProxyKind, ScenarioDefinition, ScenarioProxy
from trading.queries.vol_days import VolContract, vol_histories

from .scenario_history import TENORS, filtered

if TYPE_CHECKING:
    from risk.queries.bases import Floats


@dataclass(frozen=True, slots=True)
class VolMoves:
    """
    What is added to a market's volatilities at the money, shape (scenario, tenor).

    kind    LOGNORMAL per √year, NORMAL in currency per unit and √year
    held    in how many scenarios nothing is known, so that they stay
    """

    kind: str
    values: Floats
    held: int


def vol_moves(
    definition: ScenarioDefinition,
    market_ids: Sequence[int],
    spans: Sequence[tuple[date, date]],
    valued_at: datetime,
) -> tuple[dict[int, VolMoves], list[ScenarioProxy]]:
    """
    Return the moves of markets whose volatilities were quoted, and what is held for all.

    A move is of one contract and one expiry quoted on both days, so no roll makes one; it is
    mapped by time to delivery, whatever the prices are mapped by.
    """
    start = datetime.combine(spans[0][0] - timedelta(days=1), time(), UTC)
    histories = vol_histories(market_ids, start=start, end=valued_at)
    found: dict[int, VolMoves] = {}
    held: list[ScenarioProxy] = []
    for market_id in market_ids:
        missing, why = len(spans), "no implied volatility was quoted on both of a scenario's days"
        if market_id in histories:
            history = histories[market_id]
            pairs = [
                pair
                for before, after in spans
                if (pair := _pair(before, after, history.days)) is not None
            ]
            moved = paired_shocks(pairs, _no_hours, tenors=TENORS, of_volatility=True)
            if moved.days:
                place = {after: n for n, (_, after) in enumerate(spans)}
                rows = [place[day] for day in moved.days]
                values = np.zeros((len(spans), TENORS))
                values[rows] = moved.values
                missing = len(spans) - len(rows)
                found[market_id] = VolMoves(history.kind, filtered(values, definition), missing)
        if missing:
            held.append(
                ScenarioProxy(
                    kind=ProxyKind.VOLATILITY, market_id=market_id, scenarios=missing,
                    stands_in="the volatility of the valuation, which is held", why=why,
                )
            )  # fmt: skip
    return found, held


def _pair(
    before: date, after: date, days: Mapping[date, Mapping[VolContract, float]]
) -> tuple[QuoteDay, QuoteDay] | None:
    """Return two days' volatilities of the contracts that both quoted, each of one expiry."""
    first, last = days.get(before), days.get(after)
    if first is None or last is None:
        return None
    # Of several expiries the nearest that both days have.
    nearest: dict[tuple[date, int], VolContract] = {}
    for contract in first.keys() & last.keys():
        held = nearest.get((contract.first, contract.months))
        if held is None or contract.expires_on < held.expires_on:
            nearest[contract.first, contract.months] = contract
    if not nearest:
        return None
    return tuple(  # type: ignore[return-value]  # two of them
        QuoteDay(
            day,
            tuple(
                ContractQuote(month_number(one.first), one.months, vols[one])
                for one in nearest.values()
            ),
        )
        for day, vols in ((before, first), (after, last))
    )


def _no_hours(_: int) -> float:
    raise AssertionError("volatilities are no means over hours")
