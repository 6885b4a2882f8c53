"""Pages of limits: what holds and how far it is used, what waits, and each limit's history."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.forms import verdict_of
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import SecondPersonNeeded
from risk.models import Limit, LimitIncrease
from risk.queries.limit_measures.kinds import limit_name
from risk.queries.limit_pages import (
    VIEW,
    UnknownLimit,
    increase_for,
    increases_for,
    limit_for,
    limit_uses,
    limits_for,
    people_of,
    scope_names,
    versions_of,
)
from risk.queries.limits import ScopeKey
from risk.services.limit_terms import UnknownTrader
from risk.services.limits import (
    APPROVE,
    PROPOSE,
    LimitRefused,
    decide_increase,
    decide_limit,
    propose_increase,
    propose_limit,
    propose_removal,
)
from trading.queries.books import UnknownBook, books_for
from trading.queries.proposals import UnknownCounterparty

from .limit_forms import IncreaseForm, ProposeLimitForm, RemovalForm

PAGE = 50


@require_permission(VIEW)
@require_GET
def limits(request: HttpRequest) -> HttpResponse:
    """List the limits in force with their use, and what waits for a second person."""
    actor, now = actor_of(request), clock.now()
    rows = limits_for(actor)
    book = request.GET.get("book", "")
    books = books_for(actor)
    if any(str(one.id) == book for one in books):
        rows = rows.filter(book_id=book)
    page = Paginator(rows.filter(is_active=True).order_by("scope", "measure", "id"), PAGE).get_page(
        request.GET.get("page")
    )
    waiting = list(rows.filter(status=VersionStatus.PENDING).order_by("id"))
    increases = list(increases_for(actor).filter(status=VersionStatus.PENDING).order_by("id"))
    people = people_of([*waiting, *increases])
    names = scope_names([*waiting, *(one.limit for one in increases)])
    context = {
        "page": page,
        "uses": limit_uses(list(page.object_list), at=now),
        "waiting": [
            _waiting(row, limit_name(row), names[ScopeKey.of(row)], people, actor)
            for row in waiting
        ],
        "increases": [
            _waiting(row, limit_name(row.limit), names[ScopeKey.of(row.limit)], people, actor)
            for row in increases
        ],
        "books": books,
        "book": book,
        "may_propose": actor.may(PROPOSE),
        "now": now,
    }
    return render(request, "risk/limits.html", context)


@require_permission(PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Propose a limit, or its next version."""
    actor = actor_of(request)
    initial = {"scope": f"book:{request.GET.get('book', '')}"}
    form = ProposeLimitForm(request.POST or None, actor=actor, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            row = propose_limit(actor=actor, terms=form.terms, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            _add(form, error)
        except (UnknownBook, UnknownCounterparty, UnknownTrader) as error:
            form.add_error("scope", str(error))
        else:
            said = "is in force" if row.is_active else "waits for another person"
            messages.success(request, f"{limit_name(row)}, version {row.number}, {said}.")
            return HttpResponseRedirect(reverse("risk:limits"))
    status = 422 if form.errors else 200
    return render(request, "risk/limit_propose.html", {"form": form}, status=status)


@require_permission(VIEW)
@require_http_methods(["GET", "HEAD"])
def limit(request: HttpRequest, limit_id: int) -> HttpResponse:
    """Show a limit with its use, its versions and its increases."""
    return _detail(request, _limit(request, limit_id), IncreaseForm(), RemovalForm())


@require_permission(PROPOSE)
@require_POST
def increase(request: HttpRequest, limit_id: int) -> HttpResponse:
    """Ask for a temporary increase."""
    row, form = _limit(request, limit_id), IncreaseForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            propose_increase(
                actor=actor_of(request), limit_id=row.pk, amount=given["amount"],
                start_at=given["start_at"], end_at=given["end_at"],
                reason=given["increase_reason"], at=clock.now(),
            )  # fmt: skip
        except ValidationError as error:
            _add(form, error, reason="increase_reason")
        else:
            messages.success(request, "The increase waits for another person.")
            return HttpResponseRedirect(reverse("risk:limit", args=[row.pk]))
    return _detail(request, row, form, RemovalForm(), status=422)


@require_permission(PROPOSE)
@require_POST
def remove(request: HttpRequest, limit_id: int) -> HttpResponse:
    """Propose that a limit goes."""
    row, form = _limit(request, limit_id), RemovalForm(request.POST)
    if form.is_valid():
        try:
            propose_removal(
                actor=actor_of(request), limit_id=row.pk,
                reason=form.cleaned_data["removal_reason"],
            )  # fmt: skip
        except ValidationError as error:
            _add(form, error, reason="removal_reason")
        except LimitRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The removal waits for another person.")
            return HttpResponseRedirect(reverse("risk:limit", args=[row.pk]))
    return _detail(request, row, IncreaseForm(), form, status=422)


@require_permission(APPROVE)
@require_POST
def decide(request: HttpRequest, limit_id: int) -> HttpResponse:
    """Approve or decline what another proposed."""
    _limit(request, limit_id)
    approve, reason = verdict_of(request)
    try:
        row = decide_limit(
            actor=actor_of(request), limit_id=limit_id, approve=approve, reason=reason
        )
        messages.success(request, f"{limit_name(row)} is {row.get_status_display().lower()}.")
    except (LimitRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("risk:limits"))


@require_permission(APPROVE)
@require_POST
def decide_on_increase(request: HttpRequest, increase_id: int) -> HttpResponse:
    """Approve or decline a temporary increase that another asked for."""
    try:
        increase_for(actor_of(request), increase_id)
    except UnknownLimit as error:
        raise Http404(str(error)) from error
    approve, reason = verdict_of(request)
    try:
        row = decide_increase(
            actor=actor_of(request), increase_id=increase_id, approve=approve, reason=reason
        )
        messages.success(request, f"The increase is {row.get_status_display().lower()}.")
    except (LimitRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("risk:limits"))


def _limit(request: HttpRequest, limit_id: int) -> Limit:
    try:
        return limit_for(actor_of(request), limit_id)
    except UnknownLimit as error:
        raise Http404(str(error)) from error


def _detail(
    request: HttpRequest, row: Limit, asked: IncreaseForm, removal: RemovalForm, status: int = 200
) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    versions = list(versions_of(actor, row))
    held = next((one for one in versions if one.is_active), None)
    increases = list(LimitIncrease.objects.filter(limit__in=versions).order_by("-id"))
    people = people_of([*versions, *increases])
    context = {
        "row": row,
        "name": limit_name(row),
        "scope_name": scope_names([row])[ScopeKey.of(row)],
        "use": limit_uses([held], at=now)[0] if held is not None else None,
        "versions": [
            {
                "row": one,
                "proposed_by": people.get(one.proposed_by, one.proposed_by),
                "decided_by": people.get(one.decided_by, one.decided_by),
                "level": "good" if one.is_active else _level(one.status),
                "state": "In force" if one.is_active else _state(one),
            }
            for one in versions
        ],
        "increases": [
            {
                "row": one,
                "proposed_by": people.get(one.proposed_by, one.proposed_by),
                "decided_by": people.get(one.decided_by, one.decided_by),
                "level": _level(one.status),
            }
            for one in increases
        ],
        "increase_form": asked if held is not None and actor.may(PROPOSE) else None,
        "removal_form": removal if held is not None and actor.may(PROPOSE) else None,
        "held": held,
    }
    return render(request, "risk/limit.html", context, status=status)


def _state(row: Limit) -> str:
    if row.status != VersionStatus.APPROVED:
        return str(VersionStatus(row.status).label)
    return "Removed" if row.is_removal else "Replaced"


def _level(status: str) -> str:
    return {str(VersionStatus.PENDING): "warn", str(VersionStatus.DECLINED): "bad"}.get(status, "")


def _waiting(row: Any, name: str, scope: str, people: Any, actor: Any) -> dict[str, Any]:
    return {
        "row": row,
        "name": name,
        "scope_name": scope,
        "proposed_by": people.get(row.proposed_by, row.proposed_by),
        "may_decide": actor.may(APPROVE) and row.proposed_by != actor.id,
    }


def _add(form: forms.Form, error: ValidationError, *, reason: str = "reason") -> None:
    aliases = {"book_id": "scope", "trader_id": "scope", "counterparty_id": "scope"}
    for name, texts in error.message_dict.items():
        field = reason if name == "reason" else aliases.get(name, name)
        form.add_error(field if field in form.fields else None, texts)
