"""The audit trail as a list: who did what to what, when, with before and after."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from compliance.audit.queries.trail import trail
from energyopti.accounts.models import Organization
from energyopti.foundation.events.models import Event
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn
from energyopti.foundation.tables.pages import TablePage

SHOWN_CHARACTERS = 160


def printable(value: object) -> str:
    """Return text in which control characters (line breaks, ANSI, direction marks) are visible."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in str(value)
    )


def in_words(changes: dict[str, dict[str, Any]]) -> str:
    """Return changes as "field: before → after"."""
    return "; ".join(
        f"{printable(field)}: {printable(change.get('before'))} → {printable(change.get('after'))}"
        for field, change in changes.items()
    )


class TrailTable(tables.Table):
    recorded_at = MomentColumn(verbose_name="Recorded (server time)", order_by=("pk",))
    type = tables.Column(verbose_name="Event", orderable=False)
    actor_name = tables.Column(verbose_name="By", orderable=False)
    organization_name = tables.Column(verbose_name="Organization", orderable=False)
    aggregate_type = tables.Column(verbose_name="Subject", orderable=False)
    aggregate_id = tables.Column(verbose_name="Identifier", orderable=False)
    changes = tables.Column(orderable=False, empty_values=())
    request_id = tables.Column(verbose_name="Request", orderable=False)
    seq = FigureColumn(verbose_name="In chain", orderable=False)

    class Meta:
        model = Event
        fields = ()

    def render_type(self, value: str, record: Event) -> Any:
        return format_html(
            '<a href="{}">{}</a>', reverse("audit:event", args=[record.uid]), printable(value)
        )

    def value_type(self, value: str) -> str:
        return printable(value)

    def render_actor_name(self, value: str) -> str:
        return printable(value)

    def render_aggregate_id(self, value: str) -> str:
        return printable(value)

    def render_request_id(self, value: str) -> str:
        return printable(value)

    def render_changes(self, record: Event) -> str:
        text = in_words(record.changes)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"

    def value_changes(self, record: Event) -> str:
        return in_words(record.changes)


class TrailFilter(django_filters.FilterSet):
    type = django_filters.CharFilter(lookup_expr="startswith", label="Event begins with")
    actor_name = django_filters.CharFilter(lookup_expr="icontains", label="By")
    aggregate_type = django_filters.CharFilter(label="Subject")
    aggregate_id = django_filters.CharFilter(label="Identifier")
    organization = django_filters.ModelChoiceFilter(
        queryset=lambda request: _organizations(request),
        method="of_organization",
        label="Organization",
    )
    recorded_at = django_filters.DateFromToRangeFilter(label="Recorded (server time)")

    class Meta:
        model = Event
        fields = ()

    def of_organization(
        self, events: "QuerySet[Event]", _name: str, organization: Organization
    ) -> "QuerySet[Event]":
        return events.filter(organization_id=organization.pk)


def _organizations(request: Any) -> "QuerySet[Any]":
    from energyopti.accounts.requests import actor_of

    ids = actor_of(request).organization_ids
    return Organization.objects.filter(id__in=ids).order_by("name")


class TrailList(TablePage):
    name = "audit.trail"
    permission = "audit.view_auditrecord"
    table_class = TrailTable
    filterset_class = TrailFilter
    title = "Audit trail"
    lead = "Every step of every verb. “In chain” is the event's number in the hash chain."
    default_columns = (
        "recorded_at",
        "type",
        "actor_name",
        "organization_name",
        "aggregate_type",
        "aggregate_id",
        "changes",
        "seq",
    )
    default_sort = "-recorded_at"
    empty_title = "No event"
    empty_text = "Nothing was recorded that fits these filters."

    def rows(self) -> QuerySet[Any]:
        return trail(self.actor)  # type: ignore[arg-type]
