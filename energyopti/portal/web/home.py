"""The home page of a role, and the search behind the command palette."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.scope import scope_of

from ..queries.home import drawn_panels, panels_of, read_by, roles_of
from ..queries.search import find


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show what the person's roles need to know first."""
    actor = actor_of(request)
    roles = roles_of(actor)
    found = panels_of(actor, roles=roles)
    scope = scope_of(request, actor=actor, today=clock.now().date(), reads=read_by(found))
    panels = [
        (render_to_string(panel.template, panel.context, request), panel.unread)
        for panel in drawn_panels(actor, panels=found, scope=scope)
    ]
    return render(request, "portal/home.html", {"roles": roles, "panels": panels})


@require_safe
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Answer the palette with JSON, and a browser without scripts with a page."""
    text = request.GET.get("q", "")[:200]
    hits = find(actor_of(request), text=text)
    if request.GET.get("format") == "json":
        return JsonResponse(
            {"hits": [{"label": hit.label, "url": hit.url, "kind": hit.kind} for hit in hits]}
        )
    return render(request, "portal/search.html", {"text": text, "hits": hits})
