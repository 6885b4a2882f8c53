"""Write a version of a trade: its row, legs, positions, change steps and event, together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.copying import next_ids
from energyopti.foundation.events.services import record_event
from trading.checks import CHANGE_STEPS, Change, CheckResult, Proposal, VersionStage
from trading.deals import Deal, DealError, deltas_with
from trading.models import (
    Fee,
    ProposedAmendment,
    Stage,
    Trade,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.books import book_path
from trading.queries.deals import deal_of
from trading.queries.metering import held_months
from trading.queries.positions import (
    Position,
    difference,
    positions_of_trade,
    proposed_positions,
)
from trading.queries.proposals import TradeInvalid
from trading.queries.summaries import terms_json, terms_summary

from .legs import write_legs
from .life import HELD
from .locks import book_key, counterparty_key, lock_keys, server_time, trader_key
from .positions import change_positions

EVENT_TYPES: Mapping[str, str] = {
    TradeEvent.DRAFT: "trade.drafted",
    TradeEvent.CAPTURE: "trade.captured",
    TradeEvent.SUBMIT: "trade.submitted",
    TradeEvent.RELEASE: "trade.released",
    TradeEvent.REJECT: "trade.sent_back",
    TradeEvent.AMEND: "trade.amended",
    TradeEvent.PROPOSE: "trade.amendment_proposed",
    TradeEvent.APPROVE: "trade.amended",
    TradeEvent.DECLINE: "trade.amendment_refused",
    TradeEvent.CORRECT: "trade.corrected",
    TradeEvent.NOVATE: "trade.novated",
    TradeEvent.TERMINATE: "trade.terminated",
    TradeEvent.CANCEL: "trade.cancelled",
    TradeEvent.EXERCISE: "trade.exercised",
    TradeEvent.EXPIRE: "trade.expired",
    TradeEvent.METER: "trade.metered",
    TradeEvent.MATURE: "trade.matured",
    TradeEvent.SETTLE: "trade.settled",
}
# What tells of something that has happened: no check could stop it, so it may open a breach.
_FACTS = frozenset(
    {
        TradeEvent.CORRECT, TradeEvent.NOVATE, TradeEvent.TERMINATE, TradeEvent.CANCEL,
        TradeEvent.METER,
    }
)  # fmt: skip
# A version without terms of its own repeats these of the one before.
_SUMMARY = (
    "product_kind", "side", "market_id", "shape", "quantity", "quantity_unit", "frequency",
    "quantity_mw", "price", "price_unit", "currency", "period_name", "first_date", "after_date",
    "delivery_start", "delivery_end", "calendar_zone", "tzdata_version", "hours", "volume",
    "volume_unit", "energy_mwh", "notional", "mic", "clearing_account", "broker",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """
    A deal with what its rows need.

    positions   what it adds
    market_ids  by code
    """

    deal: Deal
    positions: Sequence[Position]
    market_id: int
    market_ids: Mapping[str, int]

    @classmethod
    def of(cls, proposal: Proposal) -> Terms:
        return cls(
            proposal.deal,
            proposed_positions(proposal.deltas, proposal.market_ids),
            proposal.market_id,
            proposal.market_ids,
        )


def lock_books(paths: Sequence[Sequence[UUID]], keys: Sequence[str] = ()) -> None:
    """
    Take the transaction's locks on the limit scopes of books, and more keys.

    All at once and in sorted order, so that two changes never wait for each other in a circle,
    and each sees the headroom that the other has left.
    """
    lock_keys([*(book_key(book_id) for path in paths for book_id in path), *keys])


def scope_keys(trader: str, counterparty_id: UUID) -> tuple[str, str]:
    """Return the locks on the limit scopes of a deal beside its books'."""
    return trader_key(trader), counterparty_key(counterparty_id)


def lock_trades(trade_ids: Iterable[int], keys: Sequence[str] = ()) -> dict[int, tuple[UUID, ...]]:
    """
    Take the locks on every limit scope of some trades, and more keys, as `lock_books` does.

    Returns the path of each trade's book. What a trade is of (book, trader, counterparty) never
    changes, so it may be read before the locks are held.
    """
    rows = Trade.objects.filter(pk__in=set(trade_ids))
    found = list(rows.values_list("id", "book_id", "trader", "counterparty_id"))
    paths = {book_id: book_path(book_id) for book_id in {row[1] for row in found}}
    more = [key for _, _, trader, party in found for key in scope_keys(trader, party)]
    lock_books(list(paths.values()), [*more, *keys])
    return {trade_id: paths[book_id] for trade_id, book_id, *_ in found}


