"""Pages of a counterparty: what is known of it, agreements, what nets, and collateral."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.queries.agreements import (
    agreement_rows,
    agreement_terms,
    annex_rows,
    annex_terms,
    counterparty_rows,
    counterparty_terms,
    netting_set_rows,
    netting_set_terms,
)
from trading.services.agreements import (
    add_agreement,
    add_annex,
    add_netting_set,
    amend_agreement,
    amend_annex,
    amend_netting_set,
)
from trading.services.counterparties import add_company, amend_counterparty

from .editing import form_page, own_organizations, row_or_404
from .forms import AgreementForm, AnnexForm, CounterpartyForm, NettingSetForm

WAYS = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@require_permission("trading.view_counterparty")
def counterparty(request: HttpRequest, counterparty_id: UUID) -> HttpResponse:
    """Show a counterparty with its agreements, their netting sets and their annexes."""
    actor, today = actor_of(request), clock.now().date()
    found = row_or_404(counterparty_rows(actor), counterparty_id)
    agreements: list[dict[str, Any]] | None = None
    if actor.may("trading.view_agreement"):
        agreements = _agreements(actor, found.pk, today)
    return render(
        request,
        "reference/counterparty.html",
        {
            "counterparty": found,
            "agreements": agreements,
            "may_change": actor.may("trading.change_counterparty"),
            "may_add_agreement": actor.may("trading.add_agreement"),
            "may_change_agreement": actor.may("trading.change_agreement"),
        },
    )


def _agreements(actor: Any, counterparty_id: UUID, today: date) -> list[dict[str, Any]]:
    """Return agreements with what stands under them; five queries, however many there are."""
    agreements = list(agreement_rows(actor).filter(counterparty_id=counterparty_id))
    netting_sets = list(netting_set_rows(actor).filter(agreement__counterparty_id=counterparty_id))
    annexes = list(
        annex_rows(actor).filter(netting_set__agreement__counterparty_id=counterparty_id)
    )
    return [
        {
            "row": agreement,
            "in_force": _holds(agreement.effective_date, agreement.ended_date, today),
            "netting_sets": [
                {
                    "row": netting_set,
                    "commodities": [each.code for each in netting_set.commodities.all()],
                    "annexes": [
                        {
                            "row": annex,
                            "is_valid": _holds(annex.valid_from, annex.valid_to, today),
                            "collateral": list(annex.collateral.all()),
                        }
                        for annex in annexes
                        if annex.netting_set_id == netting_set.pk
                    ],
                }
                for netting_set in netting_sets
                if netting_set.agreement_id == agreement.pk
            ],
        }
        for agreement in agreements
    ]


def _holds(first: date, after: date | None, day: date) -> bool:
    return first <= day and (after is None or day < after)


@WAYS
@require_permission("trading.add_counterparty")
def new_counterparty(request: HttpRequest) -> HttpResponse:
    """Add a counterparty."""
    form = CounterpartyForm(request.POST or None, organizations=own_organizations(request))
    return form_page(
        request,
        form,
        title="New counterparty",
        lead="A company that deals are made with.",
        save=lambda terms: add_company(
            actor=actor_of(request), organization_id=UUID(form.organization), terms=terms
        ),
        then=_page_of,
        cancel=reverse("trading:counterparties"),
        done="The counterparty is added.",
    )


@WAYS
@require_permission("trading.change_counterparty")
def edit_counterparty(request: HttpRequest, counterparty_id: UUID) -> HttpResponse:
    """Change what is said of a counterparty."""
    actor = actor_of(request)
    found = row_or_404(counterparty_rows(actor), counterparty_id)
    return form_page(
        request,
        CounterpartyForm(request.POST or None, known=counterparty_terms(found)),
        title=f"Change {found.code}",
        lead=found.name,
        save=lambda terms: amend_counterparty(
            actor=actor, organization_id=found.organization_id, terms=terms
        ),
        then=_page_of,
        cancel=_page_of(found),
        done=f"{found.code} is changed.",
    )


@WAYS
@require_permission("trading.add_agreement")
def new_agreement(request: HttpRequest, counterparty_id: UUID) -> HttpResponse:
    """Add a master agreement with a counterparty."""
    actor = actor_of(request)
    found = row_or_404(counterparty_rows(actor), counterparty_id)
    return form_page(
        request,
        AgreementForm(request.POST or None, fixed={"counterparty": found.code}),
        title=f"New agreement with {found.code}",
        lead=found.name,
        save=lambda terms: add_agreement(
            actor=actor, organization_id=found.organization_id, terms=terms
        ),
        then=lambda _: _page_of(found),
        cancel=_page_of(found),
        done="The agreement is added.",
    )


@WAYS
@require_permission("trading.change_agreement")
def edit_agreement(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Change a master agreement, or end it."""
    actor = actor_of(request)
    found = row_or_404(agreement_rows(actor), agreement_id)
    company = found.counterparty
    return form_page(
        request,
        AgreementForm(
            request.POST or None,
            known=agreement_terms(found),
            fixed={"counterparty": company.code},
        ),
        title=f"Change {found}",
        lead=f"With {company.name}.",
        save=lambda terms: amend_agreement(
            actor=actor, organization_id=company.organization_id, terms=terms
        ),
        then=lambda _: _page_of(company),
        cancel=_page_of(company),
        done=f"{found} is changed.",
    )


