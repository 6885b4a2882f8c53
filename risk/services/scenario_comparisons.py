"""Value a book under two definitions of scenarios, as a job, and keep what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from risk.models import ScenarioComparison, ScenarioDefinition
from risk.queries.holdings import Holdings, holdings_of, value_holdings
from risk.queries.scenario_definitions import definition_of
from trading.queries.books import book_for, reporting_currency, subtree

TASK = "risk.compare_scenarios"
CONFIDENCES = (Decimal("0.95"), Decimal("0.99"))
Progress = Callable[[str, int, int], None]


def ask_comparison(*, actor: Actor, book_id: UUID, first_id: int, second_id: int) -> Job:
    """
    Start to value a book under two definitions, approved or not; the result is its page.

    :raises PermissionMissing: without `risk.view_scenariodefinition`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises UnknownDefinition: for a version that is not there.
    :raises ValidationError: for the same version twice.
    """
    first, second = definition_of(actor, first_id), definition_of(actor, second_id)
    book = book_for(actor, book_id)
    if first == second:
        raise ValidationError({"second": "Is another version than the first."})
    return enqueue_job(
        actor=actor,
        kind="scenario_comparison",
        title=f"{book.code} under {first} and {second}",
        task=TASK,
        arguments={"book": str(book_id), "first": first_id, "second": second_id},
        organization_id=book.organization_id,
    )


def compare(
    *,
    actor: Actor,
    book_id: UUID,
    first_id: int,
    second_id: int,
    valued_at: datetime,
    progress: Progress = lambda stage, done, total: None,
) -> ScenarioComparison:
    """
    Value a book with those below it under two definitions, on the curves of an instant.

    :raises NoBasis: where one of them cannot be made, naming why.
    """
    currency = reporting_currency(book_id)
    holdings = holdings_of(subtree(book_id))
    definitions = [definition_of(actor, one) for one in (first_id, second_id)]
    sides, findings = [], []
    for place, definition in enumerate(definitions):
        progress(str(definition), place, len(definitions))
        side, said = _side(definition, holdings, currency, valued_at)
        sides.append(side)
        findings += [f"{definition}: {one}" for one in said]
    with transaction.atomic():
        row = ScenarioComparison.objects.create(
            book_id=book_id, first=definitions[0], second=definitions[1], valued_at=valued_at,
            currency=currency, sides=sides, findings=findings, asked_by=actor.id,
        )  # fmt: skip
        record_event(
            type="scenarios.compared",
            actor=actor,
            aggregate_type="scenario_comparison",
            aggregate_id=row.pk,
            organization_id=row.book.organization_id,
            key=f"book:{book_id}",
            payload={
                "book": row.book.code, "definitions": [str(one) for one in definitions],
                "currency": currency, "sides": sides,
            },
        )  # fmt: skip
    return row


def _side(
    definition: ScenarioDefinition, holdings: Holdings, currency: str, valued_at: datetime
) -> tuple[dict[str, Any], list[str]]:
    import numpy as np

    from risk.engine import Convention, tail_risk

    from .snapshots import trial_basis

    on, days = trial_basis(definition, valued_at=valued_at)
    valued = value_holdings(holdings, on, currency=currency)
    tails = {
        f"{confidence}": tail_risk(
            valued.pnl, Convention(confidence=confidence, horizon_days=on.horizon_days)
        )
        for confidence in CONFIDENCES
    }
    worst = int(np.argmin(valued.pnl))
    side = {
        "definition": str(definition), "method": on.method, "scenarios": on.scenario_count,
        "horizon_days": on.horizon_days, "value": valued.base_value,
        "tails": {name: [tail.var, tail.es] for name, tail in tails.items()},
        "worst_day": days[worst].isoformat(), "worst": float(valued.pnl[worst]),
    }  # fmt: skip
    said = list(valued.held)
    if valued.unvalued:
        said.append(f"{len(valued.unvalued)} positions cannot be valued and are left out.")
    return side, said
