"""The waiting trades of a package: looked at together, released or sent back in one step."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.services import SecondPersonNeeded
from trading.queries.proposals import TradeInvalid
from trading.queries.trade_page import package_waiting
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.services.life import (
    ReasonNeeded,
    StaleVersion,
    TradeStopped,
    TransitionForbidden,
)
from trading.services.several_trades import PackageChanged, Seen, reject_package, release_package

from .forms import OVERRIDE
from .verbs import RELEASE


class PackageForm(forms.Form):
    """What is said about all of them."""

    reason = forms.CharField(
        max_length=400, required=False,
        help_text="Needed to send them back, and where a check has a new remark.",
    )  # fmt: skip
    override_reason = forms.CharField(
        required=False, max_length=400, label="Override",
        help_text="Why they should pass a check that stops them.",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(RELEASE)
def package(request: HttpRequest, ref: str) -> HttpResponse:
    """Show what waits of a trade's package, and release all of it or send all of it back."""
    actor = actor_of(request)
    try:
        version = trade_by_ref(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error
    if not version.trade.package_id:
        raise Http404("package: this trade is in none.")
    form = PackageForm(request.POST if request.method == "POST" else None)
    if not actor.may(OVERRIDE):
        del form.fields["override_reason"]
    status = 200
    if form.is_bound:
        try:
            return _done(request, actor, ref, form)
        except (PackageChanged, StaleVersion, TransitionForbidden, SecondPersonNeeded) as error:
            form.add_error(None, str(error))
            status = 409
        except (TradeStopped, ReasonNeeded) as error:
            form.add_error("reason", str(error))
            status = 422
        except (TradeInvalid, UnknownTrade) as error:
            field = getattr(error, "field", "")
            form.add_error(field if field in form.fields else None, str(error))
            status = 422
    rows, totals = package_waiting(actor, version.trade)
    context = {
        "trade": version.trade, "rows": rows, "totals": totals, "form": form,
        "seen": [f"{row.trade.ref}:{row.version}" for row in rows],
    }  # fmt: skip
    return render(request, "trades/package.html", context, status=status)


def _done(request: HttpRequest, actor: Any, ref: str, form: PackageForm) -> HttpResponse:
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise TradeInvalid(field, str(errors[0]))
    try:
        seen = [
            Seen(name, int(version))
            for name, _, version in (
                value.rpartition(":") for value in request.POST.getlist("seen")
            )
        ]
    except ValueError as error:
        raise TradeInvalid("seen", "holds something that is no trade and version.") from error
    common: dict[str, Any] = {
        "actor": actor, "ref": ref, "trades": seen, "received_at": clock.now(),
        "reason": form.cleaned_data["reason"],
    }  # fmt: skip
    if request.POST.get("action") == "reject":
        done, word = reject_package(**common), "sent back"
    else:
        override = form.cleaned_data.get("override_reason", "")
        done, word = release_package(**common, override_reason=override), "released"
    messages.success(request, f"{len(done)} trade{'s' if len(done) != 1 else ''} {word}.")
    return HttpResponseRedirect(reverse("trading:trade", args=[ref]))
