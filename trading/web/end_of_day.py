"""The end of day: the days, one of them with what it found, its sign-off and restatements."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.services import SecondPersonNeeded
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from trading.closing import BEFORE_VALUES, END_OF_DAY, About

from ..models import EndOfDay, EndOfDayState, HolidayCalendar, Market
from ..queries.closing_times import close_of, closing_times
from ..queries.end_of_day import (
    DAY_STATES,
    VIEW,
    ShownFinding,
    UnknownEndOfDay,
    closed_days,
    differences_of,
    end_of_day_for,
    findings_of,
    job_of,
    late_changes,
    mark_codes,
    open_days,
    proofs_of,
    runs_of_day,
)
from ..services.closing_proofs import ask_proof
from ..services.closing_times import ClosingTerms, set_closing_time
from ..services.end_of_day import (
    RUN,
    SIGN,
    ClosingRefused,
    restate_end_of_day,
    sign_end_of_day,
    start_end_of_day,
)

LEVELS = {
    "RUNNING": "info",
    "FAILED": "bad",
    "FINDINGS": "warn",
    "READY": "info",
    "SIGNED": "good",
    "RESTATED": "warn",
}

STEP_WORDS = {"price_check": "Independent price check", "pnl": "P&L"}


class EndOfDayTable(tables.Table):
    day = MomentColumn(
        is_date=True, linkify=("trading:end_of_day", {"end_of_day_id": tables.A("pk")})
    )
    organization = tables.Column(accessor="organization__name")
    shown_state = StatusColumn(verbose_name="State", levels=LEVELS, labels=DAY_STATES)
    number = FigureColumn("Run")
    findings = FigureColumn("Findings", accessor="checks", orderable=False)
    as_of = MomentColumn(verbose_name="Close")
    restatements = FigureColumn("Restatements")
    signed_at = MomentColumn(verbose_name="Signed")
    result_hash = tables.Column("Result hash", accessor="run__result_hash", orderable=False)

    def render_findings(self, value: Any) -> int:
        return len(value)

    value_findings = render_findings

    def render_result_hash(self, value: str) -> str:
        return value[:12]


class EndOfDayFilter(django_filters.FilterSet):
    day = django_filters.DateFromToRangeFilter(label="Day")
    state = django_filters.ChoiceFilter(
        field_name="shown_state",
        label="State",
        choices=[(key, words) for key, words in DAY_STATES.items() if key != "OPEN"],
    )

    class Meta:
        model = EndOfDay
        fields = ()


class EndOfDayList(TablePage):
    name = "trading.end_of_days"
    permission = VIEW
    table_class = EndOfDayTable
    filterset_class = EndOfDayFilter
    template_name = "trades/end_of_days.html"
    title = "End of day"
    lead = "Each day's last official run. A signed day never changes; a restatement stands beside."
    default_columns = (
        "day", "shown_state", "number", "findings", "as_of", "restatements", "signed_at",
        "result_hash",
    )  # fmt: skip
    default_sort = "-day"
    empty_title = "No day closed yet"
    empty_text = "A day appears here when its end of day is run, by a person or by the clock."

    def rows(self) -> QuerySet[Any]:
        return closed_days(self.actor)  # type: ignore[arg-type]  # accounts' own actor

    def extra_context(self) -> dict[str, Any]:
        actor: Any = self.actor
        may_run = actor.may(RUN)
        times = closing_times(actor.organization_ids)
        return {
            "open_days": open_days(actor, now=clock.now()),
            "may_run": may_run,
            "closing_times": sorted(times.values(), key=lambda row: str(row.organization_id)),
            "form": StartForm(actor=actor, initial=_next_close(actor)) if may_run else None,
        }


class StartForm(forms.Form):
    """Which day is closed, and as of when."""

    organization = forms.ChoiceField(label="Organization")
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    as_of = forms.DateTimeField(
        label="Close",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="On your clock; empty for the organization's closing time.",
        required=False,
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].choices = _organizations(actor)


class ClosingTimeForm(forms.Form):
    """When the days of an organization are closed."""

    organization = forms.ChoiceField(label="Organization")
    market = forms.ChoiceField(label="Market", help_text="Whose time zone counts.")
    closes_at = forms.TimeField(
        label="Closing time", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    holidays = forms.ChoiceField(label="Holidays", required=False)
    is_active = forms.BooleanField(label="Close by the clock", required=False, initial=True)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].choices = _organizations(actor)
        markets = Market.objects.order_by("code").values_list("code", "name", "time_zone")
        self.fields["market"].choices = [
            (code, f"{code} – {name} ({zone})") for code, name, zone in markets
        ]
        lists = HolidayCalendar.objects.order_by("code").values_list("code", "name")
        self.fields["holidays"].choices = [
            ("", "None"), *((code, f"{code} – {name}") for code, name in lists)
        ]  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=400, required=False)


def _organizations(actor: Actor) -> list[tuple[str, str]]:
    rows = Organization.objects.filter(pk__in=actor.organization_ids).order_by("name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]


def _next_close(actor: Actor) -> dict[str, Any]:
    """Offer the earliest day that is due, or today."""
    now = clock.now()
    due = [row for row in open_days(actor, now=now) if row.is_due]
    if due:
        return {"organization": str(due[-1].organization.pk), "day": due[-1].day}
    return {"day": now.date()}


@require_GET
@require_permission(VIEW)
def end_of_day(request: HttpRequest, end_of_day_id: int) -> HttpResponse:
    """Show one run of a day; while it runs, htmx asks for its state once a second."""
    actor = actor_of(request)
    row = _row(actor, end_of_day_id)
    if getattr(request, "htmx", None) and request.htmx.target == "closing-state":
        answer = render(request, "trades/_end_of_day_state.html", _state(row))
        if row.state != EndOfDayState.RUNNING:
            answer["HX-Refresh"] = "true"  # what it found is on the page around
        return answer
    runs = runs_of_day(row)
    official = next(
        (r for r in runs if r.state == EndOfDayState.SIGNED and not r.is_restatement), None
    )
    restated = [
        (each, differences_of(actor, official, each))
        for each in runs
        if official is not None and each.is_restatement and each.run_id
    ]
    proofs = proofs_of(row)
    names = names_by_actor_id(
        [
            *(name for each in runs for name in (each.requested_by, each.signed_by)),
            *(proof.actor_id for proof in proofs),
        ]
    )
    is_last = bool(runs) and runs[0].pk == row.pk
    findings = findings_of(actor, row)
    marks = mark_codes({found.key for found in findings if found.about == About.CURVE})
    context = {
        **_state(row),
        "runs": [
            (each, *_shown(each), names.get(each.requested_by), names.get(each.signed_by))
            for each in runs
        ],
        "requested_by": names.get(row.requested_by),
        "signed_by": names.get(row.signed_by),
        "official": official,
        "restated": restated,
        "findings": [
            (found, _step_words(found.step), *_where(found, row, marks)) for found in findings
        ],
        "differing": [(found.key, _numbers(found.figures)) for found in findings if found.figures],
        "late": late_changes(actor, row) if is_last else [],
        "proofs": [(proof, names.get(proof.actor_id)) for proof in proofs],
        "may_run": actor.may(RUN),
        "may_sign": actor.may(SIGN),
        "is_last": is_last,
        "is_own": row.requested_by == actor.id,
    }
    return render(request, "trades/end_of_day.html", context)


def _shown(row: EndOfDay) -> tuple[str, str]:
    """Return the state of a run in words, and its level."""
    key = "FINDINGS" if row.state == EndOfDayState.READY and row.checks else row.state
    return DAY_STATES[key], LEVELS[key]


def _state(row: EndOfDay) -> dict[str, Any]:
    done = {step["step"]: step["said"] for step in row.steps}
    names = [*BEFORE_VALUES, "valuation", *END_OF_DAY]
    found: dict[str, int] = {}
    for finding in row.checks:
        found[finding["step"]] = found.get(finding["step"], 0) + 1
    words, level = _shown(row)
    return {
        "row": row,
        "shown_state": words,
        "level": level,
        "steps": [(_step_words(name), done.get(name), found.get(name, 0)) for name in names],
        "stopped": done.get("stopped"),
        "job": job_of(row) if row.state == EndOfDayState.RUNNING else None,
    }


def _step_words(name: str) -> str:
    return STEP_WORDS.get(name, name.replace("_", " ").capitalize())


def _numbers(figures: dict[str, str]) -> dict[str, Any]:
    """Return a price check's figures with its numbers as numbers."""
    numbers = {"theirs", "ours", "difference", "tolerance"}
    return {name: Decimal(text) if name in numbers else text for name, text in figures.items()}


