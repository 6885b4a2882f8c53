"""
What happens to a trade after it was captured.

Every verb takes the version that its caller has seen (`expected_version`): if another one holds
by then nothing is changed, and `StaleVersion` carries both. The sides of an internal deal change
together. What has been agreed is never overwritten: each verb adds a version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar, CalendarError, DatePeriod
from trading.checks import CHANGE_STEPS, CheckResult, Proposal, run_checks
from trading.deals import Deal, DealError, cut, deal_totals, deltas, mirrored
from trading.models import (
    CaptureBasis,
    Counterparty,
    Fee,
    FeePurpose,
    Leg,
    Trade,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.books import UnknownBook, book_for, book_path
from trading.queries.deals import deal_of
from trading.queries.positions import positions_of_trade, proposed_positions
from trading.queries.proposals import TradeInvalid, UnknownCounterparty, propose
from trading.queries.trades import UnknownTrade

from .capture import Receipt
from .life import (
    TRANSITIONS,
    SecondPersonNeeded,
    StaleVersion,
    TransitionForbidden,
    authors,
    check_transition,
    check_words,
    judged,
    needs_second_person,
)
from .locks import server_time
from .trade_versions import Terms, add_version, lock_books, next_trade_id


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


@dataclass(frozen=True, slots=True)
class _Side:
    """One trade that a verb changes, locked, with the version that holds."""

    trade: Trade
    held: TradeVersion
    path: tuple[UUID, ...]


def submit_draft(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
    ask_override: bool = False,
) -> Receipt:
    """
    Put a draft before the checks: it goes live, or waits for a second person.

    ask_override    keep an order that a check stops, waiting for somebody who may let it pass

    :raises PermissionMissing: without `trading.capture_trade`.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb here.
    :raises TradeInvalid, TradeStopped, ReasonNeeded: as `capture_order`.
    """
    actor.require("trading.capture_trade")
    check_words(reason=reason)

    def submit(side: _Side, _: int) -> Receipt:
        proposal = _proposal(actor, side, deal_of(side.held), received_at)
        results = run_checks(proposal)
        if ask_override and not override_reason:
            if not reason.strip():
                raise TradeInvalid("reason", "say why it should pass.")
            checks, waits = [result.as_json() for result in results], True
        else:
            checks = judged(results, actor=actor, reason=reason, override_reason=override_reason)
            waits = needs_second_person(side.path, side.held.notional)
        status = TradeStatus.PENDING if waits else TradeStatus.LIVE
        return _add(
            side, TradeEvent.SUBMIT, status, actor, received_at, reason=reason, checks=checks,
            results=results,
            positions=proposed_positions(proposal.deltas, proposal.market_ids),
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.SUBMIT, submit)


def release_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Let a pending trade go live, as another person than those who made its terms.

    The checks are asked again; what they stop needs an override or a lower position first.

    :raises PermissionMissing: without `trading.release_trade`.
    :raises SecondPersonNeeded: for one of its authors.
    :raises UnknownTrade, StaleVersion, TransitionForbidden, TradeStopped, ReasonNeeded: as above.
    """
    actor.require("trading.release_trade")
    check_words(reason=reason)

    def release(side: _Side, _: int) -> Receipt:
        if actor.id in authors(side.trade):
            raise SecondPersonNeeded(
                f"trade: {side.trade.ref} waits for another person than who captured it."
            )
        proposal = _proposal(actor, side, deal_of(side.held), received_at, level="view")
        results = run_checks(proposal)
        # A reason that was given for soft findings at capture holds on.
        checks = judged(
            results, actor=actor, reason=reason or side.held.reason,
            override_reason=override_reason,
        )  # fmt: skip
        return _add(
            side, TradeEvent.RELEASE, TradeStatus.LIVE, actor, received_at, reason=reason,
            checks=checks, results=results,
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.RELEASE, release, level="view")


