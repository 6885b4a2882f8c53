"""Pricing models: which formula values the options of each market, proposed and decided."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.forms import verdict_of
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import SecondPersonNeeded

from ..models import Discounting, Market, OptionFamily, PricingFormula
from ..queries.pricing_models import VIEW, models_at, pricing_models
from ..services.pricing_models import (
    APPROVE,
    PROPOSE,
    ModelTerms,
    PricingModelRefused,
    decide_model,
    propose_model,
)

_LEVELS = {VersionStatus.PENDING: "warn", VersionStatus.APPROVED: "", VersionStatus.DECLINED: "bad"}


class ProposalForm(forms.Form):
    """What a model says, and why."""

    market = forms.ChoiceField(label="Market")
    family = forms.ChoiceField(label="Options", choices=OptionFamily.choices)
    second_market = forms.ChoiceField(
        label="Second market", required=False, help_text="Of a spread: what is subtracted."
    )
    formula = forms.ChoiceField(label="Formula", choices=PricingFormula.choices)
    displacement = forms.DecimalField(
        label="Displacement", required=False, max_digits=12, decimal_places=6,
        help_text="Of a displaced formula, in the market's currency per unit.",
    )  # fmt: skip
    correlation = forms.DecimalField(
        label="Correlation", required=False, max_digits=7, decimal_places=6,
        help_text="Of a spread, from −1 to 1; or leave it to the days of history.",
    )  # fmt: skip
    correlation_days = forms.IntegerField(
        label="Days of history", required=False, min_value=20, max_value=1000,
        help_text="Of a spread: trading days whose daily changes of quotes say the correlation.",
    )  # fmt: skip
    contract_correlation = forms.DecimalField(
        label="Correlation of contracts", required=False, max_digits=7, decimal_places=6,
        help_text="From 0 to 1, between contracts of a market: for the volatility of a quarter of"
        " which only months are quoted, which 1 makes highest, and for options on calendar spreads,"
        " which 1 makes worth least. Empty: 1.",
    )  # fmt: skip
    discounting = forms.ChoiceField(
        label="Discounting", choices=Discounting.choices,
        widget=forms.Select(attrs={"class": "wide"}),
    )  # fmt: skip
    vol_source = forms.CharField(
        label="Source of volatilities", required=False, max_length=80,
        help_text="Empty: the latest of whichever source.",
    )  # fmt: skip
    reason = forms.CharField(label="Reason", max_length=400)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Market.objects.order_by("code").values_list("code", "name")
        choices = [(code, f"{code}, {name}") for code, name in rows]
        self.fields["market"].choices = choices
        self.fields["second_market"].choices = [("", "None"), *choices]

    @property
    def terms(self) -> ModelTerms:
        given = self.cleaned_data
        return ModelTerms(
            market=given["market"], family=OptionFamily(given["family"]),
            formula=PricingFormula(given["formula"]), second_market=given["second_market"],
            displacement=given["displacement"] or Decimal(0), correlation=given["correlation"],
            correlation_days=given["correlation_days"],
            contract_correlation=(
                Decimal(1)
                if given["contract_correlation"] is None
                else given["contract_correlation"]
            ),
            discounting=Discounting(given["discounting"]), vol_source=given["vol_source"],
        )  # fmt: skip


@require_GET
@require_permission(VIEW)
def models(request: HttpRequest) -> HttpResponse:
    """List every version by market and family."""
    actor = actor_of(request)
    rows = list(pricing_models(actor))
    held = {row.pk for row in models_at().values()}
    people = names_by_actor_id([name for row in rows for name in (row.proposed_by, row.decided_by)])
    shown = [
        {
            "row": row,
            "holds": row.pk in held,
            "level": "good" if row.pk in held else _LEVELS[VersionStatus(row.status)],
            "proposed_by": people.get(row.proposed_by, row.proposed_by),
            "decided_by": people.get(row.decided_by, row.decided_by),
            "may_decide": row.status == VersionStatus.PENDING
            and actor.may(APPROVE)
            and row.proposed_by != actor.id,
        }
        for row in rows
    ]
    context = {"rows": shown, "may_propose": actor.may(PROPOSE)}
    return render(request, "trading/pricing_models.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PROPOSE)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose the next version of a market's model."""
    form = ProposalForm(request.POST or None, initial={"market": request.GET.get("market", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                row = propose_model(
                    actor=actor_of(request), terms=form.terms, reason=form.cleaned_data["reason"],
                    as_of=clock.now(),
                )  # fmt: skip
            except ValidationError as error:
                for name, texts in error.message_dict.items():
                    form.add_error(name if name in form.fields else None, texts)
            else:
                messages.success(request, f"{row} waits for another person.")
                return HttpResponseRedirect(reverse("trading:pricing_models"))
    return render(request, "trading/pricing_model_propose.html", {"form": form}, status=status)


@require_POST
@require_permission(APPROVE)
def decide(request: HttpRequest, model_id: int) -> HttpResponse:
    """Approve or decline what another proposed."""
    approve, reason = verdict_of(request)
    try:
        row = decide_model(
            actor=actor_of(request), model_id=model_id, approve=approve, reason=reason
        )
        messages.success(request, f"{row} is {row.get_status_display().lower()}.")
    except (PricingModelRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("trading:pricing_models"))
