"""Open volume against hedge targets: the list, targets for a run of months, a month's history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.exports.responses import export_response
from energyopti.foundation.exports.tables import Column, Kind, Table
from energyopti.foundation.scope import scope_of
from trading.hedging import HedgeFigures, HedgeState, HedgeTerms
from trading.models import Market
from trading.queries.books import UnknownBook, book_for, books_for, chosen_books, subtree
from trading.queries.hedging import (
    UNIT,
    VIEW,
    HedgeLine,
    HedgeLines,
    hedge_lines,
    held_targets,
    month_columns,
    run_of_months,
    target_versions,
    terms_of,
)
from trading.queries.option_values import VIEW as VIEW_VALUES
from trading.services.as_of import settle_books
from trading.services.hedging import (
    SET,
    HedgeTargetsChanged,
    set_hedge_targets,
    withdraw_hedge_targets,
)

from .blotter import cut_of, moment_field
from .deltas import (
    basis_context,
    basis_in_words,
    chosen_deltas,
    delta_choice,
    delta_switch,
    file_name,
)
from .positions import position_tabs

EXPORTS = ("csv", "xlsx", "pdf")
LEVELS = {
    HedgeState.INSIDE: "good",
    HedgeState.UNDER: "warn",
    HedgeState.OVER: "warn",
    HedgeState.NO_TARGET: "",
    HedgeState.NO_VOLUME: "",
}
_FIGURES = ("own_volume_mwh", "ratio_percent", "tolerance_points")
_PLACES = Decimal("0.000001")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_POINTS = {"min_value": 0, "max_value": 150, "max_digits": 5, "decimal_places": 2}


class MonthField(forms.DateField):
    """A month, as its first day."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "month"}, format="%Y-%m")
        super().__init__(
            input_formats=["%Y-%m"], widget=widget, help_text="Such as 2027-03.", **kwargs
        )


class RunForm(forms.Form):
    """A run of months of a book and delivery point, and what is aimed at in each of them."""

    book = forms.ChoiceField(label="Book", help_text="With the books below it.")
    market = forms.ChoiceField(label="Delivery point")
    first_month = MonthField(label="First month")
    last_month = MonthField(label="Last month")
    own_volume_mwh = forms.DecimalField(
        label="Own volume a month, MWh", max_digits=15, decimal_places=3, initial=0,
        help_text="Expected without a deal: output +, supply obligation −.",
    )  # fmt: skip
    ratio_percent = forms.DecimalField(label="Target ratio, %", **_POINTS)
    tolerance_points = forms.DecimalField(
        label="Tolerance, points", help_text="How far the ratio may be off, either way.", **_POINTS
    )
    reason = forms.CharField(label="Reason", max_length=400)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = [(str(b.id), f"{b.code}, {b.name}") for b in books_for(actor)]
        rows = Market.objects.filter(price_unit=UNIT).order_by("code")
        self.fields["market"].choices = [
            (code, f"{code}, {name}") for code, name in rows.values_list("code", "name")
        ]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if "first_month" in given and "last_month" in given:
            run_of_months(given["first_month"], given["last_month"])
        return given

    @property
    def asked(self) -> str:
        """Return what a preview is of, so that nothing is set that was not shown."""
        given = self.cleaned_data
        names = ("book", "market", "first_month", "last_month", *_FIGURES)
        return " ".join(str(given[name]) for name in names)

    @property
    def terms(self) -> HedgeTerms:
        given = self.cleaned_data
        return HedgeTerms(**{name: given[name] for name in _FIGURES})


class WithdrawForm(forms.Form):
    """Why a month's target goes."""

    reason = forms.CharField(label="Reason", max_length=400)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


@dataclass(frozen=True)
class Effect:
    """What a proposed target makes of a month."""

    month: date
    before: HedgeFigures
    after: HedgeFigures
    before_level: str
    after_level: str


