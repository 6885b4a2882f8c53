"""The P&L of a day: its waterfall, what it came from, its trades, and adjustments by two people."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.services import SecondPersonNeeded
from energyopti.foundation.scope import DATE, scope_of
from energyopti.foundation.tables.waterfall import Bar, waterfall

from ..models import PnlKind, ProductKind
from ..queries.books import UnknownBook, books_for
from ..queries.pnl import (
    DIMENSIONS,
    ORDER,
    WORDS,
    DayOfPnl,
    Period,
    days_of_pnl,
    parts_of,
    report_days,
    trades_of,
)
from ..queries.value_parts import part_label, value_parts
from ..services.pnl import PnlRefused, ask_adjustment, decide_adjustment

_SHOWN, _MOVERS = 200, 10


class AdjustmentForm(forms.Form):
    """An amount that somebody adds to a day."""

    book = forms.ChoiceField(label="Book")
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    amount = forms.DecimalField(
        label="Amount", max_digits=17, decimal_places=2,
        help_text="In the book's reporting currency; a loss with a minus.",
    )  # fmt: skip
    reason = forms.CharField(label="Reason", max_length=400)

    def __init__(self, *args: Any, books: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = books


class DecisionForm(forms.Form):
    """What a second person says of it."""

    adjustment = forms.IntegerField(min_value=1)
    verdict = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    reason = forms.CharField(max_length=400, required=False)


@require_GET
@require_permission("trading.view_pnlreport")
def pnl(request: HttpRequest) -> HttpResponse:
    """Show the P&L of a day, month or year by step and part; `?step=`, `?by=…&of=…` its trades."""
    actor, today = actor_of(request), clock.now().date()
    scope = scope_of(request, actor=actor, today=today, reads={DATE, "book"})
    book = scope.value("book")
    kind = request.GET.get("kind", PnlKind.OFFICIAL)
    if kind not in PnlKind.values:
        raise BadRequest("kind: is official, flash or restated.")
    period = _period(request)
    known = report_days(actor, book=book)
    days = days_of_pnl(actor, day=scope.date, kind=kind, book=book, period=period)
    drill = _drill(request)
    # Of a year only sums are kept at hand; its trades are looked at by the month.
    has_trades = period is not Period.YTD
    context = {
        "day": scope.date,
        "kind": kind,
        "kinds": PnlKind.choices,
        "period": period,
        "tabs": [_tab(each, period, scope.date, kind) for each in Period],
        "known": known,
        "days": [
            {
                "pnl": found,
                "steps": waterfall_steps(found),
                "daily": [(each.day, (each.amount, each.so_far)) for each in found.daily],
                "daily_columns": ("Day", "Since the period began"),
                "parts": [
                    (name, parts_of(found.reports, name), value_parts(found.closes, name))
                    for name in DIMENSIONS
                    if has_trades
                ],
                "trades": trades_of(found.reports, **drill, limit=_SHOWN if drill else _MOVERS)
                if has_trades
                else [],
                "findings": sorted(
                    {
                        said
                        for r in found.reports
                        if r.day == scope.date
                        for said in r.closing.findings
                    }
                ),
            }
            for found in days
        ],
        "chosen": _chosen(request),
        "has_trades": has_trades,
        "may_adjust": actor.may("trading.adjust_pnl"),
        "may_approve": actor.may("trading.approve_pnl"),
        "actor_id": actor.id,
        "form": AdjustmentForm(books=_books(request), initial={"day": scope.date, "book": book}),
        "more": _SHOWN if drill else _MOVERS,
    }
    return render(request, "trades/pnl.html", context)


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the waterfall: its figure and its bar."""

    label: str
    amount: Decimal
    kind: str
    name: str
    bar: Bar


def waterfall_steps(found: DayOfPnl) -> list[Step]:
    """Return the steps with bars that each begin where the one before ended, and their sum."""
    steps = [(step.label, step.amount, step.kind, step.name) for step in found.steps]
    if found.breaks:
        steps.append(("Between reports", found.breaks, "", ""))
    amounts = [amount for _, amount, _, _ in steps]
    steps.append(("Change of value", sum(amounts, Decimal(0)), "", ""))
    return [Step(*step, bar) for step, bar in zip(steps, waterfall(amounts), strict=True)]


def _tab(each: Period, chosen: Period, day: date, kind: str) -> dict[str, Any]:
    query = urlencode({"date": day.isoformat(), "kind": kind, "period": each.value})
    return {"url": f"?{query}", "label": each.label, "current": each is chosen}


def _period(request: HttpRequest) -> Period:
    try:
        return Period(request.GET.get("period", Period.DAY))
    except ValueError:
        raise BadRequest("period: is DAY, MTD or YTD.") from None


def _drill(request: HttpRequest) -> dict[str, Any]:
    """Return which trades are asked for; nothing for those that moved most."""
    step, by, of = (request.GET.get(name, "") for name in ("step", "by", "of"))
    if step and step not in ORDER:
        raise BadRequest("step: there is no such step.")
    if by and by not in DIMENSIONS:
        raise BadRequest("by: there is no such dimension.")
    if not (step or by):
        return {}
    name = request.GET.get("name") if step else None
    return {"kind": step, "name": name, "dimension": by, "value": of}


def _chosen(request: HttpRequest) -> str:
    step, by = request.GET.get("step", ""), request.GET.get("by", "")
    if step in WORDS:
        return f"{WORDS[step]} {request.GET.get('name', '')}".strip()
    of = request.GET.get("of", "")
    if by == "product" and of in ProductKind.values:
        of = part_label(by, of)
    return f"{by} {of}" if by else ""


def _books(request: HttpRequest) -> list[tuple[str, str]]:
    return [(str(book.id), f"{book.code}, {book.name}") for book in books_for(actor_of(request))]


@require_POST
@require_permission("trading.adjust_pnl")
def adjust(request: HttpRequest) -> HttpResponse:
    """Ask for an adjustment."""
    form = AdjustmentForm(request.POST, books=_books(request))
    if not form.is_valid():
        return render(request, "trades/pnl_adjust.html", {"form": form}, status=400)
    asked = form.cleaned_data
    try:
        ask_adjustment(
            actor=actor_of(request), book_id=UUID(asked["book"]), day=asked["day"],
            amount=Decimal(asked["amount"]), reason=asked["reason"],
        )  # fmt: skip
    except UnknownBook as error:
        raise Http404(str(error)) from error
    except PnlRefused as error:
        form.add_error(None, str(error))
        return render(request, "trades/pnl_adjust.html", {"form": form}, status=400)
    messages.success(request, "The adjustment waits for another person.")
    return HttpResponseRedirect(f"{reverse('trading:pnl')}?date={asked['day'].isoformat()}")


@require_POST
@require_permission("trading.approve_pnl")
def decide(request: HttpRequest) -> HttpResponse:
    """Approve or reject an adjustment that another person asked for."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {text[0]}" for name, text in form.errors.items()))
    said = form.cleaned_data
    back = reverse("trading:pnl")
    try:
        row = decide_adjustment(
            actor=actor_of(request), adjustment_id=said["adjustment"],
            approve=said["verdict"] == "approve", reason=said["reason"], decided_at=clock.now(),
        )  # fmt: skip
        back += f"?date={row.day.isoformat()}"
        messages.success(request, f"The adjustment is {row.get_status_display().lower()}.")
    except (PnlRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(back)