def reject_trade(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str
) -> Receipt:
    """
    Send a pending trade back as a draft, and free what it reserved.

    :raises PermissionMissing: without `trading.release_trade`.
    :raises TradeInvalid: without a reason.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.release_trade")
    _need_reason(reason)

    def reject(side: _Side, _: int) -> Receipt:
        return _add(
            side, TradeEvent.REJECT, TradeStatus.DRAFT, actor, received_at, reason=reason,
            positions=(),
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.REJECT, reject, level="view")


def amend_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    deal: Deal,
    received_at: datetime,
    reason: str,
    effective_at: datetime | None = None,
    text: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Give a trade new terms that both sides have agreed on; the checks see the difference.

    A live trade whose new notional reaches the book's threshold for four eyes is amended by
    another person than its authors.

    effective_at    from when the terms hold between the parties; when they were received, if it
                    is left out

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: naming the field, the reason among them.
    :raises TradeStopped, ReasonNeeded: by the checks.
    :raises SecondPersonNeeded: as above.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    _need_reason(reason)
    check_words(text=text)

    def amend(side: _Side, number: int) -> Receipt:
        proposal = _proposal(actor, side, _side_of(deal, side, number), received_at)
        terms = Terms.of(proposal)
        status = TradeStatus(side.trade.status)
        results: tuple[CheckResult, ...] = ()
        checks: list[dict[str, object]] = []
        if status is TradeStatus.LIVE:
            results = run_checks(proposal)
            checks = judged(results, actor=actor, reason=reason, override_reason=override_reason)
            _second_person(actor, side, terms)
        return _add(
            side, TradeEvent.AMEND, status, actor, effective_at or received_at, reason=reason,
            text=text, terms=terms, checks=checks, results=results,
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.AMEND, amend)


def correct_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    deal: Deal,
    received_at: datetime,
    reason: str,
    text: str = "",
) -> Receipt:
    """
    Put right what was captured wrong: the terms held from the start. A fact, so checks are
    recorded and stop nothing.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: naming the field, the reason among them.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    _need_reason(reason)
    check_words(text=text)

    def correct(side: _Side, number: int) -> Receipt:
        proposal = _proposal(actor, side, _side_of(deal, side, number), received_at)
        results = run_checks(proposal)
        return _add(
            side, TradeEvent.CORRECT, TradeStatus(side.trade.status), actor, side.held.traded_at,
            reason=reason, text=text, terms=Terms.of(proposal), results=results,
            checks=[result.as_json() for result in results],
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.CORRECT, correct)


