"""Ask for risk runs, and make them: all of a run is written at once, or nothing of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.code_version import code_version
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.services import JobOriginator, enqueue_job
from risk.models import (
    MarketSnapshot,
    RiskRun,
    RiskRunNumber,
    RiskRunOutcome,
    RunKind,
)
from risk.queries.bases import basis, to_bytes
from risk.queries.run_files import Component, component_file, components_of, matrix_file
from risk.queries.run_holdings import RunHoldings, run_holdings
from risk.queries.run_measures import measure
from risk.queries.run_results import Measures, Progress
from risk.queries.run_terms import RunRefused, RunTerms
from risk.queries.scenario_definitions import definitions_in_force
from trading.queries.books import book_for
from trading.services.locks import server_time
from trading.services.valuation import take_cut

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile

ASK = "risk.ask_riskrun"
TASK = "risk.run"
# Sentences about what has no value that are kept with a run; all of it counts in the figure.
MOST_UNVALUED = 1000


def _quietly(done: int, total: int, stage: str) -> None:
    """Say nothing of how far a run is."""


@dataclass(frozen=True, slots=True, eq=False)
class Calculated:
    """A run before it is stored, or beside the one that was."""

    holdings: RunHoldings
    found: Measures
    components: Sequence[Component]
    inputs: dict[str, Any]
    input_hash: str
    result_hash: str


def ask_risk_run(
    *, actor: Actor, book_id: UUID, terms: RunTerms, kind: RunKind, snapshot_id: int | None = None,
    definition_id: int | None = None,
) -> RiskRun:  # fmt: skip
    """
    Ask for a run of a book with all books below it, as a job.

    What counts is known at once: trades as recorded now, on a snapshot that stays what it is.

    snapshot_id     curves, instant and scenarios; None: those that books are valued on now
    definition_id   of the scenarios, in force; None: the desk's, that the snapshot has

    :raises PermissionMissing: without `risk.ask_riskrun`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises RunRefused: naming the field: no such snapshot, none at all, or a kind that is not asked
        for.
    """
    actor.require(ASK)
    book = book_for(actor, book_id)
    if kind == RunKind.END_OF_DAY:
        raise RunRefused("kind", "the end of day makes its own; ask for INTRADAY or AD_HOC.")
    snapshot = _snapshot(snapshot_id)
    if definition_id is not None:
        snapshot = _defined_snapshot(definition_id, snapshot)
    run_id, known_at = uuid4(), take_cut(book.organization_id)
    with transaction.atomic():
        job = enqueue_job(
            actor=actor,
            kind="risk_run",
            title=f"Risk run of {book.code}, {terms.method.label}",
            task=TASK,
            arguments={"run_id": str(run_id)},
            organization_id=book.organization_id,
        )
        run = _asked(
            run_id, book.id, kind, terms, snapshot, known_at, requested_by=actor.id, job_id=job.pk
        )
        record_event(
            type="risk.run_asked",
            actor=actor,
            aggregate_type="risk_run",
            aggregate_id=run.pk,
            organization_id=book.organization_id,
            key=f"book:{book.id}",
            payload={"book_id": str(book.id), "kind": kind.value, "snapshot_id": snapshot.pk,
                     "known_at": known_at.isoformat(), "terms": terms.stored()},
        )  # fmt: skip
    return run


def _snapshot(snapshot_id: int | None) -> MarketSnapshot:
    snapshots = MarketSnapshot.objects.order_by("-id")
    if snapshot_id is None:
        found = snapshots.filter(is_live=True).first()
        missing = "there is no curve with a quote history to value positions on yet."
    else:
        found = snapshots.filter(pk=snapshot_id).first()
        missing = f"there is no snapshot {snapshot_id}."
    if found is None:
        raise RunRefused("snapshot", missing)
    return found


def _defined_snapshot(definition_id: int, like: MarketSnapshot) -> MarketSnapshot:
    """Return a snapshot of the same instant with scenarios of another definition."""
    from .snapshots import NoBasis, build_snapshot

    found = [row for row in definitions_in_force().values() if row.pk == definition_id]
    if not found:
        raise RunRefused("scenarios", f"no definition {definition_id} is in force.")
    # Who may ask for a run need not be allowed to move the books to other curves; these stay.
    system = Actor.system("risk")
    try:
        built = build_snapshot(
            actor=system, valued_at=like.valued_at, definition=found[0], is_live=False
        )
    except NoBasis as error:
        raise RunRefused("scenarios", str(error)) from error
    return MarketSnapshot.objects.get(pk=built.snapshot_id)


def make_run(
    *,
    actor: Actor | JobOriginator,
    run_id: UUID,
    progress: Progress = _quietly,
) -> RiskRunOutcome:
    """
    Make a run that was asked for; one that is made already is left as it is.

    :raises ScenarioError, TailError: for what the engine cannot take; nothing is written.
    """
    run = RiskRun.objects.select_related("book", "snapshot__scenario_set").get(pk=run_id)
    if (made := RiskRunOutcome.objects.filter(pk=run_id).first()) is not None:
        return made
    started_at = server_time()
    calculated = calculate(run, progress)
    return _store(actor, run, calculated, started_at)


def make_run_of_close(
    *, actor: Actor, book_id: UUID, terms: RunTerms, snapshot_id: int, known_at: datetime
) -> RiskRunOutcome:
    """Make the run of a closed day, within the job that closes it."""
    snapshot = MarketSnapshot.objects.get(pk=snapshot_id)
    with transaction.atomic():
        run = _asked(
            uuid4(), book_id, RunKind(RunKind.END_OF_DAY), terms, snapshot, known_at,
            requested_by=actor.id, job_id=None,
        )  # fmt: skip
        return make_run(actor=actor, run_id=run.pk)


def calculate(run: RiskRun, progress: Progress = _quietly) -> Calculated:
    """Calculate a run from its inputs, without storing; the same inputs give the same hashes."""
    terms, on = RunTerms.of(run.parameters), basis(run.snapshot_id)
    holdings = run_holdings(run.book_id, cut=run.known_at)
    currency = run.book.reporting_currency
    found = measure(holdings, on, terms, currency, progress)
    components = components_of(holdings, found)
    inputs = {
        "book": run.book.code,
        "currency": currency,
        "holdings": holdings.digest,
        "parts": len(holdings.parts),
        "trades": len(holdings.trades),
        "snapshot": run.snapshot.content_hash,
        "scenarios": run.snapshot.scenario_set.content_hash,
        "valued_at": run.snapshot.valued_at.astimezone(UTC).isoformat(),
        # Models and volatilities of options, beside the curves, are those recorded by then.
        "market_known_at": on.known_at.astimezone(UTC).isoformat(),
        "terms": terms.stored(),
        "code": code_version(),
        "tzdata": tzdata_version(),
    }
    input_hash = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return Calculated(
        holdings, found, components, inputs, input_hash,
        _result_hash(input_hash, found, components),
    )  # fmt: skip


def _result_hash(input_hash: str, found: Measures, components: Sequence[Component]) -> str:
    digest = hashlib.sha256(input_hash.encode())
    digest.update(repr(found.value).encode())
    for number in found.numbers:
        digest.update(repr(asdict(number)).encode())
    digest.update(to_bytes(found.pnl))
    if found.trade_pnl is not None:
        digest.update(to_bytes(found.trade_pnl))
    for row in components:
        digest.update(repr(asdict(row)).encode())
    return digest.hexdigest()


def _asked(
    run_id: UUID, book_id: UUID, kind: RunKind, terms: RunTerms, snapshot: MarketSnapshot,
    known_at: datetime, *, requested_by: str, job_id: UUID | None,
) -> RiskRun:  # fmt: skip
    return RiskRun.objects.create(
        id=run_id,
        book_id=book_id,
        kind=kind,
        method=terms.method,
        confidences=list(terms.confidences),
        horizon_days=terms.horizon_days,
        parameters=terms.stored(),
        snapshot=snapshot,
        known_at=known_at,
        job_id=job_id,
        requested_by=requested_by,
    )


def _store(
    actor: Actor | JobOriginator, run: RiskRun, calculated: Calculated, started_at: datetime
) -> RiskRunOutcome:
    found, holdings = calculated.found, calculated.holdings
    outcome = RiskRunOutcome(
        run=run,
        currency=run.book.reporting_currency,
        value=found.value,
        trades=len(holdings.trades),
        pnl=to_bytes(found.pnl),
        kept=None if found.kept is None else found.kept.tolist(),
        inputs=calculated.inputs,
        input_hash=calculated.input_hash,
        result_hash=calculated.result_hash,
        unvalued=[
            {"trade": trade, "what": what, "why": why}
            for trade, what, why in found.unvalued[:MOST_UNVALUED]
        ],
        findings=_findings(found),
        statement=_statement(run, holdings, found),
        code=calculated.inputs["code"],
        tzdata=calculated.inputs["tzdata"],
        started_at=started_at,
        finished_at=server_time(),
    )
    files: list[FieldFile] = []
    try:
        with transaction.atomic():
            for field, name, content in (
                (outcome.components, "components.parquet", component_file(calculated.components)),
                (outcome.matrix, "trades.parquet", matrix_file(holdings, found)),
            ):
                field.save(name, ContentFile(content), save=False)
                files.append(field)
            outcome.save(force_insert=True)
            RiskRunNumber.objects.bulk_create(
                RiskRunNumber(outcome=outcome, **asdict(number)) for number in found.numbers
            )
            record_event(
                type="risk.run_done",
                actor=actor,
                aggregate_type="risk_run",
                aggregate_id=run.pk,
                organization_id=run.book.organization_id,
                key=f"book:{run.book_id}",
                payload={
                    "book_id": str(run.book_id),
                    "kind": run.kind,
                    "numbers": [
                        {"confidence": str(n.confidence), "var": n.var, "es": n.es}
                        for n in found.numbers
                    ],
                    "unvalued": len(found.unvalued),
                    "input_hash": outcome.input_hash,
                    "result_hash": outcome.result_hash,
                },
            )
    except BaseException:
        # What the database does not know of, the disk shall not hold either.
        for file in files:
            file.delete(save=False)
        raise
    return outcome


def _findings(found: Measures) -> list[str]:
    said = list(found.findings[:MOST_UNVALUED])
    if found.unvalued:
        said.insert(0, f"{len(found.unvalued)} parts of trades have no value; the numbers leave"
                       " them out.")  # fmt: skip
    return said


def _statement(run: RiskRun, holdings: RunHoldings, found: Measures) -> str:
    if not holdings.parts:
        return (
            f"{run.book.code} and the books below it held no positions at the cut: value, VaR and"
            " ES are zero because there is nothing to lose."
        )
    if found.unvalued and not found.values.any():
        return "Nothing that is held could be valued: the zeros say nothing about risk."
    return ""
