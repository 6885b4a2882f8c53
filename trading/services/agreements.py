"""Add and amend master agreements, netting sets and credit support annexes."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import (
    Agreement,
    Commodity,
    Counterparty,
    CreditSupportAnnex,
    EligibleCollateral,
    NettingSet,
)
from trading.queries.agreements import agreement_terms, annex_terms, netting_set_terms
from trading.reference import AgreementTerms, AnnexTerms, NettingSetTerms

from .changes import found, refuse_taken, require_own, write_changes, write_new


def add_agreement(*, actor: Actor, organization_id: UUID, terms: AgreementTerms) -> Agreement:
    """
    Add a master agreement under a reference that no other with the counterparty has.

    :raises PermissionMissing: without `trading.add_agreement`, as the other verbs that add here.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the field.
    """
    _begin(actor, "trading.add_agreement", organization_id)
    with transaction.atomic():
        counterparty = _counterparty(organization_id, terms.counterparty)
        refuse_taken(
            counterparty.agreements,
            "reference",
            terms.reference,
            reference__iexact=terms.reference,
        )
        row = _fill_agreement(Agreement(counterparty=counterparty), terms)
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="agreement",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def amend_agreement(*, actor: Actor, organization_id: UUID, terms: AgreementTerms) -> Agreement:
    """
    Change what is said of a master agreement, its end among it.

    :raises PermissionMissing: without `trading.change_agreement`, as the others that amend here.
    :raises ForeignOrganization, ValidationError: as `add_agreement`.
    """
    _begin(actor, "trading.change_agreement", organization_id)
    with transaction.atomic():
        row = _agreement(organization_id, terms.counterparty, terms.reference, "reference")
        before = agreement_terms(row)
        _fill_agreement(row, terms)
        write_changes(
            actor=actor,
            row=row,
            before=before,
            after=terms,
            aggregate="agreement",
            key=row.pk,
            organization_id=organization_id,
        )
    return row


def add_netting_set(*, actor: Actor, organization_id: UUID, terms: NettingSetTerms) -> NettingSet:
    """Add a netting set under an agreement; raises as `add_agreement`."""
    _begin(actor, "trading.add_agreement", organization_id)
    with transaction.atomic():
        agreement = _agreement(organization_id, terms.counterparty, terms.agreement, "agreement")
        refuse_taken(agreement.netting_sets, "code", terms.code)
        commodities = _commodities(terms.commodities)
        row = NettingSet(agreement=agreement, code=terms.code, name=terms.name)
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="netting_set",
            key=row.pk,
            organization_id=organization_id,
            also=lambda: row.commodities.set(commodities),
        )
    return row


def amend_netting_set(*, actor: Actor, organization_id: UUID, terms: NettingSetTerms) -> NettingSet:
    """Change a netting set's name and commodities; raises as `amend_agreement`."""
    _begin(actor, "trading.change_agreement", organization_id)
    with transaction.atomic():
        row = _netting_set(organization_id, terms.counterparty, terms.agreement, terms.code, "code")
        before, commodities = netting_set_terms(row), _commodities(terms.commodities)
        row.name = terms.name
        write_changes(
            actor=actor,
            row=row,
            before=before,
            after=terms,
            aggregate="netting_set",
            key=row.pk,
            organization_id=organization_id,
            also=lambda: row.commodities.set(commodities),
        )
    return row


def add_annex(*, actor: Actor, organization_id: UUID, terms: AnnexTerms) -> CreditSupportAnnex:
    """
    Add a credit support annex for days on which its netting set has no other.

    :raises PermissionMissing, ForeignOrganization, ValidationError: as `add_agreement`.
    """
    _begin(actor, "trading.add_agreement", organization_id)
    with transaction.atomic():
        netting_set = _netting_set(
            organization_id, terms.counterparty, terms.agreement, terms.netting_set, "netting_set"
        )
        if netting_set.annexes.filter(valid_from=terms.valid_from).exists():
            raise ValidationError({"valid_from": f"An annex from {terms.valid_from} is there."})
        row = _fill_annex(CreditSupportAnnex(netting_set=netting_set), terms)
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="credit_support_annex",
            key=row.pk,
            organization_id=organization_id,
            also=lambda: _write_collateral(row, terms),
        )
    return row


