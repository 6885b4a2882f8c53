"""What legs with choices gain by a small move of one market: their delta and vega."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from risk.queries.bases import Basis, MarketBasis
from risk.queries.choices import problem_of, value_choices
from trading.enums import VolKind
from trading.queries.choices import Choice

if TYPE_CHECKING:
    from risk.queries.bases import Floats

# A step is this share of the market's mean price, and this share of a point of volatility.
_PRICE_STEP, _VOL_STEP = 1e-3, 0.1


def deltas(choices: Sequence[Choice], on: Basis) -> tuple[dict[int, float], str]:
    """
    Return by market what a move of all its prices by 1 per unit gains, in units of the market.

    Central differences of what values the legs in scenarios. The sentence says what of them cannot
    be valued, empty if nothing.
    """
    import numpy as np

    step = {
        key: _PRICE_STEP * max(float(np.nanmean(np.abs(market.curve.prices))), 1e-3)
        for key, market in on.markets.items()
    }
    found: dict[int, float] = defaultdict(float)
    problem = ""
    for currency, own in _by_currency(choices).items():
        gains, why = _gains(own, on, currency, lambda key, market: _moved(market, step[key]))
        problem = problem or why
        for key, gain in gains.items():
            found[key] += gain / step[key]
    return dict(found), problem


def vegas(choices: Sequence[Choice], on: Basis, currency: str) -> tuple[dict[int, float], str]:
    """
    Return by market what a point of all its volatilities gains, in a currency.

    A point is 0.01 of a lognormal volatility, 1 per unit of a normal one; else as `deltas`.
    """

    def more_volatile(_: int, market: MarketBasis) -> MarketBasis:
        import numpy as np

        point = 1.0 if market.vol_kind == VolKind.NORMAL else 0.01
        return replace(
            market,
            shocks=np.zeros((2, on.tenors)),
            vols=np.outer([1.0, -1.0], np.full(on.tenors, _VOL_STEP * point)),
            vol_kind=market.vol_kind or str(VolKind.LOGNORMAL),
            shapes={},
        )

    gains, problem = _gains(choices, on, currency, more_volatile)
    return {key: gain / _VOL_STEP for key, gain in gains.items()}, problem


def _gains(
    choices: Sequence[Choice],
    on: Basis,
    currency: str,
    move: Callable[[int, MarketBasis], MarketBasis],
) -> tuple[dict[int, float], str]:
    """Return half of what lies between a step up and a step down of each market in turn."""
    import numpy as np

    keys = sorted(on.markets)
    markets = {}
    for place, key in enumerate(keys):
        stepped = move(key, on.markets[key])
        rows = slice(2 * place, 2 * place + 2)
        markets[key] = _placed(stepped, rows, 2 * len(keys), np.zeros)
    rates = {
        pair: replace(rate, changes=np.zeros(2 * len(keys))) for pair, rate in on.rates.items()
    }
    # Without an id nothing of it is kept for another basis.
    tried = replace(on, id=0, scenario_count=2 * len(keys), markets=markets, rates=rates)
    valued = value_choices(choices, tried, currency=currency)
    halves = (valued.pnl[0::2] - valued.pnl[1::2]) / 2
    return dict(zip(keys, halves.tolist(), strict=True)), problem_of(valued.rows)


def _moved(market: MarketBasis, step: float) -> MarketBasis:
    import numpy as np

    shocks = np.outer([step, -step], np.ones(market.shocks.shape[1]))
    shapes = {load: _moved(own, step) for load, own in market.shapes.items()}
    return replace(market, shocks=shocks, vols=None, shapes=shapes)


def _placed(
    market: MarketBasis, rows: slice, count: int, zeros: Callable[[tuple[int, int]], Floats]
) -> MarketBasis:
    """Return a market whose two scenarios stand among as many, in which it does not move."""

    def among(two: Floats) -> Floats:
        found = zeros((count, two.shape[1]))
        found[rows] = two
        return found

    return replace(
        market,
        shocks=among(market.shocks),
        vols=None if market.vols is None else among(market.vols),
        shapes={load: _placed(own, rows, count, zeros) for load, own in market.shapes.items()},
    )


def _by_currency(choices: Sequence[Choice]) -> dict[str, list[Choice]]:
    found: dict[str, list[Choice]] = defaultdict(list)
    for choice in choices:
        found[choice.leg.currency].append(choice)
    return found
