"""Counterparties, agreements, collateral, books and approved products, of the actor's own."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from energyopti.accounts.actors import Actor
from trading.models import (
    Agreement,
    ApprovedProduct,
    Book,
    Counterparty,
    CreditSupportAnnex,
    EligibleCollateral,
    NettingSet,
)
from trading.reference import (
    AgreementTerms,
    AnnexTerms,
    ApprovedProductTerms,
    BookTerms,
    CollateralTerms,
    CounterpartyTerms,
    NettingSetTerms,
)

from .reference import UnknownReference


def counterparty_rows(actor: Actor) -> QuerySet[Any]:
    """
    Return the counterparties of the actor's organizations by code, closed ones too.

    :raises PermissionMissing: without `trading.view_counterparty`.
    """
    actor.require("trading.view_counterparty")
    return Counterparty.objects.visible_to(actor).order_by("code", "id")


def agreement_rows(actor: Actor) -> QuerySet[Any]:
    """
    Return the master agreements of the actor's organizations by counterparty and reference.

    :raises PermissionMissing: without `trading.view_agreement`, as the two readers below.
    """
    actor.require("trading.view_agreement")
    return (
        Agreement.objects.visible_to(actor)
        .select_related("counterparty")
        .order_by("counterparty__code", "reference", "id")
    )


def netting_set_rows(actor: Actor) -> QuerySet[Any]:
    """Return the netting sets of the actor's organizations."""
    actor.require("trading.view_agreement")
    return (
        NettingSet.objects.visible_to(actor)
        .select_related("agreement__counterparty")
        .prefetch_related("commodities")
        .order_by("agreement__counterparty__code", "agreement__reference", "code", "id")
    )


def annex_rows(actor: Actor) -> QuerySet[Any]:
    """Return the credit support annexes of the actor's organizations with their collateral."""
    actor.require("trading.view_agreement")
    return (
        CreditSupportAnnex.objects.visible_to(actor)
        .select_related("netting_set__agreement__counterparty")
        .prefetch_related(
            Prefetch("collateral", EligibleCollateral.objects.order_by("kind", "currency"))
        )
        .order_by(
            "netting_set__agreement__counterparty__code",
            "netting_set__agreement__reference",
            "netting_set__code",
            "valid_from",
        )
    )


def book_rows(actor: Actor) -> QuerySet[Any]:
    """
    Return all books of the actor's organizations by code: the tree as it is administered.

    What a trader reaches is `queries.books`.

    :raises PermissionMissing: without `trading.access_every_book`.
    """
    actor.require("trading.access_every_book")
    return Book.objects.visible_to(actor).select_related("parent", "owner").order_by("code", "id")


def approved_product_rows(actor: Actor) -> QuerySet[Any]:
    """
    Return the lines of all lists of approved products of the actor's organizations.

    :raises PermissionMissing: without `trading.view_approvedproduct`.
    """
    actor.require("trading.view_approvedproduct")
    return (
        ApprovedProduct.objects.visible_to(actor)
        .select_related("book", "commodity", "market")
        .order_by("book__code", "commodity__code", "market__code", "product_kind", "id")
    )


def one_of(rows: QuerySet[Any], row_id: UUID) -> Any:
    """
    Return a row of one of the lists above.

    :raises UnknownReference: if the actor's lists do not hold it; pages answer 404.
    """
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise UnknownReference("There is no such row for you.")
    return row


def annex_on(netting_set_id: UUID, day: date) -> CreditSupportAnnex | None:
    """Return the annex of a netting set that is valid on a day, None where none is."""
    return (
        CreditSupportAnnex.objects.filter(netting_set_id=netting_set_id, valid_from__lte=day)
        .exclude(valid_to__lte=day)
        .first()
    )


def counterparty_terms(row: Counterparty) -> CounterpartyTerms:
    return CounterpartyTerms(
        code=row.code,
        name=row.name,
        legal_name=row.legal_name,
        lei=row.lei,
        country=row.country,
        is_internal=row.is_internal,
        status=row.status,
    )


def agreement_terms(row: Agreement) -> AgreementTerms:
    return AgreementTerms(
        counterparty=row.counterparty.code,
        reference=row.reference,
        kind=row.kind,
        signed_date=row.signed_date,
        effective_date=row.effective_date,
        ended_date=row.ended_date,
        governing_law=row.governing_law,
    )


def netting_set_terms(row: NettingSet) -> NettingSetTerms:
    return NettingSetTerms(
        counterparty=row.agreement.counterparty.code,
        agreement=row.agreement.reference,
        code=row.code,
        name=row.name,
        commodities=tuple(sorted(commodity.code for commodity in row.commodities.all())),
    )


def annex_terms(row: CreditSupportAnnex) -> AnnexTerms:
    agreement = row.netting_set.agreement
    return AnnexTerms(
        counterparty=agreement.counterparty.code,
        agreement=agreement.reference,
        netting_set=row.netting_set.code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        currency=row.currency,
        threshold_ours=row.threshold_ours,
        threshold_theirs=row.threshold_theirs,
        minimum_transfer=row.minimum_transfer,
        rounding=row.rounding,
        independent_amount=row.independent_amount,
        collateral=tuple(
            sorted(
                CollateralTerms(each.kind, each.currency, each.haircut)
                for each in row.collateral.all()
            )
        ),
    )


def book_terms(row: Book) -> BookTerms:
    return BookTerms(
        code=row.code,
        name=row.name,
        parent=row.parent.code if row.parent else "",
        reporting_currency=row.reporting_currency,
        owner=row.owner.email if row.owner else "",
        is_active=row.is_active,
    )


def approved_product_terms(row: ApprovedProduct) -> ApprovedProductTerms:
    return ApprovedProductTerms(
        book=row.book.code,
        commodity=row.commodity.code,
        market=row.market.code if row.market else "",
        product_kind=row.product_kind,
        load_shapes=tuple(row.load_shapes),
        maximum_tenor_months=row.maximum_tenor_months,
    )
