"""Propose limits and temporary increases, and decide on what another person proposed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import (
    DecisionRefused,
    decide_version,
    next_number,
    said_why,
)
from risk.enums import Excess, LimitScope
from risk.models import Limit, LimitIncrease
from risk.models.limits import LINE
from risk.queries.limit_pages import increase_for, limit_for
from risk.queries.limits import ScopeKey
from trading.services.locks import (
    book_key,
    counterparty_key,
    lock_keys,
    server_time,
    trader_key,
)

from .limit_terms import LimitTerms, checked_limit
from .vectors import publish_books

PROPOSE, APPROVE = "risk.set_limit", "risk.approve_limit"
# Who stands for a limit that was only lowered: the rule that lets it.
LOWERED = "system:limits"
_STRICTNESS = [Excess.WARN, Excess.SOFT, Excess.HARD]
LONGEST_INCREASE = timedelta(days=90)


class LimitRefused(DecisionRefused):
    """A decision or a change does not fit the limit; names the field and the rule."""


def lock_of(scope: ScopeKey) -> str:
    """Return the name of the lock on a limit scope, which captures take, too."""
    if scope.kind == LimitScope.TRADER:
        return trader_key(str(scope.id))
    assert isinstance(scope.id, UUID)
    return book_key(scope.id) if scope.kind == LimitScope.BOOK else counterparty_key(scope.id)


def propose_limit(*, actor: Actor, terms: LimitTerms, reason: str) -> Limit:
    """
    Propose the next version of a limit.

    One that only lowers what is in force (a smaller amount, told earlier, stricter over it) is in
    force at once; any other, a first one too, waits for another person.

    :raises PermissionMissing: without `risk.set_limit`.
    :raises UnknownBook, UnknownCounterparty, UnknownTrader: for a scope not the actor's.
    :raises ValidationError: naming the field.
    """
    actor.require(PROPOSE)
    words = said_why(reason)
    row = checked_limit(actor, terms)
    return _add(actor, row, words)


def propose_removal(*, actor: Actor, limit_id: int, reason: str) -> Limit:
    """
    Propose that a limit in force goes; another person decides.

    :raises UnknownLimit: for one that the actor does not see.
    :raises LimitRefused: for one that is not in force.
    """
    actor.require(PROPOSE)
    words = said_why(reason)
    held = limit_for(actor, limit_id)
    if not held.is_active:
        raise LimitRefused("limit: only one in force can be removed.")
    kept = (*LINE, "amount", "unit", "warn_share", "excess")
    row = Limit(**{name: getattr(held, name) for name in kept}, is_removal=True)
    return _add(actor, row, words)


def decide_limit(*, actor: Actor, limit_id: int, approve: bool, reason: str) -> Limit:
    """
    Approve or decline a proposed version; an approved one holds from now on.

    :raises PermissionMissing: without `risk.approve_limit`.
    :raises UnknownLimit: for one that the actor does not see.
    :raises LimitRefused: for one decided already, or declined without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    actor.require(APPROVE)
    seen = limit_for(actor, limit_id)
    with transaction.atomic():
        lock_keys([lock_of(ScopeKey.of(seen))])
        if approve and seen.status == VersionStatus.PENDING:
            _same(seen).filter(is_active=True).update(is_active=False)
        row = decide_version(
            Limit, seen.pk, beside=["book", "counterparty", "market", "commodity"],
            what="limit", actor=actor, approve=approve, reason=reason,
            decided_at=server_time(), refused=LimitRefused,
        )  # fmt: skip
        if approve and not row.is_removal:
            row.is_active = True
            row.save(update_fields=["is_active"])
        _tell(actor, row, f"limit.{row.status.lower()}", row.decision_reason)
    return row


