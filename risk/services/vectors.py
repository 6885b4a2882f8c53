"""Keep the vectors of trades and scopes in step with trades, inside each change's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from energyopti.foundation.live import publish
from risk.models import RiskNumber, ScopeVector, TradeVector
from risk.queries.bases import Basis, basis, from_bytes, latest_basis, to_bytes
from risk.queries.book_state import book_state
from risk.queries.holdings import (
    Holdings,
    holdings_changed,
    holdings_of,
    holdings_of_trade,
    value_holdings,
)
from risk.queries.scopes import DEFAULT_CONFIDENCE, Scope, pending_of, scope_tail
from risk.queries.valuation import Valuation
from trading.checks import Change
from trading.enums import Stage, TradeStatus
from trading.queries.books import reporting_currency, subtree

if TYPE_CHECKING:
    from risk.queries.bases import Floats


def follow_change(change: Change) -> None:
    """
    Add what a version changes to the vectors of its book and of every book above it.

    New minus old, because that is what a version changes; what waits for release goes to a
    vector of its own, reserved and not held. Runs in the transaction of the change under the
    locks of these scopes. Without a basis there is nothing to add to: the first basis projects
    all holdings.
    """
    if latest_basis() is None:
        return
    changed = holdings_changed(change)
    live, pending = changed[Stage.LIVE], changed[Stage.PENDING]
    if not live and not pending:
        return
    held = {row.book_id: row for row in ScopeVector.objects.filter(book_id__in=change.book_path)}
    # The books of a path report in one currency.
    currency = reporting_currency(change.book_path[0])
    valued: dict[int, tuple[Valuation, Valuation]] = {}

    def change_on(on: Basis) -> tuple[Valuation, Valuation]:
        if on.id not in valued:
            valued[on.id] = (
                value_holdings(live, on, currency=currency),
                value_holdings(pending, on, currency=currency),
            )
            if change.after.status == TradeStatus.LIVE:
                _write_trade_vector(change, on, live)
        return valued[on.id]

    for book_id in change.book_path:
        row = held.get(book_id)
        if row is None:
            # The holdings that it starts from have this change already.
            scope = start_scope(book_id)
        else:
            on = basis(row.snapshot_id)
            more, waiting = change_on(on)
            scope = change_scope(
                row,
                on,
                row.base_value + more.base_value,
                from_bytes(row.values) + more.pnl,
                pending_of(row, on) + waiting.pnl,
            )
        change_on(scope.basis)
        note_change(scope, cause=change.trade_ref)
    publish_books(change.book_path)


def start_scope(book_id: UUID) -> Scope:
    """Create a scope on the latest basis from what the book and those below it hold."""
    on = latest_basis()
    assert on is not None, "a scope needs a basis"
    currency = reporting_currency(book_id)
    whole, waiting = whole_scope(book_id, on, currency)
    row = ScopeVector.objects.create(
        book_id=book_id,
        snapshot_id=on.id,
        currency=currency,
        base_value=whole.base_value,
        values=to_bytes(whole.pnl),
        pending_values=to_bytes(waiting.pnl),
        sequence=1,
    )
    return Scope(
        book_id, on, currency, row.base_value, whole.pnl, row.sequence, pending=waiting.pnl
    )


def whole_scope(book_id: UUID, on: Basis, currency: str) -> tuple[Valuation, Valuation]:
    """Return what a book with those below it holds on a basis, and what waits for release."""
    books = subtree(book_id)
    return (
        value_holdings(holdings_of(books), on, currency=currency),
        value_holdings(holdings_of(books, stage=Stage.PENDING), on, currency=currency),
    )


def replace_scope(row: ScopeVector, on: Basis, whole: Valuation, waiting: Valuation) -> Scope:
    """Put new sums in the place of a scope's vectors; the caller holds the scope's lock."""
    return change_scope(row, on, whole.base_value, whole.pnl, waiting.pnl)


def change_scope(
    row: ScopeVector, on: Basis, base_value: float, pnl: Floats, pending: Floats
) -> Scope:
    """Write a scope's vectors anew; the caller holds the scope's lock."""
    row.snapshot_id = on.id
    row.base_value = base_value
    row.values = to_bytes(pnl)
    row.pending_values = to_bytes(pending)
    row.sequence += 1
    row.changed_at = Now()  # the database's clock, not the demo's
    row.save(
        update_fields=[
            "snapshot", "base_value", "values", "pending_values", "sequence", "changed_at",
        ]
    )  # fmt: skip
    return Scope(row.book_id, on, row.currency, base_value, pnl, row.sequence, pending=pending)


def note_change(scope: Scope, *, cause: str) -> None:
    """Write the scope's new numbers into its history."""
    tail = scope_tail(scope)
    RiskNumber.objects.create(
        book_id=scope.book_id,
        snapshot_id=scope.basis.id,
        sequence=scope.sequence,
        currency=scope.currency,
        confidence=DEFAULT_CONFIDENCE,
        horizon_days=scope.basis.horizon_days,
        var=tail.var,
        es=tail.es,
        value=scope.base_value,
        cause=cause,
        valued_at=scope.basis.valued_at,
    )


def publish_books(book_ids: Sequence[UUID]) -> None:
    """
    Tell the open pages of books, after commit.

    The state is read after the commit and not within: two captures that end together then both
    send the newer state, and `revision` lets a page drop an older one.
    """
    for book_id in book_ids:
        transaction.on_commit(lambda book_id=book_id: publish(topic_of(book_id), _frame(book_id)))


def topic_of(book_id: UUID) -> str:
    """Return the live topic of a book."""
    return f"book:{book_id}"


def _frame(book_id: UUID) -> dict[str, object]:
    return book_state(book_id)


def _write_trade_vector(change: Change, on: Basis, added: Holdings) -> None:
    """Keep the vector of a trade in its own currency."""
    # Of a change, the whole trade as it now is and not what the change added.
    held = added if change.before is None else holdings_of_trade(change.trade_id)
    whole = value_holdings(held, on, currency=change.currency)
    if whole.unvalued or not added:
        return  # a vector of a part of the trade would be taken for the whole
    TradeVector.objects.create(
        trade_version_id=change.after.version_id,
        snapshot_id=on.id,
        currency=change.currency,
        base_value=whole.base_value,
        values=to_bytes(whole.pnl),
    )
