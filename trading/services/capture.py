"""
Capture trades: one transaction from checks to event, under the locks of their limit scopes.

`capture_order` asks and can be stopped; `book_fill` tells of an execution, which is a fact and is
always booked, over a limit or not. A package and an internal mirror deal are captured whole or
not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.checks import CHANGE_STEPS, CheckResult, Proposal, run_checks
from trading.deals import Deal, DealError, mirror, package
from trading.models import CaptureBasis, Counterparty, Trade, TradeEvent, TradeStatus, TradeVersion
from trading.queries.proposals import Answers, TradeInvalid, propose
from trading.queries.summaries import terms_json

from .life import (
    ReasonNeeded,
    ReferenceReused,
    TradeStopped,
    check_words,
    judged,
    needs_second_person,
)
from .locks import server_time
from .trade_versions import Terms, add_version, lock_books, next_trade_id, scope_keys

__all__ = [
    "PackageItem",
    "ReasonNeeded",
    "Receipt",
    "ReferenceReused",
    "TradeStopped",
    "book_fill",
    "capture_mirror",
    "capture_order",
    "capture_package",
    "request_hash",
    "save_draft",
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    A written version; `is_new` is False if the same reference had been captured before.

    is_proposed     it only proposes an amendment, which waits for a second person
    """

    ref: str
    trade_id: int
    is_new: bool
    results: tuple[CheckResult, ...]
    version: int = 1
    status: str = TradeStatus.LIVE.value
    is_proposed: bool = False


@dataclass(frozen=True, slots=True)
class PackageItem:
    """One deal of a package, and where it goes."""

    deal: Deal
    book_id: UUID
    counterparty_id: UUID


@dataclass(frozen=True, slots=True)
class _Words:
    """What a person or a system wrote beside the deal."""

    reason: str = ""
    client_reference: str = ""
    tags: Sequence[str] = ()
    text: str = ""
    source: str = ""
    external_id: str = ""
    override_reason: str = ""

    def check(self) -> None:
        check_words(
            reason=self.reason, client_reference=self.client_reference, tags=self.tags,
            text=self.text, source=self.source, external_id=self.external_id,
        )  # fmt: skip
        if self.external_id and not self.source:
            raise TradeInvalid("source", "an external id needs the source that gave it.")


