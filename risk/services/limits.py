"""Set limits, and open a breach where a fact or new curves took a scope over one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from risk.models import Limit, LimitBreach
from risk.queries.scopes import Scope, convention
from trading.queries.books import book_for
from trading.services.locks import book_key, lock_keys

if TYPE_CHECKING:
    from risk.queries.bases import Floats


class LimitInvalid(ValueError):
    """A limit's field breaks a rule; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


def set_limit(
    *, actor: Actor, book_id: UUID, amount: Decimal, confidence: Decimal = Decimal("0.99")
) -> Limit:
    """
    Set the VaR limit of a book at a confidence; the one before it stays as history.

    amount      in the book's reporting currency, > 0, at most 2 decimals

    :raises PermissionMissing: without `risk.set_limit`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises LimitInvalid: naming the field.
    """
    actor.require("risk.set_limit")
    book = book_for(actor, book_id)
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 18 or amount % Decimal("0.01"):
        raise LimitInvalid("amount", f"{amount} must be above 0 with at most 2 decimals.")
    if not Decimal("0.5") <= confidence < 1 or confidence % Decimal("0.00001"):
        raise LimitInvalid("confidence", f"{confidence} must be from 0.5 to below 1.")
    with transaction.atomic():
        # A deal that is being checked must not see the limit change under it.
        lock_keys([book_key(book_id)])
        earlier = Limit.objects.filter(book_id=book_id, confidence=confidence, is_active=True)
        before = earlier.values_list("amount", flat=True).first()
        earlier.update(is_active=False)
        limit = Limit.objects.create(
            book_id=book_id,
            confidence=confidence,
            amount=amount,
            currency=book.reporting_currency,
            set_by=actor.id,
        )
        record_event(
            type="limit.set",
            actor=actor,
            aggregate_type="limit",
            aggregate_id=limit.pk,
            organization_id=book.organization_id,
            key=f"book:{book_id}",
            payload={"book_id": str(book_id), "measure": limit.measure,
                     "confidence": str(confidence), "currency": limit.currency},
            changes={"amount": (None if before is None else str(before), str(amount))},
        )  # fmt: skip
    return limit


def open_breaches(
    *,
    scope: Scope,
    before: Floats,
    cause: str,
    actor: Actor,
    organization_id: UUID,
    trade_version_id: int | None,
) -> list[LimitBreach]:
    """
    Open a breach for each limit that the scope now exceeds by more than before.

    before      the scope's vector before the change, on the same basis or the one before it

    A deal opens one whenever it adds to an excess; new curves only when they cross the limit.
    """
    from risk.engine import tail_risk

    breaches = []
    for limit in Limit.objects.filter(book_id=scope.book_id, is_active=True).order_by("id"):
        rule = convention(scope.basis, limit.confidence)
        var_before, var_after = tail_risk(before, rule).var, tail_risk(scope.pnl, rule).var
        amount = float(limit.amount)
        was_over = var_before > amount and trade_version_id is None
        if var_after <= amount or var_after <= var_before or was_over:
            continue
        breach = LimitBreach.objects.create(
            limit=limit,
            trade_version_id=trade_version_id,
            before=var_before,
            after=var_after,
            amount=limit.amount,
            cause=cause,
        )
        record_event(
            type="limit.breached",
            actor=actor,
            aggregate_type="limit",
            aggregate_id=limit.pk,
            organization_id=organization_id,
            key=f"book:{scope.book_id}",
            payload={
                "breach_id": breach.pk,
                "book_id": str(scope.book_id),
                "measure": limit.measure,
                "convention": rule.sentence(),
                "before": var_before,
                "after": var_after,
                "amount": str(limit.amount),
                "currency": limit.currency,
                "cause": cause,
            },
        )
        breaches.append(breach)
    return breaches
