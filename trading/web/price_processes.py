"""Price processes: how each market's prices move, calibrated, proposed, and decided by another."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.forms import verdict_of
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import SecondPersonNeeded

from ..models import (
    CalibrationBasis,
    Market,
    PriceProcess,
    ProcessCalibration,
    ProcessKind,
)
from ..queries.price_processes import (
    PARAMETERS,
    VIEW,
    UnknownCalibration,
    calibration_of,
    calibrations,
    price_processes,
    processes_at,
)
from ..services.calibrations import CalibrationTerms, ask_calibration
from ..services.price_processes import (
    APPROVE,
    PROPOSE,
    PriceProcessRefused,
    ProcessTerms,
    decide_process,
    propose_calibrated,
    propose_process,
)

_LEVELS = {VersionStatus.PENDING: "warn", VersionStatus.APPROVED: "", VersionStatus.DECLINED: "bad"}
_SHOWN = 20
# What a parameter is called, and in what it is.
WORDS = {
    "mean_reversion": ("Mean reversion", "per year"),
    "volatility": ("Volatility", "per √year; of a normal process in currency/unit"),
    "jump_intensity": ("Jumps", "a year"),
    "jump_mean": ("Mean of jumps", "currency/unit; of a lognormal process of the logarithm"),
    "jump_deviation": ("Deviation of jumps", "as their mean"),
    "short_volatility": ("Short volatility", "per √year, of news that fade"),
    "long_volatility": ("Long volatility", "per √year, of news that stay"),
    "correlation": ("Correlation", "from −1 to 1"),
    "noise": ("Noise", "per √year, of one delivery alone; not simulated"),
}


class StatedForm(forms.Form):
    """A process that is stated by hand, and why."""

    market = forms.ChoiceField(label="Market")
    kind = forms.ChoiceField(label="Process", choices=ProcessKind.choices)
    second_market = forms.ChoiceField(
        label="Second market", required=False, help_text="Of a correlation."
    )
    reason = forms.CharField(label="Reason", max_length=400)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = _market_choices()
        self.fields["market"].choices = choices
        self.fields["second_market"].choices = [("", "None"), *choices]
        reason = self.fields.pop("reason")
        for name, (label, unit) in WORDS.items():
            if name != "noise":
                kinds = [
                    str(ProcessKind(kind).label) for kind, known in PARAMETERS.items()
                    if name in known
                ]  # fmt: skip
                self.fields[name] = forms.FloatField(
                    label=label, required=False, help_text=f"{unit}. {'; '.join(kinds)}."
                )
        self.fields["reason"] = reason

    @property
    def terms(self) -> ProcessTerms:
        given = self.cleaned_data
        parameters = {
            name: given[name] for name in WORDS if given.get(name) is not None
        }  # fmt: skip
        return ProcessTerms(
            given["market"], ProcessKind(given["kind"]), parameters, given["second_market"]
        )


class CalibrationForm(forms.Form):
    """What a process is to be fitted to."""

    market = forms.ChoiceField(label="Market")
    kind = forms.ChoiceField(
        label="Process",
        choices=[one for one in ProcessKind.choices if one[0] != ProcessKind.CORRELATION],
    )
    basis = forms.ChoiceField(
        label="Calibrate to", choices=CalibrationBasis.choices,
        help_text="Spot to fixings; forwards to contracts or volatilities.",
    )  # fmt: skip
    first_date = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="First day of the history; leave it out for volatilities.",
    )  # fmt: skip
    until_date = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}))
    minutes = forms.TypedChoiceField(
        label="Fixings by", coerce=int, choices=[(1440, "Day"), (60, "Hour")],
        help_text="By the hour one speed of reversion seldom fits; for batteries it may.",
    )  # fmt: skip
    vol_source = forms.CharField(
        label="Source of volatilities", required=False, max_length=80,
        help_text="Empty: the latest of whichever source.",
    )  # fmt: skip
    correlation = forms.FloatField(
        label="Correlation of the factors", required=False,
        help_text="Held while volatilities are fitted, which say little of it.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["market"].choices = _market_choices()

    @property
    def terms(self) -> CalibrationTerms:
        given = self.cleaned_data
        return CalibrationTerms(
            market=given["market"], kind=ProcessKind(given["kind"]),
            basis=CalibrationBasis(given["basis"]), until_date=given["until_date"],
            first_date=given["first_date"], minutes=given["minutes"],
            vol_source=given["vol_source"], correlation=given["correlation"],
        )  # fmt: skip


class ReasonForm(forms.Form):
    """Why a calibration is proposed."""

    reason = forms.CharField(label="Reason", max_length=400)


@require_GET
@require_permission(VIEW)
def processes(request: HttpRequest) -> HttpResponse:
    """List every version by market, and the latest calibrations."""
    actor = actor_of(request)
    rows = list(price_processes(actor))
    fits = list(calibrations(actor).defer("rows")[:_SHOWN])
    held = {row.pk for row in processes_at().values()}
    ids = [name for row in rows for name in (row.proposed_by, row.decided_by)]
    people = names_by_actor_id([*ids, *(fit.actor_id for fit in fits)])
    shown = [
        {
            "row": row,
            "parameters": _stated(row),
            "holds": row.pk in held,
            "level": "good" if row.pk in held else _LEVELS[VersionStatus(row.status)],
            "proposed_by": people.get(row.proposed_by, row.proposed_by),
            "decided_by": people.get(row.decided_by, row.decided_by),
            "may_decide": row.status == VersionStatus.PENDING
            and actor.may(APPROVE)
            and row.proposed_by != actor.id,
        }
        for row in rows
    ]
    context = {
        "rows": shown,
        "fits": [{"row": fit, "by": people.get(fit.actor_id, fit.actor_id)} for fit in fits],
        "may_propose": actor.may(PROPOSE),
    }
    return render(request, "trading/price_processes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PROPOSE)
def calibrate(request: HttpRequest) -> HttpResponse:
    """Start to calibrate a process, and show the job."""
    now = clock.now()
    initial = {
        "market": request.GET.get("market", ""),
        "first_date": (now - timedelta(days=730)).date(),
        "until_date": (now - timedelta(days=1)).date(),
    }
    form = CalibrationForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            job = ask_calibration(actor=actor_of(request), terms=form.terms, as_of=now)
        except ValidationError as error:
            _add(form, error)
        else:
            return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
    status = 422 if form.errors else 200
    return render(request, "trading/process_calibrate.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(VIEW)
def calibration(request: HttpRequest, calibration_id: int) -> HttpResponse:
    """Show a fit; who may, proposes it as it is."""
    actor = actor_of(request)
    try:
        row = calibration_of(actor, calibration_id)
    except UnknownCalibration as error:
        raise Http404(str(error)) from error
    form = ReasonForm(request.POST or None) if actor.may(PROPOSE) else None
    if request.method == "POST":
        actor.require(PROPOSE)
        assert form is not None, "it was required"
        if form.is_valid():
            try:
                made = propose_calibrated(
                    actor=actor, calibration_id=row.pk, reason=form.cleaned_data["reason"]
                )
            except ValidationError as error:
                _add(form, error)
            else:
                messages.success(request, f"{made} waits for another person.")
                return HttpResponseRedirect(reverse("trading:price_processes"))
    status = 422 if form is not None and form.errors else 200
    people = names_by_actor_id([row.actor_id])
    context = {
        "row": row,
        "by": people.get(row.actor_id, row.actor_id),
        "parameters": [
            {"label": WORDS[name][0], "unit": WORDS[name][1], "value": value, "error": error}
            for name, value, error in row.parameters
        ],
        "picture": _picture(row),
        "contracts": row.rows if row.basis != CalibrationBasis.FIXINGS else [],
        "form": form,
    }
    return render(request, "trading/process_calibration.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PROPOSE)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose parameters that are stated by hand."""
    form = StatedForm(request.POST or None, initial={"market": request.GET.get("market", "")})
    if request.method == "POST" and form.is_valid():
        try:
            row = propose_process(
                actor=actor_of(request), terms=form.terms, reason=form.cleaned_data["reason"]
            )
        except ValidationError as error:
            _add(form, error)
        else:
            messages.success(request, f"{row} waits for another person.")
            return HttpResponseRedirect(reverse("trading:price_processes"))
    status = 422 if form.errors else 200
    return render(request, "trading/price_process_propose.html", {"form": form}, status=status)


