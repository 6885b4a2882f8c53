"""Routes of alerts, rules and tickets."""

from django.urls import path

from . import pages
from .lists import AlertList, RuleList, TicketList

app_name = "support"
urlpatterns = [
    path("alerts/", AlertList.as_view(), name="alerts"),
    path("alerts/<int:alert_id>/", pages.alert, name="alert"),
    path("alerts/<int:alert_id>/acknowledge/", pages.acknowledge, name="acknowledge"),
    path("alerts/rules/", RuleList.as_view(), name="rules"),
    path("alerts/rules/new/", pages.new_rule, name="new-rule"),
    path("alerts/rules/<int:rule_id>/switch/", pages.switch, name="switch-rule"),
    path("support/", TicketList.as_view(), name="tickets"),
    path("support/new/", pages.new_ticket, name="new-ticket"),
    path("support/<int:number>/", pages.ticket, name="ticket"),
    path("support/<int:number>/status/", pages.ticket_status, name="ticket-status"),
]
