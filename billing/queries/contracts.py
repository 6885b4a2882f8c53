"""Contracts: of a reader's organizations, and those to bill for the operating company."""

from datetime import date

from django.db.models import Prefetch, QuerySet

from energyopti.accounts.actors import Actor

from ..models import Contract, ContractTerms


class NoSuchContract(LookupError):
    """No contract of the actor's organizations has the reference."""


def visible_contracts(actor: Actor) -> "QuerySet[Contract]":
    """Return the contracts that the actor may see with sites and terms (`all_terms`), unordered."""
    terms = Prefetch("terms", ContractTerms.objects.order_by("version"), to_attr="all_terms")
    return (
        Contract.objects.visible_to(actor)
        .select_related("organization", "issuer", "market")
        .prefetch_related("sites", terms)
    )


def contract_by_reference(actor: Actor, reference: str) -> Contract:
    """
    Return a contract with its sites and terms.

    :raises NoSuchContract: also if it belongs to somebody else; the two look the same.
    """
    found = visible_contracts(actor).filter(reference=reference).first()
    if found is None:
        raise NoSuchContract("reference: there is no such contract for you.")
    return found


def contracts_in_force(market_code: str, day: date) -> list[Contract]:
    """Return the contracts of a market whose first terms have begun by a day, by reference."""
    return list(
        Contract.objects.filter(market__code=market_code, terms__valid_from__lte=day)
        .select_related("issuer", "organization", "market")
        .order_by("reference")
        .distinct()
    )
