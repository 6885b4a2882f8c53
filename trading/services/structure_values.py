"""Value contracts with choices, and keep value, plan and hedge: in a run, or one by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from trading.deals import STRUCTURES
from trading.models import StructureValue, ValuationRun
from trading.queries.trades import trade_by_ref
from trading.queries.valuation import (
    RUN_SEED,
    HeldStructures,
    SimulationFacts,
    StructureFacts,
    Universe,
    digest_of,
    held_structures,
    market_facts,
    simulation_facts,
    structure_facts,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import StructureHolding, TimeValue
    from trading.valuation import StructureValue as Worth

Progress = Callable[[int, int], None]
TASK = "trading.value_structure"
VALUE = "trading.value_structure"


class NoStructure(ValueError):
    """The trade is no contract with choices; names the field and the rule."""


def ask_value(*, actor: Actor, ref: str) -> Job:
    """
    Start to value a contract with choices on the curves of now, as a job.

    :raises PermissionMissing: without `trading.value_structure`.
    :raises UnknownTrade: if the actor's books hold no trade of that reference.
    :raises NoStructure: for another product.
    """
    actor.require(VALUE)
    version = trade_by_ref(actor, ref)
    if not _is_structure(version):
        raise NoStructure(f"trade: {ref} is no contract with choices.")
    return enqueue_job(
        actor=actor,
        kind="structure_value",
        title=f"Value of {ref}",
        task=TASK,
        arguments={"ref": ref},
        organization_id=version.trade.organization_id,
    )


@dataclass(frozen=True, eq=False)
class Simulated:
    """
    What was simulated of some holdings, in their order.

    found   None where nothing was asked for: no process, or a contract without choices left
    cents   our side, by holding; what values and explanations add to the plan's
    """

    facts: SimulationFacts
    found: tuple[TimeValue | None, ...]

    @property
    def cents(self) -> list[Decimal]:
        return [_cents(0.0 if one is None else one.amount) for one in self.found]

    def by_line(self, held: HeldStructures, lines: int) -> npt.NDArray[np.float64]:
        """Return the sums of the cents by line of the universe."""
        import numpy as np

        line = np.array([one.line for one in held.holdings], dtype=np.int64)
        amounts = np.array([float(amount) for amount in self.cents], dtype=np.float64)
        return np.bincount(line, amounts, lines).astype(np.float64)


def simulate_held(
    held: HeldStructures,
    facts: StructureFacts,
    values: Sequence[Worth],
    *,
    as_of: datetime,
    known_at: datetime,
    seed: int = RUN_SEED,
    progress: Progress = lambda done, total: None,
) -> Simulated:
    """
    Simulate the time value of each holding whose markets all have an approved process.

    values  of the plans, in the order of the holdings;  seed  what the run states
    """
    from trading.valuation import seconds, time_value

    sims = simulation_facts(held, known_at=known_at, seed=seed)
    found: list[TimeValue | None] = []
    columns = zip(held.holdings, values, facts.markets, sims.models, strict=True)
    count = sum(models is not None for models in sims.models)
    done = 0
    for holding, worth, market, models in columns:
        if models is None or worth.reason or worth.chosen == len(holding.dates):
            found.append(None)
            continue
        progress(done, count)
        found.append(time_value(holding, worth, seconds(as_of), market, models))
        done += 1
    return Simulated(sims, tuple(found))


def value_structure(
    *,
    actor: Actor,
    ref: str,
    as_of: datetime,
    known_at: datetime,
    progress: Progress = lambda done, total: None,
) -> list[StructureValue]:
    """
    Value the choices of one trade, and keep what was found; the worker's part of `ask_value`.

    known_at    a cut of knowledge at which nobody is writing, as `take_cut` gives

    :raises UnknownTrade, NoStructure: as `ask_value`.
    """
    version = trade_by_ref(actor, ref)
    if not _is_structure(version):
        raise NoStructure(f"trade: {ref} is no contract with choices.")
    universe = Universe()
    held = held_structures(
        universe, {version.terms_version_id: version.trade_id}, as_of=as_of, known_at=known_at
    )
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    facts = structure_facts(universe, held.holdings, as_of=as_of, known_at=known_at)
    worth = held.of(len(universe.lines)).value(universe.contracts, market.state, facts.markets)
    simulated = simulate_held(
        held, facts, worth.values, as_of=as_of, known_at=known_at, progress=progress
    )
    rows = value_rows(held, facts, worth.values, simulated, as_of=as_of, known_at=known_at)
    for row in rows:
        row.actor_id = actor.id
        row.findings = [*row.findings, *market.findings]
    for trade_id, reason in held.refused.items():
        rows.append(_refused(version, trade_id, reason, actor, as_of, known_at))
    with transaction.atomic():
        made = StructureValue.objects.bulk_create(rows)
        record_event(
            type="structure.valued",
            actor=actor,
            aggregate_type="trade",
            aggregate_id=ref,
            organization_id=version.trade.organization_id,
            payload={
                "ref": ref,
                "as_of": as_of.isoformat(),
                "known_at": known_at.isoformat(),
                "values": [
                    {"leg": row.leg, "realised": str(row.realised),
                     "unrealised": str(row.unrealised), "currency": row.currency,
                     "time_value": str(row.time_value), "method": row.method,
                     "reason": row.reason}
                    for row in made
                ],
            },
        )  # fmt: skip
    return made


def value_rows(
    held: HeldStructures,
    facts: StructureFacts,
    values: Sequence[Worth],
    simulated: Simulated,
    *,
    as_of: datetime,
    known_at: datetime,
    run: ValuationRun | None = None,
) -> list[StructureValue]:
    """Return the rows of some values, in the order of their holdings; nothing is written."""
    columns = zip(
        held.trade,
        held.version,
        held.number,
        held.holdings,
        facts.markets,
        values,
        facts.notes,
        simulated.facts.notes,
        simulated.found,
        simulated.facts.processes,
        simulated.cents,
        strict=True,
    )
    rows = []
    for (
        trade_id, version_id, number, holding, market, worth, notes, unsimulated, more, processes,
        amount,
    ) in columns:  # fmt: skip
        plan = _plan(holding, worth)
        hedge = _hedge(holding, worth)
        content = [trade_id, number, repr(worth.realised), repr(worth.unrealised), worth.method,
                   worth.reason, hedge]  # fmt: skip
        told = None
        if more is not None and not more.reason:
            told = _simulation(holding, more, processes)
            content.append(told)
        unsimulated = unsimulated if not worth.reason and worth.chosen < len(holding.dates) else ()
        if more is not None and more.reason:
            unsimulated = (f"The time value is not simulated: {more.reason}",)
        digest = hashlib.sha256(digest_of(content).encode())
        for column in plan.values():
            digest.update(column)
        rows.append(
            StructureValue(
                run=run, trade_id=trade_id, version_id=version_id, leg=number, as_of=as_of,
                known_at=known_at, currency=holding.leg.currency,
                realised=_cents(worth.realised), unrealised=_cents(worth.unrealised) + amount,
                time_value=_cents(worth.time_value) + amount, method=worth.method, gap=worth.gap,
                standard_error=more.standard_error if more is not None and told else None,
                simulation=told, model_id=market.model, chosen=worth.chosen, hedge=hedge,
                reason=worth.reason[:400], findings=[*notes, *unsimulated],
                content_hash=digest.hexdigest(), actor_id="" if run is None else run.actor_id,
                **plan,
            )
        )  # fmt: skip
    return rows


def _plan(holding: StructureHolding, worth: Worth) -> dict[str, bytes]:
    return {
        "starts": holding.bounds[:-1].astype("<i8").tobytes(),
        "quantity": worth.quantity.astype("<f8").tobytes(),
        "level": b"" if worth.level is None else worth.level[:-1].astype("<f8").tobytes(),
        "price": worth.prices[0].astype("<f8").tobytes(),
        "cash": worth.cash.astype("<f8").tobytes(),
    }


def _hedge(holding: StructureHolding, worth: Worth) -> list[dict[str, Any]]:
    by_role = holding.leg.by_role
    return [
        {"role": row.role, "market": by_role[row.role].area.code,
         "unit": by_role[row.role].price_unit, "month": f"{row.month}-01",
         "delta": round(row.delta, 6), "gamma": round(row.gamma, 6), "vega": round(row.vega, 6)}
        for row in worth.hedge
    ]  # fmt: skip


def _simulation(
    holding: StructureHolding, more: TimeValue, processes: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    by_role = holding.leg.by_role
    return {
        "estimate": more.estimate, "intrinsic": more.intrinsic, "in_sample": more.in_sample,
        "standard_error": more.standard_error, "paths": more.paths, "seed": more.seed,
        "processes": list(processes),
        "deltas": [
            {"role": row.role, "market": by_role[row.role].area.code,
             "unit": by_role[row.role].price_unit, "month": f"{row.month}-01",
             "delta": round(row.delta, 6), "error": round(row.error, 6)}
            for row in more.deltas
        ],
    }  # fmt: skip


def _refused(
    version: Any, trade_id: int, reason: str, actor: Actor, as_of: datetime, known_at: datetime
) -> StructureValue:
    nothing = Decimal(0)
    return StructureValue(
        trade_id=trade_id, version_id=version.terms_version_id, leg=1, as_of=as_of,
        known_at=known_at, currency=version.currency, realised=nothing, unrealised=nothing,
        time_value=nothing, gap=0.0, chosen=0, starts=b"", quantity=b"", level=b"", price=b"",
        cash=b"", reason=reason[:400], content_hash=digest_of([trade_id, reason]),
        actor_id=actor.id,
    )  # fmt: skip


def _is_structure(version: Any) -> bool:
    return version.product_kind in STRUCTURES


def _cents(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.01"))
