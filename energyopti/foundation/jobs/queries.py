"""Which jobs somebody may see: the ones asked for, and with the permission the organizations'."""

from typing import Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from .models import Job


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