def propose_increase(
    *,
    actor: Actor,
    limit_id: int,
    amount: Decimal,
    start_at: datetime,
    end_at: datetime,
    reason: str,
    at: datetime,
) -> LimitIncrease:
    """
    Ask that a limit in force be raised for a time; another person decides.

    amount      that is added, in the limit's unit
    at          now: an increase does not begin in the past

    :raises PermissionMissing: without `risk.set_limit`.
    :raises UnknownLimit: for one that the actor does not see.
    :raises ValidationError: naming the field.
    """
    actor.require(PROPOSE)
    words = said_why(reason)
    limit = limit_for(actor, limit_id)
    problems: dict[str, str] = {}
    if not limit.is_active:
        problems["limit"] = "Only a limit in force is raised."
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 18 or amount % Decimal("0.01"):
        problems["amount"] = "Is above 0 with at most 2 decimals."
    if end_at <= max(start_at, at):
        problems["end_at"] = "Is after the start, and not past."
    elif end_at - start_at > LONGEST_INCREASE:
        problems["end_at"] = f"An increase lasts {LONGEST_INCREASE.days} days at most."
    if problems:
        raise ValidationError(problems)
    with transaction.atomic():
        lock_keys([lock_of(ScopeKey.of(limit))])
        row = LimitIncrease.objects.create(
            limit=limit, number=next_number(limit.increases.all()), amount=amount,
            start_at=start_at, end_at=end_at, reason=words, proposed_by=actor.id,
            recorded_at=server_time(),
        )  # fmt: skip
        _tell(actor, limit, "limit.increase_proposed", words, _increase(row))
    return row


def decide_increase(*, actor: Actor, increase_id: int, approve: bool, reason: str) -> LimitIncrease:
    """
    Approve or decline a temporary increase; an approved one counts from its start to its end.

    :raises: as `decide_limit`.
    """
    actor.require(APPROVE)
    seen = increase_for(actor, increase_id)
    limit = seen.limit
    with transaction.atomic():
        lock_keys([lock_of(ScopeKey.of(limit))])
        row = decide_version(
            LimitIncrease, seen.pk, what="increase", actor=actor, approve=approve, reason=reason,
            decided_at=server_time(), refused=LimitRefused,
        )  # fmt: skip
        _tell(
            actor, limit, f"limit.increase_{row.status.lower()}", row.decision_reason,
            _increase(row),
        )  # fmt: skip
    return row


def _add(actor: Actor, row: Limit, words: str) -> Limit:
    with transaction.atomic():
        # A deal that is being checked must not see the limit change under it.
        lock_keys([lock_of(ScopeKey.of(row))])
        same = _same(row)
        if same.filter(status=VersionStatus.PENDING).exists():
            raise ValidationError({"limit": "A version of it waits already; it is decided first."})
        held = same.filter(is_active=True).first()
        row.number, row.reason = next_number(same), words
        row.proposed_by, row.recorded_at = actor.id, server_time()
        if held is not None and not row.is_removal and _only_lowers(row, held):
            held.is_active = False
            held.save(update_fields=["is_active"])
            row.is_active, row.status = True, VersionStatus.APPROVED
            row.decided_by, row.decided_at = LOWERED, row.recorded_at
        row.save(force_insert=True)
        before = None if held is None else str(held.amount)
        _tell(
            actor, row, "limit.lowered" if row.is_active else "limit.proposed", words,
            changes={"amount": (before, None if row.is_removal else str(row.amount))},
        )  # fmt: skip
    return row


def _only_lowers(new: Limit, held: Limit) -> bool:
    return (
        new.unit == held.unit
        and new.amount <= held.amount
        and new.warn_share <= held.warn_share
        and _STRICTNESS.index(Excess(new.excess)) >= _STRICTNESS.index(Excess(held.excess))
    )


def _same(row: Limit) -> Any:
    """Return the versions of one limit."""
    return Limit.objects.filter(**{name: getattr(row, name) for name in LINE})


def _increase(row: LimitIncrease) -> dict[str, Any]:
    return {
        "increase_id": row.pk, "increase": str(row.amount),
        "start_at": row.start_at.isoformat(), "end_at": row.end_at.isoformat(),
    }  # fmt: skip


def _tell(
    actor: Actor,
    row: Limit,
    kind: str,
    reason: str,
    more: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Write what happened to a limit, and have the open pages of its book draw it."""
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="limit",
        aggregate_id=row.pk,
        organization_id=row.organization_id,
        key=lock_of(ScopeKey.of(row)),
        payload={
            "scope": str(row.scope), "book_id": str(row.book_id) if row.book_id else None,
            "trader": row.trader,
            "counterparty_id": str(row.counterparty_id) if row.counterparty_id else None,
            "measure": str(row.measure), "number": row.number, "amount": str(row.amount),
            "unit": row.unit, "excess": str(row.excess), "is_removal": row.is_removal,
            "confidence": None if row.confidence is None else str(row.confidence),
            "reason": reason, **(more or {}),
        },
        changes=changes or {},
    )  # fmt: skip
    if row.book_id is not None:
        publish_books([row.book_id])
