"""Render an invoice as a PDF once, and keep it: the second download is the same file."""

import hashlib
from datetime import datetime

from django.template.loader import render_to_string

from energyopti.foundation.exports.pdf import render_pdf

from ..models import Invoice, InvoiceDocument
from ..queries.invoices import invoice_facts

PDF = "application/pdf"


def pdf_of_invoice(*, invoice: Invoice, rendered_at: datetime) -> InvoiceDocument:
    """
    Return the invoice's PDF, drawn from its canonical data when first asked for.

    :raises PdfUnavailable: where this machine cannot draw one; the invoice stands all the same.
    """
    present = invoice.documents.filter(media_type=PDF).first()
    if present is not None:
        return present
    content = render_pdf(
        render_to_string("billing/invoice_document.html", {"invoice": invoice_facts(invoice)})
    )
    # Two first downloads at once: one is kept, both get it.
    document, _created = InvoiceDocument.objects.get_or_create(
        invoice=invoice,
        media_type=PDF,
        defaults={
            "content": content,
            "sha256": hashlib.sha256(content).hexdigest(),
            "rendered_at": rendered_at,
        },
    )
    return document
