"""
What a scope, a trade or a proposal holds, and what that is worth on a basis.

Positions are linear in prices (`valuation`); legs with choices are not (`choices`). Whoever values
something asks here, so that no product is left out of value, P&L vector, VaR and limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from trading.checks import Change, Proposal
from trading.deals import ProductKind
from trading.enums import Stage
from trading.queries.choices import (
    Choice,
    choices_changed,
    choices_of,
    choices_of_deal,
    choices_of_trade,
)
from trading.queries.positions import (
    Position,
    positions_by_deltas,
    positions_of,
    positions_of_trade,
    positions_of_version,
    proposed_positions,
)

from .bases import Basis
from .choices import value_choices
from .valuation import Valuation, value_positions


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Positions and legs with choices; of a change what is new, and what is gone with −."""

    positions: Sequence[Position] = ()
    choices: Sequence[Choice] = ()

    def __bool__(self) -> bool:
        return bool(self.positions or self.choices)


def holdings_of(book_ids: Iterable[UUID], *, stage: str = Stage.LIVE) -> Holdings:
    """Return what some books hold together, or reserve."""
    books = list(book_ids)
    return Holdings(positions_of(books, stage=stage), choices_of(books, stage=stage))


def holdings_by_deltas(book_ids: Iterable[UUID], *, stage: str = Stage.LIVE) -> Holdings:
    """Return the same from the deltas of every trade, to prove the totals."""
    books = list(book_ids)
    return Holdings(positions_by_deltas(books, stage=stage), choices_of(books, stage=stage))


def holdings_of_trade(trade_id: int, *, stage: str = Stage.LIVE) -> Holdings:
    """Return what a trade holds as it is now."""
    return Holdings(
        positions_of_trade(trade_id, stage=stage), choices_of_trade(trade_id, stage=stage)
    )


def holdings_changed(change: Change) -> dict[str, Holdings]:
    """Return by stage what a version that was just written adds to what its trade held before."""
    version_id = change.after.version_id
    choices = choices_changed(version_id, change.before.version_id if change.before else None)
    return {
        stage: Holdings(positions_of_version(version_id, stage=stage), choices[stage])
        for stage in Stage
    }


def proposed_holdings(proposal: Proposal) -> Holdings:
    """Return what a deal would hold that is not booked."""
    positions = proposed_positions(proposal.deltas, proposal.market_ids)
    return Holdings(positions, choices_of_deal(proposal.deal, positions))


def proposed_choices(proposal: Proposal) -> list[Choice]:
    """Return the legs with choices of a deal that is not booked; no query but of agreements."""
    if not proposal.deal.choices:
        return []
    volume: Sequence[Position] = ()
    if proposal.deal.kind is ProductKind.PPA:
        volume = proposed_positions(proposal.deltas, proposal.market_ids)
    return choices_of_deal(proposal.deal, volume)


def value_holdings(holdings: Holdings, basis: Basis, *, currency: str) -> Valuation:
    """
    Return value and P&L vector of holdings; what cannot be valued stands in the rows with why.

    currency    of the sums, as `value_positions` has it
    """
    linear = value_positions(holdings.positions, basis, currency=currency)
    if not holdings.choices:
        return linear
    rest = value_choices(holdings.choices, basis, currency=currency)
    return replace(
        linear,
        base_value=linear.base_value + rest.base_value,
        pnl=linear.pnl + rest.pnl,
        choices=rest.rows,
        held=(*linear.held, *(said for said in rest.held if said not in linear.held)),
    )
