"""
Close a day: value, run the registered steps, and have a second person sign.

Each run of a day is a version of its own. After the sign-off a day can only be restated, with a
reason; a restatement stands beside the official one and opens no later day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import FINISHED, Job
from energyopti.foundation.jobs.services import ClaimLost, enqueue_job
from energyopti.foundation.proposals.services import SecondPersonNeeded
from trading.closing import BEFORE_VALUES, END_OF_DAY, Closing, Finding, StepResult, ToClose
from trading.models import EndOfDay, EndOfDayState, PnlKind, PnlReport
from trading.queries.end_of_day import UnknownEndOfDay, closed_before, opening_of

from .changes import ForeignOrganization
from .locks import lock_keys
from .pnl import explain_runs
from .valuation import value_organization

RUN, SIGN = "trading.run_end_of_day", "trading.sign_end_of_day"
TASK = "trading.end_of_day"
_MOST_WORDS = 400


class ClosingRefused(ValueError):
    """A day cannot be closed or signed like this; names the field and the rule."""


def start_end_of_day(
    *, actor: Actor, organization_id: UUID, day: date, as_of: datetime, asked_at: datetime
) -> EndOfDay:
    """
    Start to close a day, as a job; again is the next version, until the day is signed off.

    as_of       the close; not after `asked_at`, and in some time zone on the day

    :raises PermissionMissing: without `trading.run_end_of_day`.
    :raises ForeignOrganization: for one that is not the actor's.
    :raises ClosingRefused: naming the field and the rule.
    """
    actor.require(RUN)
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    if as_of.utcoffset() is None:
        raise ClosingRefused("as_of: needs a UTC offset.")
    if as_of > asked_at:
        raise ClosingRefused("as_of: the close has not been yet.")
    if abs(as_of.date() - day) > timedelta(days=1):
        raise ClosingRefused(f"as_of: {as_of:%Y-%m-%d %H:%M} UTC is not the close of {day}.")
    with transaction.atomic():
        lock_keys([f"end_of_day:{organization_id}"])
        ours = EndOfDay.objects.filter(organization_id=organization_id)
        _refuse_running(ours.filter(day=day))
        signed = ours.filter(day__gte=day, state=EndOfDayState.SIGNED, is_restatement=False)
        later = signed.order_by("day").values_list("day", flat=True).first()
        if later == day:
            raise ClosingRefused(f"day: {day} is signed off; restate it.")
        if later is not None:
            raise ClosingRefused(f"day: {later} is signed off; no day before it can be closed.")
        opening = opening_of(organization_id, day)
        if opening is not None and opening.as_of >= as_of:
            raise ClosingRefused("as_of: must be after the close before.")
        return _start(
            actor, EndOfDay(organization_id=organization_id, day=day, as_of=as_of, opening=opening)
        )


def restate_end_of_day(*, actor: Actor, end_of_day_id: int, reason: str) -> EndOfDay:
    """
    Start to value a signed day's close again with what is known now, as a job.

    The close and the opening are those of the official one, which stays what it was.

    :raises PermissionMissing: without `trading.run_end_of_day`.
    :raises UnknownEndOfDay: for one that is not the actor's.
    :raises ClosingRefused: for one that is no signed official close, or without a reason.
    """
    actor.require(RUN)
    words = _words(reason, "say why it is restated")
    with transaction.atomic():
        official = _locked(actor, end_of_day_id)
        if official.is_restatement or official.state != EndOfDayState.SIGNED:
            raise ClosingRefused("end_of_day: only a day that is signed off is restated.")
        _refuse_running(
            EndOfDay.objects.filter(organization_id=official.organization_id, day=official.day)
        )
        return _start(
            actor,
            EndOfDay(
                organization_id=official.organization_id,
                day=official.day,
                as_of=official.as_of,
                opening_id=official.opening_id,
                is_restatement=True,
                reason=words,
            ),
        )


def run_end_of_day(
    *,
    actor: Actor,
    end_of_day_id: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> EndOfDay:
    """
    Prepare and value the books, and run every registered step; the worker's part of a closing.

    A closing whose steps fail is FAILED with what was said up to there, and can be started again.
    One that has ended already is left as it is.
    """
    BEFORE_VALUES.verify()
    END_OF_DAY.verify()
    row = EndOfDay.objects.select_related("opening").get(pk=end_of_day_id)
    if row.state != EndOfDayState.RUNNING:
        return row
    row.steps, row.checks = [], []
    try:
        _run_steps(actor, row, progress)
    except ClaimLost:
        raise  # another worker closes it now
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


def _run_steps(actor: Actor, row: EndOfDay, progress: Callable[[str, int, int], None]) -> None:
    first, steps = BEFORE_VALUES.items(), END_OF_DAY.items()
    count = len(first) + 1 + len(steps)
    before = ToClose(row.organization_id, row.day, row.as_of, actor)
    for number, (name, prepare) in enumerate(first):
        progress(name, number, count)
        _note(row, name, prepare(before))
    progress("valuation", len(first), count)

    def simulating(done: int, total: int) -> None:
        progress(f"valuation, time value of choices {done + 1} of {total}", len(first), count)

    run = value_organization(
        actor=actor, organization_id=row.organization_id, as_of=row.as_of, progress=simulating
    )
    row.run = run
    _note(
        row,
        "valuation",
        StepResult(f"{run.trades} trades valued.", tuple(Finding(said) for said in run.findings)),
    )
    closing = Closing(
        organization_id=row.organization_id,
        day=row.day,
        as_of=row.as_of,
        known_at=run.known_at,
        opening=row.opening,
        run=run,
        is_restatement=row.is_restatement,
        actor=actor,
    )
    for number, (name, step) in enumerate(steps, start=len(first) + 1):
        progress(name, number, count)
        with transaction.atomic():
            result = step(closing)
        _note(row, name, result)


def _note(row: EndOfDay, name: str, result: StepResult) -> None:
    """Keep what a step said at once: a page that waits shows it."""
    row.steps.append({"step": name, "said": result.said})
    row.checks += [finding.stored(name) for finding in result.findings]
    row.save(update_fields=["run", "steps", "checks"])


def sign_end_of_day(
    *, actor: Actor, end_of_day_id: int, signed_at: datetime, reason: str = ""
) -> EndOfDay:
    """
    Sign off a day that another person closed; what its checks found needs a reason.

    Days are signed in their order: a close that is run again changes the opening of the next.

    :raises PermissionMissing: without `trading.sign_end_of_day`.
    :raises UnknownEndOfDay: for one that is not the actor's.
    :raises ClosingRefused: for one that is not ready, not the last, out of turn, or has findings.
    :raises SecondPersonNeeded: for who started it.
    """
    actor.require(SIGN)
    with transaction.atomic():
        row = _locked(actor, end_of_day_id)
        if row.state != EndOfDayState.READY:
            raise ClosingRefused(f"end_of_day: is {row.get_state_display().lower()}.")
        later = EndOfDay.objects.filter(
            organization_id=row.organization_id, day=row.day, number__gt=row.number
        )
        if later.exists():
            raise ClosingRefused("end_of_day: the day was run again; sign the last run.")
        if row.requested_by == actor.id:
            raise SecondPersonNeeded("end_of_day: another person than who closed it signs.")
        if not row.is_restatement:
            _refuse_out_of_turn(row)
        if row.checks:
            reason = _words(reason, f"say why to sign with {len(row.checks)} findings")
        row.signed_reason = _bounded(reason)
        row.state = EndOfDayState.SIGNED
        row.signed_by, row.signed_at = actor.id, signed_at
        row.save()
        _tell(actor, row, "end_of_day.signed")
    return row


def _refuse_out_of_turn(row: EndOfDay) -> None:
    before = closed_before(row.organization_id, row.day)
    if before is None:
        return
    if before.run_id != row.opening_id:
        raise ClosingRefused(
            f"end_of_day: {before.day} was closed again since; run this day again."
        )
    if before.state != EndOfDayState.SIGNED:
        raise ClosingRefused(f"end_of_day: {before.day} comes first and is not signed off.")


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


def _start(actor: Actor, row: EndOfDay) -> EndOfDay:
    """Store a closing under the next number of its day, and send its job."""
    numbers = EndOfDay.objects.filter(organization_id=row.organization_id, day=row.day)
    row.number = (numbers.aggregate(Max("number"))["number__max"] or 0) + 1
    row.requested_by = actor.id
    row.save(force_insert=True)
    job = enqueue_job(
        actor=actor,
        kind="end_of_day",
        title=f"{'Restatement' if row.is_restatement else 'End of day'} {row.day}",
        task=TASK,
        arguments={"end_of_day_id": row.pk},
        organization_id=row.organization_id,
    )
    row.job_id = job.pk
    row.save(update_fields=["job_id"])
    _tell(actor, row, "end_of_day.restated" if row.is_restatement else "end_of_day.started")
    return row


def _refuse_running(days: QuerySet[EndOfDay]) -> None:
    """
    Refuse while a day is being closed; one whose job has ended without it has failed.

    :raises ClosingRefused: naming the day.
    """
    for row in days.filter(state=EndOfDayState.RUNNING):
        if not Job.objects.filter(pk=row.job_id, state__in=FINISHED).exists():
            raise ClosingRefused(f"day: {row.day} is being closed already.")
        row.state = EndOfDayState.FAILED
        row.steps.append({"step": "stopped", "said": "Its job was stopped, or its worker died."})
        row.save()


def _locked(actor: Actor, end_of_day_id: int) -> EndOfDay:
    rows = EndOfDay.objects.filter(pk=end_of_day_id, organization_id__in=actor.organization_ids)
    organization_id = rows.values_list("organization_id", flat=True).first()
    if organization_id is None:
        raise UnknownEndOfDay("end_of_day: there is no such day for you.")
    lock_keys([f"end_of_day:{organization_id}"])
    return rows.select_for_update().get()


def _words(reason: str, ask: str) -> str:
    if not reason.strip():
        raise ClosingRefused(f"reason: {ask}.")
    return _bounded(reason)


def _bounded(reason: str) -> str:
    if len(reason) > _MOST_WORDS or "\x00" in reason:
        raise ClosingRefused(f"reason: at most {_MOST_WORDS} characters.")
    return reason.strip()


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
            "findings": [finding["text"] for finding in row.checks],
            "reason": row.signed_reason or row.reason,
        },
    )
