"""Pages on which somebody says how a market's curve is made."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from energyopti.accounts.requests import actor_of, require_permission

from ..models import CurveFit, CurveMethod, PublicationPolicy
from ..queries.markets import NoSuchMarket, market_by_code
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
    form = DefineForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = form.cleaned_data
            try:
                definition = define_curve(
                    actor=actor_of(request),
                    market=row,
                    code=found["code"],
                    policy=PublicationPolicy(PublicationPolicy.FOUR_EYES),
                    **_terms(found),
                )
            except ValidationError as error:
                form.add_error(None, error)
            except CurveRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{row.code} {definition.code} is defined.")
                return HttpResponseRedirect(curve_address(definition))
    context = {"form": form, "market": row}
    return render(request, "trading/curve_define.html", context, status=status)


@require_http_methods(["GET", "POST"])
@require_permission("trading.define_curve")
def change(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Say anew how a curve is made; versions built before stay as they are."""
    row = definition_or_404(request, market, code)
    form = ChangeForm(request.POST or None, initial=model_to_dict(row))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = form.cleaned_data
            try:
                define_curve(
                    actor=actor_of(request),
                    market=row.market,
                    code=row.code,
                    policy=PublicationPolicy(row.policy),
                    is_mark=row.is_mark,
                    **_terms(found),
                )
            except CurveRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{market} {row.code} is built so from now on.")
                return HttpResponseRedirect(curve_address(row))
    context = {"form": form, "market": row.market, "definition": row}
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
    }
