"""REST views of billing: parse, query, render."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.views import ApiListViewSet

from ..queries.invoices import NoSuchInvoice, invoice_by_number, visible_invoices
from .serializers import InvoiceDetailOut, InvoiceFilter, InvoiceOut


class InvoiceViewSet(ApiListViewSet):
    """Invoices of the caller's organizations."""

    permissions = {"GET": "billing.view_invoice"}
    scopes = {"GET": "billing:read"}
    ordering = ("-issued_at", "-id")
    lookup_field = "number"
    lookup_value_regex = "[A-Za-z0-9-]+"

    @extend_schema(
        operation_id="billing_invoices_list",
        summary="List invoices",
        parameters=[InvoiceFilter],
        responses=InvoiceOut(many=True),
    )
    def list(self, request: Request) -> Response:
        """Return a page of invoices, the newest first."""
        wanted = self.query_of(InvoiceFilter)
        invoices = visible_invoices(actor_of(request)).defer("content")
        if "contract" in wanted:
            invoices = invoices.filter(contract__reference=wanted["contract"])
        return self.page_of(invoices, InvoiceOut)

    @extend_schema(
        operation_id="billing_invoices_retrieve",
        summary="Read an invoice",
        responses=InvoiceDetailOut,
    )
    def retrieve(self, request: Request, number: str, **_: Any) -> Response:
        """Return one invoice with its lines; somebody else's is 404."""
        try:
            invoice = invoice_by_number(actor_of(request), number)
        except NoSuchInvoice as error:
            raise Http404(str(error)) from error
        return Response(InvoiceDetailOut(invoice).data)
