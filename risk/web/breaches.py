"""Pages of breaches: a list by state, and the life of each."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from risk.enums import BreachState, BreachStepKind
from risk.models import LimitBreach
from risk.queries.limit_measures.kinds import limit_name
from risk.queries.limit_pages import (
    VIEW_BREACH,
    UnknownBreach,
    breach_for,
    breaches_for,
    scope_names,
)
from risk.queries.limits import ScopeKey
from risk.services.breaches import (
    ACKNOWLEDGE,
    BreachRefused,
    acknowledge_breach,
    note_breach,
    record_action,
    resolve_breach,
)

from .limit_forms import NoteForm

PAGE = 50
LEVELS = {
    BreachState.DETECTED.value: "bad", BreachState.ACKNOWLEDGED.value: "warn",
    BreachState.ACTION.value: "warn", BreachState.RESOLVED.value: "good",
}  # fmt: skip
VERBS: Mapping[str, Callable[..., LimitBreach]] = {
    "acknowledge": acknowledge_breach, "action": record_action, "note": note_breach,
    "resolve": resolve_breach,
}  # fmt: skip


@require_permission(VIEW_BREACH)
@require_GET
def breaches(request: HttpRequest) -> HttpResponse:
    """List breaches, newest first; `?state=` chooses."""
    rows = breaches_for(actor_of(request)).order_by("-id")
    state = request.GET.get("state", "OPEN")
    if state == "OPEN":
        rows = rows.exclude(state=BreachState.RESOLVED)
    elif state in set(BreachState):
        rows = rows.filter(state=state)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    names = scope_names(row.limit for row in shown)
    people = names_by_actor_id(row.owner for row in shown)
    context = {
        "page": page,
        "rows": [
            {
                "row": row,
                "name": limit_name(row.limit),
                "scope_name": names[ScopeKey.of(row.limit)],
                "owner": people.get(row.owner, ""),
                "level": LEVELS[row.state],
            }
            for row in shown
        ],
        "state": state,
        "states": [("OPEN", "Open"), *BreachState.choices(), ("ALL", "All")],
    }
    return render(request, "risk/breaches.html", context)


@require_permission(VIEW_BREACH)
@require_GET
def breach(request: HttpRequest, breach_id: int) -> HttpResponse:
    """Show a breach with its life."""
    return _detail(request, _breach(request, breach_id), NoteForm())


@require_permission(ACKNOWLEDGE)
@require_POST
def act(request: HttpRequest, breach_id: int, verb: str) -> HttpResponse:
    """Acknowledge a breach, record an action or a note, or resolve it."""
    row, form = _breach(request, breach_id), NoteForm(request.POST)
    if verb not in VERBS:
        raise Http404("no such verb")
    if form.is_valid():
        try:
            row = VERBS[verb](
                actor=actor_of(request), breach_id=row.pk, note=form.cleaned_data["note"]
            )
        except BreachRefused as error:
            field, _, rule = str(error).partition(": ")
            form.add_error("note" if field == "note" else None, rule)
        else:
            messages.success(request, f"The breach is {BreachState(row.state).label.lower()}.")
            return HttpResponseRedirect(reverse("risk:breach", args=[row.pk]))
    return _detail(request, row, form, status=422)


def _breach(request: HttpRequest, breach_id: int) -> LimitBreach:
    try:
        return breach_for(actor_of(request), breach_id)
    except UnknownBreach as error:
        raise Http404(str(error)) from error


def _detail(
    request: HttpRequest, row: LimitBreach, form: NoteForm, status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    steps = list(row.steps.order_by("id"))
    people = names_by_actor_id(
        [*(step.actor_id for step in steps), *(step.owner for step in steps), row.owner,
         row.caused_by]
    )  # fmt: skip
    may_act = actor.may(ACKNOWLEDGE) and row.state != BreachState.RESOLVED
    context = {
        "row": row,
        "name": limit_name(row.limit),
        "scope_name": scope_names([row.limit])[ScopeKey.of(row.limit)],
        "level": LEVELS[row.state],
        "owner": people.get(row.owner, ""),
        "caused_by": people.get(row.caused_by, ""),
        "events": [
            {
                "title": BreachStepKind(step.kind).label,
                "detail": step.note,
                "at": step.recorded_at,
                "actor": people.get(step.actor_id, step.actor_id),
                "level": "",
            }
            for step in steps
        ],
        "form": form if may_act else None,
        "is_new": row.state == BreachState.DETECTED,
        "is_own": row.caused_by == actor.id,
    }
    return render(request, "risk/breach.html", context, status=status)
