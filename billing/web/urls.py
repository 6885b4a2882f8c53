"""Routes of the billing pages."""

from django.urls import path

from . import pages
from .lists import InvoiceList

app_name = "billing"
urlpatterns = [
    path("", pages.overview, name="overview"),
    path("invoices/", InvoiceList.as_view(), name="invoices"),
    path("invoices/<str:number>.pdf", pages.invoice_pdf, name="invoice-pdf"),
    path("invoices/<str:number>/", pages.invoice, name="invoice"),
]
