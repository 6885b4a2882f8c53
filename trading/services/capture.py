"""
Capture a trade: one transaction from checks to event, under the locks of its limit scopes.

Two verbs. `capture_order` asks and can be stopped; `book_fill` tells of an execution, which is a
fact and is always booked, over a limit or not.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.events.services import record_event
from trading.checks import (
    CAPTURE_STEPS,
    Captured,
    CheckResult,
    Outcome,
    Proposal,
    run_checks,
)
from trading.deals import DealError, PowerForward, period_name, totals
from trading.models import CaptureBasis, Trade, TradeVersion
from trading.queries.proposals import TradeInvalid, propose

from .locks import book_key, lock_keys
from .positions import add_deltas


class TradeStopped(ValueError):
    """A hard check stopped an order; `results` has the numbers."""

    def __init__(self, results: Sequence[CheckResult]) -> None:
        self.results = tuple(results)
        hard = [r.reason for r in self.results if r.outcome is Outcome.HARD]
        super().__init__(" ".join(hard))


class ReasonNeeded(ValueError):
    """A soft check found something; the order goes on only with a reason for it."""

    def __init__(self, results: Sequence[CheckResult]) -> None:
        self.results = tuple(results)
        soft = [r.reason for r in self.results if r.outcome is Outcome.SOFT]
        super().__init__("reason: give one for going on. " + " ".join(soft))


class ReferenceReused(ValueError):
    """The client reference belongs to a trade with other terms."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A captured trade; `is_new` is False if the same client reference had been captured before."""

    ref: str
    trade_id: int
    is_new: bool
    results: tuple[CheckResult, ...]


def capture_order(
    *,
    actor: Actor,
    terms: PowerForward,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
) -> Receipt:
    """
    Capture an order that the checks let through.

    reason   for going on in spite of soft findings

    :raises PermissionMissing: without `trading.capture_trade`.
    :raises UnknownBook, UnknownCounterparty: for what the actor cannot use.
    :raises TradeInvalid: naming the field and the rule.
    :raises TradeStopped: by a hard check.
    :raises ReasonNeeded: by a soft check, while there is no reason.
    :raises ReferenceReused: if the client reference stands for another deal.
    """
    actor.require("trading.capture_trade")
    return _capture(
        CaptureBasis("ORDER"), actor, terms, book_id, counterparty_id, traded_at, received_at,
        reason, client_reference, tags, text,
    )  # fmt: skip


def book_fill(
    *,
    actor: Actor,
    terms: PowerForward,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
) -> Receipt:
    """
    Book an executed deal, whatever the checks say; they are recorded, and steps open breaches.

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownBook, UnknownCounterparty, TradeInvalid, ReferenceReused: as `capture_order`.
    """
    actor.require("trading.book_fill")
    return _capture(
        CaptureBasis("FILL"), actor, terms, book_id, counterparty_id, traded_at, received_at,
        reason, client_reference, tags, text,
    )  # fmt: skip


def _capture(
    basis: CaptureBasis,
    actor: Actor,
    terms: PowerForward,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    reason: str,
    client_reference: str,
    tags: Sequence[str],
    text: str,
) -> Receipt:
    CAPTURE_STEPS.verify()
    proposal = propose(
        actor=actor, terms=terms, book_id=book_id, counterparty_id=counterparty_id,
        traded_at=traded_at, received_at=received_at, client_reference=client_reference,
    )  # fmt: skip
    _check_words(reason, client_reference, tags, text)
    request_hash = _request_hash(basis, proposal, tags)
    with transaction.atomic():
        lock_scopes(proposal)
        if client_reference and (earlier := _earlier(proposal)):
            return _same_again(earlier, request_hash)
        results = run_checks(proposal)
        if basis is CaptureBasis.ORDER:
            _stop_where_needed(results, reason)
        version = _write(basis, actor, proposal, results, request_hash, reason, tags, text)
        deltas = add_deltas(version=version, terms=terms, deliveries=proposal.deliveries)
        trade = version.trade
        captured = Captured(
            proposal=proposal,
            trade_id=trade.pk,
            trade_ref=trade.ref,
            trade_version_id=version.pk,
            is_fill=basis is CaptureBasis.FILL,
            results=results,
            actor=actor,
        )
        for step in CAPTURE_STEPS.values():
            step(captured)
        record_event(
            type="trade.captured",
            actor=actor,
            aggregate_type="trade",
            aggregate_id=trade.ref,
            organization_id=trade.organization_id,
            key=f"book:{trade.book_id}",
            payload={**_terms_json(proposal), "ref": trade.ref, "basis": basis.value,
                     "notional": str(version.notional), "energy_mwh": str(version.energy_mwh),
                     "delivery_months": len(deltas), "checks": version.checks},
        )  # fmt: skip
    return Receipt(trade.ref, trade.pk, True, results)


