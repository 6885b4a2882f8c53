"""Hold the stored hedge of a contract with choices against full revaluation, once a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.services import enqueue_job
from trading.closing import Closing, StepResult
from trading.models import StructureHedgeCheck, StructureValue
from trading.queries.valuation import Universe, held_structures, market_facts, structure_facts

if TYPE_CHECKING:
    from trading.valuation import HedgeCheck, StructureHolding

TASK = "trading.check_hedges"


def check_value(
    *,
    actor: Actor,
    value: StructureValue,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StructureHedgeCheck | None:
    """
    Value again with each month's price moved up and down, on the facts of the value's own cut.

    One that was checked stays as it is. One without a value or a plan is not checked, nor one
    whose optimum is not proven: its gap is wider than what a step of the price moves.

    progress    is told how many months of how many are done
    """
    from trading.valuation import NORMAL_VOL_STEP, PLAN_STEP, VOL_STEP, check_hedge, seconds

    if value.reason or not value.starts or value.gap:
        return None
    stored = StructureHedgeCheck.objects.filter(value=value).first()
    if stored is not None:
        return stored
    cut = {"as_of": value.as_of, "known_at": value.known_at}
    universe = Universe()
    held = held_structures(universe, {value.version.terms_version_id: value.trade_id}, **cut)
    state = market_facts(universe, **cut).state
    markets = structure_facts(universe, held.holdings, **cut).markets
    again = held.of(len(universe.lines)).value(universe.contracts, state, markets)
    place = held.number.index(value.leg)
    holding, market = held.holdings[place], markets[place]
    worth = again.values[place]
    rows = check_hedge(holding, worth, seconds(value.as_of), market, progress=progress)
    step = None
    if any(row.vega is not None for row in rows) and market.volatility is not None:
        step = NORMAL_VOL_STEP if market.volatility.ndim == 1 else VOL_STEP
    with transaction.atomic():
        found, is_new = StructureHedgeCheck.objects.get_or_create(
            value=value,
            defaults={
                "price_step": PLAN_STEP,
                "vol_step": step,
                "rows": [_row(holding, row) for row in rows],
                "actor_id": actor.id,
            },
        )
        if is_new:
            record_event(
                type="structure.hedge_checked",
                actor=actor,
                aggregate_type="trade",
                aggregate_id=value.trade.ref,
                organization_id=value.trade.organization_id,
                payload={
                    "ref": value.trade.ref,
                    "value": value.pk,
                    "agreement": [row["agreement"] for row in found.rows],
                },
            )
    return found


def _row(holding: StructureHolding, one: HedgeCheck) -> dict[str, Any]:
    hedge, index = one.hedge, holding.leg.by_role[one.hedge.role]
    return {
        "role": hedge.role, "market": index.area.code, "unit": index.price_unit,
        "month": f"{hedge.month}-01", "delta": round(hedge.delta, 6), "down": round(one.down, 6),
        "up": round(one.up, 6), "revalued": round(one.delta, 6),
        "tolerance": round(one.tolerance, 6), "agreement": one.agreement.value,
        "gamma": round(hedge.gamma, 6), "vega": round(hedge.vega, 6),
        "gamma_revalued": None if one.gamma is None else round(one.gamma, 6),
        "vega_revalued": None if one.vega is None else round(one.vega, 6),
    }  # fmt: skip


def ask_checks(closing: Closing) -> StepResult:
    """Start to check the hedges of a closing's contracts with choices, as a job of its own."""
    count = StructureValue.objects.filter(run=closing.run, reason="").count()
    if not count:
        return StepResult("No contract with choices to revalue.")
    enqueue_job(
        actor=closing.actor,
        kind="structure_hedges",
        title=f"Hedges of contracts with choices by revaluation, {closing.day}",
        task=TASK,
        arguments={"run_id": closing.run.pk},
        organization_id=closing.organization_id,
    )
    are = "1 contract with choices is" if count == 1 else f"{count} contracts with choices are"
    return StepResult(f"{are} revalued by a job beside this one.")


def check_run(*, actor: Actor, run_id: int, progress: Callable[[str, int, int], None]) -> int:
    """Check every hedge that a valuation run stored; returns how many there are."""
    values = list(
        StructureValue.objects.filter(run_id=run_id, reason="")
        .select_related("trade", "version")
        .order_by("trade_id", "leg")
    )
    for done, value in enumerate(values):
        progress(value.trade.ref, done, len(values))
        check_value(actor=actor, value=value)
    return len(values)
