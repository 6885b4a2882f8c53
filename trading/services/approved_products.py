"""Approve products for a book, and withdraw them."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import ApprovedProduct, Book, Commodity, LoadShape, Market
from trading.queries.agreements import (
    approved_product_rows,
    approved_product_terms,
    one_of,
)
from trading.reference import ApprovedProductTerms

from .changes import as_json, found, require_own, write_changes, write_new


def approve_product(
    *, actor: Actor, organization_id: UUID, terms: ApprovedProductTerms
) -> ApprovedProduct:
    """
    Add a line to a book's list of what it may deal in.

    :raises PermissionMissing: without `trading.add_approvedproduct`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field: an unknown book, market or shape, a market of
        another commodity, a line that is there.
    """
    actor.require("trading.add_approvedproduct")
    require_own(actor, organization_id)
    with transaction.atomic():
        book, commodity, market = _places(organization_id, terms)
        if _lines(book, commodity, market, terms).exists():
            raise ValidationError({"product_kind": "The book's list has such a line."})
        row = ApprovedProduct(
            book=book, commodity=commodity, market=market, product_kind=terms.product_kind
        )
        _fill(row, terms)
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="approved_product",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def amend_approved_product(
    *, actor: Actor, organization_id: UUID, terms: ApprovedProductTerms
) -> ApprovedProduct:
    """
    Change shapes and tenor of the line of a book, commodity, market and product kind.

    :raises PermissionMissing: without `trading.change_approvedproduct`.
    :raises ForeignOrganization, ValidationError: as `approve_product`.
    """
    actor.require("trading.change_approvedproduct")
    require_own(actor, organization_id)
    with transaction.atomic():
        book, commodity, market = _places(organization_id, terms)
        row = _lines(book, commodity, market, terms).select_for_update().first()
        if row is None:
            raise ValidationError({"product_kind": "The book's list has no such line."})
        before = approved_product_terms(row)
        _fill(row, terms)
        write_changes(
            actor=actor,
            row=row,
            before=before,
            after=terms,
            aggregate="approved_product",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def withdraw_product(*, actor: Actor, approved_product_id: UUID) -> None:
    """
    Take a line off a book's list; a list without lines is no list.

    :raises PermissionMissing: without `trading.delete_approvedproduct`.
    :raises UnknownReference: for a line that is not the actor's.
    """
    actor.require("trading.delete_approvedproduct")
    with transaction.atomic():
        row = one_of(
            approved_product_rows(actor).select_for_update(of=("self",)), approved_product_id
        )
        record_event(
            type="approved_product.withdrawn",
            actor=actor,
            aggregate_type="approved_product",
            aggregate_id=row.pk,
            organization_id=row.book.organization_id,
            payload=as_json(approved_product_terms(row)),
        )
        row.delete()


def _places(
    organization_id: UUID, terms: ApprovedProductTerms
) -> tuple[Book, Commodity, Market | None]:
    own = Book.objects.filter(organization_id=organization_id)
    book = found(own, "book", terms.book, "book")
    commodity = found(Commodity.objects, "commodity", terms.commodity, "commodity")
    market = found(Market.objects, "market", terms.market, "market")
    for field, row in (("book", book), ("commodity", commodity)):
        if row is None:
            raise ValidationError({field: "Say which."})
    if market is not None and market.commodity_id != commodity.pk:
        raise ValidationError({"market": f"{market.code} does not deliver {commodity.code}."})
    return book, commodity, market


def _lines(
    book: Book, commodity: Commodity, market: Market | None, terms: ApprovedProductTerms
) -> Any:
    return ApprovedProduct.objects.filter(
        book=book, commodity=commodity, market=market, product_kind=terms.product_kind
    )


def _fill(row: ApprovedProduct, terms: ApprovedProductTerms) -> None:
    calendars = Market.objects.filter(commodity_id=row.commodity_id)
    if row.market_id is not None:
        calendars = calendars.filter(pk=row.market_id)
    known = set(
        LoadShape.objects.filter(
            calendar_id__in=calendars.exclude(shape_calendar=None).values("shape_calendar_id")
        ).values_list("code", flat=True)
    )
    for code in terms.load_shapes:
        if code not in known:
            raise ValidationError({"load_shapes": f"No such market has a shape “{code}”."})
    row.load_shapes = list(terms.load_shapes)
    row.maximum_tenor_months = terms.maximum_tenor_months
