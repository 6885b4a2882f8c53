"""Pages on which somebody says how a market's curve is made."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from energyopti.accounts.requests import actor_of, require_permission

from ..models import CurveDefinition, CurveFit, CurveMethod, Market, PublicationPolicy
from ..queries.markets import NoSuchMarket, market_by_code
from ..queries.price_tolerances import Tolerance, price_tolerances
from ..services.curve_definitions import CurveRefused, define_curve
from .curve_forms import ChangeForm, DefineForm
from .curves import curve_address, definition_or_404


@require_http_methods(["GET", "POST"])
@require_permission("trading.define_curve")
def define(request: HttpRequest, market: str) -> HttpResponse:
    """Say how a curve of a market is made."""
    try:
        row = market_by_code(market)
    except NoSuchMarket as error:
        raise Http404(str(error)) from error
    return _page(request, DefineForm(request.POST or None), row)


@require_http_methods(["GET", "POST"])
@require_permission("trading.define_curve")
def change(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Say anew how a curve is made; versions built before stay as they are."""
    row = definition_or_404(request, market, code)
    held = price_tolerances([row.pk])[row.pk]
    initial = model_to_dict(row) | {"price_amount": held.amount, "price_percent": held.percent}
    form = ChangeForm(request.POST or None, initial=initial)
    return _page(request, form, row.market, row)


def _page(
    request: HttpRequest, form: DefineForm, market: Market, before: CurveDefinition | None = None
) -> HttpResponse:
    """Show the form of a curve that is new, or of one that was there before; or save it."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = form.cleaned_data
            kept: dict[str, Any] = {
                "code": found.get("code"),
                "policy": PublicationPolicy(PublicationPolicy.FOUR_EYES),
            }
            if before is not None:
                kept = {
                    "code": before.code,
                    "policy": PublicationPolicy(before.policy),
                    "is_mark": before.is_mark,
                }
            try:
                saved = define_curve(
                    actor=actor_of(request), market=market, **kept, **_terms(found)
                )
            except ValidationError as error:
                form.add_error(None, error)
            except CurveRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{market.code} {saved.code} is built so from now on.")
                return HttpResponseRedirect(curve_address(saved))
    context = {"form": form, "market": market, "definition": before}
    return render(request, "trading/curve_define.html", context, status=status)


def _terms(found: dict[str, Any]) -> dict[str, Any]:
    """Return what both forms say of a curve, as the service takes it."""
    return {
        "method": CurveMethod(found["method"]),
        "minutes": found["minutes"],
        "tolerance": str(found["tolerance"]),
        "history_days": found["history_days"],
        "fit": CurveFit(found["fit"]),
        "holiday_calendar": found["holiday_calendar"],
        "price_tolerance": Tolerance(found["price_amount"], found["price_percent"]),
    }
