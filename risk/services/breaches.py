"""Open breaches where facts or the market took a scope over a limit, and lead them to their end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import member_or_404
from energyopti.foundation.events.services import record_event
from energyopti.foundation.texts import check_words
from risk.enums import BreachState, BreachStepKind, LimitScope
from risk.models import BreachStep, Limit, LimitBreach
from risk.queries.holdings import Holdings, holdings_changed, holdings_of_trade
from risk.queries.limit_measures.kinds import limit_name
from risk.queries.limit_measures.standing import BY_ROWS
from risk.queries.limit_pages import breach_for, measured, standings
from risk.queries.limit_teller import (
    Measured,
    Teller,
    by_currency,
    measure,
    needs_of,
    scopes_of,
)
from risk.queries.limits import ScopeKey, amount_at, limits_in_force
from risk.queries.scope_standings import added, standing_of
from trading.checks import Change, NewTrade
from trading.enums import Stage
from trading.queries.books import reporting_currency
from trading.queries.positions import difference
from trading.services.locks import lock_keys, server_time

from .limits import lock_of

ACKNOWLEDGE = "risk.acknowledge_breach"
# A breach that nobody acknowledged for so long is told to more people.
ESCALATED_AFTER = timedelta(minutes=30)
LONGEST_NOTE = 1000


class BreachRefused(ValueError):
    """What is asked cannot follow on the breach's state; names the field and the rule."""


def open_after_change(change: Change, *, at: datetime) -> list[LimitBreach]:
    """
    Open a breach of each limit whose excess a fact caused or added to, in its transaction.

    The tables hold the change already; orders cannot breach, because they were stopped.
    """
    if not change.is_fact:
        return []
    scopes = scopes_of(change.book_path, change.trader, change.counterparty_id)
    limits = limits_in_force(change.organization_id, scopes)
    if not limits:
        return []
    changed = holdings_changed(change)[Stage.LIVE]
    if not changed:
        return []
    after = holdings_of_trade(change.trade_id)
    before = Holdings(
        difference(after.positions, changed.positions),
        [*after.choices, *(choice.taken() for choice in changed.choices)],
    )
    waits = holdings_of_trade(change.trade_id, stage=Stage.PENDING)
    home = reporting_currency(change.book_path[0])
    found: list[Measured] = []
    for scope in scopes:
        for currency, own in by_currency(limits.get(scope, ()), home).items():
            needs = needs_of(own)
            rest = standing_of(
                scope, organization_id=change.organization_id, currency=currency, at=at,
                needs=needs, without=[change.trade_id],
            )  # fmt: skip
            if scope.kind == LimitScope.BOOK:
                rows = needs & BY_ROWS
                for held in (after, waits):
                    rest = rest.plus(added(held, rest, needs=rows).negated())
            party = change.counterparty_id
            was, now = (
                rest.plus(
                    replace(added(one, rest, needs=needs, counterparty_id=party), problems={})
                )
                for one in (before, after)
            )
            found += [measure(limit, scope, was, now) for limit in own]
    return _open_exceeded(found, change, at)


def open_after_many(trades: Sequence[NewTrade], *, at: datetime) -> list[LimitBreach]:
    """Do for many new trades what `open_after_change` does for each, those before it booked."""
    facts = [trade for trade in trades if trade.change.is_fact]
    found: list[LimitBreach] = []
    for organization_id in dict.fromkeys(trade.change.organization_id for trade in facts):
        own = [t for t in trades if t.change.organization_id == organization_id]
        teller = Teller(
            organization_id, [trade.proposal for trade in own],
            booked=[trade.change.trade_id for trade in own],
        )  # fmt: skip
        if not teller.limits:
            continue
        for place, trade in enumerate(own):
            told = [one for one in teller.tell(place) if one.limit.pk is not None]
            if trade.change.is_fact and trade.is_live:
                found += _open_exceeded(told, trade.change, at)
    return found


