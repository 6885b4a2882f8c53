"""Organizations and sites over REST: what a caller belongs to, and where its sites are."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
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


ORGANIZATION = OpenApiExample(
    "A customer of the operating company",
    response_only=True,
    value={
        "id": "7a0f3f0e-9f5a-4b64-b6a1-2c1f8f8d2f6d",
        "name": "Havn Cold Storage",
        "lei": "",
        "reporting_currency": "EUR",
        "time_zone": "Europe/Berlin",
    },
)
SITE = OpenApiExample(
    "A warehouse",
    response_only=True,
    value={
        "id": "0b8c2c63-6c3f-4f7e-9a6c-0d6a4f1c9b11",
        "organization_id": "7a0f3f0e-9f5a-4b64-b6a1-2c1f8f8d2f6d",
        "name": "Hamburg warehouse",
        "time_zone": "Europe/Berlin",
        "market_zone": "DE-LU",
        "grid_connection_kw": "900.000",
    },
)


class OrganizationViewSet(ApiListViewSet):
    permissions: ClassVar[dict[str, str]] = {"GET": "accounts.view_organization"}
    scopes: ClassVar[dict[str, str]] = {"GET": "organizations:read"}
    ordering = ("name", "id")

    @extend_schema(responses=OrganizationOutput(many=True), examples=[ORGANIZATION])
    def list(self, request: Request) -> Response:
        """List the organizations that you may see."""
        actor = actor_of(request)
        rows = Organization.objects.filter(id__in=actor.organization_ids)
        return self.page_of(rows, OrganizationOutput)


class SiteViewSet(ApiListViewSet):
    permissions: ClassVar[dict[str, str]] = {"GET": "accounts.view_site"}
    scopes: ClassVar[dict[str, str]] = {"GET": "organizations:read"}
    ordering = ("name", "id")

    @extend_schema(responses=SiteOutput(many=True), examples=[SITE])
    def list(self, request: Request) -> Response:
        """List the sites that you may see."""
        return self.page_of(self._rows(request), SiteOutput)

    @extend_schema(responses=SiteOutput, examples=[SITE])
    def retrieve(self, request: Request, pk: Any) -> Response:
        """Show one site."""
        site = self._rows(request).filter(pk=pk).first()
        if site is None:
            raise Http404("no such site")
        return Response(SiteOutput(site).data)

    def _rows(self, request: Request) -> Any:
        return Site.objects.filter(id__in=actor_of(request).container_ids("site"))
