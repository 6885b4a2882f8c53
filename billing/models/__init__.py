"""The tables of billing, one file a subject."""

from .contracts import Contract, ContractTerms
from .invoices import Invoice, InvoiceDocument, InvoiceLine, InvoiceSequence

__all__ = [
    "Contract",
    "ContractTerms",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLine",
    "InvoiceSequence",
]