def open_standing(
    scope: ScopeKey, *, actor: Actor, organization_id: UUID, cause: str, at: datetime
) -> list[LimitBreach]:
    """
    Open a breach of each limit that a scope stands over though nobody dealt: prices, time, the
    end of an increase or a lowered limit did it. One that a breach is open of gets no second.
    """
    limits = limits_in_force(organization_id, [scope]).get(scope, [])
    found: list[LimitBreach] = []
    if not limits:
        return found
    open_already = set(
        LimitBreach.objects.filter(limit__in=limits)
        .exclude(state=BreachState.RESOLVED)
        .values_list("limit_id", flat=True)
    )
    waiting = [limit for limit in limits if limit.pk not in open_already]
    for standing, own in standings(scope, waiting, at=at) if waiting else ():
        for limit in own:
            used, _ = measured(limit, standing)
            amount = amount_at(limit, at)
            if used is not None and used > float(amount):
                row = LimitBreach(limit=limit, after=used, amount=amount, cause=cause)
                found.append(_open(row, actor=actor))
    return found


def watch_limits(*, actor: Actor, at: datetime) -> int:
    """
    Look at every limit in force, and return how many breaches were opened.

    :raises PermissionMissing: without `risk.rebase_risk`.
    """
    actor.require("risk.rebase_risk")
    opened = 0
    scopes = {
        (ScopeKey.of(limit), limit.organization_id)
        for limit in Limit.objects.filter(is_active=True)
    }
    for scope, organization_id in sorted(scopes, key=str):
        with transaction.atomic():
            lock_keys([lock_of(scope)])
            opened += len(
                open_standing(
                    scope, actor=actor, organization_id=organization_id, cause="watch", at=at
                )
            )
    return opened


def acknowledge_breach(*, actor: Actor, breach_id: int, note: str = "") -> LimitBreach:
    """
    Say that one has seen a breach, and take it over.

    :raises PermissionMissing: without `risk.acknowledge_breach`.
    :raises UnknownBreach: for one that the actor does not see.
    :raises BreachRefused: for one that was acknowledged already.
    """
    return _step(
        actor, breach_id, BreachStepKind.ACKNOWLEDGED, note,
        follows=[BreachState.DETECTED], state=BreachState.ACKNOWLEDGED, owner=actor.id,
    )  # fmt: skip


def assign_breach(*, actor: Actor, breach_id: int, user_id: UUID, note: str = "") -> LimitBreach:
    """
    Hand a breach over to another person of the organization.

    :raises Http404: for a person who is not of it; else as `acknowledge_breach`.
    """
    actor.require(ACKNOWLEDGE)
    person = member_or_404(actor, user_id)
    return _step(
        actor, breach_id, BreachStepKind.ASSIGNED, note,
        follows=[BreachState.ACKNOWLEDGED, BreachState.ACTION], owner=f"user:{person.pk}",
    )  # fmt: skip


def record_action(*, actor: Actor, breach_id: int, note: str) -> LimitBreach:
    """Say what is done about an acknowledged breach; refusals as `acknowledge_breach`."""
    return _step(
        actor, breach_id, BreachStepKind.ACTION, note, needs_note=True,
        follows=[BreachState.ACKNOWLEDGED, BreachState.ACTION], state=BreachState.ACTION,
    )  # fmt: skip


def note_breach(*, actor: Actor, breach_id: int, note: str) -> LimitBreach:
    """Add a remark to a breach, in whichever state; refusals as `acknowledge_breach`."""
    return _step(
        actor, breach_id, BreachStepKind.NOTE, note, needs_note=True, follows=list(BreachState)
    )


def resolve_breach(*, actor: Actor, breach_id: int, note: str) -> LimitBreach:
    """
    End a breach that was acknowledged, saying how; who caused it does not.

    :raises: as `acknowledge_breach`, and BreachRefused for who caused it or without a note.
    """
    return _step(
        actor, breach_id, BreachStepKind.RESOLVED, note, needs_note=True,
        follows=[BreachState.ACKNOWLEDGED, BreachState.ACTION], state=BreachState.RESOLVED,
    )  # fmt: skip


