"""Issue invoices: numbered without a gap, once per contract and day, never changed."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from compliance.canonical import sha256_of
from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.services import record_event

from ..models import Contract, Invoice, InvoiceLine, InvoiceSequence
from ..queries.drafts import Draft, draft_invoice
from .contracts import lock_contract


class InvoiceRefused(ValueError):
    """An invoice cannot be issued as asked; names the field and the rule."""


def issue_invoice(
    *, actor: Actor, contract: Contract, period: DatePeriod, issued_at: datetime
) -> Invoice:
    """
    Issue the invoice of a contract for a run of whole local days that have passed.

    The same contract and period again returns the invoice that exists. Nothing is written
    unless every interval of the period is metered and priced.

    :raises InvoiceRefused: if the period has not ended, or shares days with another invoice.
    :raises NothingAgreed, TermsDisagree, MeterGap, PriceGap: from the draft, naming the gap.
    :raises PermissionMissing: without `billing.issue_invoice`.
    """
    actor.require("billing.issue_invoice")
    if contract.issuer_id not in actor.organization_ids:
        raise InvoiceRefused("contract: you can issue invoices only for your organization.")
    end = contract.calendar.span(period).end
    if issued_at < end:
        raise InvoiceRefused(f"period: it ends at {end.isoformat()}, after the time of issue.")
    with transaction.atomic():
        lock_contract(contract)
        existing = _existing(contract, period)
        if existing is not None:
            return existing
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (cut_at,) = cursor.fetchone()
        draft = draft_invoice(contract, period, cut_at=cut_at)
        invoice = _write(draft, issued_at=issued_at, cut_at=cut_at)
        record_event(
            type="invoice.issued",
            actor=actor,
            aggregate_type="invoice",
            aggregate_id=invoice.number,
            organization_id=invoice.organization_id,
            key=f"contract:{contract.reference}",
            payload={
                "contract": contract.reference,
                "period_first": period.first.isoformat(),
                "period_after": period.after.isoformat(),
                "energy_kwh": f"{invoice.energy_kwh:f}",
                "net": f"{draft.bill.net.amount:f}",
                "tax": f"{draft.bill.tax.amount:f}",
                "gross": f"{draft.bill.gross.amount:f}",
                "currency": invoice.currency,
                "content_hash": invoice.content_hash,
            },
        )
    return invoice


def _existing(contract: Contract, period: DatePeriod) -> Invoice | None:
    """
    Return the invoice of exactly this period.

    :raises InvoiceRefused: if another one shares some of its days.
    """
    sharing = contract.invoices.filter(
        period_first__lt=period.after, period_after__gt=period.first
    ).first()
    if sharing is None:
        return None
    if (sharing.period_first, sharing.period_after) == (period.first, period.after):
        return sharing
    raise InvoiceRefused(
        f"period: invoice {sharing.number} already covers {sharing.period_first} to "
        f"{sharing.period_after - timedelta(days=1)}."
    )


def _write(draft: Draft, *, issued_at: datetime, cut_at: datetime) -> Invoice:
    contract = draft.contract
    local_date = contract.calendar.date_of(issued_at)
    sequence = _next_in_sequence(contract, local_date.year)
    number = f"{contract.issuer.slug.upper()}-{local_date.year}-{sequence:06d}"
    content = {**draft.content, "number": number, "issued_at": issued_at.isoformat()}
    invoice = Invoice.objects.create(
        number=number,
        issuer_id=contract.issuer_id,
        year=local_date.year,
        sequence=sequence,
        contract=contract,
        organization_id=contract.organization_id,
        period_first=draft.period.first,
        period_after=draft.period.after,
        period_start=draft.interval.start,
        period_end=draft.interval.end,
        currency=contract.currency,
        energy_kwh=draft.energy_kwh,
        net=draft.bill.net.amount,
        tax=draft.bill.tax.amount,
        gross=draft.bill.gross.amount,
        issued_at=issued_at,
        due_date=local_date + timedelta(days=draft.payment_days),
        data_cut_at=cut_at,
        content=content,
        content_hash=sha256_of(content),
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            kind=line.rated.kind.value,
            description=line.rated.description,
            quantity=line.rated.quantity,
            unit=line.rated.unit,
            unit_price=line.rated.unit_price,
            exact_amount=line.rated.amount.amount,
            amount=line.amount.amount,
        )
        for position, line in enumerate(draft.bill.lines, start=1)
    )
    return invoice


def _next_in_sequence(contract: Contract, year: int) -> int:
    """Take the next number; the row stays locked until commit, so a rollback leaves no gap."""
    InvoiceSequence.objects.get_or_create(issuer_id=contract.issuer_id, year=year)
    row = InvoiceSequence.objects.select_for_update().get(issuer_id=contract.issuer_id, year=year)
    row.latest += 1
    row.save(update_fields=["latest"])
    return row.latest
