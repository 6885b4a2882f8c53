"""The lists of alerts, rules and tickets."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from support.models import Alert, AlertRule, Ticket
from support.queries.inbox import visible_alerts, visible_rules, visible_tickets

SEVERITY_LEVELS = {"INFO": "info", "WARNING": "warn", "CRITICAL": "bad"}
ALERT_LEVELS = {"FIRING": "bad", "ACKNOWLEDGED": "warn", "RESOLVED": "good"}
TICKET_LEVELS = {"OPEN": "warn", "WAITING": "info", "SOLVED": "good"}


class AlertTable(tables.Table):
    rule = tables.Column(accessor="rule__name", verbose_name="Alert")
    state = StatusColumn(levels=ALERT_LEVELS)
    severity = StatusColumn(levels=SEVERITY_LEVELS)
    reason = tables.Column(verbose_name="Why", orderable=False)
    organization = tables.Column(accessor="organization__name", verbose_name="Organization")
    fired_at = MomentColumn(verbose_name="Since")
    seen_at = MomentColumn(verbose_name="Last seen")
    ticket = tables.Column(
        accessor="ticket__number", verbose_name="Ticket", orderable=False, empty_values=()
    )

    class Meta:
        model = Alert
        fields = ()

    def render_rule(self, value: str, record: Alert) -> Any:
        return format_html('<a href="{}">{}</a>', reverse("support:alert", args=[record.pk]), value)

    def value_rule(self, value: str) -> str:
        return value

    def render_ticket(self, value: int | None) -> Any:
        if not value:
            return "–"
        return format_html('<a href="{}">#{}</a>', reverse("support:ticket", args=[value]), value)

    def value_ticket(self, value: int | None) -> int | None:
        return value


class AlertFilter(django_filters.FilterSet):
    class Meta:
        model = Alert
        fields = ("state", "severity")


class AlertList(TablePage):
    name = "support.alerts"
    permission = "support.view_alert"
    table_class = AlertTable
    filterset_class = AlertFilter
    title = "Alerts"
    lead = "What the rules of your organizations found."
    default_sort = "-fired_at"
    empty_title = "No alert"
    empty_text = "No rule has found anything yet."

    def rows(self) -> QuerySet[Any]:
        return visible_alerts(self.actor)  # type: ignore[arg-type]


class RuleTable(tables.Table):
    name = tables.Column()
    organization = tables.Column(accessor="organization__name", verbose_name="Organization")
    market = tables.Column(accessor="market__code", verbose_name="Market")
    metric = tables.Column(verbose_name="Fires when")
    threshold = FigureColumn(places=2)
    severity = StatusColumn(levels=SEVERITY_LEVELS)
    is_enabled = StatusColumn(
        verbose_name="State",
        levels={True: "good", False: ""},
        labels={True: "On", False: "Off"},
    )

    class Meta:
        model = AlertRule
        fields = ()


class RuleList(TablePage):
    name = "support.rules"
    permission = "support.view_alertrule"
    table_class = RuleTable
    title = "Alert rules"
    lead = "Which prices you want to be told about, in the market's currency per MWh."
    default_sort = "name"
    template_name = "support/rules.html"
    empty_title = "No rule yet"
    empty_text = "A rule watches the published prices of a market."
    new_url_name = "support:new-rule"
    new_label = "New rule"

    def rows(self) -> QuerySet[Any]:
        return visible_rules(self.actor)  # type: ignore[arg-type]

    def extra_context(self) -> dict[str, Any]:
        may = self.actor.may("support.manage_alertrule")
        return {"switchable": list(self.rows().order_by("name")[:100]) if may else []}


class TicketTable(tables.Table):
    number = tables.Column(verbose_name="No.")
    subject = tables.Column()
    status = StatusColumn(levels=TICKET_LEVELS)
    severity = StatusColumn(levels=SEVERITY_LEVELS)
    organization = tables.Column(accessor="organization__name", verbose_name="Organization")
    opened_at = MomentColumn(verbose_name="Opened")
    due_at = MomentColumn(verbose_name="Answer due")
    answered_at = MomentColumn(verbose_name="Answered")

    class Meta:
        model = Ticket
        fields = ()

    def render_number(self, value: int) -> Any:
        return format_html('<a href="{}">#{}</a>', reverse("support:ticket", args=[value]), value)

    def value_number(self, value: int) -> int:
        return value


class TicketFilter(django_filters.FilterSet):
    subject = django_filters.CharFilter(lookup_expr="icontains", label="Subject")

    class Meta:
        model = Ticket
        fields = ("status", "severity")


class TicketList(TablePage):
    name = "support.tickets"
    permission = "support.view_ticket"
    table_class = TicketTable
    filterset_class = TicketFilter
    title = "Tickets"
    lead = "Conversations with support; answers are due by severity."
    default_sort = "-number"
    empty_title = "No ticket"
    empty_text = "Open one whenever something needs an answer."
    new_url_name = "support:new-ticket"
    new_label = "New ticket"

    def rows(self) -> QuerySet[Any]:
        return visible_tickets(self.actor)  # type: ignore[arg-type]
