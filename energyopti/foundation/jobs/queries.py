"""Which jobs somebody may see: the ones asked for, and with the permission the organizations'."""

from typing import Protocol
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from .models import FINISHED, Job, JobState


class Viewer(Protocol):
    """Who looks: the part of an actor that decides what is seen."""

    @property
    def id(self) -> str: ...
    @property
    def organization_ids(self) -> frozenset[UUID]: ...
    def may(self, permission: str) -> bool: ...


def visible_jobs(viewer: Viewer) -> QuerySet[Job]:
    """
    Return the viewer's own jobs, and with `jobs.follow_all_jobs` those of its organizations.

    A job of an organization that the viewer has left is gone for it, own or not.
    """
    ours = Q(organization_id__in=viewer.organization_ids)
    own = Q(requested_by=viewer.id) & (ours | Q(organization_id__isnull=True))
    return Job.objects.filter(own | ours if viewer.may("jobs.follow_all_jobs") else own)


def open_jobs_by_state() -> dict[str, int]:
    """Return how many jobs of all organizations wait or run; a state without any has 0."""
    counts = dict(
        Job.objects.filter(finished_at__isnull=True)
        .values_list("state")
        .annotate(jobs=Count("id"))
        .order_by("state")
    )
    return {name: counts.get(name, 0) for name in JobState.values if name not in FINISHED}
