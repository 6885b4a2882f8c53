"""What billing has for an actor's complete view: its supply contracts; one query."""

from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum

from energyopti.accounts.actors import Actor

from ..models import Contract, ContractTerms, Invoice

PERMISSION = "billing.view_contract"
SHOWN = 500


def contracts_at_a_glance(actor: Actor) -> list[dict[str, Any]]:
    """
    Return contracts by reference with their latest terms and what was billed under them.

    billed_gross    None before the first invoice

    :raises PermissionMissing: without `billing.view_contract`.
    """
    actor.require(PERMISSION)
    latest = ContractTerms.objects.filter(contract=OuterRef("pk")).order_by("-version")
    billed = (
        Invoice.objects.filter(contract=OuterRef("pk"))
        .order_by()
        .values("contract")
        .annotate(gross=Sum("gross"))
    )
    rows = (
        Contract.objects.visible_to(actor)
        .order_by("reference")
        .values("reference", "currency")
        .annotate(
            customer=F("organization__name"),
            market_code=F("market__code"),
            price_rule=Subquery(latest.values("price_rule")[:1]),
            valid_from=Subquery(latest.values("valid_from")[:1]),
            valid_until=Subquery(latest.values("valid_until")[:1]),
            billed_gross=Subquery(billed.values("gross")),
        )
    )
    return list(rows[:SHOWN])