def _where(found: ShownFinding, row: EndOfDay, marks: dict[str, str]) -> tuple[str, str]:
    """Return where a finding is mended: an address, and what is there."""
    key = found.key
    match found.about:
        case About.CURVE if key in marks:
            return reverse("trading:curve", args=[key, marks[key]]), f"Curve of {key}"
        case About.QUOTES if key:
            return f"{reverse('trading:curves')}?market={quote(key)}", f"Quotes of {key}"
        case About.CURVE | About.CURVES:
            return reverse("trading:curves"), "Curves"
        case About.TRADES:
            return reverse("trading:waiting"), "What waits"
        case About.TRADE if key:
            return reverse("trading:trade", args=[key]), key
        case _:
            return f"{reverse('trading:pnl')}?date={row.day.isoformat()}", "P&L of the day"


@require_POST
@require_permission(RUN)
def start(request: HttpRequest) -> HttpResponse:
    """Start to close a day, or to close it again."""
    actor = actor_of(request)
    form = StartForm(request.POST, actor=actor)
    if not form.is_valid():
        return _form_page(request, form, "Run the end of day", "Run", 400)
    asked = form.cleaned_data
    organization_id, day = UUID(asked["organization"]), asked["day"]
    as_of = asked["as_of"] or _usual_close(actor, organization_id, day)
    if as_of is None:
        form.add_error("as_of", "Say when the day closes; no closing time is set.")
        return _form_page(request, form, "Run the end of day", "Run", 400)
    try:
        row = start_end_of_day(
            actor=actor, organization_id=organization_id, day=day, as_of=as_of,
            asked_at=clock.now(),
        )  # fmt: skip
    except ClosingRefused as error:
        return _form_page(request, _refused(form, error), "Run the end of day", "Run", 409)
    return HttpResponseRedirect(reverse("trading:end_of_day", args=[row.pk]))