@WAYS
@require_permission("trading.add_agreement")
def new_netting_set(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Add a netting set under an agreement."""
    actor = actor_of(request)
    found = row_or_404(agreement_rows(actor), agreement_id)
    company = found.counterparty
    return form_page(
        request,
        NettingSetForm(
            request.POST or None,
            fixed={"counterparty": company.code, "agreement": found.reference},
        ),
        title="New netting set",
        lead=f"Under {found} with {company.name}.",
        save=lambda terms: add_netting_set(
            actor=actor, organization_id=company.organization_id, terms=terms
        ),
        then=lambda _: _page_of(company),
        cancel=_page_of(company),
        done="The netting set is added.",
    )


@WAYS
@require_permission("trading.change_agreement")
def edit_netting_set(request: HttpRequest, netting_set_id: UUID) -> HttpResponse:
    """Change a netting set's name and commodities."""
    actor = actor_of(request)
    found = row_or_404(netting_set_rows(actor), netting_set_id)
    company = found.agreement.counterparty
    return form_page(
        request,
        NettingSetForm(
            request.POST or None,
            known=netting_set_terms(found),
            fixed={"counterparty": company.code, "agreement": found.agreement.reference},
        ),
        title=f"Change {found.code}",
        lead=f"Under {found.agreement} with {company.name}.",
        save=lambda terms: amend_netting_set(
            actor=actor, organization_id=company.organization_id, terms=terms
        ),
        then=lambda _: _page_of(company),
        cancel=_page_of(company),
        done=f"{found.code} is changed.",
    )


@WAYS
@require_permission("trading.add_agreement")
def new_annex(request: HttpRequest, netting_set_id: UUID) -> HttpResponse:
    """Add a credit support annex to a netting set."""
    actor = actor_of(request)
    found = row_or_404(netting_set_rows(actor), netting_set_id)
    company = found.agreement.counterparty
    return form_page(
        request,
        AnnexForm(request.POST or None, fixed=_place_of(found)),
        title="New credit support annex",
        lead=f"For {found.code} under {found.agreement} with {company.name}.",
        save=lambda terms: add_annex(
            actor=actor, organization_id=company.organization_id, terms=terms
        ),
        then=lambda _: _page_of(company),
        cancel=_page_of(company),
        done="The annex is added.",
    )


@WAYS
@require_permission("trading.change_agreement")
def edit_annex(request: HttpRequest, annex_id: UUID) -> HttpResponse:
    """Change a credit support annex, or end it."""
    actor = actor_of(request)
    found = row_or_404(annex_rows(actor), annex_id)
    company = found.netting_set.agreement.counterparty
    return form_page(
        request,
        AnnexForm(
            request.POST or None, known=annex_terms(found), fixed=_place_of(found.netting_set)
        ),
        title=f"Change the annex from {found.valid_from}",
        lead=f"For {found.netting_set.code} with {company.name}.",
        save=lambda terms: amend_annex(
            actor=actor, organization_id=company.organization_id, terms=terms
        ),
        then=lambda _: _page_of(company),
        cancel=_page_of(company),
        done="The annex is changed.",
    )


def _place_of(netting_set: Any) -> dict[str, str]:
    return {
        "counterparty": netting_set.agreement.counterparty.code,
        "agreement": netting_set.agreement.reference,
        "netting_set": netting_set.code,
    }


def _page_of(company: Any) -> str:
    return reverse("trading:counterparty", args=[company.pk])
