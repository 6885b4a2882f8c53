"""Pages of alerts, rules and tickets."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from support.models import Metric, Severity, TicketStatus
from support.queries.inbox import (
    NotThere,
    market_by_code,
    market_codes,
    one_of,
    own_organizations,
    thread,
    visible_alerts,
    visible_rules,
    visible_tickets,
)
from support.services.alerting import AlertTransitionRefused, acknowledge_alert
from support.services.rules import RuleRefused, create_rule, switch_rule
from support.services.ticketing import (
    TicketRefused,
    answer_ticket,
    note_ticket,
    open_ticket,
    set_ticket_status,
)

from .forms import AnswerForm, NoteForm, RuleForm, StatusForm, TicketForm


@require_permission("support.view_alert")
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Show why an alert fired and where it stands."""
    actor = actor_of(request)
    found = _found(visible_alerts(actor), pk=alert_id)
    return render(
        request,
        "support/alert.html",
        {
            "alert": found,
            "ticket": getattr(found, "ticket", None),
            "may_acknowledge": found.state == "FIRING" and actor.may("support.acknowledge_alert"),
            "notifications": list(found.notifications.order_by("pk")),
        },
    )


@require_POST
@require_permission("support.acknowledge_alert")
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Say that somebody looks after it."""
    actor = actor_of(request)
    found = _found(visible_alerts(actor), pk=alert_id)
    try:
        acknowledge_alert(actor=actor, alert=found, acknowledged_at=clock.now())
    except AlertTransitionRefused as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Acknowledged.")
    return HttpResponseRedirect(reverse("support:alert", args=[alert_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("support.manage_alertrule")
def new_rule(request: HttpRequest) -> HttpResponse:
    """Create an alert rule."""
    actor = actor_of(request)
    form = RuleForm(
        request.POST or None, organizations=own_organizations(actor), markets=market_codes(actor)
    )
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        try:
            rule = create_rule(
                actor=actor,
                organization_id=entered["organization"].pk,
                name=entered["name"],
                market=market_by_code(entered["market"]),
                metric=Metric(entered["metric"]),
                threshold=entered["threshold"],
                severity=Severity(entered["severity"]),
                cooldown_minutes=entered["cooldown_minutes"],
                channel_url=entered["channel_url"],
                created_at=clock.now(),
            )
        except RuleRefused as error:
            _blame(form, error)
        else:
            messages.success(request, f"The rule “{rule.name}” watches {rule.market.code}.")
            return HttpResponseRedirect(reverse("support:rules"))
    return _form_page(request, "support/rule_form.html", form)


@require_POST
@require_permission("support.manage_alertrule")
def switch(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Switch a rule on or off."""
    actor = actor_of(request)
    rule = _found(visible_rules(actor), pk=rule_id)
    switched = switch_rule(actor=actor, rule=rule, is_enabled=request.POST.get("state") == "on")
    state = "on" if switched.is_enabled else "off"
    messages.success(request, f"The rule “{switched.name}” is {state}.")
    return HttpResponseRedirect(reverse("support:rules"))


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("support.open_ticket")
def new_ticket(request: HttpRequest) -> HttpResponse:
    """Open a ticket."""
    actor = actor_of(request)
    form = TicketForm(request.POST or None, organizations=own_organizations(actor))
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        try:
            opened = open_ticket(
                actor=actor,
                organization_id=entered["organization"].pk,
                subject=entered["subject"],
                body=entered["body"],
                severity=Severity(entered["severity"]),
                opened_at=clock.now(),
            )
        except TicketRefused as error:
            _blame(form, error)
        else:
            return HttpResponseRedirect(reverse("support:ticket", args=[opened.number]))
    return _form_page(request, "support/ticket_form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("support.view_ticket")
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """Show a ticket's thread and take an answer or an internal note."""
    actor = actor_of(request)
    found = _found(visible_tickets(actor), number=number)
    handles = actor.may("support.handle_ticket")
    form = (NoteForm if handles else AnswerForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _write(actor, found, form.cleaned_data)
        return HttpResponseRedirect(reverse("support:ticket", args=[number]))
    context = {
        "ticket": found,
        "messages_of_thread": thread(actor, found),
        "form": form,
        "handles": handles,
        "status_form": StatusForm(initial={"status": found.status}) if handles else None,
        "is_late": found.answered_at is None and clock.now() > found.due_at,
    }
    return render(request, "support/ticket.html", context, status=422 if form.errors else 200)


@require_POST
@require_permission("support.handle_ticket")
def ticket_status(request: HttpRequest, number: int) -> HttpResponse:
    """Move a ticket to another status."""
    actor = actor_of(request)
    found = _found(visible_tickets(actor), number=number)
    form = StatusForm(request.POST)
    if form.is_valid():
        status = TicketStatus(form.cleaned_data["status"])
        set_ticket_status(actor=actor, ticket=found, status=status)
        messages.success(request, f"Now: {status.label}.")
    else:
        messages.warning(request, "Choose one of the states.")
    return HttpResponseRedirect(reverse("support:ticket", args=[number]))


def _write(actor: Actor, ticket_row: Any, entered: dict[str, Any]) -> None:
    write = note_ticket if entered.get("is_internal") else answer_ticket
    write(actor=actor, ticket=ticket_row, body=entered["body"], written_at=clock.now())


def _found(rows: Any, **key: Any) -> Any:
    try:
        return one_of(rows, **key)
    except NotThere as error:
        raise Http404(str(error)) from error


def _blame(form: Any, error: ValueError) -> None:
    """Put a service's refusal beside the field that it names."""
    field, _colon, sentence = str(error).partition(": ")
    if field in form.fields and sentence:
        form.add_error(field, sentence)
    else:
        form.add_error(None, str(error))


def _form_page(request: HttpRequest, template: str, form: Any) -> HttpResponse:
    return render(request, template, {"form": form}, status=422 if form.errors else 200)
