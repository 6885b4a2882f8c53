"""Every component in every state, and an example list: for whoever builds pages, and the audit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import sin
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.tables.columns import FigureColumn, StatusColumn
from energyopti.foundation.tables.pages import BulkAction, TablePage

from . import errors

GALLERY_DAY = datetime(2027, 3, 27, 23, tzinfo=UTC)  # the night before a clock change


class ExampleForm(forms.Form):
    """One field of each kind; posted empty it shows every error."""

    counterparty = forms.CharField(help_text="The legal name, as in the register.")
    price = forms.DecimalField(label="Price, EUR/MWh", help_text="May be negative.")
    delivery = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    side = forms.ChoiceField(choices=[("BUY", "Buy"), ("SELL", "Sell")])
    shape = forms.ChoiceField(
        choices=[("base", "Base"), ("peak", "Peak")], widget=forms.RadioSelect
    )
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    confirmed = forms.BooleanField(label="The counterparty confirmed by phone")


@dataclass(frozen=True)
class Happening:
    title: str
    at: datetime
    detail: str = ""
    actor: str = ""
    level: str = ""


@login_required
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the components; figures are examples and say so."""
    hours = [GALLERY_DAY + timedelta(hours=hour) for hour in range(23)]
    prices = [
        round(62 + 38 * sin(hour / 3.1) - (30 if 11 <= hour <= 14 else 0), 2) for hour in range(23)
    ]
    context: dict[str, Any] = {
        "at": GALLERY_DAY,
        "form": ExampleForm(),
        "form_with_errors": ExampleForm({"price": "twelve"}),
        "gain": Decimal("12450.5"),
        "loss": Decimal("-3120.25"),
        "zero": Decimal(0),
        "chart_columns": ["Price", "Forecast"],
        "chart_rows": [
            (hour, [price, round(price * 0.96 + 2, 2)])
            for hour, price in zip(hours, prices, strict=True)
        ],
        "events": [
            Happening("Sent", GALLERY_DAY, actor="Ada Operator"),
            Happening("Received by the device", GALLERY_DAY + timedelta(seconds=2), level="good"),
            Happening(
                "Rejected", GALLERY_DAY + timedelta(minutes=1), "over the limit", level="bad"
            ),
        ],
        "facts": [("Volume", "10 MW × 8,760 h = 87,600 MWh"), ("Notional", "7,463,520.00 EUR")],
        "tabs": [
            {"label": "Open", "url": "?tab=open", "current": True, "count": 3},
            {"label": "Closed", "url": "?tab=closed", "current": False, "count": None},
        ],
    }
    return render(request, "portal/gallery.html", context)


@login_required
def error(request: HttpRequest, status: int) -> HttpResponse:
    """Show an error page as it would be answered, with status 200 so that audits can load it."""
    pages = {
        400: lambda: errors.bad_request(request),
        403: lambda: errors.permission_denied(request, PermissionMissing("trading.capture_trade")),
        404: lambda: errors.page_not_found(request),
        500: lambda: errors.server_error(request),
    }
    if status not in pages:
        raise Http404(f"There is no error page for {status}.")
    response = pages[status]()
    response.status_code = 200
    return response


class ExampleTable(tables.Table):
    """Rows that every installation has: the permissions of the product."""

    name = tables.Column(linkify=lambda record: f"?content_type={record.content_type_id}")
    codename = tables.Column()
    area = StatusColumn(
        accessor="content_type__app_label",
        levels={"accounts": "info", "trading": "good", "admin": "warn"},
    )
    length = FigureColumn(unit="characters")
    content_type = tables.Column(accessor="content_type__model", verbose_name="Table")


class ExampleFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(
        lookup_expr="icontains",
        label="Name contains",
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    codename = django_filters.CharFilter(lookup_expr="istartswith", label="Codename begins with")
    length = django_filters.RangeFilter(label="Length")

    class Meta:
        model = Permission
        fields = ["content_type"]


class ExampleTablePage(TablePage):
    name = "portal.example"
    permission = None
    table_class = ExampleTable
    filterset_class = ExampleFilter
    title = "Example list"
    lead = "Sort, filter, choose columns, save views and export; all state is in the address."
    default_sort = "area,name"
    bulk_actions = (BulkAction("check", "Check"), BulkAction("drop", "Drop", is_harmful=True))
    empty_title = "No permissions"
    empty_text = "They are made by migrations."

    def rows(self) -> QuerySet[Permission]:
        length = Func(F("codename"), function="length", output_field=IntegerField())
        return Permission.objects.select_related("content_type").annotate(length=length)

    def run_bulk(self, action: BulkAction, rows: QuerySet[Permission]) -> str:
        if action.is_harmful:
            raise PermissionDenied("The example list changes nothing.")
        return f"{rows.count()} permissions looked at; nothing was changed."
