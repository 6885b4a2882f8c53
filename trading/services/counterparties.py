"""Amend counterparties; `services.books.add_counterparty` adds them."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import Counterparty
from trading.queries.agreements import counterparty_terms
from trading.reference import CounterpartyTerms

from .changes import found, refuse_taken, require_own, write_changes, write_new


def add_company(*, actor: Actor, organization_id: UUID, terms: CounterpartyTerms) -> Counterparty:
    """
    Add a company that an organization trades with, with all that is known of it.

    :raises PermissionMissing: without `trading.add_counterparty`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field, for an LEI with wrong check digits among others.
    """
    actor.require("trading.add_counterparty")
    require_own(actor, organization_id)
    with transaction.atomic():
        own = Counterparty.objects.filter(organization_id=organization_id)
        refuse_taken(own, "code", terms.code)
        row = _fill(Counterparty(organization_id=organization_id, code=terms.code), terms)
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="counterparty",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def amend_counterparty(
    *, actor: Actor, organization_id: UUID, terms: CounterpartyTerms
) -> Counterparty:
    """
    Change what is said of a counterparty; only an active one takes new deals.

    :raises PermissionMissing: without `trading.change_counterparty`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field.
    """
    actor.require("trading.change_counterparty")
    require_own(actor, organization_id)
    with transaction.atomic():
        row = found(
            Counterparty.objects.select_for_update().filter(organization_id=organization_id),
            "code",
            terms.code,
            "counterparty",
        )
        before = counterparty_terms(row)
        _fill(row, terms)
        write_changes(
            actor=actor,
            row=row,
            before=before,
            after=terms,
            aggregate="counterparty",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def _fill(row: Counterparty, terms: CounterpartyTerms) -> Counterparty:
    row.name, row.legal_name, row.country = terms.name, terms.legal_name, terms.country
    row.lei, row.is_internal = terms.lei.upper(), terms.is_internal
    row.status, row.is_active = terms.status, terms.status == "ACTIVE"
    if row.lei:
        taken = (
            Counterparty.objects.filter(organization_id=row.organization_id, lei=row.lei)
            .exclude(pk=row.pk)
            .first()
        )
        if taken is not None:
            raise ValidationError({"lei": f"“{row.lei}” is the LEI of {taken.code}."})
    return row
