"""Verbs of model validation: keep a sent file, ask for a run, do it."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.code_version import code_version
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import ForeignOrganization, Requester, enqueue_job

from ..cases import ReferenceCase, parse_cases
from ..models import CaseFile, CaseOutcome, RunOutcome, ValidationRun
from ..queries.sets import case_set, cases_of, visible_files
from ..registry import AdapterRegistry, adapters
from ..runner import CaseResult, Report, run_case

PERMISSION = "validation.validate_models"
MAX_BYTES = 2 * 1024 * 1024
MAX_CASES = 5000
TASK = "validation.run"
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_REASON_CHARACTERS = 2000
# More cases at a time would hold the table's lock and the memory for longer than it saves.
_BATCH = 500

Progress = Callable[[int, int, str], None]


class FileTooLarge(ValueError):
    """A sent file has more bytes or cases than may be."""


class UnknownTopic(ValueError):
    """A run was asked for topics that the set does not have."""

    pointer = "/topics"


def check_size(size: int) -> None:
    """
    Refuse a file of more than 2 MB before it is read.

    :raises FileTooLarge: with both figures.
    """
    if size > MAX_BYTES:
        raise FileTooLarge(f"The file has {size:,} bytes; {MAX_BYTES:,} are allowed.")


def keep_case_file(
    *, actor: Requester, name: str, content: bytes, organization_id: UUID | None
) -> CaseFile:
    """
    Keep a file of cases after checking every one; the same bytes again are the same row.

    :raises PermissionDenied: without `validation.validate_models`.
    :raises ForeignOrganization: if the organization is not one of the actor's.
    :raises FileTooLarge: for more than 2 MB or 5,000 cases.
    :raises MalformedCases: with each case and field that is not as it must be; nothing is kept.
    """
    _require(actor, organization_id)
    check_size(len(content))
    # Shown and written into file names of exports; where it came from is nobody's business.
    name = _UNWRITABLE.sub("", PurePath(name.replace("\\", "/")).name)[:120] or "cases.json"
    cases = parse_cases(content, name=name, is_strict=True)
    if len(cases) > MAX_CASES:
        raise FileTooLarge(f"The file has {len(cases):,} cases; {MAX_CASES:,} are allowed.")
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        same = visible_files(actor).filter(
            organization_id=organization_id, sha256=sha256, name=name
        )
        if (kept := same.first()) is not None:
            return kept
        kept = CaseFile.objects.create(
            organization_id=organization_id,
            name=name,
            sha256=sha256,
            content=content.decode(),
            cases=len(cases),
            topics=sorted({case.question.topic for case in cases}),
            sent_by=actor.id,
        )
        record_event(
            type="validation.cases_sent",
            actor=actor,
            aggregate_type="case_file",
            aggregate_id=kept.pk,
            organization_id=organization_id,
            payload={"name": name, "sha256": sha256, "cases": len(cases)},
        )
    return kept


def start_run(
    *,
    actor: Requester,
    case_set_key: str,
    organization_id: UUID | None,
    topics: Sequence[str] = (),
) -> ValidationRun:
    """
    Have a worker run a set of cases; while it waits or runs, asking again returns the same run.

    topics      only these; all if empty

    :raises PermissionDenied: without `validation.validate_models`.
    :raises ForeignOrganization: if the organization is not one of the actor's.
    :raises UnknownCaseSet: if there is no such set for the actor.
    :raises UnknownTopic: naming those that the set does not have.
    :raises MalformedCases: if the set's file is not one of cases.
    """
    _require(actor, organization_id)
    chosen = case_set(actor, case_set_key)
    wanted = sorted(set(topics))
    file = CaseFile.objects.get(pk=chosen.case_file_id) if chosen.case_file_id else None
    if wanted:
        cases, _ = cases_of(chosen.source, chosen.name, file)
        known = {case.question.topic for case in cases}
        if missing := [topic for topic in wanted if topic not in known]:
            raise UnknownTopic(
                f"topics: {chosen.name} has no {', '.join(missing)}; "
                f"it has {', '.join(sorted(known))}."
            )
    with transaction.atomic():
        going_on = ValidationRun.objects.filter(
            organization_id=organization_id, requested_by=actor.id, source=chosen.source,
            name=chosen.name, case_file=file, topics=wanted, job__finished_at__isnull=True,
        )  # fmt: skip
        if (run := going_on.first()) is not None:
            return run
        run_id = uuid4()
        job = enqueue_job(
            actor=actor,
            kind="validation",
            title=f"Validate models: {chosen.name}"[:200],
            task=TASK,
            arguments={"run_id": str(run_id)},
            organization_id=organization_id,
        )
        return ValidationRun.objects.create(
            id=run_id,
            organization_id=organization_id,
            source=chosen.source,
            name=chosen.name,
            case_file=file,
            topics=wanted,
            job=job,
            requested_by=actor.id,
        )


def run_validation(
    *,
    run_id: UUID,
    actor: Any,
    progress: Progress = lambda *_: None,
    registry: AdapterRegistry = adapters,
) -> RunOutcome:
    """
    Run the cases of a run and keep what came of each, all or nothing; done twice, it is the first.

    actor       whom the event names

    :raises MalformedCases: if the set's file is gone or holds something else by now.
    """
    run = ValidationRun.objects.select_related("case_file").get(pk=run_id)
    if (found := RunOutcome.objects.filter(run=run).first()) is not None:
        return found
    cases, sha256 = cases_of(run.source, run.name, run.case_file)
    if run.topics:
        cases = [case for case in cases if case.question.topic in run.topics]
    results = []
    for number, case in enumerate(cases):
        progress(number, len(cases), f"{case.question.topic}: {case.question.id}"[:200])
        results.append(run_case(case, adapters=registry))
    progress(len(cases), len(cases), "Writing results")
    with transaction.atomic():
        # A worker taken for dead and its successor write one after the other.
        Job.objects.select_for_update().get(pk=run.job_id)
        if (found := RunOutcome.objects.filter(run=run).first()) is not None:
            return found
        outcome = _keep(run, cases, Report(tuple(results)), sha256)
        record_event(
            type="validation.run_finished",
            actor=actor,
            aggregate_type="validation_run",
            aggregate_id=run.pk,
            organization_id=run.organization_id,
            payload={
                "name": run.name, "source": run.source, "passed": outcome.passed,
                "failed": outcome.failed, "unsupported": outcome.unsupported,
                "sha256": sha256, "result_hash": outcome.result_hash,
            },
        )  # fmt: skip
    return outcome


def _keep(
    run: ValidationRun, cases: Sequence[ReferenceCase], report: Report, sha256: str
) -> RunOutcome:
    rows = [
        _row(run, number, case, result)
        for number, (case, result) in enumerate(zip(cases, report.cases, strict=True), start=1)
    ]
    CaseOutcome.objects.bulk_create(rows, batch_size=_BATCH)
    counts = report.counts()
    worst = [row.worst for row in rows if row.worst is not None]
    return RunOutcome.objects.create(
        run=run,
        cases=len(rows),
        passed=counts["pass"],
        failed=counts["fail"],
        unsupported=counts["unsupported"],
        worst=max(worst, default=None),
        seconds=sum(row.seconds for row in rows),
        sha256=sha256,
        result_hash=_hash([sha256, [[row.case_id, row.status, row.got] for row in rows]]),
        code=code_version(),
        tzdata=tzdata_version(),
    )


def _row(run: ValidationRun, number: int, case: ReferenceCase, result: CaseResult) -> CaseOutcome:
    tolerance = (
        {key: str(value) for key, value in case.tolerance.items()}
        if isinstance(case.tolerance, Mapping)
        else str(case.tolerance)
    )
    inputs = dict(case.question.inputs)
    return CaseOutcome(
        run=run,
        number=number,
        case_id=case.question.id,
        topic=case.question.topic,
        model=case.model,
        status=result.status.value,
        inputs=inputs,
        expected=result.expected,
        got=_writable(result.got),
        difference=_writable(result.difference),
        tolerance=tolerance,
        reason=_writable(result.reason)[:_REASON_CHARACTERS],
        provenance=case.provenance[:200],
        reference=case.source,
        note=case.note,
        case_hash=_hash([inputs, case.expected, tolerance]),
        worst=result.worst,
        seconds=result.seconds,
    )


def _writable(value: Any) -> Any:
    """Return an answer without the characters that the database refuses, wherever they stand."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_writable(key): _writable(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_writable(member) for member in value]
    return value


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_exact)
    return hashlib.sha256(text.encode()).hexdigest()


def _exact(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a case")


def _require(actor: Any, organization_id: UUID | None) -> None:
    actor.require(PERMISSION)
    if organization_id is not None and organization_id not in actor.organization_ids:
        raise ForeignOrganization(f"organization_id {organization_id} is not yours")
