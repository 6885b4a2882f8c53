"""Pages of plants."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from energyopti.accounts.requests import actor_of, require_permission
from trading.queries.reference import plant_rows, plant_terms
from trading.services.plants import add_plant, amend_plant

from .editing import code_or_404, form_page
from .forms import PlantForm
from .places import MANAGE, VIEW, WAYS


@require_GET
@require_permission(VIEW)
def plant(request: HttpRequest, code: str) -> HttpResponse:
    """Show a plant."""
    actor = actor_of(request)
    found = code_or_404(plant_rows(actor), code)
    return render(
        request, "reference/plant.html", {"plant": found, "may_manage": actor.may(MANAGE)}
    )


@WAYS
@require_permission(MANAGE)
def new_plant(request: HttpRequest) -> HttpResponse:
    """Add a plant."""
    return form_page(
        request,
        PlantForm(request.POST or None),
        title="New plant",
        lead="All organizations share it.",
        save=lambda terms: add_plant(actor=actor_of(request), terms=terms),
        then=_page_of,
        cancel=reverse("trading:plants"),
        done="The plant is added.",
    )


@WAYS
@require_permission(MANAGE)
def edit_plant(request: HttpRequest, code: str) -> HttpResponse:
    """Change a plant; its delivery point stays."""
    actor = actor_of(request)
    found = code_or_404(plant_rows(actor), code)
    return form_page(
        request,
        PlantForm(request.POST or None, known=plant_terms(found)),
        title=f"Change {found.code}",
        lead=f"{found.name}. Deals keep what they were agreed on.",
        save=lambda terms: amend_plant(actor=actor, terms=terms),
        then=_page_of,
        cancel=_page_of(found),
        done=f"{found.code} is changed.",
    )


def _page_of(row: Any) -> str:
    return reverse("trading:plant", args=[row.code])
