"""Contracts, as those ask who bill for the operating company."""

from datetime import date

from ..models import Contract


def contracts_in_force(market_code: str, day: date) -> list[Contract]:
    """Return the contracts of a market whose first terms have begun by a day, by reference."""
    return list(
        Contract.objects.filter(market__code=market_code, terms__valid_from__lte=day)
        .select_related("issuer", "organization", "market")
        .order_by("reference")
        .distinct()
    )
