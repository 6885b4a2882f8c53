"""Pages of jobs: the list, one job that keeps itself up to date, its result."""

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from energyopti.foundation.pages import actor_for, permitted

from ..models import Job, JobState
from ..queries import visible_jobs
from ..services import JobIsFinished, JobNotFound, cancel_job

PAGE_SIZE = 50
# htmx stops asking for a fragment that is answered with this status.
STOP_POLLING = 286
LEVELS = {JobState.SUCCEEDED: "good", JobState.FAILED: "bad", JobState.CANCELLED: "warn"}

followers_of_jobs = permitted("jobs.follow_job")


@require_GET
@never_cache
@followers_of_jobs
def job_list(request: HttpRequest) -> HttpResponse:
    jobs = visible_jobs(actor_for(request)).order_by("-queued_at", "id")
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [{"job": job, "level": LEVELS.get(job.state, "")} for job in page]
    return render(request, "jobs/list.html", {"rows": rows, "page_of_jobs": page})


@require_GET
@never_cache
@followers_of_jobs
def job_detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = _job_or_404(request, job_id)
    context = {"job": job, "level": LEVELS.get(job.state, "")}
    if not request.headers.get("HX-Request"):
        return render(request, "jobs/detail.html", context)
    status = STOP_POLLING if job.is_finished else 200
    return render(request, "jobs/_state.html", context, status=status)


@require_POST
@followers_of_jobs
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    actor: Any = actor_for(request)
    try:
        job = cancel_job(actor=actor, job_id=job_id)
    except JobNotFound as refusal:
        raise Http404(str(refusal)) from refusal
    except JobIsFinished as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, f"“{job.title}” was asked to stop.")
    return redirect("jobs:detail", job_id)


@require_GET
@never_cache
@followers_of_jobs
def job_result(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    job = _job_or_404(request, job_id)
    if not job.result_file:
        raise Http404("This job has no file.")
    name = PurePosixPath(str(job.result_file.name)).name
    return FileResponse(job.result_file.open("rb"), as_attachment=True, filename=name)


def _job_or_404(request: HttpRequest, job_id: UUID) -> Job:
    job = visible_jobs(actor_for(request)).filter(pk=job_id).first()
    if job is None:
        raise Http404(f"There is no job {job_id}.")
    return job
