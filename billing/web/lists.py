"""The list of invoices."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from billing.models import Invoice
from billing.queries.invoices import visible_invoices
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn
from energyopti.foundation.tables.pages import TablePage


class InvoiceTable(tables.Table):
    number = tables.Column()
    customer = tables.Column(accessor="organization__name", verbose_name="Customer")
    contract = tables.Column(accessor="contract__reference", verbose_name="Contract")
    period_first = MomentColumn(verbose_name="From")
    period_after = MomentColumn(verbose_name="Until before")
    energy_kwh = FigureColumn(verbose_name="Energy kWh", places=3)
    gross = FigureColumn(verbose_name="Amount due", places=2)
    currency = tables.Column()
    issued_at = MomentColumn(verbose_name="Issued")
    due_date = MomentColumn(verbose_name="Due")

    class Meta:
        model = Invoice
        fields = ()

    def render_number(self, value: str) -> Any:
        return format_html('<a href="{}">{}</a>', reverse("billing:invoice", args=[value]), value)

    def value_number(self, value: str) -> str:
        return value


class InvoiceFilter(django_filters.FilterSet):
    number = django_filters.CharFilter(lookup_expr="icontains", label="Number")
    contract = django_filters.CharFilter(
        field_name="contract__reference", lookup_expr="icontains", label="Contract"
    )
    issued_at = django_filters.DateFromToRangeFilter(label="Issued")

    class Meta:
        model = Invoice
        fields = ()


class InvoiceList(TablePage):
    name = "billing.invoices"
    permission = "billing.view_invoice"
    table_class = InvoiceTable
    filterset_class = InvoiceFilter
    title = "Invoices"
    lead = "Issued documents; none of them ever changes."
    default_sort = "-issued_at"
    reads = frozenset({"site"})  # invoices under contracts that cover it
    empty_title = "No invoice yet"
    empty_text = "An invoice appears here when a contract's period has been metered and billed."

    def rows(self) -> QuerySet[Any]:
        site = self.scope.value("site")
        return visible_invoices(self.actor, site=site).defer("content")  # type: ignore[arg-type]
