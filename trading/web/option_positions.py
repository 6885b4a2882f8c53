"""Deltas of options by book and delivery month, of the latest valuation run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.scope import scope_of

from ..queries.books import chosen_books
from ..queries.hedging import VIEW as VIEW_TARGETS
from ..queries.option_positions import option_positions
from ..queries.option_values import VIEW
from .positions import position_tabs


@require_GET
@require_permission(VIEW)
def option_deltas(request: HttpRequest) -> HttpResponse:
    """List what the options of the books in the scope move by."""
    actor = actor_of(request)
    scope = scope_of(request, actor=actor, today=clock.now().date(), reads={"book"})
    found = option_positions(chosen_books(actor, scope.value("book")))
    context = {
        "found": found,
        "may_hedge": actor.may(VIEW_TARGETS),
        "tabs": position_tabs(actor, "option_deltas"),
    }
    return render(request, "trades/option_deltas.html", context)
