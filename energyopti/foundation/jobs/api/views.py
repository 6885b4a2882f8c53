"""Follow and cancel jobs over REST."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.views import ApiListViewSet
from energyopti.foundation.pages import actor_for

from ..queries import visible_jobs
from ..services import JobIsFinished, JobNotFound, cancel_job
from .serializers import JobFilter, JobOutput, job_data

EXAMPLE = OpenApiExample(
    "A running import",
    response_only=True,
    value={
        "id": "0b8c2c63-6c3f-4f7e-9a6c-0d6a4f1c9b11",
        "kind": "import",
        "title": "Import prices of DE-LU",
        "organization_id": "7a0f3f0e-9f5a-4b64-b6a1-2c1f8f8d2f6d",
        "state": "RUNNING",
        "cancel_requested": False,
        "done": 12000,
        "total": 52416,
        "percent": 22,
        "message": "Writing rows",
        "error": "",
        "result_url": "",
        "queued_at": "2027-03-28T01:00:00Z",
        "started_at": "2027-03-28T01:00:01Z",
        "finished_at": None,
    },
)


class JobViewSet(ApiListViewSet):
    """The jobs that the caller has asked for; with the permission, those of its organizations."""

    permissions: ClassVar[dict[str, str]] = {"GET": "jobs.follow_job", "POST": "jobs.follow_job"}
    scopes: ClassVar[dict[str, str]] = {"GET": "jobs:read", "POST": "jobs:write"}
    ordering = ("-queued_at", "id")
    serializer_class = JobOutput

    @extend_schema(
        description="List jobs, latest first.",
        parameters=[JobFilter],
        responses=JobOutput(many=True),
        examples=[EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        jobs = visible_jobs(actor_for(request)).filter(**self.query_of(JobFilter))
        return self.page_of(jobs, JobOutput)

    @extend_schema(
        description="Show one job; ask once a second while it runs.",
        responses=JobOutput,
        examples=[EXAMPLE],
    )
    def retrieve(self, request: Request, job_id: UUID) -> Response:
        job = visible_jobs(actor_for(request)).filter(pk=job_id).first()
        if job is None:
            raise Http404(f"There is no job {job_id}.")
        return Response(job_data(job))

    @extend_schema(
        description="Ask a job to stop; it ends as CANCELLED at its next step.",
        request=None,
        responses={202: JobOutput},
        examples=[OpenApiExample(EXAMPLE.name, value=EXAMPLE.value, status_codes=["202"])],
    )
    def cancel(self, request: Request, job_id: UUID) -> Response:
        actor: Any = actor_for(request)
        try:
            job = cancel_job(actor=actor, job_id=job_id)
        except JobNotFound as refusal:
            raise Http404(str(refusal)) from refusal
        except JobIsFinished as refusal:
            raise Refusal(str(refusal), code="job_finished", status=409) from refusal
        return Response(job_data(job), status=202)
