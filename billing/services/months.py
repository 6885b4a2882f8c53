"""What the clock does for billing: invoice each contract's last whole month once it can be."""

import logging
from datetime import date, datetime, timedelta

from billing.rating import RatingError
from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod

from ..models import Contract, Invoice
from ..queries.drafts import NothingAgreed, TermsDisagree
from .invoicing import InvoiceRefused, issue_invoice

logger = logging.getLogger(__name__)


def issue_due_invoices(*, actor: Actor, issued_at: datetime) -> list[Invoice]:
    """
    Issue the invoice of the last whole local month for every contract that can be billed.

    Asked daily: a contract whose meter data or prices have a gap is told in the log and tried
    again the next day; one that is billed already gives its invoice again.
    """
    invoices = []
    contracts = Contract.objects.filter(organization_id__in=actor.organization_ids)
    for contract in contracts.select_related("market", "issuer", "organization").order_by("pk"):
        today = contract.calendar.date_of(issued_at)
        month = date(today.year, today.month, 1) - timedelta(days=1)
        period = DatePeriod.months(month.year, month.month)
        try:
            invoices.append(
                issue_invoice(actor=actor, contract=contract, period=period, issued_at=issued_at)
            )
        except (RatingError, NothingAgreed, TermsDisagree, InvoiceRefused) as error:
            logger.warning("contract %s is not billed yet: %s", contract.reference, error)
    return invoices
