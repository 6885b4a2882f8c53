"""The fleet's page: counts, and the batteries with those in need on top."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import django_filters
import django_tables2 as tables
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from devices.enums import Transport
from energyopti.foundation import clock
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from fleet.queries.health import (
    FAULT,
    FINE,
    NEEDS,
    NEVER,
    SILENT,
    devices_by_need,
    fleet_counts,
)
from fleet.queries.runs import latest_plan, latest_settlement

if TYPE_CHECKING:
    from devices.models import Device


def silent_since() -> datetime:
    """Return since when a device that was not heard counts as silent: an hour, or 90 s real."""
    return clock.now() - timedelta(seconds=max(3600.0, 90 * settings.CLOCK_SPEED))


class DeviceTable(tables.Table):
    need = StatusColumn(
        verbose_name="State",
        levels={FAULT: "bad", SILENT: "warn", NEVER: "warn", FINE: "good"},
        labels=NEEDS,
    )
    code = tables.Column(verbose_name="Battery")
    site = tables.Column(accessor="site__name", verbose_name="Site")
    organization = tables.Column(accessor="organization__name", verbose_name="Organization")
    soc = FigureColumn(accessor="status_row__soc", verbose_name="Charge", places=0, unit="%")
    power_kw = FigureColumn(accessor="status_row__power_kw", verbose_name="Power", places=1)
    capacity_kwh = FigureColumn(verbose_name="Capacity kWh", places=1)
    fault = tables.Column(accessor="status_row__fault", verbose_name="Fault")
    last_seen_at = MomentColumn(accessor="status_row__last_seen_at", verbose_name="Heard")
    transport = tables.Column()

    def render_code(self, value: str, record: "Device") -> Any:
        address = reverse("devices:device", args=[record.pk])
        return format_html('<a href="{}">{}</a>', address, value)

    def value_code(self, value: str) -> str:
        return value

    def render_soc(self, value: float) -> str:
        return f"{value * 100:.0f} %"

    def value_soc(self, value: float) -> float:
        return round(value * 100, 3)


class DeviceFilter(django_filters.FilterSet):
    code = django_filters.CharFilter(lookup_expr="icontains", label="Battery")
    transport = django_filters.ChoiceFilter(choices=Transport.choices)
    need = django_filters.ChoiceFilter(choices=list(NEEDS.items()), label="State")


class FleetPage(TablePage):
    name = "fleet.devices"
    permission = "devices.view_device"
    table_class = DeviceTable
    filterset_class = DeviceFilter
    template_name = "fleet/devices.html"
    title = "Batteries"
    lead = "Those in trouble first."
    default_columns = ("need", "code", "site", "soc", "power_kw", "fault", "last_seen_at")
    default_sort = "need,code"
    reads = frozenset({"site"})
    empty_title = "No battery yet"
    empty_text = "A battery appears here when it has been registered at a site."

    def rows(self) -> QuerySet[Any]:
        return devices_by_need(
            self.actor, silent_since=silent_since(), site=self.scope.value("site")
        )

    def extra_context(self) -> dict[str, Any]:
        actor, site = self.actor, self.scope.value("site")
        return {
            "counts": fleet_counts(actor, silent_since=silent_since(), site=site),
            "plan": latest_plan(actor, site=site) if actor.may("fleet.view_dispatchrun") else None,
            "settlement": latest_settlement(actor, site=site)
            if actor.may("fleet.view_energysettlement")
            else None,
        }