def next_trade_id() -> int:
    """Return the id that the next trade gets."""
    return next_ids(Trade, 1)[0]


def add_version(
    *,
    trade: Trade,
    before: TradeVersion | None,
    event: str,
    status: str,
    actor: Actor,
    book_path: tuple[UUID, ...],
    terms: Terms | None = None,
    positions: Sequence[Position] | None = None,
    proposed: Terms | None = None,
    checks: Sequence[Mapping[str, object]] = (),
    results: tuple[CheckResult, ...] = (),
    reason: str = "",
    text: str = "",
    effective_at: datetime,
    traded_at: datetime | None = None,
    fees: Sequence[Fee] = (),
    is_fact: bool = False,
    payload: Mapping[str, Any] | None = None,
) -> TradeVersion:
    """
    Add a version in the caller's transaction, who holds the locks of the book's limit scopes.

    terms       new ones; None keeps those of the version before
    positions   what the trade is to add from now on; None: what the terms add, or what it adds
                already. Nothing counts in a status that is neither held nor pending. What new
                terms add of deliveries that were trued up is what was metered.
    proposed    terms that are to wait: their legs are kept under this version, and what they add
                to those that hold is reserved
    fees        further ones of this version
    """
    number = 1 if before is None else before.version + 1
    changed = _changed_terms(before, terms, status)
    if terms is not None:
        summary = {**terms_summary(terms.deal), "market_id": terms.market_id}
    else:
        assert before is not None, "a first version has terms"
        summary = {name: getattr(before, name) for name in _SUMMARY}
        summary["terms_id"] = before.terms_version_id
    version = version_row(
        trade=trade,
        number=number,
        event=event,
        status=status,
        recorded_at=server_time(),
        effective_at=effective_at,
        traded_at=traded_at or (before.traded_at if before else effective_at),
        checks=checks,
        reason=reason,
        text=text,
        actor=actor,
        summary=summary,
    )
    version.save(force_insert=True)
    if terms is not None:
        write_legs(version=version, deal=terms.deal, market_ids=terms.market_ids)
    if fees:
        _add_fees(version, fees)
    if proposed is not None:
        _write_proposed(version, proposed)
    months = _move_positions(
        version, before, status, _metered(before, terms), positions, _metered(before, proposed)
    )
    Trade.objects.filter(pk=trade.pk).update(
        status=status, latest_version=number, product_kind=version.product_kind,
        counterparty_id=trade.counterparty_id, mirror_id=trade.mirror_id,
    )  # fmt: skip
    trade.status, trade.latest_version = status, number
    trade.product_kind = version.product_kind
    change = Change(
        organization_id=trade.organization_id,
        book_path=book_path,
        currency=version.currency,
        trade_id=trade.pk,
        trade_ref=trade.ref,
        trader=trade.trader,
        counterparty_id=trade.counterparty_id,
        before=None if before is None else VersionStage(before.pk, before.status),
        after=VersionStage(version.pk, status),
        is_fact=is_fact or event in _FACTS,
        results=results,
        actor=actor,
    )
    for step in CHANGE_STEPS.values():
        step(change)
    record_event(
        type=EVENT_TYPES[event],
        actor=actor,
        aggregate_type="trade",
        aggregate_id=trade.ref,
        organization_id=trade.organization_id,
        key=f"book:{trade.book_id}",
        payload=event_payload(
            trade,
            version,
            terms,
            months,
            {**(payload or {}), **(_proposes(before, proposed) if proposed and before else {})},
        ),
        changes=changed,
    )
    return version


def _metered(before: TradeVersion | None, terms: Terms | None) -> Terms | None:
    """Return new terms of a trade that was trued up with what was metered in the positions."""
    if before is None or terms is None:
        return terms
    try:
        months = held_months(before, terms.deal, terms.market_id)
    except DealError as error:
        raise TradeInvalid(error.field, error.rule) from error
    if not months:
        return terms
    found = deltas_with(terms.deal, months)
    return replace(terms, positions=proposed_positions(found, terms.market_ids))


