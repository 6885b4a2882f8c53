"""
Close a day: value, run the registered steps, and have a second person sign.

Each run of a day is a version of its own. After the sign-off a day can only be restated, with a
reason; a restatement stands beside the official one and opens no later day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.services import enqueue_job
from trading.closing import END_OF_DAY, Closing, StepResult
from trading.models import (
    AdjustmentStatus,
    CurveStatus,
    CurveVersion,
    EndOfDay,
    EndOfDayState,
    Market,
    PnlAdjustment,
    PnlKind,
    PnlReport,
    PnlStep,
    TradeStatus,
    TradeVersion,
    ValuationRun,
)
from trading.queries.curve_versions import stored_curve
from trading.queries.curves import published_versions
from trading.queries.quotes import latest_trading_day, quotes_at
from trading.queries.valuation import Universe, books_of, cut_facts

from .changes import ForeignOrganization
from .life import SecondPersonNeeded
from .locks import lock_keys
from .pnl import LATE, explain_runs
from .valuation import value_organization

TASK = "trading.end_of_day"
_CLOSED = (EndOfDayState.READY, EndOfDayState.SIGNED)


class ClosingRefused(ValueError):
    """A day cannot be closed or signed like this; names the field and the rule."""


def start_end_of_day(
    *, actor: Actor, organization_id: UUID, day: date, as_of: datetime, reason: str = ""
) -> EndOfDay:
    """
    Start to close a day, as a job; again is the next version, after the sign-off a restatement.

    reason      needed to restate

    :raises PermissionMissing: without `trading.run_end_of_day`.
    :raises ForeignOrganization: for one that is not the actor's.
    :raises ClosingRefused: naming the field and the rule.
    """
    actor.require("trading.run_end_of_day")
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    if as_of.utcoffset() is None:
        raise ClosingRefused("as_of: needs a UTC offset.")
    if len(reason) > 400 or "\x00" in reason:
        raise ClosingRefused("reason: at most 400 characters.")
    with transaction.atomic():
        lock_keys([f"end_of_day:{organization_id}"])
        days = EndOfDay.objects.filter(organization_id=organization_id, day=day)
        if days.filter(state=EndOfDayState.RUNNING).exists():
            raise ClosingRefused(f"day: {day} is being closed already.")
        signed = days.filter(state=EndOfDayState.SIGNED).exists()
        if signed and not reason.strip():
            raise ClosingRefused(f"reason: {day} is signed off; say why it is restated.")
        opening = opening_of(organization_id, day)
        if opening is not None and opening.as_of >= as_of:
            raise ClosingRefused("as_of: must be after the close before.")
        row = EndOfDay.objects.create(
            organization_id=organization_id,
            day=day,
            number=(days.aggregate(Max("number"))["number__max"] or 0) + 1,
            as_of=as_of,
            is_restatement=signed,
            reason=reason.strip(),
            requested_by=actor.id,
        )
        job = enqueue_job(
            actor=actor,
            kind="end_of_day",
            title=f"End of day {day}",
            task=TASK,
            arguments={"end_of_day_id": row.pk},
            organization_id=organization_id,
        )
        row.job_id = job.pk
        row.save(update_fields=["job_id"])
        _tell(actor, row, "end_of_day.started")
    return row


def opening_of(organization_id: UUID, day: date) -> ValuationRun | None:
    """Return the run that the last day closed before this one ended with; restatements aside."""
    row = (
        EndOfDay.objects.filter(
            organization_id=organization_id, day__lt=day, is_restatement=False, state__in=_CLOSED
        )
        .order_by("-day", "-number")
        .select_related("run")
        .first()
    )
    return None if row is None else row.run


def run_end_of_day(
    *,
    actor: Actor,
    end_of_day_id: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> EndOfDay:
    """
    Value the books and run every registered step; the worker's part of a closing.

    A closing whose steps fail is FAILED with what was said up to there, and can be started again.
    One that has ended already is left as it is.
    """
    END_OF_DAY.verify()
    row = EndOfDay.objects.get(pk=end_of_day_id)
    if row.state != EndOfDayState.RUNNING:
        return row
    steps = END_OF_DAY.items()
    try:
        progress("valuation", 0, len(steps) + 1)
        run = value_organization(actor=actor, organization_id=row.organization_id, as_of=row.as_of)
        row.run = run
        row.steps = [_shown("valuation", StepResult(f"{run.trades} trades valued."))]
        row.checks = [f"valuation: {finding}" for finding in run.findings]
        closing = Closing(
            organization_id=row.organization_id,
            day=row.day,
            as_of=row.as_of,
            known_at=run.known_at,
            opening=opening_of(row.organization_id, row.day),
            run=run,
            is_restatement=row.is_restatement,
            actor=actor,
        )
        for number, (name, step) in enumerate(steps, start=1):
            progress(name, number, len(steps) + 1)
            with transaction.atomic():
                result = step(closing)
            row.steps.append(_shown(name, result))
            row.checks += [f"{name}: {finding}" for finding in result.findings]
    except Exception as error:
        # Whatever went wrong, the day must not stay locked; the job reports the error itself.
        row.state = EndOfDayState.FAILED
        row.steps.append({"step": "stopped", "said": f"{type(error).__name__}: {error}"[:400]})
        row.save()
        raise
    with transaction.atomic():
        row.state = EndOfDayState.READY
        row.save()
        _tell(actor, row, "end_of_day.ready")
    return row


def sign_end_of_day(
    *, actor: Actor, end_of_day_id: int, signed_at: datetime, reason: str = ""
) -> EndOfDay:
    """
    Sign off a day that another person closed; what its checks found needs a reason.

    :raises PermissionMissing: without `trading.sign_end_of_day`.
    :raises ClosingRefused: for one that is not there, not ready, not the last, or has findings.
    :raises SecondPersonNeeded: for who started it.
    """
    actor.require("trading.sign_end_of_day")
    with transaction.atomic():
        row = (
            EndOfDay.objects.select_for_update()
            .filter(pk=end_of_day_id, organization_id__in=actor.organization_ids)
            .first()
        )
        if row is None:
            raise ClosingRefused("end_of_day: there is no such day for you.")
        lock_keys([f"end_of_day:{row.organization_id}"])
        days = EndOfDay.objects.filter(organization_id=row.organization_id, day=row.day)
        if row.state != EndOfDayState.READY:
            raise ClosingRefused(f"end_of_day: is {row.get_state_display().lower()}.")
        if days.filter(number__gt=row.number).exists():
            raise ClosingRefused("end_of_day: the day was run again; sign the last run.")
        if row.requested_by == actor.id:
            raise SecondPersonNeeded("end_of_day: another person than who closed it signs.")
        if row.checks and not reason.strip():
            raise ClosingRefused(f"reason: say why to sign with {len(row.checks)} findings.")
        if len(reason) > 400 or "\x00" in reason:
            raise ClosingRefused("reason: at most 400 characters.")
        row.state = EndOfDayState.SIGNED
        row.signed_by, row.signed_at, row.signed_reason = actor.id, signed_at, reason.strip()
        row.save()
        _tell(actor, row, "end_of_day.signed")
    return row


def flash_pnl(
    *, actor: Actor, organization_id: UUID, day: date, as_of: datetime
) -> list[PnlReport]:
    """
    Look at the day before it is closed: value now, and explain since the last close.

    :raises PermissionMissing, ForeignOrganization, RateMissing: as `value_organization`.
    """
    run = value_organization(actor=actor, organization_id=organization_id, as_of=as_of)
    opening = opening_of(organization_id, day)
    return explain_runs(
        actor=actor, opening=opening, closing=run, day=day, kind=PnlKind(PnlKind.FLASH)
    )


def explain_day(closing: Closing) -> StepResult:
    """Explain the day, officially or as a restatement; deals agreed before it are named."""
    kind, restates = PnlKind.OFFICIAL, {}
    if closing.is_restatement:
        kind = PnlKind.RESTATED
        official = PnlReport.objects.filter(
            book_id__in=books_of(closing.organization_id), day=closing.day, kind=PnlKind.OFFICIAL
        ).order_by("book_id", "number")
        restates = {report.book_id: report for report in official}
    reports = explain_runs(
        actor=closing.actor,
        opening=closing.opening,
        closing=closing.run,
        day=closing.day,
        kind=PnlKind(kind),
        restates=restates,
    )
    late = PnlStep.objects.filter(report__in=reports, name=LATE).order_by("trade__ref")
    findings = [
        f"{ref} was agreed before the opening and is late."
        for ref in late.values_list("trade__ref", flat=True).distinct()
    ]
    return StepResult(f"{len(reports)} books explained.", tuple(findings))


def check_day(closing: Closing) -> StepResult:
    """Look for quotes that are missing, curves that are old, and what still waits for somebody."""
    findings, markets = [], _held_markets(closing)
    cut = {"as_of": closing.as_of, "known_at": closing.known_at}
    curves = {
        v.definition.market_id: v
        for v in published_versions(market_ids=[m.pk for m in markets], **cut)
    }
    for market in markets:
        start = market.calendar.start_of(market.calendar.date_of(closing.as_of))
        quoted = latest_trading_day(market, **cut)
        if quoted is None or quoted < start:
            findings.append(f"{market.code} has no quote of {closing.day}.")
        version = curves.get(market.pk)
        if version is not None and version.snapshot.as_of < start:
            findings.append(
                f"{market.code} is valued on a curve of {version.snapshot.as_of:%Y-%m-%d}."
            )
    waiting = CurveVersion.objects.filter(
        definition__market__in=markets, status=CurveStatus.PENDING
    ).count()
    if waiting:
        findings.append(f"{waiting} curves wait for approval.")
    latest = TradeVersion.objects.filter(
        book_id__in=books_of(closing.organization_id), recorded_at__lte=closing.known_at
    ).order_by("trade_id", "-version")
    states = latest.distinct("trade_id").values_list("status", flat=True)
    pending = sum(state == TradeStatus.PENDING for state in states)
    if pending:
        findings.append(f"{pending} trades wait for release.")
    if closing.run.unvalued:
        findings.append(f"{closing.run.unvalued} trades are not valued in full.")
    asked = PnlAdjustment.objects.filter(
        book_id__in=books_of(closing.organization_id), day=closing.day,
        status=AdjustmentStatus.PENDING,
    ).count()  # fmt: skip
    if asked:
        findings.append(f"{asked} adjustments wait for approval.")
    return StepResult(f"{len(markets)} markets checked.", tuple(findings))


def check_prices(closing: Closing) -> StepResult:
    """Hold each curve against quotes that it was not built from, by the curve's own tolerance."""
    findings, compared = [], 0
    cut = {"as_of": closing.as_of, "known_at": closing.known_at}
    markets = [market.pk for market in _held_markets(closing)]
    for version in published_versions(market_ids=markets, **cut):
        from trading.curves import CurveError

        snapshot, market = version.snapshot, version.definition.market
        curve = stored_curve(snapshot.pk, snapshot.content_hash)
        taken = {q.id for q in curve.quotes if q.id in set(snapshot.quote_ids)}
        sources = {q.source for q in curve.quotes if q.id in taken}
        for quote in quotes_at(market, **cut):
            if quote.id in taken or (quote.source in sources and len(sources) == 1):
                continue
            try:
                price = curve.average(quote.delivery, quote.load)
            except CurveError:
                continue  # the curve does not reach so far
            compared += 1
            off = float(quote.value) - price
            if abs(off) > float(version.definition.tolerance):
                findings.append(
                    f"{market.code} {quote.name}: {quote.source} is {off:+.2f} {market.currency}"
                    f" from the curve's {price:.2f}."
                )
    return StepResult(f"{compared} other prices compared.", tuple(findings))


def _held_markets(closing: Closing) -> list[Market]:
    """Return the markets of which something is still to come, by code."""
    universe = Universe()
    cut_facts(
        universe, books_of(closing.organization_id), as_of=closing.as_of,
        known_at=closing.known_at,
    )  # fmt: skip
    open_ids = {
        key.market_id
        for key, position in universe.keys.items()
        if position in universe.exposed and key.end > closing.as_of
    }
    return [universe.markets[pk] for pk in sorted(open_ids, key=lambda i: universe.markets[i].code)]


def _shown(name: str, result: StepResult) -> dict[str, str]:
    return {"step": name, "said": result.said}


def _tell(actor: Actor, row: EndOfDay, type_: str) -> None:
    record_event(
        type=type_,
        actor=actor,
        aggregate_type="end_of_day",
        aggregate_id=row.pk,
        organization_id=row.organization_id,
        payload={
            "day": row.day.isoformat(),
            "number": row.number,
            "state": str(row.state),
            "is_restatement": row.is_restatement,
            "run": row.run_id,
            "findings": row.checks,
            "reason": row.signed_reason or row.reason,
        },
    )
