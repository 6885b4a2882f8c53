"""Billing pages: overview, an invoice with its reconciliation, and its PDF."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from billing.models import Invoice
from billing.queries.invoices import (
    NoSuchInvoice,
    billing_totals,
    contract_summaries,
    invoice_by_number,
    invoice_facts,
)
from billing.queries.reconciliation import reconcile_invoice
from billing.services.documents import pdf_of_invoice
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.exports.pdf import PdfUnavailable
from energyopti.foundation.scope import scope_of


@require_permission("billing.view_invoice")
def overview(request: HttpRequest) -> HttpResponse:
    """Show contracts and what was billed under them."""
    actor = actor_of(request)
    scope = scope_of(request, actor=actor, today=clock.now().date(), reads={"site"})
    site = scope.value("site")
    return render(
        request,
        "billing/overview.html",
        {
            "contracts": contract_summaries(actor, site=site),
            "totals": billing_totals(actor, site=site),
            "site": site,
        },
    )


@require_permission("billing.view_invoice")
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    """Show an invoice, and the same amount computed again from the tables."""
    found = _invoice(request, number)
    return render(
        request,
        "billing/invoice.html",
        {"invoice": invoice_facts(found), "reconciliation": reconcile_invoice(found)},
    )


@require_permission("billing.view_invoice")
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """Send the invoice's document."""
    found = _invoice(request, number)
    try:
        document = pdf_of_invoice(invoice=found, rendered_at=clock.now())
    except PdfUnavailable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        bytes(document.content),
        content_type=document.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{found.number}.pdf"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _invoice(request: HttpRequest, number: str) -> Invoice:
    try:
        return invoice_by_number(actor_of(request), number)
    except NoSuchInvoice as error:
        raise Http404(str(error)) from error
