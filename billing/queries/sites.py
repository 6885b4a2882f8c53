"""What bills a site: the contracts that cover it, and their invoices."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from energyopti.accounts.models import Site

from ..models import Contract


def covering(site: UUID | str) -> "QuerySet[Contract]":
    """
    Return the contracts that cover a site: those that name it, and its customer's that name none.

    The choice of the site is checked by whoever offers it; this joins, it does not permit.
    """
    named = Contract.sites.through.objects.filter(contract_id=OuterRef("pk"))
    return Contract.objects.filter(
        Q(organization_id__in=Site.objects.filter(pk=site).values("organization_id")),
        Q(Exists(named.filter(site_id=site))) | ~Q(Exists(named)),
    )


def of_site(rows: "QuerySet[Any]", site: UUID | str | None, *, contract: str) -> "QuerySet[Any]":
    """
    Narrow rows to those whose contract covers a site; None keeps all. No query of its own.

    contract    the path from a row to its contract ("pk", "contract")
    """
    return rows if site is None else rows.filter(**{f"{contract}__in": covering(site)})
