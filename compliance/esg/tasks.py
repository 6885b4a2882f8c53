"""What workers do for ESG: build one report, and once a day queue those that are due."""

from datetime import date
from typing import Any

from celery import shared_task
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation import clock
from energyopti.foundation.jobs.runner import JobResult, RunningJob, job_task

from .services.months import request_due_reports
from .services.reports import build_carbon_report, pdf_of_report


@job_task("esg.build_carbon_report")
def build(job: RunningJob, *, organization_id: str, month: str) -> JobResult:
    """Build a month's report with its CSV and PDF; the requester's right was checked before."""
    actor = Actor(id=job.actor.id, request_id=job.actor.request_id)
    built_at = clock.now()
    job.progress(0, 2, "Reading meters and factors")
    report = build_carbon_report(
        actor=actor,
        organization=Organization.objects.get(pk=organization_id),
        month=date.fromisoformat(month),
        built_at=built_at,
    )
    job.progress(1, 2, "Drawing the PDF")
    pdf_of_report(report=report, rendered_at=built_at)
    job.progress(2, 2)
    return JobResult(url=reverse("esg:report", args=[report.pk]))


@shared_task(name="esg.request_due_reports")
def request_due(**_: Any) -> int:
    """Queue the reports of the last month that were not queued yet."""
    return len(request_due_reports(actor=Actor.system("beat"), due_at=clock.now()))
