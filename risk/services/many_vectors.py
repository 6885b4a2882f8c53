"""Add many new trades to the vectors of their books, in the transaction that wrote them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from energyopti.foundation.copying import copy_rows
from risk.models import ScopeVector, TradeVector
from risk.queries.bases import Basis, basis, from_bytes, latest_basis, to_bytes
from risk.queries.many_deals import DealValue, value_deals
from risk.queries.scopes import pending_of
from trading.checks import NewTrade

from .vectors import change_scope, note_change, publish_books, start_scope

if TYPE_CHECKING:
    pass


def follow_new_trades(trades: Sequence[NewTrade]) -> None:
    """
    Do for many new trades what `follow_change` does for each; a scope's history gets one number.

    """
    if latest_basis() is None:
        return
    by_scope: dict[UUID, list[int]] = defaultdict(list)
    for place, trade in enumerate(trades):
        if trade.proposal.deltas or trade.proposal.deal.choices:
            for book_id in trade.change.book_path:
                by_scope[book_id].append(place)
    held = {row.book_id: row for row in ScopeVector.objects.filter(book_id__in=by_scope)}
    values = _Values(trades)
    for book_id, places in sorted(by_scope.items()):
        row = held.get(book_id)
        if row is None:
            # The holdings that it starts from have all of these already.
            scope = start_scope(book_id)
            live, _ = values.sums(places, scope.basis)
            before = scope.pnl - live.pnl
        else:
            on = basis(row.snapshot_id)
            live, waiting = values.sums(places, on)
            before = from_bytes(row.values)
            scope = change_scope(
                row, on, row.base_value + live.base_value, before + live.pnl,
                pending_of(row, on) + waiting.pnl,
            )  # fmt: skip
        names = [trades[place].change.trade_ref for place in places]
        note_change(scope, cause=names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}")
    values.write()
    publish_books(list(by_scope))


class _Values:
    """What the trades are worth on each basis that one of their scopes is on."""

    def __init__(self, trades: Sequence[NewTrade]) -> None:
        self.trades = trades
        self.by_basis: dict[int, list[DealValue]] = {}
        self.used: dict[int, set[int]] = defaultdict(set)

    def on(self, of: Basis) -> list[DealValue]:
        if of.id not in self.by_basis:
            self.by_basis[of.id] = value_deals([t.proposal for t in self.trades], of)
        return self.by_basis[of.id]

    def sums(self, places: Sequence[int], of: Basis) -> tuple[DealValue, DealValue]:
        """Return what is held of some trades together, and what waits: in their books' currency."""
        self.on(of)
        self.used[of.id].update(places)
        live: list[DealValue] = []
        waiting: list[DealValue] = []
        for place in places:
            (live if self.trades[place].is_live else waiting).append(self.reported(place, of))
        return _sum(live, of), _sum(waiting, of)

    def reported(self, place: int, of: Basis) -> DealValue:
        """Return a trade's value in the currency of its book."""
        proposal = self.trades[place].proposal
        return self.on(of)[place].converted(of, proposal.currency, proposal.reporting_currency)

    def write(self) -> None:
        """Keep the vector of each live trade that can be valued as a whole."""
        rows = []
        for snapshot_id, places in self.used.items():
            valued = self.by_basis[snapshot_id]
            for place in sorted(places):
                change = self.trades[place].change
                if not self.trades[place].is_live or valued[place].problem:
                    continue
                rows.append(
                    TradeVector(
                        trade_version_id=change.after.version_id,
                        snapshot_id=snapshot_id,
                        currency=change.currency,
                        base_value=valued[place].base_value,
                        values=to_bytes(valued[place].pnl),
                    )
                )
        copy_rows(rows)


def _sum(values: Sequence[DealValue], of: Basis) -> DealValue:
    if not values:
        return DealValue(0.0, of.zeros(), "")
    import numpy as np

    pnl = np.sum([value.pnl for value in values], axis=0)
    return DealValue(sum(value.base_value for value in values), pnl, "")
