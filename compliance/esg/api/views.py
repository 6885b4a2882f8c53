"""REST views of ESG: parse, query, render."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.views import ApiListViewSet

from ..queries.reports import NoSuchReport, report_by_id, visible_reports
from .serializers import CarbonReportDetailOut, CarbonReportOut, NoFilter


class CarbonReportViewSet(ApiListViewSet):
    """Carbon reports of the caller's organizations."""

    permissions = {"GET": "esg.view_carbonreport"}
    scopes = {"GET": "carbon:read"}
    ordering = ("-id",)
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        operation_id="compliance_carbon_reports_list",
        summary="List carbon reports",
        responses=CarbonReportOut(many=True),
    )
    def list(self, request: Request) -> Response:
        """Return a page of reports, the latest built first."""
        self.query_of(NoFilter)
        return self.page_of(visible_reports(actor_of(request)), CarbonReportOut)

    @extend_schema(
        operation_id="compliance_carbon_reports_retrieve",
        summary="Read a carbon report",
        responses=CarbonReportDetailOut,
    )
    def retrieve(self, request: Request, pk: str, **_: Any) -> Response:
        """Return one report with its canonical data; somebody else's is 404."""
        try:
            report = report_by_id(actor_of(request), int(pk))
        except NoSuchReport as error:
            raise Http404(str(error)) from error
        return Response(CarbonReportDetailOut(report).data)
