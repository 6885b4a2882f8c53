"""
What a contract with choices would be worth before it is booked: found by a job, kept a while.

Nothing is written but the job; the answer lies in the cache under who asked and the terms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from trading.deals import Structure
from trading.queries.deals import structure_leg_json, structure_leg_of
from trading.queries.structure_values import VIEW, method_words
from trading.queries.valuation import Universe, digest_of, market_facts, structure_facts
from trading.queries.valuation.structures import structures_of

TASK = "trading.preview_structure"
KEPT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class StructurePreview:
    """
    What is known of a value that was asked for.

    key     of the terms
    job     that looks for it; None where the answer is kept
    worth   as `preview_structure` keeps it; None until then
    """

    key: str
    job: Job | None
    worth: Mapping[str, Any] | None

    @property
    def is_waiting(self) -> bool:
        return self.worth is None and self.job is not None and not self.job.is_finished


def ask_preview(*, actor: Actor, leg: Structure, organization_id: UUID) -> StructurePreview:
    """
    Start to value a contract that is not booked, on the curves of now; the same asked again within
    five minutes is the same job and answer.

    :raises PermissionMissing: without `trading.view_tradevalue`.
    """
    actor.require(VIEW)
    said = structure_leg_json(leg)
    key = digest_of([said, str(organization_id)])
    kept = cache.get(_place(actor.id, key))
    found = None if kept is None else _found(key, kept)
    if found is not None and (found.worth is not None or found.is_waiting):
        return found
    cache.delete(_place(actor.id, key))
    job = enqueue_job(
        actor=actor,
        kind="structure_preview",
        title=f"Value of a {leg.kind.value.replace('_', ' ').lower()} before booking",
        task=TASK,
        arguments={"key": key, "leg": said},
        organization_id=organization_id,
    )
    # A worker may have answered already.
    cache.add(_place(actor.id, key), {"job": str(job.pk)}, KEPT_SECONDS)
    return preview_of(actor=actor, key=key) or StructurePreview(key, job, None)


def preview_of(*, actor: Actor, key: str) -> StructurePreview | None:
    """
    Return what is known of a value that the actor asked for; None if that was not, or long ago.

    :raises PermissionMissing: without `trading.view_tradevalue`.
    """
    actor.require(VIEW)
    kept = cache.get(_place(actor.id, key))
    return None if kept is None else _found(key, kept)


def preview_structure(
    *, asked_by: str, key: str, leg: Mapping[str, Any], as_of: datetime, known_at: datetime
) -> None:
    """Value a contract as `ask_preview` was told, and keep the answer for who asked."""
    from trading.valuation import plan_facts

    contract = structure_leg_of(leg)
    universe = Universe()
    held = structures_of(universe, [(0, 0, 1, contract)])
    worth: dict[str, Any] = {
        "as_of": as_of, "currency": contract.currency, "reason": held.refused.get(0, ""),
        "premium": contract.premium_cash.amount, "findings": [], "facts": [], "hedge": [],
    }  # fmt: skip
    if not worth["reason"]:
        market = market_facts(universe, as_of=as_of, known_at=known_at)
        facts = structure_facts(universe, held.holdings, as_of=as_of, known_at=known_at)
        (value,) = (
            held.of(len(universe.lines))
            .value(universe.contracts, market.state, facts.markets)
            .values
        )
        worth |= {
            "reason": value.reason, "value": value.total, "time_value": value.time_value,
            "method": method_words(value.method), "gap": value.gap,
            "findings": [*facts.findings, *market.findings],
            "total": value.total + float(contract.premium_cash.amount),
        }  # fmt: skip
        if not value.reason:
            worth["facts"] = [
                (one.label, one.amount, one.unit) for one in plan_facts(contract, value.quantity)
            ]
            by_role = contract.by_role
            worth["hedge"] = [
                (by_role[row.role].area.code, row.role, row.month.item(), row.delta,
                 by_role[row.role].price_unit)
                for row in value.hedge
            ]  # fmt: skip
    cache.set(_place(asked_by, key), {"worth": worth}, KEPT_SECONDS)


def _found(key: str, kept: Mapping[str, Any]) -> StructurePreview | None:
    if "worth" in kept:
        return StructurePreview(key, None, kept["worth"])
    job = Job.objects.filter(pk=kept["job"]).first()
    return None if job is None else StructurePreview(key, job, None)


def _place(actor_id: str, key: str) -> str:
    asked = hashlib.sha256(f"{actor_id} {key}".encode()).hexdigest()
    return f"structure-preview:{asked}"