def _usual_close(actor: Actor, organization_id: UUID, day: date) -> datetime | None:
    terms = closing_times(frozenset({organization_id}) & actor.organization_ids)
    return close_of(terms[organization_id], day) if organization_id in terms else None


@require_permission(RUN)
def closing_time(request: HttpRequest) -> HttpResponse:
    """Show and set when days are closed, and whether the clock does it."""
    actor = actor_of(request)
    if request.method != "POST":
        form = ClosingTimeForm(actor=actor, initial=_held_time(actor, request))
        return _form_page(request, form, "Closing time", "Save", 200)
    form = ClosingTimeForm(request.POST, actor=actor)
    if not form.is_valid():
        return _form_page(request, form, "Closing time", "Save", 400)
    asked = form.cleaned_data
    try:
        set_closing_time(
            actor=actor,
            organization_id=UUID(asked["organization"]),
            terms=ClosingTerms(
                market=asked["market"],
                closes_at=asked["closes_at"],
                holidays=asked["holidays"],
                is_active=asked["is_active"],
            ),
        )
    except ClosingRefused as error:
        return _form_page(request, _refused(form, error), "Closing time", "Save", 409)
    messages.success(request, "The closing time is set.")
    return HttpResponseRedirect(reverse("trading:end_of_days"))


def _held_time(actor: Actor, request: HttpRequest) -> dict[str, Any]:
    times = closing_times(actor.organization_ids)
    asked = request.GET.get("organization", "")
    row = next((r for r in times.values() if str(r.organization_id) == asked), None)
    row = row or next(iter(times.values()), None)
    if row is None:
        return {}
    return {
        "organization": str(row.organization_id),
        "market": row.market.code,
        "closes_at": row.closes_at,
        "holidays": row.holidays.code if row.holidays else "",
        "is_active": row.is_active,
    }


@require_POST
@require_permission(SIGN)
def sign(request: HttpRequest, end_of_day_id: int) -> HttpResponse:
    """Sign off a day that another person closed."""
    return _verb(
        request,
        end_of_day_id,
        lambda actor, reason: sign_end_of_day(
            actor=actor, end_of_day_id=end_of_day_id, signed_at=clock.now(), reason=reason
        ),
        "The day is signed off.",
    )


@require_POST
@require_permission(RUN)
def restate(request: HttpRequest, end_of_day_id: int) -> HttpResponse:
    """Start to value a signed day again with what is known now."""
    return _verb(
        request,
        end_of_day_id,
        lambda actor, reason: restate_end_of_day(
            actor=actor, end_of_day_id=end_of_day_id, reason=reason
        ),
        "The restatement has been started.",
    )


@require_POST
@require_permission(VIEW)
def prove(request: HttpRequest, end_of_day_id: int) -> HttpResponse:
    """Start to compute a run again from its cut."""
    actor = actor_of(request)
    _row(actor, end_of_day_id)
    try:
        job = ask_proof(actor=actor, end_of_day_id=end_of_day_id)
    except ClosingRefused as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("trading:end_of_day", args=[end_of_day_id]))
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


def _verb(
    request: HttpRequest, end_of_day_id: int, run: Callable[[Actor, str], EndOfDay], said: str
) -> HttpResponse:
    actor = actor_of(request)
    _row(actor, end_of_day_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise BadRequest("reason: at most 400 characters.")
    target = end_of_day_id
    try:
        target = run(actor, form.cleaned_data["reason"]).pk
        messages.success(request, said)
    except (ClosingRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("trading:end_of_day", args=[target]))


def _row(actor: Actor, end_of_day_id: int) -> EndOfDay:
    try:
        return end_of_day_for(actor, end_of_day_id)
    except UnknownEndOfDay as error:
        raise Http404(str(error)) from error


def _refused(form: forms.Form, error: ClosingRefused) -> forms.Form:
    name, _, words = str(error).partition(": ")
    form.add_error(name if name in form.fields else None, words or name)
    return form


def _form_page(
    request: HttpRequest, form: forms.Form, title: str, submit: str, status: int
) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "lead": "",
        "submit": submit,
        "cancel": reverse("trading:end_of_days"),
    }
    return render(request, "reference/form.html", context, status=status)
