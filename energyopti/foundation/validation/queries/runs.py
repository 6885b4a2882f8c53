"""Runs that somebody may see, their results by topic, and what changed since an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from energyopti.foundation.jobs.queries import Viewer

from ..models import CaseOutcome, ValidationRun
from ..runner import Status

COMPARABLE = 30


class UnknownRun(LookupError):
    """There is no such run for this actor."""


def visible_runs(viewer: Viewer) -> QuerySet[ValidationRun]:
    """Return the runs of the viewer's organizations, and its own without one."""
    return ValidationRun.objects.filter(
        Q(organization_id__in=viewer.organization_ids)
        | Q(organization_id__isnull=True, requested_by=viewer.id)
    ).select_related("job", "outcome")


def run_for(viewer: Viewer, run_id: UUID) -> ValidationRun:
    """
    Return a run with its job and outcome.

    :raises UnknownRun: if the viewer may see no such run.
    """
    run = visible_runs(viewer).filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return run


def earlier_runs(run: ValidationRun) -> list[ValidationRun]:
    """Return the finished runs of the same set by the same organization before it, latest first."""
    return list(
        ValidationRun.objects.filter(
            organization_id=run.organization_id,
            source=run.source,
            name=run.name,
            outcome__isnull=False,
            requested_at__lt=run.requested_at,
            # What is nobody's organization's is one person's alone.
            **({} if run.organization_id else {"requested_by": run.requested_by}),
        )
        .select_related("outcome")
        .order_by("-requested_at")[:COMPARABLE]
    )


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """How the cases of one topic came out; `worst` and `seconds` as in `RunOutcome`."""

    topic: str
    cases: int
    passed: int
    failed: int
    unsupported: int
    worst: float | None
    seconds: float


def topics_of(run: ValidationRun) -> list[TopicSummary]:
    """Return a run's results by topic, those with failures first, else in the file's order."""

    def counted(status: Status) -> Count:
        return Count("pk", filter=Q(status=status.value))

    rows = (
        CaseOutcome.objects.filter(run=run)
        .values("topic")
        .annotate(
            cases=Count("pk"),
            passed=counted(Status.PASS),
            failed=counted(Status.FAIL),
            unsupported=counted(Status.UNSUPPORTED),
            # Plain `worst` is the field's name, which an annotation may not take.
            largest=Max("worst"),
            took=Sum("seconds"),
            first=Min("number"),
        )
        .order_by("-failed", "first")
    )
    return [
        TopicSummary(
            row["topic"], row["cases"], row["passed"], row["failed"], row["unsupported"],
            row["largest"], row["took"],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """
    A case whose status is another than in an earlier run.

    number, now     None if this run does not have it
    before          None if the earlier run did not have it
    is_same_case    whether inputs, expected answer and tolerance are what they were
    """

    case_id: str
    topic: str
    number: int | None
    before: str | None
    now: str | None
    is_same_case: bool

    @property
    def kind(self) -> str:
        if self.now == Status.FAIL and self.before is not None:
            return "Newly failing"
        if self.before == Status.PASS and self.now == Status.UNSUPPORTED:
            return "No longer supported"
        if self.now == Status.PASS and self.before is not None:
            return "Newly passing"
        if self.before is None:
            return "New case"
        return "Gone" if self.now is None else "Changed"


_ORDER = (
    "Newly failing", "No longer supported", "Newly passing", "Changed", "New case", "Gone",
)  # fmt: skip


def changes_between(before: ValidationRun, now: ValidationRun) -> list[ChangedCase]:
    """
    Return the cases whose status or content differs, newly failing ones first.

    A run of some topics is compared in these only.
    """
    then, today = _statuses(before, now.topics), _statuses(now, before.topics)
    found = []
    for case_id in {**today, **then}:
        old, new = then.get(case_id), today.get(case_id)
        if old and new and (old.status, old.case_hash) == (new.status, new.case_hash):
            continue
        one = new or old
        assert one is not None
        found.append(
            ChangedCase(
                case_id=case_id,
                topic=one.topic,
                number=new.number if new else None,
                before=old.status if old else None,
                now=new.status if new else None,
                is_same_case=bool(old and new and old.case_hash == new.case_hash),
            )
        )
    return sorted(found, key=lambda case: (_ORDER.index(case.kind), case.number or 0, case.case_id))


def _statuses(run: ValidationRun, topics: Sequence[str]) -> dict[str, CaseOutcome]:
    rows = CaseOutcome.objects.filter(run=run).order_by("number")
    if topics:
        rows = rows.filter(topic__in=topics)
    return {
        row.case_id: row for row in rows.only("case_id", "topic", "number", "status", "case_hash")
    }


def results_of(run: ValidationRun) -> QuerySet[CaseOutcome]:
    """Return a run's cases with what a list of them shows."""
    return CaseOutcome.objects.filter(run=run)
