"""End a trade before its delivery does: for a fee or none, or by handing it to another party."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar, CalendarError, DatePeriod
from trading.deals import Deal, DealError, cut, deltas
from trading.models import (
    CaptureBasis,
    Counterparty,
    Fee,
    FeePurpose,
    Leg,
    Trade,
    TradeEvent,
    TradeStatus,
)
from trading.queries.deals import deal_of
from trading.queries.positions import positions_of_trade, proposed_positions
from trading.queries.proposals import TradeInvalid, UnknownCounterparty

from .capture import Receipt
from .locks import counterparty_key, server_time
from .trade_sides import Side, add, change, need_reason
from .trade_versions import Terms, add_version, next_trade_id


@dataclass(frozen=True, slots=True)
class TerminationFee:
    """
    What one side pays the other for ending early.

    amount      ≥ 0; `is_ours` says that we pay it
    """

    amount: Decimal
    currency: str
    is_ours: bool
    payee: str = ""


def terminate_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    from_date: date,
    received_at: datetime,
    reason: str,
    fee: TerminationFee | None = None,
) -> Receipt:
    """
    End a trade from a delivery day on: what lies before it stays, for a fee or none.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: for a day that is past, outside the delivery or cannot be cut at.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb.
    """
    actor.require("trading.amend_trade")
    need_reason(reason)

    def terminate(side: Side, number: int) -> Receipt:
        kept, _ = _split(side, from_date, received_at)
        return add(
            side, TradeEvent.TERMINATE, TradeStatus.TERMINATED, actor,
            _day_start(side, from_date), reason=reason, terms=kept,
            positions=None if kept is not None else (),
            fees=[_fee_row(fee, is_ours=fee.is_ours is (number == 0))] if fee else (),
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.TERMINATE, terminate)


def novate_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    counterparty_id: UUID,
    from_date: date,
    received_at: datetime,
    reason: str,
) -> tuple[Receipt, Receipt]:
    """
    Hand a trade over to another counterparty from a delivery day on: a new trade with it takes
    the rest, and the old one keeps what lies before. Together they deliver the same.

    Returns the old trade and the new one. An internal deal cannot be novated.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises UnknownCounterparty: for one that the book's organization does not deal with.
    :raises TradeInvalid: for the same counterparty, or a day that the deal cannot be cut at.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb.
    """
    actor.require("trading.amend_trade")
    need_reason(reason)
    made: list[Receipt] = []

    def novate(side: Side, _: int) -> Receipt:
        trade = side.trade
        if trade.mirror_id is not None:
            raise TradeInvalid("trade", f"{trade.ref} is internal; cancel it instead.")
        if trade.counterparty_id == counterparty_id:
            raise TradeInvalid("counterparty", "has the trade already.")
        if not Counterparty.objects.filter(
            pk=counterparty_id, organization_id=trade.organization_id, is_active=True
        ).exists():
            raise UnknownCounterparty("counterparty: there is no such counterparty for this book.")
        kept, passed = _split(side, from_date, received_at)
        at = _day_start(side, from_date)
        trade_id = next_trade_id()
        successor = Trade.objects.create(
            id=trade_id,
            ref=f"T-{trade_id:08d}",
            organization_id=trade.organization_id,
            book_id=trade.book_id,
            counterparty_id=counterparty_id,
            trader=trade.trader,
            status=TradeStatus.LIVE,
            basis=CaptureBasis.FILL,
            product_kind=trade.product_kind,
            request_hash=trade.request_hash,
            package_id=trade.package_id,
            replaces=trade,
            tags=trade.tags,
            recorded_at=server_time(),
        )
        receipt = add(
            side, TradeEvent.NOVATE, TradeStatus.NOVATED, actor, at, reason=reason, terms=kept,
            positions=None if kept is not None else (), payload={"successor": successor.ref},
        )  # fmt: skip
        version = add_version(
            trade=successor,
            before=None,
            event=TradeEvent.CAPTURE,
            status=TradeStatus.LIVE,
            actor=actor,
            book_path=side.path,
            terms=passed,
            reason=reason,
            effective_at=at,
            traded_at=received_at,
            is_fact=True,
            payload={"replaces": trade.ref},
        )
        made.append(Receipt(successor.ref, successor.pk, True, (), version.version, "LIVE"))
        return receipt

    old = change(
        actor, ref, expected_version, TradeEvent.NOVATE, novate,
        keys=[counterparty_key(counterparty_id)],
    )  # fmt: skip
    return old, made[0]


def _calendar(side: Side) -> Calendar:
    return side.held.market.calendar


def _day_start(side: Side, day: date) -> datetime:
    return _calendar(side).day(day).start


def _split(side: Side, from_date: date, received_at: datetime) -> tuple[Terms | None, Terms]:
    """
    Return a trade's terms before a delivery day, None if there are none, and those from it on.

    :raises TradeInvalid: for a day that is past or after the delivery, or that cuts a month's
        volume, a total or an option.
    """
    held = side.held
    if from_date < _calendar(side).date_of(received_at):
        raise TradeInvalid("from_date", f"{from_date} is past.")
    if from_date >= held.after_date:
        raise TradeInvalid("from_date", f"delivery ends before {from_date}.")
    deal = deal_of(held)
    if from_date <= held.first_date:
        return None, _terms(side, deal)
    try:
        before = cut(deal, DatePeriod(held.first_date, from_date))
        after = cut(deal, DatePeriod(from_date, held.after_date))
        return _terms(side, before), _terms(side, after)
    except (DealError, CalendarError) as error:
        raise TradeInvalid("from_date", str(error)) from error


def _terms(side: Side, deal: Deal) -> Terms:
    found = deltas(deal)
    market_ids = {
        leg.market.code: leg.market_id
        for leg in Leg.objects.filter(version_id=side.held.terms_version_id).select_related(
            "market"
        )
    }
    for position in positions_of_trade(side.trade.pk):
        market_ids.setdefault(position.market_code, position.market_id)
    return Terms(deal, proposed_positions(found, market_ids), side.held.market_id, market_ids)


def _fee_row(fee: TerminationFee, *, is_ours: bool) -> Fee:
    if not fee.amount.is_finite() or fee.amount < 0:
        raise TradeInvalid("fee", f"{fee.amount} must not be negative.")
    return Fee(
        direction="PAY" if is_ours else "RECEIVE",
        purpose=FeePurpose.TERMINATION,
        amount=fee.amount,
        currency=fee.currency,
        payee=fee.payee,
    )