def escalate_breaches(*, actor: Actor, at: datetime) -> int:
    """
    Tell of each breach that nobody acknowledged in time, once; return how many.

    at      real time, as breaches are stamped

    :raises PermissionMissing: without `risk.rebase_risk`.
    """
    actor.require("risk.rebase_risk")
    with transaction.atomic():
        rows = LimitBreach.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=BreachState.DETECTED, is_escalated=False, detected_at__lte=at - ESCALATED_AFTER
        )
        late = list(rows.select_related("limit").order_by("id"))
        for row in late:
            row.is_escalated = True
            row.save(update_fields=["is_escalated"])
            _log(row, actor, BreachStepKind.ESCALATED, "")
            _tell(row, actor, "limit.breach_escalated", "")
    return len(late)


def _open_exceeded(found: Iterable[Measured], change: Change, at: datetime) -> list[LimitBreach]:
    breaches = []
    for one in found:
        amount = amount_at(one.limit, at)
        if one.problem or one.after <= float(amount) or one.after <= one.before:
            continue
        row = LimitBreach(
            limit=one.limit, trade_version_id=change.after.version_id, before=one.before,
            after=one.after, amount=amount, cause=change.trade_ref, caused_by=change.actor.id,
        )  # fmt: skip
        breaches.append(_open(row, actor=change.actor))
    return breaches


def _open(row: LimitBreach, *, actor: Actor) -> LimitBreach:
    row.detected_at = server_time()
    row.save(force_insert=True)
    _log(row, actor, BreachStepKind.DETECTED, "")
    _tell(row, actor, "limit.breached", "")
    return row


def _step(
    actor: Actor,
    breach_id: int,
    kind: BreachStepKind,
    note: str,
    *,
    follows: Sequence[BreachState],
    state: BreachState | None = None,
    owner: str | None = None,
    needs_note: bool = False,
) -> LimitBreach:
    actor.require(ACKNOWLEDGE)
    words = note.strip()
    if needs_note and not words:
        raise BreachRefused("note: say what was done.")
    try:
        check_words(words, most=LONGEST_NOTE)
    except ValueError as error:
        raise BreachRefused(f"note: {error}") from error
    seen = breach_for(actor, breach_id)
    with transaction.atomic():
        row = LimitBreach.objects.select_for_update(of=("self",)).get(pk=seen.pk)
        row.limit = seen.limit
        if row.state not in follows:
            raise BreachRefused(f"breach: is {BreachState(row.state).label.lower()}.")
        if kind is BreachStepKind.RESOLVED and row.caused_by == actor.id:
            raise BreachRefused("breach: another person than who caused it resolves it.")
        row.state = row.state if state is None else state
        row.owner = row.owner if owner is None else owner
        row.save(update_fields=["state", "owner"])
        _log(row, actor, kind, words)
        _tell(row, actor, f"limit.breach_{kind.lower()}", words)
    return row


def _log(row: LimitBreach, actor: Actor, kind: BreachStepKind, note: str) -> None:
    BreachStep.objects.create(
        breach=row, kind=kind, actor_id=actor.id, owner=row.owner, note=note,
        recorded_at=server_time(),
    )  # fmt: skip


def _tell(row: LimitBreach, actor: Actor, kind: str, note: str) -> None:
    limit = row.limit
    payload: dict[str, Any] = {
        "breach_id": row.pk, "limit_id": limit.pk, "scope": str(limit.scope),
        "book_id": str(limit.book_id) if limit.book_id else None, "trader": limit.trader,
        "counterparty_id": str(limit.counterparty_id) if limit.counterparty_id else None,
        "measure": str(limit.measure), "name": limit_name(limit), "excess": str(limit.excess),
        "before": row.before, "after": row.after, "amount": str(row.amount), "unit": limit.unit,
        "cause": row.cause, "state": str(row.state), "owner": row.owner, "note": note,
    }  # fmt: skip
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="limit",
        aggregate_id=limit.pk,
        organization_id=limit.organization_id,
        key=f"{limit.scope.lower()}:{ScopeKey.of(limit).id}",
        payload=payload,
    )
