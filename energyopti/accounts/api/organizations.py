"""Organizations and sites over REST: what a caller belongs to, and where its sites are."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.foundation.api.views import ApiListViewSet

from ..models import Organization, Site
from ..requests import actor_of


class OrganizationOutput(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ("id", "name", "lei", "reporting_currency", "time_zone")
        read_only_fields = fields


class SiteOutput(serializers.ModelSerializer[Site]):
    organization_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Site
        fields = (
            "id",
            "organization_id",
            "name",
            "time_zone",
            "market_zone",
            "grid_connection_kw",
        )
        read_only_fields = fields


class OrganizationViewSet(ApiListViewSet):
    permissions: ClassVar[dict[str, str]] = {"GET": "accounts.view_organization"}
    scopes: ClassVar[dict[str, str]] = {"GET": "organizations:read"}
    ordering = ("name", "id")

    @extend_schema(responses=OrganizationOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the organizations that you may see."""
        actor = actor_of(request)
        rows = Organization.objects.filter(id__in=actor.organization_ids)
        return self.page_of(rows, OrganizationOutput)


class SiteViewSet(ApiListViewSet):
    permissions: ClassVar[dict[str, str]] = {"GET": "accounts.view_site"}
    scopes: ClassVar[dict[str, str]] = {"GET": "organizations:read"}
    ordering = ("name", "id")

    @extend_schema(responses=SiteOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the sites that you may see."""
        return self.page_of(self._rows(request), SiteOutput)

    @extend_schema(responses=SiteOutput)
    def retrieve(self, request: Request, pk: Any) -> Response:
        """Show one site."""
        site = self._rows(request).filter(pk=pk).first()
        if site is None:
            raise Http404("no such site")
        return Response(SiteOutput(site).data)

    def _rows(self, request: Request) -> Any:
        return Site.objects.filter(id__in=actor_of(request).container_ids("site"))
