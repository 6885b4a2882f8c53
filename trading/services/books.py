"""Open books and counterparties. What a row must fulfil stands in the models."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.money import currency
from trading.models import Book, Counterparty


class ForeignOrganization(LookupError):
    """The organization is not one of the actor's."""


def open_book(
    *,
    actor: Actor,
    organization_id: UUID,
    code: str,
    name: str,
    reporting_currency: str = "EUR",
    parent_id: UUID | None = None,
    owner_id: UUID | None = None,
) -> Book:
    """
    Open a book in an organization.

    :raises PermissionMissing: without `trading.add_book`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field; a parent must be of the same organization and
        report in the same currency, because their numbers are added.
    :raises MoneyError: for a currency that ISO 4217 does not know.
    """
    actor.require("trading.add_book")
    _own(actor, organization_id)
    book = Book(
        organization_id=organization_id,
        code=code,
        name=name,
        reporting_currency=currency(reporting_currency),
        parent_id=parent_id,
        owner_id=owner_id,
    )
    with transaction.atomic():
        if parent_id is not None:
            parent = Book.objects.filter(pk=parent_id, organization_id=organization_id).first()
            if parent is None:
                raise ValidationError({"parent": "There is no such book in the organization."})
            if parent.reporting_currency != book.reporting_currency:
                raise ValidationError(
                    {"reporting_currency": f"The parent reports in {parent.reporting_currency}."}
                )
        book.full_clean()
        book.save(force_insert=True)
        record_event(
            type="book.opened",
            actor=actor,
            aggregate_type="book",
            aggregate_id=book.pk,
            organization_id=organization_id,
            payload={"code": code, "name": name, "reporting_currency": reporting_currency},
        )
    return book


def add_counterparty(
    *, actor: Actor, organization_id: UUID, code: str, name: str, lei: str = ""
) -> Counterparty:
    """
    Add a company that an organization trades with.

    :raises PermissionMissing: without `trading.add_counterparty`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field, for an LEI with wrong check digits among others.
    """
    actor.require("trading.add_counterparty")
    _own(actor, organization_id)
    counterparty = Counterparty(
        organization_id=organization_id, code=code, name=name, lei=lei.upper()
    )
    with transaction.atomic():
        counterparty.full_clean()
        counterparty.save(force_insert=True)
        record_event(
            type="counterparty.added",
            actor=actor,
            aggregate_type="counterparty",
            aggregate_id=counterparty.pk,
            organization_id=organization_id,
            payload={"code": code, "name": name, "lei": counterparty.lei},
        )
    return counterparty


def _own(actor: Actor, organization_id: UUID) -> None:
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
