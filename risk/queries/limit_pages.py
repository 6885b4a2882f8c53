"""Limits and breaches that an actor may see, and how far each limit is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import names_by_actor_id
from risk.enums import LimitMeasure, LimitScope
from risk.models import Limit, LimitBreach, LimitIncrease
from risk.models.limits import LINE
from trading.queries.books import book_ids, reporting_currencies

from .limit_measures.kinds import KINDS, limit_name
from .limit_measures.standing import NotMeasured, Standing
from .limit_teller import by_currency, needs_of
from .limits import ScopeKey, amount_at, increase_at, with_increases
from .scope_standings import standing_of

if TYPE_CHECKING:
    from energyopti.foundation.proposals.models import ProposedVersion

VIEW, VIEW_BREACH = "risk.view_limit", "risk.view_limitbreach"


class UnknownLimit(LookupError):
    """There is no such limit for this actor."""


class UnknownBreach(LookupError):
    """There is no such breach for this actor."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """
    A limit and how far it is used now.

    scope_name  the book's or counterparty's code, or the trader's name
    used        in the limit's unit; None where it cannot be measured, for the reason in `problem`
    allowed     with the temporary increases of now, `increase` of it
    until       when the first of these ends
    level       "bad" over it, "warn" from its share of warning on, else "good"
    """

    limit: Limit
    name: str
    scope_name: str
    used: float | None
    problem: str
    allowed: Decimal
    increase: Decimal
    until: datetime | None

    @property
    def share(self) -> float:
        """Return the use as a part of what is allowed, 0 of a gain and where nothing is told."""
        return max(0.0, (self.used or 0.0) / float(self.allowed))

    @property
    def is_breached(self) -> bool:
        return self.used is not None and self.used > float(self.allowed)

    @property
    def level(self) -> str:
        if self.used is None or self.is_breached:
            return "bad"
        return "warn" if self.share >= float(self.limit.warn_share) else "good"

    @property
    def state(self) -> str:
        """Return the level in words."""
        if self.used is None:
            return "Not measured"
        return {"bad": "Over", "warn": "Near", "good": "Within"}[self.level]


def visible(actor: Actor, path: str = "") -> Q:
    """
    Return which limits an actor sees, as a condition: of its books, of its organizations'
    counterparties, and of itself as a trader; who sets limits sees those of every trader.
    """
    mine = Q(**{f"{path}trader": actor.id})
    if actor.may("risk.set_limit") or actor.may("risk.acknowledge_breach"):
        mine = Q(**{f"{path}scope": LimitScope.TRADER})
    theirs = mine | Q(**{f"{path}scope": LimitScope.COUNTERPARTY})
    return Q(**{f"{path}book_id__in": book_ids(actor)}) | (
        theirs & Q(**{f"{path}organization_id__in": actor.organization_ids})
    )


def limits_for(actor: Actor) -> QuerySet[Limit]:
    """
    Return every version of the limits that the actor may see.

    :raises PermissionMissing: without `risk.view_limit`.
    """
    actor.require(VIEW)
    return with_increases().select_related("book", "counterparty").filter(visible(actor))


def limit_for(actor: Actor, limit_id: int) -> Limit:
    """
    Return one of them.

    :raises UnknownLimit: if the actor does not see it.
    """
    row = limits_for(actor).filter(pk=limit_id).first()
    if row is None:
        raise UnknownLimit("limit: there is no such limit for you.")
    return row


def versions_of(actor: Actor, limit: Limit) -> QuerySet[Limit]:
    """Return all versions of a limit, the latest first."""
    same = {name: getattr(limit, name) for name in LINE}
    return limits_for(actor).filter(**same).order_by("-number")


def increases_for(actor: Actor) -> QuerySet[LimitIncrease]:
    """Return the increases of the limits that the actor may see."""
    actor.require(VIEW)
    return LimitIncrease.objects.filter(visible(actor, "limit__")).select_related(
        "limit", "limit__book", "limit__counterparty", "limit__market", "limit__commodity"
    )


def increase_for(actor: Actor, increase_id: int) -> LimitIncrease:
    """
    Return one of them.

    :raises UnknownLimit: if the actor does not see it.
    """
    row = increases_for(actor).filter(pk=increase_id).first()
    if row is None:
        raise UnknownLimit("increase: there is no such increase for you.")
    return row


def scope_names(limits: Iterable[Limit]) -> dict[ScopeKey, str]:
    """Return what the scopes of limits are called; the people of traders are asked at once."""
    rows = list(limits)
    people = names_by_actor_id(limit.trader for limit in rows)
    names = {}
    for limit in rows:
        owner = limit.book or limit.counterparty
        names[ScopeKey.of(limit)] = owner.code if owner is not None else people[limit.trader]
    return names


def limit_uses(limits: Sequence[Limit], *, at: datetime) -> list[LimitUse]:
    """Return how far limits in force are used, in their order; each scope is read once."""
    by_scope: dict[ScopeKey, list[Limit]] = defaultdict(list)
    for limit in limits:
        by_scope[ScopeKey.of(limit)].append(limit)
    used: dict[int, tuple[float | None, str]] = {}
    for scope, own in by_scope.items():
        for standing, some in standings(scope, own, at=at):
            for limit in some:
                used[limit.pk] = measured(limit, standing)
    names = scope_names(limits)
    return [_use(limit, names[ScopeKey.of(limit)], *used[limit.pk], at) for limit in limits]


def standings(
    scope: ScopeKey, limits: Sequence[Limit], *, at: datetime
) -> list[tuple[Standing, list[Limit]]]:
    """Return what a scope stands at for its limits, by the currency that they measure in."""
    home = limits[0].unit if len(limits[0].unit) == 3 else ""
    found = []
    for currency, own in by_currency(limits, home or _home(scope)).items():
        standing = standing_of(
            scope, organization_id=own[0].organization_id, currency=currency, at=at,
            needs=needs_of(own),
        )  # fmt: skip
        found.append((standing, own))
    return found


def measured(limit: Limit, standing: Standing) -> tuple[float | None, str]:
    """Return what a limit measures, or None and why it cannot."""
    try:
        return KINDS[limit.measure].used(limit, standing), ""
    except NotMeasured as problem:
        return None, str(problem)


def _home(scope: ScopeKey) -> str:
    """Return the currency in which shares of a scope are compared."""
    books = [scope.id] if isinstance(scope.id, UUID) and scope.kind == LimitScope.BOOK else None
    return reporting_currencies(books)[0]


def _use(limit: Limit, scope: str, used: float | None, problem: str, at: datetime) -> LimitUse:
    now = [one for one in limit.approved_increases if one.start_at <= at < one.end_at]
    return LimitUse(
        limit=limit, name=limit_name(limit), scope_name=scope, used=used, problem=problem,
        allowed=amount_at(limit, at), increase=increase_at(now, at),
        until=min((one.end_at for one in now), default=None),
    )  # fmt: skip


def uses_of_book(book_id: UUID, *, at: datetime) -> list[LimitUse]:
    """Return how far the limits of a book itself are used, VaR first."""
    rows = with_increases().select_related("book", "counterparty")
    limits = list(rows.filter(book_id=book_id, is_active=True).order_by("confidence", "id"))
    order = {measure: place for place, measure in enumerate(LimitMeasure)}
    limits.sort(key=lambda limit: order[LimitMeasure(limit.measure)])
    return limit_uses(limits, at=at) if limits else []


def breaches_for(actor: Actor) -> QuerySet[LimitBreach]:
    """
    Return the breaches of the limits that the actor may see.

    :raises PermissionMissing: without `risk.view_limitbreach`.
    """
    actor.require(VIEW_BREACH)
    return LimitBreach.objects.filter(visible(actor, "limit__")).select_related(
        "limit", "limit__book", "limit__counterparty", "limit__market", "limit__commodity",
        "trade_version__trade",
    )  # fmt: skip


def breach_for(actor: Actor, breach_id: int) -> LimitBreach:
    """
    Return one of them.

    :raises UnknownBreach: if the actor does not see it.
    """
    row = breaches_for(actor).filter(pk=breach_id).first()
    if row is None:
        raise UnknownBreach("breach: there is no such breach for you.")
    return row


def people_of(rows: Iterable[ProposedVersion]) -> Mapping[str, str]:
    """Return the names of who proposed and who decided."""
    return names_by_actor_id(name for row in rows for name in (row.proposed_by, row.decided_by))
