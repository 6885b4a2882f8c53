"""Scenarios: sets and the definitions that make them, proposed, decided, compared."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.forms import verdict_of
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import SecondPersonNeeded
from risk.models import ScenarioDefinition
from risk.queries.scenario_definitions import (
    VIEW,
    UnknownDefinition,
    definition_of,
    definitions,
    definitions_in_force,
    method_of,
)
from risk.queries.scenario_sets import (
    UnknownComparison,
    UnknownSet,
    comparison_of,
    comparisons,
    markets_of,
    moves_of,
    register_of,
    scenario_sets,
    set_of,
)
from risk.services.scenario_comparisons import ask_comparison
from risk.services.scenario_definitions import (
    APPROVE,
    PROPOSE,
    DefinitionRefused,
    decide_definition,
    propose_definition,
)
from trading.queries.books import UnknownBook, books_for

from .scenario_forms import (
    ComparisonForm,
    DefinitionForm,
    RuleForm,
    RuleFormSet,
    initial_of,
    market_choices,
)

_LEVELS = {VersionStatus.PENDING: "warn", VersionStatus.APPROVED: "", VersionStatus.DECLINED: "bad"}
_SETS = 20


@require_GET
@require_permission(VIEW)
def home(request: HttpRequest) -> HttpResponse:
    """List every definition, the latest sets, and the latest comparisons."""
    actor = actor_of(request)
    rows = list(definitions(actor))
    books = books_for(actor)
    comparing = None
    if books and len(rows) > 1:
        first = {"first": rows[1].pk, "second": rows[0].pk}
        comparing = ComparisonForm(books=books, versions=rows, initial=first)
    return render(request, "risk/scenarios.html", _lists(actor, rows) | {"comparing": comparing})


def _lists(actor: Actor, rows: list[ScenarioDefinition]) -> dict[str, Any]:
    return {
        "definitions": _shown(actor, rows),
        "sets": list(scenario_sets(actor)[:_SETS]),
        "comparisons": comparisons(actor),
        "may_propose": actor.may(PROPOSE),
    }


@require_GET
@require_permission(VIEW)
def definition(request: HttpRequest, definition_id: int) -> HttpResponse:
    """Show a version with its rules, and who stands for it."""
    actor = actor_of(request)
    row = _definition(actor, definition_id)
    context = {
        "shown": _shown(actor, [row])[0],
        "row": row,
        "rules": list(row.rules.all()),
        "sets": list(scenario_sets(actor).filter(definition=row)[:_SETS]),
        "may_propose": actor.may(PROPOSE),
    }
    return render(request, "risk/scenario_definition.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PROPOSE)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose the next version of a definition; it begins as one that there is."""
    actor = actor_of(request)
    began = request.GET.get("from", "")
    held = _definition(actor, int(began)) if began.isdecimal() else None
    main, own = initial_of(held or definitions_in_force().get("DESK"))
    form = DefinitionForm(request.POST or None, initial=main)
    rules = RuleFormSet(
        request.POST or None, initial=own, prefix="rules",
        form_kwargs={"markets": market_choices()},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid() and rules.is_valid():
        given = [one for one in rules if one.cleaned_data.get("market")]
        try:
            row = propose_definition(
                actor=actor, terms=form.terms([one.terms for one in given]),
                reason=form.cleaned_data["reason"], as_of=clock.now(),
            )  # fmt: skip
        except ValidationError as error:
            _blame(form, given, error)
        else:
            messages.success(request, f"{row} waits for another person.")
            return HttpResponseRedirect(reverse("risk:scenario_definition", args=[row.pk]))
    wrong = form.errors or (rules.is_bound and any(rules.errors))
    context = {"form": form, "rules": rules}
    return render(request, "risk/scenario_propose.html", context, status=422 if wrong else 200)


@require_POST
@require_permission(APPROVE)
def decide(request: HttpRequest, definition_id: int) -> HttpResponse:
    """Approve or decline what another proposed."""
    approve, reason = verdict_of(request)
    try:
        row = decide_definition(
            actor=actor_of(request), definition_id=definition_id, approve=approve, reason=reason
        )
        messages.success(request, f"{row} is {row.get_status_display().lower()}.")
    except (DefinitionRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("risk:scenarios"))


@require_GET
@require_permission(VIEW)
def scenario_set(request: HttpRequest, set_id: int) -> HttpResponse:
    """Show how one market moves in a set, and the set's register of proxies."""
    actor = actor_of(request)
    try:
        row = set_of(actor, set_id)
    except UnknownSet as error:
        raise Http404(str(error)) from error
    codes = markets_of(row)
    chosen = request.GET.get("market", "")
    chosen = chosen if chosen in codes else (codes[0] if codes else "")
    moves = moves_of(row, chosen) if chosen else None
    address = reverse("risk:scenario_set", args=[row.pk])
    context = {
        "row": row,
        "moves": moves,
        "tabs": [
            {"label": code, "url": f"{address}?market={code}", "current": code == chosen}
            for code in codes
        ],
        "points": []
        if moves is None
        else [(datetime.combine(one.day, time(), UTC), [one.mean]) for one in moves.days],
        "register": register_of(row),
        "days": (row.days[0], row.days[-1]),
    }
    return render(request, "risk/scenario_set.html", context)


@require_POST
@require_permission(VIEW)
def compare(request: HttpRequest) -> HttpResponse:
    """Start to value a book under two versions, and show the job."""
    actor = actor_of(request)
    rows = list(definitions(actor))
    form = ComparisonForm(request.POST, books=books_for(actor), versions=rows)
    if form.is_valid():
        given = form.cleaned_data
        try:
            job = ask_comparison(
                actor=actor, book_id=given["book"], first_id=given["first"],
                second_id=given["second"],
            )  # fmt: skip
        except (UnknownBook, UnknownDefinition) as error:
            raise Http404(str(error)) from error
        except ValidationError as error:
            _blame(form, [], error)
        else:
            return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
    context = _lists(actor, rows) | {"comparing": form}
    return render(request, "risk/scenarios.html", context, status=422)


@require_GET
@require_permission(VIEW)
def comparison(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """Show a book's risk under two definitions."""
    try:
        row = comparison_of(actor_of(request), comparison_id)
    except UnknownComparison as error:
        raise Http404(str(error)) from error
    first, second = row.sides
    lines = [
        (f"{what} {float(level) * 100:g} %", first["tails"][level][n], second["tails"][level][n])
        for level in first["tails"]
        for n, what in enumerate(("VaR", "ES"))
    ]
    lines += [("Worst scenario", -first["worst"], -second["worst"]),
              ("Value", first["value"], second["value"])]  # fmt: skip
    context = {
        "row": row,
        "sides": row.sides,
        "lines": [(name, a, b, b - a, 100 * (b / a - 1) if a else None) for name, a, b in lines],
    }
    return render(request, "risk/scenario_comparison.html", context)


def _definition(actor: Actor, definition_id: int) -> ScenarioDefinition:
    try:
        return definition_of(actor, definition_id)
    except UnknownDefinition as error:
        raise Http404(str(error)) from error


def _shown(actor: Actor, rows: list[ScenarioDefinition]) -> list[dict[str, Any]]:
    held = {row.pk for row in definitions_in_force().values()}
    people = names_by_actor_id([name for row in rows for name in (row.proposed_by, row.decided_by)])
    return [
        {
            "row": row,
            "method": method_of(row, has_loads=False),
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


def _blame(form: Any, rules: list[RuleForm], error: ValidationError) -> None:
    """Put refusals beside their fields; those of a market's rule into its part of the form."""
    for name, texts in error.message_dict.items():
        _, market, field = name.split(".") if name.startswith("rules.") else ("", "", name)
        owner = next((one for one in rules if one.cleaned_data["market"] == market), form)
        owner.add_error(field if field in owner.fields else None, texts)
