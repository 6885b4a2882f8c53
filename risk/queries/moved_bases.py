"""
A basis with other scenarios than its own: scaled, simulated, or one bump a factor.

All that a basis moves are nodes: prices by market, load and tenor, implied volatilities by market
and tenor, exchange rates. Whoever brings moves of the nodes gets a basis, and so every method
values holdings by the one valuation there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trading.queries.quotes import BASE

from .bases import Basis, MarketBasis

if TYPE_CHECKING:
    from risk.engine import Factors

    from .bases import Floats

_PRICE, _VOL = "price", "vol"
# Of the total variance of moves, each of its own deviation; what is left is beyond rounding.
EXPLAINED = 0.999999


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """
    The nodes of a basis.

    moves       (scenario, node) of the basis itself
    columns     (what, market id and load, or pair of currencies) and how many columns it has
    """

    basis: Basis
    moves: Floats
    columns: tuple[tuple[str, tuple[object, ...], int], ...]

    def basis_of(self, moves: Floats) -> Basis:
        """
        Return the basis with other scenarios; its id is 0, as it is written nowhere.

        moves   (scenario, node)
        """
        from risk.engine import Exchange

        cut: dict[tuple[str, tuple[object, ...]], Floats] = {}
        at = 0
        for what, key, width in self.columns:
            cut[what, key] = moves[:, at : at + width]
            at += width

        def moved(market_id: int, market: MarketBasis, load: str) -> MarketBasis:
            return replace(
                market,
                shocks=cut[_PRICE, (market_id, load)],
                vols=cut.get((_VOL, (market_id,))),
                shapes={code: moved(market_id, own, code) for code, own in market.shapes.items()},
            )

        return replace(
            self.basis,
            id=0,
            scenario_count=len(moves),
            markets={
                market_id: moved(market_id, market, BASE)
                for market_id, market in self.basis.markets.items()
            },
            rates={
                pair: Exchange(exchange.rate, cut["rate", pair][:, 0])
                for pair, exchange in self.basis.rates.items()
            },
        )

    def factors(self) -> Factors:
        """
        Return what moves all nodes together: principal factors of their correlation.

        Moves of price, volatility and exchange rate differ in size, so each node counts by its
        own deviation.
        """
        import numpy as np

        from risk.engine import Factors, factors_of_history

        deviation = self.moves.std(axis=0, ddof=1)
        scale = np.where(deviation > 0, deviation, 1.0)
        found = factors_of_history(self.moves / scale, explained=EXPLAINED)
        return Factors(found.loadings * scale, found.explained)


def nodes_of(basis: Basis) -> Nodes:
    """Return the nodes of a basis with its own moves."""
    import numpy as np

    columns: list[tuple[str, tuple[object, ...], int]] = []
    moves: list[Floats] = []

    def take(what: str, key: Sequence[object], values: Floats) -> None:
        columns.append((what, tuple(key), values.shape[1]))
        moves.append(values)

    for market_id, market in sorted(basis.markets.items()):
        take(_PRICE, (market_id, BASE), market.shocks)
        for load, own in sorted(market.shapes.items()):
            take(_PRICE, (market_id, load), own.shocks)
        if market.vols is not None:
            take(_VOL, (market_id,), market.vols)
    for pair, exchange in sorted(basis.rates.items()):
        take("rate", pair, exchange.changes[:, None])
    whole = np.concatenate(moves, axis=1) if moves else np.zeros((basis.scenario_count, 0))
    return Nodes(basis, whole, tuple(columns))


def scaled_basis(basis: Basis, horizon_days: int) -> Basis:
    """Return the basis with moves over more days, by the root of time; itself where they agree."""
    if horizon_days == basis.horizon_days:
        return basis
    nodes = nodes_of(basis)
    by = (horizon_days / basis.horizon_days) ** 0.5
    return replace(
        nodes.basis_of(nodes.moves * by),
        horizon_days=horizon_days,
        method=f"{basis.method}; moves of {_days(basis.horizon_days)} grown by √"
        f"{horizon_days / basis.horizon_days:g} to {_days(horizon_days)}",
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
