"""Invoices and contracts of the actor's organizations, as pages and the API read them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, QuerySet, Sum

from energyopti.accounts.actors import Actor
from energyopti.foundation.money import minor_unit

from ..models import Contract, Invoice
from .sites import of_site


class NoSuchInvoice(LookupError):
    """No invoice of the actor's organizations has the number."""


@dataclass(frozen=True)
class ContractSummary:
    """A contract with what was billed under it; `billed_until` is None before the first."""

    reference: str
    customer: str
    market: str
    price_rule: str
    currency: str
    billed_until: date | None
    billed_gross: Decimal


def visible_invoices(actor: Actor, *, site: str | None = None) -> "QuerySet[Invoice]":
    """
    Return the invoices that the actor may see, with their parties, unordered.

    site    only those under contracts that cover it; None for all
    """
    visible = Invoice.objects.visible_to(actor).select_related("organization", "contract", "issuer")
    return of_site(visible, site, contract="contract")


def invoice_by_number(actor: Actor, number: str) -> Invoice:
    """
    Return an invoice with its lines.

    :raises NoSuchInvoice: also if it belongs to somebody else; the two look the same.
    """
    found: Invoice | None = (
        visible_invoices(actor)
        .select_related("contract__market")
        .prefetch_related("lines")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise NoSuchInvoice(f"number: there is no invoice {number}.")
    return found


def contract_summaries(actor: Actor, *, site: str | None = None) -> list[ContractSummary]:
    """Return the actor's contracts (those that cover a site) by reference; three queries."""
    contracts = (
        of_site(Contract.objects.visible_to(actor), site, contract="pk")
        .select_related("organization", "market")
        .prefetch_related("terms")
        .order_by("reference")
    )
    billed = {
        row["contract_id"]: row
        for row in Invoice.objects.visible_to(actor)
        .values("contract_id")
        .annotate(until=Max("period_after"), gross=Sum("gross"))
    }
    summaries = []
    for contract in contracts:
        row = billed.get(contract.pk)
        latest = max(contract.terms.all(), key=lambda terms: terms.version)
        summaries.append(
            ContractSummary(
                reference=contract.reference,
                customer=contract.organization.name,
                market=contract.market.code,
                price_rule=latest.price_rule,
                currency=contract.currency,
                billed_until=row["until"] if row else None,
                billed_gross=row["gross"] if row else Decimal(0),
            )
        )
    return summaries


@dataclass(frozen=True)
class BillingTotals:
    """What was billed in one currency, and when last."""

    currency: str
    gross: Decimal
    energy_kwh: Decimal
    latest_at: datetime | None


def billing_totals(actor: Actor, *, site: str | None = None) -> list[BillingTotals]:
    """
    Return totals by currency, since no sum mixes currencies.

    site    only invoices under contracts that cover it, each in full; None for all
    """
    return [
        BillingTotals(row["currency"], row["gross"], row["energy"], row["latest"])
        for row in of_site(Invoice.objects.visible_to(actor), site, contract="contract")
        .values("currency")
        .annotate(gross=Sum("gross"), energy=Sum("energy_kwh"), latest=Max("issued_at"))
        .order_by("currency")
    ]


def invoice_facts(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as its page and its document show it, with the currency's decimals."""
    cent = minor_unit(invoice.currency)
    return {
        "number": invoice.number,
        "issuer": invoice.content["issuer"]["name"],
        "customer": invoice.content["customer"]["name"],
        "contract": invoice.content["contract"],
        "market": invoice.content["market"]["code"],
        "time_zone": invoice.content["market"]["time_zone"],
        "currency": invoice.currency,
        "first": invoice.period_first,
        "last": invoice.period_after - timedelta(days=1),
        "start": invoice.period_start,
        "end": invoice.period_end,
        "energy_kwh": invoice.energy_kwh,
        "lines": [
            {
                "position": line.position,
                "kind": line.kind,
                "description": line.description,
                "quantity": line.quantity,
                "unit": line.unit,
                "unit_price": line.unit_price,
                "amount": line.amount.quantize(cent),
            }
            for line in sorted(invoice.lines.all(), key=lambda line: line.position)
        ],
        "net": invoice.net.quantize(cent),
        "tax_percent": (Decimal(invoice.content["tax_rate"]) * 100).normalize(),
        "tax": invoice.tax.quantize(cent),
        "gross": invoice.gross.quantize(cent),
        "issued_at": invoice.issued_at,
        "due_date": invoice.due_date,
        "data_cut_at": invoice.data_cut_at,
        "content_hash": invoice.content_hash,
    }
