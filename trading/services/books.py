"""Open and amend books; add counterparties. What a row must fulfil stands in the models."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.organizations import member_ids_by_email
from energyopti.foundation.events.services import record_event
from energyopti.foundation.money import MoneyError, currency
from trading.models import Book, Counterparty, Trade
from trading.queries.agreements import book_terms
from trading.queries.books import subtree
from trading.reference import BookTerms, CounterpartyTerms

from .changes import ForeignOrganization, found, refuse_taken, require_own, write_changes
from .counterparties import add_company

__all__ = ["ForeignOrganization", "add_counterparty", "amend_book", "open_book", "open_book_as"]


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
    require_own(actor, organization_id)
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
            _check_parent(book, parent)
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
    return add_company(
        actor=actor,
        organization_id=organization_id,
        terms=CounterpartyTerms(code=code, name=name, lei=lei),
    )


def open_book_as(*, actor: Actor, organization_id: UUID, terms: BookTerms) -> Book:
    """
    Open a book with its parent by code and its owner by e-mail address.

    :raises PermissionMissing, ForeignOrganization, ValidationError: as `open_book`.
    """
    actor.require("trading.add_book")
    require_own(actor, organization_id)
    own = Book.objects.filter(organization_id=organization_id)
    refuse_taken(own, "code", terms.code)
    _check_currency(terms.reporting_currency)
    parent = found(own, "parent", terms.parent, "book")
    with transaction.atomic():
        book = open_book(
            actor=actor,
            organization_id=organization_id,
            code=terms.code,
            name=terms.name,
            reporting_currency=terms.reporting_currency,
            parent_id=parent.pk if parent else None,
            owner_id=owner_of(organization_id, terms.owner),
        )
        if not terms.is_active:
            amend_book(actor=actor, organization_id=organization_id, terms=terms)
    return book


def amend_book(*, actor: Actor, organization_id: UUID, terms: BookTerms) -> Book:
    """
    Change a book's name, place in the tree, owner, currency, or whether it is open.

    Where it has trades, itself or below it, its parent and currency stay: positions and limits
    have been summed along its path.

    :raises PermissionMissing: without `trading.change_book`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field.
    """
    actor.require("trading.change_book")
    require_own(actor, organization_id)
    own = Book.objects.filter(organization_id=organization_id)
    with transaction.atomic():
        book = found(
            own.select_for_update(of=("self",)).select_related("parent", "owner"),
            "code",
            terms.code,
            "book",
        )
        before = book_terms(book)
        _check_currency(terms.reporting_currency)
        below = subtree(book.pk)
        for field in ("parent", "reporting_currency"):
            if (
                getattr(before, field) != getattr(terms, field)
                and Trade.objects.filter(book_id__in=below).exists()
            ):
                raise ValidationError(
                    {field: f"{book.code} has trades: it stays {getattr(before, field) or 'none'}."}
                )
        book.name, book.is_active = terms.name, terms.is_active
        book.reporting_currency = terms.reporting_currency
        book.parent = found(own, "parent", terms.parent, "book")
        book.owner_id = owner_of(organization_id, terms.owner)
        if book.parent is not None:
            if book.parent_id in below:
                raise ValidationError({"parent": f"{terms.parent} lies below {book.code} itself."})
            _check_parent(book, book.parent)
        if book.children.exclude(reporting_currency=book.reporting_currency).exists():
            raise ValidationError({"reporting_currency": "A book below reports in another."})
        write_changes(
            actor=actor,
            row=book,
            before=before,
            after=terms,
            aggregate="book",
            key=book.pk,
            organization_id=organization_id,
        )
    return book


def owner_of(organization_id: UUID, email: str) -> UUID | None:
    """
    Return the person who has an e-mail address in an organization, None for an empty one.

    :raises ValidationError: if nobody there has it.
    """
    if not email:
        return None
    owner = member_ids_by_email(organization_id).get(email.lower())
    if owner is None:
        raise ValidationError({"owner": f"Nobody in the organization is “{email}”."})
    return owner


def _check_parent(book: Book, parent: Book) -> None:
    # The one place that changes when curves convert money: a parent may then report in another
    # currency, and sums over the tree convert by the day's rates.
    if parent.reporting_currency != book.reporting_currency:
        raise ValidationError(
            {"reporting_currency": f"The parent reports in {parent.reporting_currency}."}
        )


def _check_currency(code: str) -> None:
    try:
        currency(code)
    except MoneyError as error:
        raise ValidationError({"reporting_currency": str(error)}) from error
