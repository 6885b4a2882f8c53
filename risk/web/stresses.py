"""Stress: what a book would gain or lose, shock by shock, and the stresses that say so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.forms import verdict_of
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import SecondPersonNeeded
from energyopti.foundation.scope import scope_of
from energyopti.foundation.tables.waterfall import Bar, extent, waterfall
from risk.models import StressRun
from risk.queries.scenario_definitions import VIEW
from risk.queries.stresses import (
    UnknownStressRun,
    latest_run,
    run_of,
    stresses,
    stresses_in_force,
    words_of,
)
from risk.services.scenario_definitions import APPROVE, PROPOSE
from risk.services.stress_runs import ask_stresses
from risk.services.stresses import (
    StressRefused,
    decide_stress,
    library,
    propose_library,
    propose_stress,
)
from trading.queries.books import UnknownBook, books_for

from .scenario_forms import market_choices
from .stress_forms import ShockForm, ShockFormSet, StressForm

_LEVELS = {VersionStatus.PENDING: "warn", VersionStatus.APPROVED: "", VersionStatus.DECLINED: "bad"}


@require_GET
@require_permission(VIEW)
def home(request: HttpRequest) -> HttpResponse:
    """Show the latest run of the chosen book, and every version of every stress."""
    actor = actor_of(request)
    books = books_for(actor)
    scope = scope_of(
        request, actor=actor, today=clock.now().date(), reads={"book"}, one_of={"book"}
    )
    chosen = scope.value("book")
    book = next((one for one in books if str(one.id) == chosen), books[0] if books else None)
    rows = list(stresses(actor))
    held = {row.pk for row in stresses_in_force()}
    people = names_by_actor_id([name for row in rows for name in (row.proposed_by, row.decided_by)])
    codes = {row.code for row in rows}
    context = {
        "book": book,
        **_results(None if book is None else latest_run(actor, book.id)),
        "stresses": [
            {
                "row": row,
                "shocks": [words_of(shock) for shock in row.shocks.all()],
                "holds": row.pk in held,
                "level": "good" if row.pk in held else _LEVELS[VersionStatus(row.status)],
                "proposed_by": people.get(row.proposed_by, row.proposed_by),
                "decided_by": people.get(row.decided_by, row.decided_by),
                "may_decide": row.status == VersionStatus.PENDING
                and actor.may(APPROVE)
                and row.proposed_by != actor.id,
            }
            for row in rows
        ],
        "may_run": bool(held) and book is not None,
        "may_propose": actor.may(PROPOSE),
        "library": any(terms.code not in codes for terms in library()),
    }
    return render(request, "risk/stress.html", context)


@require_GET
@require_permission(VIEW)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show what each shock of each stress added to a book's value."""
    try:
        row = run_of(actor_of(request), run_id)
    except UnknownStressRun as error:
        raise Http404(str(error)) from error
    return render(request, "risk/stress_run.html", _results(row))


def _results(run: StressRun | None) -> dict[str, Any]:
    """Return a run with the waterfall of each stress, all on one scale."""
    if run is None:
        return {"run": None}
    sums = [
        [adds for _, adds in one["steps"]] if one["pnl"] is not None else [] for one in run.results
    ]
    within = extent(sums)
    results = []
    for one, amounts in zip(run.results, sums, strict=True):
        *bars, whole = waterfall(amounts, within=within) if amounts else [Bar()]
        bars = bars or [Bar()] * len(one["steps"])
        steps = [(*step, bar) for step, bar in zip(one["steps"], bars, strict=True)]
        results.append({**one, "steps": steps, "whole": whole})
    return {"run": run, "results": results}


@require_POST
@require_permission(VIEW)
def start(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Start to value a book under the stresses in force, and show the job."""
    try:
        job = ask_stresses(actor=actor_of(request), book_id=book_id)
    except UnknownBook as error:
        raise Http404(str(error)) from error
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PROPOSE)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose the next version of a stress."""
    form = StressForm(request.POST or None)
    shocks = ShockFormSet(
        request.POST or None, prefix="shocks", form_kwargs={"markets": market_choices()}
    )
    if request.method == "POST" and form.is_valid() and shocks.is_valid():
        given = [one for one in shocks if one.cleaned_data.get("name")]
        try:
            row = propose_stress(
                actor=actor_of(request), terms=form.terms([one.terms for one in given]),
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except ValidationError as error:
            _blame(form, given, error)
        else:
            messages.success(request, f"{row} waits for another person.")
            return HttpResponseRedirect(reverse("risk:stress"))
    wrong = form.errors or (shocks.is_bound and any(shocks.errors))
    context = {"form": form, "shocks": shocks}
    return render(request, "risk/stress_propose.html", context, status=422 if wrong else 200)


@require_POST
@require_permission(PROPOSE)
def take_library(request: HttpRequest) -> HttpResponse:
    """Propose what the library has and nobody proposed yet."""
    made = propose_library(actor=actor_of(request))
    messages.success(request, f"{len(made)} stresses wait for another person.")
    return HttpResponseRedirect(reverse("risk:stress"))


@require_POST
@require_permission(APPROVE)
def decide(request: HttpRequest, stress_id: int) -> HttpResponse:
    """Approve or decline what another proposed."""
    approve, reason = verdict_of(request)
    try:
        row = decide_stress(
            actor=actor_of(request), stress_id=stress_id, approve=approve, reason=reason
        )
        messages.success(request, f"{row} is {row.get_status_display().lower()}.")
    except (StressRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("risk:stress"))


def _blame(form: forms.Form, shocks: list[ShockForm], error: ValidationError) -> None:
    """Put refusals beside their fields; those of a shock into its part of the form."""
    for name, texts in error.message_dict.items():
        owner: Any = form
        field = name
        if name.startswith("shocks."):
            _, position, field = name.split(".")
            owner = shocks[int(position) - 1]
        owner.add_error(field if field in owner.fields else None, texts)
