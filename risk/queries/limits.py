"""Limits in force, whose they are, and what they allow at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from energyopti.foundation.proposals.models import VersionStatus
from risk.enums import LimitScope
from risk.models import Limit, LimitIncrease


@dataclass(frozen=True, slots=True)
class ScopeKey:
    """Whose number a limit holds down: a book's, a trader's or a counterparty's."""

    kind: str
    id: UUID | str

    @classmethod
    def of(cls, limit: Limit) -> ScopeKey:
        owner = limit.book_id or limit.counterparty_id or limit.trader
        return cls(limit.scope, owner)

    @classmethod
    def book(cls, book_id: UUID) -> ScopeKey:
        return cls(LimitScope.BOOK, book_id)

    @classmethod
    def trader(cls, trader: str) -> ScopeKey:
        return cls(LimitScope.TRADER, trader)

    @classmethod
    def counterparty(cls, counterparty_id: UUID) -> ScopeKey:
        return cls(LimitScope.COUNTERPARTY, counterparty_id)


def limits_in_force(
    organization_id: UUID, scopes: Iterable[ScopeKey]
) -> dict[ScopeKey, list[Limit]]:
    """Return the limits that hold of some scopes, by scope and age, with their increases."""
    wanted: dict[str, list[UUID | str]] = {kind: [] for kind in LimitScope}
    for scope in scopes:
        wanted[scope.kind].append(scope.id)
    rows = with_increases().filter(
        Q(book_id__in=wanted[LimitScope.BOOK])
        | Q(scope=LimitScope.TRADER, trader__in=wanted[LimitScope.TRADER])
        | Q(counterparty_id__in=wanted[LimitScope.COUNTERPARTY]),
        organization_id=organization_id,
        is_active=True,
    )
    found: dict[ScopeKey, list[Limit]] = defaultdict(list)
    for limit in rows.order_by("id"):
        found[ScopeKey.of(limit)].append(limit)
    return dict(found)


def with_increases() -> QuerySet[Limit]:
    """Return limits with all that their name and their amount at an instant need."""
    return Limit.objects.select_related("market", "commodity").prefetch_related(
        "commodity__markets",
        Prefetch(
            "increases",
            LimitIncrease.objects.filter(status=VersionStatus.APPROVED).order_by("start_at", "id"),
            to_attr="approved_increases",
        ),
    )


def increase_at(increases: Iterable[LimitIncrease], at: datetime) -> Decimal:
    """Return what increases add at an instant; each counts from its start to before its end."""
    return sum((one.amount for one in increases if one.start_at <= at < one.end_at), Decimal(0))


def amount_at(limit: Limit, at: datetime) -> Decimal:
    """Return what a limit allows at an instant, with its temporary increases."""
    increases: list[LimitIncrease] = limit.approved_increases
    return limit.amount + increase_at(increases, at)
