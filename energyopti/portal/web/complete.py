"""The complete view as a page: what `/api/v1/me/complete-view` answers, for people."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock

from ..queries.complete import PARTS, complete_view

_WORDS = {
    "contracts.agreements": "agreements",
    "contracts.supply": "supply contracts",
    "trades": "trades",
    "positions": "positions",
    "risk": "risk",
    "compliance.carbon_reports": "carbon reports",
    "compliance.audit": "the audit chain",
}


@require_safe
@login_required
def complete(request: HttpRequest) -> HttpResponse:
    """Show contracts, trades, positions, risk and compliance of the person, as far as permitted."""
    found = complete_view(actor_of(request), now=clock.now())
    hidden = [_WORDS[name] for name in found["not_permitted"]]
    empty = len(hidden) == len(PARTS)
    return render(request, "portal/complete.html", {**found, "hidden": hidden, "is_empty": empty})
