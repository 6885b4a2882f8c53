"""The panel of contracts with choices on a trade's page: value, plan, nominations."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.deals import Structure, StructureKind
from trading.queries.proposals import TradeInvalid
from trading.queries.structure_values import (
    next_open_day,
    nominated_days_of,
    structure_of_trade,
)
from trading.queries.trade_page import may_deal_in
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.services.nominations import NOMINATE, nominate_structure, withdraw_nomination
from trading.services.structure_values import VALUE, NoStructure, ask_value

_NOMINATED = {
    StructureKind.SWING: "What is taken on the day.",
    StructureKind.STORAGE: "Withdrawn with +, injected with −.",
    StructureKind.TOLLING: "The MW of each hour; 0*6 50*18 is six hours of 0, then 18 of 50.",
    StructureKind.BATTERY_TOLLING: "The MW of each hour, charged with −; -10*2 0*22 is two hours"
    " of −10, then 22 of 0.",
}


_MOST_HOURS = 25


class NominationForm(forms.Form):
    """A day and what is done on it."""

    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    quantities = forms.CharField(max_length=400)

    def __init__(self, *args: Any, leg: Structure, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, day = leg.kind, next_open_day(leg, now)
        self.fields["day"].initial = day
        if day is not None:
            closes_at = leg.schedule.area.calendar.day(day).start.astimezone(
                leg.schedule.area.calendar.zone
            )
            self.fields["day"].help_text = f"{day} closes at {closes_at:%Y-%m-%d %H:%M %Z}."
        self.fields["quantities"].help_text = _NOMINATED[kind]
        if kind in (StructureKind.SWING, StructureKind.STORAGE):
            self.fields["quantities"].label = f"Quantity, {leg.schedule.amount_unit}"

    def clean_quantities(self) -> list[Decimal]:
        found = []
        for word in self.cleaned_data["quantities"].split():
            number, _, times = word.replace("−", "-").partition("*")
            try:
                quantity, count = Decimal(number), int(times or 1)
            except (InvalidOperation, ValueError):
                raise forms.ValidationError(f"“{word}” is no decimal number.") from None
            if not 1 <= count <= _MOST_HOURS:
                raise forms.ValidationError(f"“{word}”: a day has 1 to {_MOST_HOURS} hours.")
            found += [quantity] * count
        return found


def structure_panel(actor: Actor, version: Any) -> dict[str, Any]:
    """Return what the panel of a trade's page shows; nothing of other products."""
    view = structure_of_trade(version)
    form, now = None, clock.now()
    is_open = version.trade.status == "LIVE" and actor.may(NOMINATE)
    if view is not None and view.leg.kind in _NOMINATED and is_open:
        form = NominationForm(leg=view.leg, now=now) if may_deal_in(actor, version) else None
    return {
        "trade": version.trade,
        "days": nominated_days_of(view, now) if view is not None else (),
        "view": view,
        "may_value": view is not None and actor.may(VALUE),
        "form": form,
    }


@require_POST
@require_permission(VALUE)
def value(request: HttpRequest, ref: str) -> HttpResponse:
    """Start to value the choices of a trade, and show the job."""
    actor, _ = _found(request, ref)
    try:
        job = ask_value(actor=actor, ref=ref)
    except NoStructure as error:
        messages.error(request, str(error))
        return _back(ref)
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(NOMINATE)
def nominate(request: HttpRequest, ref: str) -> HttpResponse:
    """Show what may be nominated and what was; take one more day."""
    actor, version = _found(request, ref)
    context = structure_panel(actor, version)
    if context["form"] is None:
        raise Http404("trade: it has no days that you may nominate.")
    if request.method == "POST" and "withdraw" in request.POST:
        return _withdraw(request, actor, ref)
    if request.method == "POST":
        leg = context["view"].leg
        form = context["form"] = NominationForm(request.POST, leg=leg, now=clock.now())
        if form.is_valid():
            try:
                made = nominate_structure(
                    actor=actor, ref=ref, day=form.cleaned_data["day"],
                    quantities=form.cleaned_data["quantities"], received_at=clock.now(),
                )  # fmt: skip
            except TradeInvalid as error:
                name = error.field.partition("[")[0]
                form.add_error(name if name in form.fields else None, error.message)
            else:
                messages.success(request, f"{made.day} is nominated.")
                return HttpResponseRedirect(reverse("trading:nominate", args=[ref]))
    status = 422 if context["form"].errors else 200
    return render(request, "trades/nominate.html", context, status=status)


def _withdraw(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """Take back what was said of the day that the pressed button names."""
    try:
        day = date.fromisoformat(request.POST["withdraw"])
        made = withdraw_nomination(actor=actor, ref=ref, day=day, received_at=clock.now())
    except TradeInvalid as error:
        messages.error(request, error.message)
    except ValueError:
        messages.error(request, "The day to take back is no date.")
    else:
        messages.success(request, f"{made.day} is taken back; it counts as silent again.")
    return HttpResponseRedirect(reverse("trading:nominate", args=[ref]))


def _found(request: HttpRequest, ref: str) -> tuple[Actor, Any]:
    actor = actor_of(request)
    try:
        return actor, trade_by_ref(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error


def _back(ref: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("trading:trade", args=[ref]) + "#structure")