def amend_annex(*, actor: Actor, organization_id: UUID, terms: AnnexTerms) -> CreditSupportAnnex:
    """Change the annex that starts on `valid_from`; raises as `amend_agreement`."""
    _begin(actor, "trading.change_agreement", organization_id)
    with transaction.atomic():
        netting_set = _netting_set(
            organization_id, terms.counterparty, terms.agreement, terms.netting_set, "netting_set"
        )
        row = netting_set.annexes.select_for_update().filter(valid_from=terms.valid_from).first()
        if row is None:
            raise ValidationError({"valid_from": f"There is no annex from {terms.valid_from}."})
        before = annex_terms(row)
        _fill_annex(row, terms)
        write_changes(
            actor=actor,
            row=row,
            before=before,
            after=terms,
            aggregate="credit_support_annex",
            key=row.pk,
            organization_id=organization_id,
            also=lambda: _write_collateral(row, terms),
        )
    return row


def _begin(actor: Actor, permission: str, organization_id: UUID) -> None:
    actor.require(permission)
    require_own(actor, organization_id)


def _counterparty(organization_id: UUID, code: str) -> Counterparty:
    own = Counterparty.objects.select_for_update().filter(organization_id=organization_id)
    return _there(found(own, "counterparty", code, "counterparty"), "counterparty")


def _agreement(organization_id: UUID, counterparty: str, reference: str, field: str) -> Agreement:
    rows = (
        Agreement.objects.select_for_update(of=("self",))
        .select_related("counterparty")
        .filter(counterparty=_counterparty(organization_id, counterparty))
    )
    row = found(rows, field, reference, "agreement", reference__iexact=reference)
    return _there(row, field)


def _netting_set(
    organization_id: UUID, counterparty: str, agreement: str, code: str, field: str
) -> NettingSet:
    rows = (
        NettingSet.objects.select_for_update(of=("self",))
        .select_related("agreement__counterparty")
        .filter(agreement=_agreement(organization_id, counterparty, agreement, "agreement"))
    )
    return _there(found(rows, field, code, "netting set"), field)


def _there(row: Any, field: str) -> Any:
    if row is None:
        raise ValidationError({field: "Say which."})
    return row


def _commodities(codes: Sequence[str]) -> list[Commodity]:
    return [found(Commodity.objects, "commodities", code, "commodity") for code in codes]


def _fill_agreement(row: Agreement, terms: AgreementTerms) -> Agreement:
    if terms.ended_date is not None and _is_empty(terms.effective_date, terms.ended_date):
        raise ValidationError({"ended_date": "An agreement ends after it took effect."})
    row.reference, row.kind, row.governing_law = terms.reference, terms.kind, terms.governing_law
    row.signed_date, row.effective_date = terms.signed_date, terms.effective_date
    row.ended_date = terms.ended_date
    return row


def _fill_annex(row: CreditSupportAnnex, terms: AnnexTerms) -> CreditSupportAnnex:
    if terms.valid_to is not None and _is_empty(terms.valid_from, terms.valid_to):
        raise ValidationError({"valid_to": "An annex ends after it starts."})
    kinds = [(each.kind, each.currency) for each in terms.collateral]
    if len(set(kinds)) != len(kinds):
        raise ValidationError({"collateral": "A kind is there twice in one currency."})
    row.valid_from, row.valid_to, row.currency = terms.valid_from, terms.valid_to, terms.currency
    row.threshold_ours, row.threshold_theirs = terms.threshold_ours, terms.threshold_theirs
    row.minimum_transfer, row.rounding = terms.minimum_transfer, terms.rounding
    row.independent_amount = terms.independent_amount
    return row


def _write_collateral(row: CreditSupportAnnex, terms: AnnexTerms) -> None:
    row.collateral.all().delete()
    for each in terms.collateral:
        line = EligibleCollateral(
            annex=row, kind=each.kind, currency=each.currency, haircut=each.haircut
        )
        try:
            line.full_clean()
        except ValidationError as error:
            raise ValidationError({"collateral": error.messages}) from error
        line.save(force_insert=True)


def _is_empty(first: date, after: date) -> bool:
    return after <= first
