"""The list of carbon reports."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from compliance.esg.models import CarbonReport
from compliance.esg.queries.reports import visible_reports
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage


class ReportTable(tables.Table):
    month = tables.Column()
    organization = tables.Column(accessor="organization__name", verbose_name="Organization")
    version = FigureColumn()
    energy_kwh = FigureColumn(verbose_name="Energy kWh", places=3)
    emissions_t = FigureColumn(verbose_name="Emissions tCO2e", places=6)
    is_complete = StatusColumn(
        verbose_name="Coverage",
        levels={True: "good", False: "warn"},
        labels={True: "Whole month", False: "Part of the month"},
    )
    built_at = MomentColumn(verbose_name="Built")

    class Meta:
        model = CarbonReport
        fields = ()

    def render_month(self, record: CarbonReport) -> Any:
        return format_html(
            '<a href="{}">{}</a>', reverse("esg:report", args=[record.pk]), f"{record.month:%Y-%m}"
        )

    def value_month(self, record: CarbonReport) -> str:
        return f"{record.month:%Y-%m}"


class ReportFilter(django_filters.FilterSet):
    month = django_filters.DateFromToRangeFilter(label="Month")

    class Meta:
        model = CarbonReport
        fields = ()


class ReportList(TablePage):
    name = "esg.reports"
    permission = "esg.view_carbonreport"
    table_class = ReportTable
    filterset_class = ReportFilter
    title = "Carbon reports"
    lead = "Scope 2 by location: metered consumption × the grid's average intensity."
    default_sort = "-month,-version"
    empty_title = "No report yet"
    empty_text = "The clock builds last month's report; you can also ask for one."
    new_url_name = "esg:build"
    new_label = "Build a report"

    def rows(self) -> QuerySet[Any]:
        return visible_reports(self.actor)  # type: ignore[arg-type]
