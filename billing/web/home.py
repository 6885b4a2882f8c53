"""The panel of the home page: what was billed, and the newest invoice."""

from typing import Any

from billing.queries.invoices import billing_totals, visible_invoices
from energyopti.accounts.actors import Actor


def billing_panel(actor: Actor, site: str | None = None) -> dict[str, Any]:
    """Return totals by currency and the newest invoice (of contracts of a site); two queries."""
    return {
        "totals": billing_totals(actor, site=site),
        "newest": visible_invoices(actor, site=site).order_by("-issued_at", "-pk").first(),
    }