@require_POST
@require_permission(APPROVE)
def decide(request: HttpRequest, process_id: int) -> HttpResponse:
    """Approve or decline what another proposed."""
    approve, reason = verdict_of(request)
    try:
        row = decide_process(
            actor=actor_of(request), process_id=process_id, approve=approve, reason=reason
        )
        messages.success(request, f"{row} is {row.get_status_display().lower()}.")
    except (PriceProcessRefused, SecondPersonNeeded) as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("trading:price_processes"))


def _stated(row: PriceProcess) -> list[tuple[str, float]]:
    """Return the parameters that are not nothing, in words."""
    names = PARAMETERS[row.kind]
    found = [(WORDS[name][0], row.parameters[name]) for name in names]
    return [one for one in found if one[1] or not one[0].lower().endswith("jumps")]


def _picture(row: ProcessCalibration) -> list[tuple[datetime, list[float]]]:
    """Return what the chart shows: of contracts of one moment the first, which is the shortest."""
    found: dict[str, list[float]] = {}
    for _, instant, values in row.rows:
        found.setdefault(instant, values)
    return [(datetime.fromisoformat(at), values) for at, values in sorted(found.items())]


def _market_choices() -> list[tuple[str, str]]:
    rows = Market.objects.order_by("code").values_list("code", "name")
    return [(code, f"{code}, {name}") for code, name in rows]


def _add(form: forms.Form, error: ValidationError) -> None:
    for name, texts in error.message_dict.items():
        form.add_error(name if name in form.fields else None, texts)