def capture_order(
    *,
    actor: Actor,
    deal: Deal,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Capture an order that the checks let through; at or above the book's threshold for four eyes
    it waits for a second person, reserved in limits.

    reason              for going on in spite of soft findings
    override_reason     for passing a check that stops it, by one who may

    :raises PermissionMissing: without `trading.capture_trade`.
    :raises UnknownBook, UnknownCounterparty: for what the actor cannot use.
    :raises TradeInvalid: naming the field and the rule.
    :raises TradeStopped: by a hard check.
    :raises ReasonNeeded: by a soft check, while there is no reason.
    :raises ReferenceReused: if the client reference stands for another deal.
    """
    actor.require("trading.capture_trade")
    words = _Words(reason, client_reference, tags, text, override_reason=override_reason)
    proposal = propose(
        actor=actor, deal=deal, book_id=book_id, counterparty_id=counterparty_id,
        traded_at=traded_at, received_at=received_at, client_reference=client_reference,
    )  # fmt: skip
    return _capture(CaptureBasis.ORDER, actor, [proposal], words)[0]


def book_fill(
    *,
    actor: Actor,
    deal: Deal,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
    source: str = "",
    external_id: str = "",
) -> Receipt:
    """
    Book an executed deal, whatever the checks say; they are recorded, and steps open breaches.

    A delivery that had begun is booked whole, as it was traded.

    source, external_id     where the fill came from and its number there: it is booked once

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownBook, UnknownCounterparty, TradeInvalid, ReferenceReused: as `capture_order`.
    """
    actor.require("trading.book_fill")
    words = _Words(reason, client_reference, tags, text, source, external_id)
    proposal = propose(
        actor=actor, deal=deal, book_id=book_id, counterparty_id=counterparty_id,
        traded_at=traded_at, received_at=received_at, client_reference=client_reference,
        is_fact=True,
    )  # fmt: skip
    return _capture(CaptureBasis.FILL, actor, [proposal], words)[0]


def save_draft(
    *,
    actor: Actor,
    deal: Deal,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
) -> Receipt:
    """
    Keep a deal as a draft: nothing is checked, reserved or held until it is submitted.

    :raises PermissionMissing: without `trading.capture_trade`.
    :raises UnknownBook, UnknownCounterparty, TradeInvalid, ReferenceReused: as `capture_order`.
    """
    actor.require("trading.capture_trade")
    words = _Words("", client_reference, tags, text)
    proposal = propose(
        actor=actor, deal=deal, book_id=book_id, counterparty_id=counterparty_id,
        traded_at=traded_at, received_at=received_at, client_reference=client_reference,
    )  # fmt: skip
    return _capture(CaptureBasis.ORDER, actor, [proposal], words, is_draft=True)[0]


def capture_package(
    *,
    actor: Actor,
    items: Sequence[PackageItem],
    package_id: str,
    traded_at: datetime,
    received_at: datetime,
    is_fill: bool = False,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
    override_reason: str = "",
) -> tuple[Receipt, ...]:
    """
    Capture deals that were agreed together: all of them, or none.

    The checks ask deal by deal, each with those before it in the book. If one needs a second
    person, all wait for it. A client reference stands for the package; its deals get a number.

    :raises: as `capture_order`, or as `book_fill` for an executed package.
    """
    actor.require("trading.book_fill" if is_fill else "trading.capture_trade")
    try:
        deals = package([item.deal for item in items], package_id)
    except DealError as error:
        raise TradeInvalid(error.field, error.rule) from error
    words = _Words(reason, client_reference, tags, text, override_reason=override_reason)
    answers = Answers()
    proposals = [
        propose(
            actor=actor, deal=deal, book_id=item.book_id, counterparty_id=item.counterparty_id,
            traded_at=traded_at, received_at=received_at, answers=answers,
            client_reference=f"{client_reference}/{n}" if client_reference else "",
            is_fact=is_fill,
        )
        for n, (deal, item) in enumerate(zip(deals, items, strict=True), start=1)
    ]  # fmt: skip
    basis = CaptureBasis.FILL if is_fill else CaptureBasis.ORDER
    return _capture(basis, actor, proposals, words)


def capture_mirror(
    *,
    actor: Actor,
    deal: Deal,
    package_id: str,
    book_id: UUID,
    mirror_book_id: UUID,
    counterparty_id: UUID,
    mirror_counterparty_id: UUID | None = None,
    traded_at: datetime,
    received_at: datetime,
    reason: str = "",
    client_reference: str = "",
    tags: Sequence[str] = (),
    text: str = "",
    override_reason: str = "",
) -> tuple[Receipt, Receipt]:
    """
    Capture an internal deal as two that cancel, one in each book: both, or neither.

    counterparty_id         an internal counterparty that stands for the other book, in `book_id`
    mirror_counterparty_id  likewise in the other book; the same one if left out

    :raises: as `capture_order`.
    """
    actor.require("trading.capture_trade")
    parties = (counterparty_id, mirror_counterparty_id or counterparty_id)
    if mirror_book_id == book_id:
        raise TradeInvalid("mirror_book", "an internal deal is between two books.")
    try:
        sides = mirror(deal, package_id)
    except DealError as error:
        raise TradeInvalid(error.field, error.rule) from error
    proposals = [
        propose(
            actor=actor, deal=side, book_id=book, counterparty_id=party,
            traded_at=traded_at, received_at=received_at,
            client_reference=f"{client_reference}/{n}" if client_reference else "",
        )
        for n, (side, book, party) in enumerate(
            zip(sides, (book_id, mirror_book_id), parties, strict=True), start=1
        )
    ]  # fmt: skip
    internal = Counterparty.objects.filter(pk__in=parties, is_internal=True).count()
    if internal != len(set(parties)):
        raise TradeInvalid("counterparty", "an internal deal is with an internal counterparty.")
    words = _Words(reason, client_reference, tags, text, override_reason=override_reason)
    first, second = _capture(CaptureBasis.ORDER, actor, proposals, words, is_mirror=True)
    return first, second


def _capture(
    basis: CaptureBasis,
    actor: Actor,
    proposals: Sequence[Proposal],
    words: _Words,
    *,
    is_draft: bool = False,
    is_mirror: bool = False,
) -> tuple[Receipt, ...]:
    CHANGE_STEPS.verify()
    words.check()
    hashes = [request_hash(basis, proposal, words.tags) for proposal in proposals]
    with transaction.atomic():
        lock_books(
            [p.book_path for p in proposals],
            [
                *(key for p in proposals for key in scope_keys(p.trader, p.counterparty_id)),
                *_identities(proposals, words),
            ],
        )
        earlier = [_earlier(proposal, words) for proposal in proposals]
        if any(earlier):
            return tuple(
                _same_again(trade, asked, words)
                for trade, asked in zip(earlier, hashes, strict=True)
            )
        waits = (
            basis is CaptureBasis.ORDER
            and not is_draft
            and any(needs_second_person(p.book_path, p.reported_notional) for p in proposals)
        )
        status = TradeStatus.PENDING if waits else TradeStatus.LIVE
        if is_draft:
            status = TradeStatus.DRAFT
        written = [
            _write(basis, actor, proposal, asked, words, status)
            for proposal, asked in zip(proposals, hashes, strict=True)
        ]
        if is_mirror:
            (one, _), (other, _) = written
            Trade.objects.filter(pk=one.trade_id).update(mirror_id=other.trade_id)
            Trade.objects.filter(pk=other.trade_id).update(mirror_id=one.trade_id)
    return tuple(
        Receipt(v.trade.ref, v.trade_id, True, results, 1, status.value) for v, results in written
    )


def _write(
    basis: CaptureBasis,
    actor: Actor,
    proposal: Proposal,
    asked: str,
    words: _Words,
    status: TradeStatus,
) -> tuple[TradeVersion, tuple[CheckResult, ...]]:
    results: tuple[CheckResult, ...] = ()
    checks: list[dict[str, object]] = []
    if status is not TradeStatus.DRAFT:
        results = run_checks(proposal)
        checks = [result.as_json() for result in results]
        if basis is CaptureBasis.ORDER:
            checks = judged(
                results, actor=actor, reason=words.reason, override_reason=words.override_reason
            )
    trade_id = next_trade_id()
    trade = Trade.objects.create(
        id=trade_id,
        ref=f"T-{trade_id:08d}",
        organization_id=proposal.organization_id,
        book_id=proposal.book_id,
        counterparty_id=proposal.counterparty_id,
        trader=proposal.trader,
        status=status,
        basis=basis,
        product_kind=proposal.deal.kind.value,
        client_reference=proposal.client_reference,
        request_hash=asked,
        source=words.source,
        external_id=words.external_id,
        package_id=proposal.deal.package_id,
        tags=list(words.tags),
        recorded_at=server_time(),
    )
    version = add_version(
        trade=trade,
        before=None,
        event=TradeEvent.DRAFT if status is TradeStatus.DRAFT else TradeEvent.CAPTURE,
        status=status,
        actor=actor,
        book_path=proposal.book_path,
        terms=Terms.of(proposal),
        checks=checks,
        results=results,
        reason=words.reason,
        text=words.text,
        effective_at=proposal.traded_at,
        traded_at=proposal.traded_at,
        is_fact=basis is CaptureBasis.FILL,
    )
    return version, results


def _identities(proposals: Sequence[Proposal], words: _Words) -> list[str]:
    keys = [
        f"reference:{p.organization_id}:{p.client_reference}"
        for p in proposals
        if p.client_reference
    ]
    if words.external_id:
        organization = proposals[0].organization_id
        keys.append(f"external:{organization}:{words.source}:{words.external_id}")
    return keys


def _earlier(proposal: Proposal, words: _Words) -> Trade | None:
    trades = Trade.objects.filter(organization_id=proposal.organization_id)
    if words.external_id and (
        found := trades.filter(source=words.source, external_id=words.external_id).first()
    ):
        return found
    if not proposal.client_reference:
        return None
    return trades.filter(client_reference=proposal.client_reference).first()


def _same_again(trade: Trade | None, asked: str, words: _Words) -> Receipt:
    if trade is None:
        raise ReferenceReused(
            f"client_reference: {words.client_reference} is a package of fewer deals."
        )
    if trade.request_hash != asked:
        name, value = (
            ("external_id", trade.external_id)
            if words.external_id and trade.external_id == words.external_id
            else ("client_reference", trade.client_reference)
        )
        raise ReferenceReused(f"{name}: {value} is {trade.ref}, which has other terms.")
    return Receipt(trade.ref, trade.pk, False, (), trade.latest_version, trade.status)


def request_hash(
    basis: CaptureBasis,
    proposal: Proposal,
    tags: Sequence[str],
    summary: dict[str, Any] | None = None,
) -> str:
    """Return what tells a request from another that comes under the same reference."""
    # The time of capture is ours, not the caller's: a repeated request may carry a later one.
    canonical = json.dumps(
        [
            basis.value, terms_json(proposal.deal, summary), str(proposal.book_id),
            str(proposal.counterparty_id), sorted(tags),
        ],
        sort_keys=True,
    )  # fmt: skip
    return hashlib.sha256(canonical.encode()).hexdigest()