def version_row(
    *,
    trade: Trade,
    number: int,
    event: str,
    status: str,
    recorded_at: datetime,
    effective_at: datetime,
    traded_at: datetime,
    checks: Sequence[Mapping[str, object]],
    reason: str,
    text: str,
    actor: Actor,
    summary: Mapping[str, Any],
) -> TradeVersion:
    """Return the row of a version, not yet written; `summary` holds the columns of its terms."""
    return TradeVersion(
        trade=trade,
        version=number,
        event=event,
        status=status,
        recorded_at=recorded_at,
        effective_at=effective_at,
        traded_at=traded_at,
        book_id=trade.book_id,
        counterparty_id=trade.counterparty_id,
        checks=list(checks),
        reason=reason,
        text=text,
        captured_by=actor.id,
        captured_by_name=str(actor.user) if actor.user else actor.id,
        **summary,
    )


def _add_fees(version: TradeVersion, fees: Sequence[Fee]) -> None:
    first = version.fees.count() + 1
    for number, fee in enumerate(fees, start=first):
        fee.version, fee.number = version, number
    Fee.objects.bulk_create(fees)


def _move_positions(
    version: TradeVersion,
    before: TradeVersion | None,
    status: str,
    terms: Terms | None,
    positions: Sequence[Position] | None,
    proposed: Terms | None,
) -> int:
    """Change what the trade adds, and return in how many parts."""
    stage = Stage.LIVE if status in HELD else Stage.PENDING if status == "PENDING" else None
    was = None
    if before is not None:
        was = Stage.LIVE if before.status in HELD else None
        was = Stage.PENDING if before.status == TradeStatus.PENDING else was
    waited = before is not None and before.event == TradeEvent.PROPOSE
    if positions is None and terms is None and stage == was and not (proposed or waited):
        return 0
    wanted: Sequence[Position] = ()
    if stage is not None:
        if positions is not None:
            wanted = positions
        elif terms is not None:
            wanted = terms.positions
        elif was is not None:
            wanted = positions_of_trade(version.trade_id, stage=was)
    return len(
        change_positions(
            version=version,
            stage=stage,
            wanted=wanted,
            is_new=before is None or was is None,
            reserved=difference(proposed.positions, wanted) if proposed is not None else (),
        )
    )


def _write_proposed(version: TradeVersion, proposed: Terms) -> None:
    summary = terms_summary(proposed.deal)
    kept = ("product_kind", "side", "mic", "clearing_account", "notional")
    ProposedAmendment.objects.create(
        version=version, text=version.text, **{name: summary[name] for name in kept}
    )
    write_legs(version=version, deal=proposed.deal, market_ids=proposed.market_ids)


def _proposes(before: TradeVersion, proposed: Terms) -> dict[str, Any]:
    old, new = terms_json(deal_of(before)), terms_json(proposed.deal)
    return {"proposed": {n: {"before": old[n], "after": new[n]} for n in new if old[n] != new[n]}}


def _changed_terms(
    before: TradeVersion | None, terms: Terms | None, status: str
) -> dict[str, tuple[Any, Any]]:
    """Return what a version changes, field by field, as the event keeps it."""
    if before is None:
        return {}
    changed: dict[str, tuple[Any, Any]] = {}
    if before.status != status:
        changed["status"] = (before.status, status)
    if terms is not None:
        old, new = terms_json(deal_of(before)), terms_json(terms.deal)
        changed |= {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    return changed


def event_payload(
    trade: Trade,
    version: TradeVersion,
    terms: Terms | None,
    months: int,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the event of a version tells, with the number of delivery months it moves."""
    return {
        "ref": trade.ref,
        "version": version.version,
        "status": version.status,
        "basis": trade.basis,
        "book_id": str(trade.book_id),
        "counterparty_id": str(trade.counterparty_id),
        "product_kind": version.product_kind,
        "side": version.side,
        "load_type": version.shape,
        "quantity_mw": _text(version.quantity_mw),
        "quantity": f"{_text(version.quantity)} {version.quantity_unit}",
        "price": _text(version.price),
        "currency": version.currency,
        "delivery_start": version.delivery_start.isoformat(),
        "delivery_end": version.delivery_end.isoformat(),
        "traded_at": version.traded_at.isoformat(),
        "effective_at": version.effective_at.isoformat(),
        "notional": None if version.notional is None else str(version.notional),
        "energy_mwh": None if version.energy_mwh is None else str(version.energy_mwh),
        "delivery_months": months,
        "checks": version.checks,
        "reason": version.reason,
        **({"market": terms.deal.schedule.area.code} if terms is not None else {}),
        **more,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