@require_GET
@require_permission(VIEW)
def hedge_targets(request: HttpRequest) -> HttpResponseBase:
    """List open volume by book, delivery point and month of a year; `?format=` downloads it."""
    actor, now = actor_of(request), clock.now()
    actor.require("trading.view_positiontotal")
    scope = scope_of(request, actor=actor, today=now.date(), reads={"book"})
    year, market, cut = _year(request, now), request.GET.get("market", ""), _cut(request)
    books = chosen_books(actor, scope.value("book"))
    if cut is not None:
        settle_books(books)
    columns, choice = (
        month_columns(date(year, 1, 1), date(year + 1, 1, 1)),
        delta_choice(request, actor),
    )
    moved = chosen_deltas(choice, books, columns, cut)
    found = hedge_lines(
        books, columns=columns, market=market or None, cut=cut,
        deltas=() if moved is None else moved.lines,
    )  # fmt: skip
    wanted = request.GET.get("format")
    if wanted in EXPORTS:
        filters = {**scope.in_words, "Year": str(year)}
        filters |= {"Delivery point": market} if market else {}
        filters["Deltas of options and choices"] = basis_in_words(moved)
        table = _table(found, filters, cut or now, with_deltas=moved is not None)
        name = file_name(f"hedge-targets-{year}", moved)
        return export_response(request, table, str(wanted), name)
    asked = {
        "year": year, "market": market, "as_of": request.GET.get("as_of", ""),
        "deltas": "" if moved is None else choice.value,
    }  # fmt: skip
    context = {
        "rows": [(line, LEVELS[line.figures.state]) for line in found.lines],
        "found": found,
        "year": year,
        "market": market,
        "markets": Market.objects.filter(price_unit=UNIT).order_by("code"),
        "cut": cut,
        "as_of_text": "" if cut is None else moment_field().prepare_value(cut),
        "tabs": position_tabs(actor, "hedge_targets"),
        "may_set": actor.may(SET),
        "switch": delta_switch(choice, lambda text: _link(**{**asked, "deltas": text}))
        if actor.may(VIEW_VALUES) else None,
        "earlier": _link(**{**asked, "year": year - 1}),
        "later": _link(**{**asked, "year": year + 1}),
        "exports": [
            (label, _link(**asked, format=name, **scope.parameters))
            for name, label in (("csv", "CSV"), ("xlsx", "Excel"), ("pdf", "PDF"))
        ],
        "deltas": choice.value if moved is not None else "",
        **({} if moved is None else basis_context(moved.basis, now=now, cut=cut)),
    }  # fmt: skip
    return render(request, "trades/hedge_targets.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(SET)
def set_targets(request: HttpRequest) -> HttpResponseBase:
    """Ask for a target of a run of months, show what it does, and set it on the second yes."""
    actor = actor_of(request)
    if request.method != "POST":
        form = RunForm(actor=actor, initial=_initial(request, actor))
        return render(request, "trades/hedge_target_set.html", {"form": form})
    form = RunForm(request.POST, actor=actor)
    if not form.is_valid():
        return render(request, "trades/hedge_target_set.html", {"form": form}, status=400)
    given = form.cleaned_data
    was_shown = given["revision"] is not None and given["seen"] == form.asked
    if "confirm" in request.POST and was_shown:
        try:
            rows = set_hedge_targets(
                actor=actor, book_id=UUID(given["book"]), market=given["market"],
                first=given["first_month"], last=given["last_month"], terms=form.terms,
                expected_revision=given["revision"], reason=given["reason"],
            )  # fmt: skip
        except (HedgeTargetsChanged, ValidationError) as error:
            _add(form, error)
        else:
            months = f"{len(rows)} month{'' if len(rows) == 1 else 's'}"
            messages.success(request, f"The target of {months} is set.")
            year = given["first_month"].year
            return HttpResponseRedirect(_link(year=year, book=given["book"]))
    effects, revision = _effects(form)
    form.data = form.data.copy()
    form.data["revision"], form.data["seen"] = str(revision), form.asked
    context = {"form": form, "effects": effects}
    status = 400 if form.errors else 200
    return render(request, "trades/hedge_target_set.html", context, status=status)


@require_GET
@require_permission(VIEW)
def hedge_target(request: HttpRequest, book_id: UUID, market: str, month: str) -> HttpResponseBase:
    """Show every version of a month's target."""
    return _history(request, book_id, market, month, None)


@require_POST
@require_permission(SET)
def withdraw_target(
    request: HttpRequest, book_id: UUID, market: str, month: str
) -> HttpResponseBase:
    """Withdraw a month's target."""
    form = WithdrawForm(request.POST)
    if form.is_valid():
        day = _month(month)
        try:
            withdraw_hedge_targets(
                actor=actor_of(request), book_id=book_id, market=market, first=day, last=day,
                expected_revision=form.cleaned_data["revision"],
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except UnknownBook as error:
            raise Http404(str(error)) from error
        except (HedgeTargetsChanged, ValidationError) as error:
            _add(form, error)
        else:
            messages.success(request, "The target is withdrawn.")
            return HttpResponseRedirect(
                reverse("trading:hedge_target", args=[book_id, market, month])
            )
    return _history(request, book_id, market, month, form)


def _history(
    request: HttpRequest, book_id: UUID, code: str, text: str, form: WithdrawForm | None
) -> HttpResponseBase:
    actor, month = actor_of(request), _month(text)
    try:
        book = book_for(actor, book_id)
    except UnknownBook as error:
        raise Http404(str(error)) from error
    market = Market.objects.filter(code__iexact=code).first()
    versions = [] if market is None else target_versions(book_id, market.pk, month)
    if market is None or not versions:
        raise Http404("This month never had a target.")
    names = names_by_actor_id([row.recorded_by for row in versions])
    if form is None:
        form = WithdrawForm(initial={"revision": versions[0].pk})
    run = {"book": book_id, "market": market.code, "month": f"{month:%Y-%m}"}
    context = {
        "book": book,
        "market": market,
        "month": month,
        "versions": [(row, names.get(row.recorded_by, row.recorded_by)) for row in versions],
        "may_set": actor.may(SET),
        "is_withdrawn": versions[0].is_withdrawn,
        "form": form,
        "withdraw": reverse("trading:withdraw_hedge_target", args=[book_id, market.code, text]),
        "change": f"{reverse('trading:set_hedge_targets')}?{urlencode(run)}",
        "back": _link(year=month.year, book=str(book_id)),
    }
    status = 400 if form.errors else 200
    return render(request, "trades/hedge_target.html", context, status=status)


def _initial(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """Offer the months and figures of the target that the reader comes from."""
    given = {name: request.GET.get(name, "") for name in ("book", "market", "month")}
    if not given["month"]:
        return {"book": given["book"], "market": given["market"]}
    month = _month(given["month"])
    initial: dict[str, Any] = {**given, "first_month": month, "last_month": month}
    try:
        held = held_targets([book_for(actor, UUID(given["book"])).id], [month])
    except (ValueError, UnknownBook) as error:
        raise Http404("There is no such book.") from error
    terms = next((terms_of(row) for row in held if row.market.code == given["market"]), None)
    if terms is not None:
        initial |= {name: getattr(terms, name) for name in _FIGURES}
    return initial


def _effects(form: RunForm) -> tuple[list[Effect], int]:
    """Return what the form's target makes of each month, and the revision that this is of."""
    given, book_id = form.cleaned_data, UUID(form.cleaned_data["book"])
    months = run_of_months(given["first_month"], given["last_month"])
    columns = month_columns(months[0], _after(months[-1]))
    lines: dict[date, HedgeLine] = {
        line.month: line
        for line in hedge_lines(subtree(book_id), columns=columns, market=given["market"]).lines
        if line.book_id == book_id
    }
    market = Market.objects.get(code=given["market"])
    held = held_targets([book_id], months, market_id=market.pk)
    nothing = HedgeFigures(Decimal(0), Decimal(0), None)
    effects = []
    for month in months:
        before = lines[month].figures if month in lines else nothing
        after = replace(before, terms=form.terms)
        effects.append(Effect(month, before, after, LEVELS[before.state], LEVELS[after.state]))
    return effects, max((row.pk for row in held), default=0)


def _add(form: forms.Form, error: HedgeTargetsChanged | ValidationError) -> None:
    if isinstance(error, ValidationError):
        form.add_error(None, [text for texts in error.message_dict.values() for text in texts])
    else:
        form.add_error(None, "Somebody changed a target of these months; this is how they are now.")


def _year(request: HttpRequest, now: datetime) -> int:
    text = request.GET.get("year", "") or str(now.year)
    if not (text.isdecimal() and 1990 <= int(text) <= 2197):
        raise BadRequest("year: is a year from 1990 to 2197.")
    return int(text)


def _cut(request: HttpRequest) -> datetime | None:
    cut = cut_of(request)
    if request.GET.get("as_of") and cut is None:
        raise BadRequest("as_of: is no past moment; write it like 2026-11-20T17:00.")
    return cut


def _month(text: str) -> date:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1990 <= int(found[1]) <= 2198:
        raise Http404("There is no such month.")
    return date(int(found[1]), int(found[2]), 1)


def _after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _link(**asked: Any) -> str:
    kept = {name: value for name, value in asked.items() if value != ""}
    return f"{reverse('trading:hedge_targets')}?{urlencode(kept)}"


def _table(
    found: HedgeLines, filters: Mapping[str, str], at: datetime, *, with_deltas: bool
) -> Table:
    columns = [
        Column("book", "Book"),
        Column("market", "Delivery point"),
        Column("month", "Month"),
        Column("own", "Own volume", Kind.DECIMAL, UNIT),
        Column("generated", "Generated", Kind.DECIMAL, UNIT),
        Column("expected", "Expected", Kind.DECIMAL, UNIT),
        Column("hedges", "Hedges", Kind.DECIMAL, UNIT),
        *([Column("deltas", "Deltas", Kind.DECIMAL, UNIT)] if with_deltas else []),
        Column("open", "Open", Kind.DECIMAL, UNIT),
        Column("ratio", "Ratio", Kind.DECIMAL, "%"),
        Column("target", "Target", Kind.DECIMAL, "%"),
        Column("tolerance", "Tolerance", Kind.DECIMAL, "points"),
        Column("to_trade", "To trade", Kind.DECIMAL, UNIT),
        Column("state", "State"),
    ]
    rows = [_row(line) for line in found.lines]
    return Table("Open volume against hedge targets", columns, rows, filters, as_of=at)


def _row(line: HedgeLine) -> dict[str, Any]:
    shown, terms, ratio = line.figures, line.figures.terms, line.figures.ratio_percent
    return {
        "book": line.book, "market": line.market, "month": f"{line.month:%Y-%m}",
        "own": shown.own, "generated": shown.generated, "expected": shown.expected,
        "hedges": shown.hedges, "deltas": shown.deltas, "open": shown.open_volume,
        "ratio": None if ratio is None else ratio.quantize(Decimal("0.0001")),
        "target": None if terms is None else terms.ratio_percent,
        "tolerance": None if terms is None else terms.tolerance_points,
        "to_trade": None if shown.to_trade is None else shown.to_trade.quantize(_PLACES),
        "state": shown.state.label,
    }  # fmt: skip