def lock_scopes(proposal: Proposal) -> None:
    """
    Take the transaction's locks on everything that the trade's limits and identity hang on.

    In sorted order, so that two captures never wait for each other in a circle, and each sees
    the headroom that the other has left.
    """
    keys = [book_key(book_id) for book_id in proposal.book_path]
    if proposal.client_reference:
        keys.append(f"reference:{proposal.organization_id}:{proposal.client_reference}")
    lock_keys(keys)


def _check_words(reason: str, client_reference: str, tags: Sequence[str], text: str) -> None:
    for field, value, most in (
        ("reason", reason, 400), ("client_reference", client_reference, 80), ("text", text, 300),
    ):  # fmt: skip
        if len(value) > most or "\x00" in value:
            raise TradeInvalid(field, f"at most {most} characters, none of them NUL.")
    if len(tags) > 10 or any(not tag or len(tag) > 40 or "\x00" in tag for tag in tags):
        raise TradeInvalid("tags", "at most 10 words of at most 40 characters.")


def _stop_where_needed(results: Sequence[CheckResult], reason: str) -> None:
    outcomes = {result.outcome for result in results}
    if Outcome.HARD in outcomes:
        raise TradeStopped(results)
    if Outcome.SOFT in outcomes and not reason.strip():
        raise ReasonNeeded(results)


def _earlier(proposal: Proposal) -> Trade | None:
    return Trade.objects.filter(
        organization_id=proposal.organization_id, client_reference=proposal.client_reference
    ).first()


def _same_again(trade: Trade, request_hash: str) -> Receipt:
    if trade.request_hash != request_hash:
        raise ReferenceReused(
            f"client_reference: {trade.client_reference} is {trade.ref}, which has other terms."
        )
    return Receipt(trade.ref, trade.pk, False, ())


def _write(
    basis: CaptureBasis,
    actor: Actor,
    proposal: Proposal,
    results: Sequence[CheckResult],
    request_hash: str,
    reason: str,
    tags: Sequence[str],
    text: str,
) -> TradeVersion:
    terms, sums = proposal.terms, totals(proposal.terms)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [Trade._meta.db_table])
        trade_id = cursor.fetchone()[0]
    trade = Trade.objects.create(
        id=trade_id,
        ref=f"T-{trade_id:08d}",
        organization_id=proposal.organization_id,
        book_id=proposal.book_id,
        counterparty_id=proposal.counterparty_id,
        basis=basis,
        client_reference=proposal.client_reference,
        request_hash=request_hash,
        tags=list(tags),
    )
    return TradeVersion.objects.create(
        trade=trade,
        version=1,
        traded_at=proposal.traded_at,
        side=terms.side.value,
        market_id=proposal.market_id,
        load_type=terms.load_type.value,
        quantity_mw=terms.quantity_mw,
        price=terms.price,
        currency=terms.currency,
        period_name=_period_name(terms),
        first_date=terms.period.first,
        after_date=terms.period.after,
        delivery_start=terms.interval.start,
        delivery_end=terms.interval.end,
        calendar_zone=terms.area.zone_key,
        tzdata_version=tzdata_version(),
        hours=sums.hours,
        energy_mwh=sums.energy_mwh,
        notional=sums.notional.amount,
        checks=[result.as_json() for result in results],
        reason=reason,
        text=text,
        captured_by=actor.id,
        captured_by_name=str(actor.user) if actor.user else actor.id,
    )


def _period_name(terms: PowerForward) -> str:
    try:
        return period_name(terms.period)
    except DealError:
        return f"{terms.period.first}/{terms.period.after}"


def _terms_json(proposal: Proposal) -> dict[str, object]:
    terms = proposal.terms
    return {
        "book_id": str(proposal.book_id),
        "counterparty_id": str(proposal.counterparty_id),
        "market": terms.area.code,
        "side": terms.side.value,
        "quantity_mw": f"{terms.quantity_mw.normalize():f}",
        "load_type": terms.load_type.value,
        "price": f"{terms.price.normalize():f}",
        "currency": terms.currency,
        "delivery_start": terms.interval.start.isoformat(),
        "delivery_end": terms.interval.end.isoformat(),
        "traded_at": proposal.traded_at.isoformat(),
    }


def _request_hash(basis: CaptureBasis, proposal: Proposal, tags: Sequence[str]) -> str:
    # The time of capture is ours, not the caller's: a repeated request may carry a later one.
    terms = {k: v for k, v in _terms_json(proposal).items() if k != "traded_at"}
    canonical = json.dumps([basis.value, terms, sorted(tags)], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