def cancel_trade(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str
) -> Receipt:
    """
    Take a trade out as if it had never been: its positions go to zero. A fact.

    :raises PermissionMissing: without `trading.cancel_trade`.
    :raises TradeInvalid: without a reason.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.cancel_trade")
    _need_reason(reason)

    def cancel(side: _Side, _: int) -> Receipt:
        return _add(
            side, TradeEvent.CANCEL, TradeStatus.CANCELLED, actor, received_at, reason=reason,
            positions=(),
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.CANCEL, cancel)


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
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    _need_reason(reason)

    def terminate(side: _Side, number: int) -> Receipt:
        kept, _ = _split(side, from_date, received_at)
        return _add(
            side, TradeEvent.TERMINATE, TradeStatus.TERMINATED, actor,
            _day_start(side, from_date), reason=reason, terms=kept,
            positions=None if kept is not None else (),
            fees=[_fee_row(fee, is_ours=fee.is_ours is (number == 0))] if fee else (),
        )  # fmt: skip

    return _change(actor, ref, expected_version, TradeEvent.TERMINATE, terminate)


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
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    _need_reason(reason)
    made: list[Receipt] = []

    def novate(side: _Side, _: int) -> Receipt:
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
            status=TradeStatus.LIVE,
            basis=CaptureBasis.FILL,
            product_kind=trade.product_kind,
            request_hash=trade.request_hash,
            package_id=trade.package_id,
            replaces=trade,
            tags=trade.tags,
            recorded_at=server_time(),
        )
        receipt = _add(
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

    old = _change(actor, ref, expected_version, TradeEvent.NOVATE, novate)
    return old, made[0]


def _change(
    actor: Actor,
    ref: str,
    expected_version: int,
    event: str,
    verb: Callable[[_Side, int], Receipt],
    *,
    level: str = "trade",
) -> Receipt:
    """Lock a trade, with its mirror, see that the verb may follow, and do it to each side."""
    CHANGE_STEPS.verify()
    with transaction.atomic():
        sides = _locked(actor, ref, level)
        first = sides[0]
        if first.trade.latest_version != expected_version:
            seen = TradeVersion.objects.filter(trade=first.trade, version=expected_version).first()
            raise StaleVersion(first.trade, seen, first.held)
        if (first.trade.status, event) not in TRANSITIONS:
            raise TransitionForbidden(first.trade, event)
        receipts = [verb(side, number) for number, side in enumerate(sides)]
    return receipts[0]


def _locked(actor: Actor, ref: str, level: str) -> list[_Side]:
    found = Trade.objects.filter(ref=ref).values_list("id", "book_id", "mirror_id").first()
    unknown = UnknownTrade("trade: there is no such trade for you.")
    if found is None:
        raise unknown
    trade_id, book_id, mirror_id = found
    try:
        book_for(actor, book_id, level=level)
    except UnknownBook as error:
        raise unknown from error
    ids = [trade_id, *([mirror_id] if mirror_id is not None else [])]
    books = dict(Trade.objects.filter(pk__in=ids).values_list("id", "book_id"))
    paths = {pk: book_path(books[pk]) for pk in ids}
    lock_books(list(paths.values()))
    rows = {row.pk: row for row in Trade.objects.select_for_update().filter(pk__in=sorted(ids))}
    held = {
        version.trade_id: version
        for pk in ids
        for version in TradeVersion.objects.filter(trade_id=pk, version=rows[pk].latest_version)
    }
    sides = []
    for pk in ids:
        held[pk].trade = rows[pk]
        sides.append(_Side(rows[pk], held[pk], paths[pk]))
    return sides


def _add(
    side: _Side,
    event: TradeEvent,
    status: TradeStatus,
    actor: Actor,
    effective_at: datetime,
    *,
    results: tuple[CheckResult, ...] = (),
    **more: Any,
) -> Receipt:
    check_transition(side.trade, event, status)
    version = add_version(
        trade=side.trade, before=side.held, event=event, status=status, actor=actor,
        book_path=side.path, effective_at=effective_at, results=results, **more,
    )  # fmt: skip
    return Receipt(side.trade.ref, side.trade.pk, True, results, version.version, status.value)


def _proposal(
    actor: Actor, side: _Side, deal: Deal, received_at: datetime, *, level: str = "trade"
) -> Proposal:
    return propose(
        actor=actor, deal=deal, book_id=side.trade.book_id,
        counterparty_id=side.trade.counterparty_id, traded_at=side.held.traded_at,
        received_at=received_at, trade_id=side.trade.pk, level=level,
    )  # fmt: skip


def _side_of(deal: Deal, side: _Side, number: int) -> Deal:
    """Return new terms as one side has them, under the package that the trade is in."""
    seen = deal if number == 0 else mirrored(deal)
    if side.trade.mirror_id is not None and deal.fees:
        raise TradeInvalid("fee", "an internal deal pays no broker, exchange or clearing house.")
    return replace(seen, package_id=side.trade.package_id)


def _second_person(actor: Actor, side: _Side, terms: Terms) -> None:
    notional = deal_totals(terms.deal).notional
    is_asked = side.trade.basis == CaptureBasis.ORDER and needs_second_person(
        side.path, notional.amount if notional else None
    )
    if is_asked and (actor.id in authors(side.trade) or not actor.may("trading.release_trade")):
        raise SecondPersonNeeded(
            f"trade: {side.trade.ref} would reach the threshold for four eyes; another person "
            "than who captured it amends it."
        )


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise TradeInvalid("reason", "say why.")
    check_words(reason=reason)


def _calendar(side: _Side) -> Calendar:
    return side.held.market.calendar


def _day_start(side: _Side, day: date) -> datetime:
    return _calendar(side).day(day).start


def _split(side: _Side, from_date: date, received_at: datetime) -> tuple[Terms | None, Terms]:
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


def _terms(side: _Side, deal: Deal) -> Terms:
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
