"""Pages of forward curves: the list, one version beside its quotes, and the way to publication."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.scope import DATE, scope_of

from ..models import CurveDefinition, CurveVersion
from ..queries.curve_page import (
    CurveView,
    curve_lines,
    curve_view,
    markets_without_curve,
    version_at,
)
from ..queries.curve_terms import EditRefused, NoCurve
from ..queries.curve_versions import UnknownCurve, definition_of, prove, version_of
from ..queries.price_tolerances import price_tolerances
from ..queries.quotes import latest_trading_day
from ..queries.rates import rates_view
from ..services.curve_definitions import CurveRefused
from ..services.curve_publication import approve_version, reject_version, submit_version
from ..services.curves import build_version, edit_node
from ..services.quote_withdrawals import withdraw_quote
from ..services.quotes import QuoteRefused
from . import markets
from .curve_forms import DecisionForm, EditForm, WithdrawForm


@require_GET
@require_permission("trading.view_quote")
def curves(request: HttpRequest) -> HttpResponse:
    """List the curves and their state; with `?market=` show a market's quotes."""
    if "market" in request.GET:
        answer: HttpResponse = markets.curves(request)
        return answer
    actor, now = actor_of(request), clock.now()
    today = now.date()
    chosen = scope_of(request, actor=actor, today=today, reads={DATE}).date
    as_of = min(now, datetime.combine(chosen, datetime.max.time(), tzinfo=now.tzinfo))
    context = {
        "lines": curve_lines(actor=actor, as_of=as_of),
        "without": markets_without_curve(actor=actor),
        "as_of": as_of,
        "may_define": actor.may("trading.define_curve"),
        "may_import": actor.may("trading.import_prices"),
    }
    return render(request, "trading/curve_list.html", context)


@require_GET
@require_permission("trading.view_quote")
def rates(request: HttpRequest) -> HttpResponse:
    """Show discount and exchange-rate curves, and volatility by delivery and moneyness."""
    actor, now = actor_of(request), clock.now()
    day = scope_of(request, actor=actor, today=now.date(), reads={DATE}).date
    as_of = min(now, datetime.combine(day, datetime.max.time(), tzinfo=now.tzinfo))
    context = {
        "view": rates_view(actor=actor, as_of=as_of),
        "may_import": actor.may("trading.manage_reference_data"),
    }
    return render(request, "trading/curve_rates.html", context)


@require_POST
@require_permission("trading.import_prices")
def withdraw(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Take a wrong quote of a version back, and build the curve of its time without it."""
    from ..curves import CurveError  # with NumPy: for whoever builds one

    actor = actor_of(request)
    version = _version(actor, market, code, number)
    view = curve_view(actor=actor, version=version)
    form = _withdraw_form(view, request.POST)
    if not form.is_valid():
        return _draw(request, version.definition, version, withdraw_form=form, status=422)
    reason = form.cleaned_data["reason"]
    try:
        withdraw_quote(actor=actor, quote_id=form.cleaned_data["quote"], reason=reason)
    except QuoteRefused as error:
        field, _, rule = str(error).partition(": ")
        form.add_error(field if field in form.fields else None, rule)
        return _draw(request, version.definition, version, withdraw_form=form, status=422)
    messages.success(request, "The quote is withdrawn.")
    if not actor.may("trading.build_curve"):
        return HttpResponseRedirect(curve_address(version.definition, version))
    try:
        built = build_version(
            actor=actor,
            definition=version.definition,
            as_of=version.snapshot.as_of,
            reason=f"withdrawn: {reason}"[:400],
        )
    except (NoCurve, CurveError, CalendarError) as error:
        messages.error(request, f"No curve is left without it. {error}")
        return HttpResponseRedirect(curve_address(version.definition, version))
    messages.success(request, f"Version {built.number} is {built.get_status_display()}.")
    return HttpResponseRedirect(curve_address(version.definition, built))


@require_GET
@require_permission("trading.view_quote")
def curve(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Show a version of a curve: of `?version=`, or the newest as of the scope's day."""
    definition = definition_or_404(request, market, code)
    return _draw(request, definition, _chosen(request, definition))


@require_POST
@require_permission("trading.build_curve")
def build(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Build a version from the latest quotes known."""
    from ..curves import CurveError  # with NumPy: for whoever builds one

    definition = definition_or_404(request, market, code)
    as_of = latest_trading_day(definition.market, as_of=clock.now())
    try:
        if as_of is None:
            raise NoCurve(f"{market}: no forward quote is known.")
        version = build_version(
            actor=actor_of(request),
            definition=definition,
            as_of=as_of,
            reason=request.POST.get("reason", "")[:400],
        )
    except (NoCurve, CurveError, CalendarError) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(curve_address(definition))
    messages.success(request, f"Version {version.number} is {version.get_status_display()}.")
    return HttpResponseRedirect(curve_address(definition, version))


@require_POST
@require_permission("trading.build_curve")
def edit(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Set a node by hand: a new draft."""
    version = _version(actor_of(request), market, code, number)
    view = curve_view(actor=actor_of(request), version=version)
    form = EditForm(request.POST, loads=view.loads)
    if form.is_valid():
        try:
            draft = edit_node(actor=actor_of(request), version=version, **form.cleaned_data)
        except (EditRefused, QuoteRefused, CalendarError) as error:
            field, _, rule = str(error).partition(": ")
            if isinstance(error, CalendarError):
                field, rule = "contract", str(error)
            form.add_error(field if field in form.fields else None, rule or str(error))
        else:
            messages.success(request, f"Version {draft.number} holds the edited node.")
            return HttpResponseRedirect(curve_address(draft.definition, draft))
    return _draw(request, version.definition, version, edit_form=form, status=422)


@require_POST
@require_permission("trading.build_curve")
def submit(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Ask for approval."""
    version = _version(actor_of(request), market, code, number)
    try:
        submit_version(actor=actor_of(request), version=version)
    except CurveRefused as error:
        return _draw(request, version.definition, version, problem=str(error), status=422)
    messages.success(request, f"Version {number} waits for approval.")
    return HttpResponseRedirect(curve_address(version.definition, version))


@require_POST
@require_permission("trading.publish_curve")
def decide(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Approve or reject a version that waits."""
    actor = actor_of(request)
    version = _version(actor, market, code, number)
    form = DecisionForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        expected = request.POST.get("status") or None
        try:
            if request.POST.get("action") == "approve":
                approve_version(
                    actor=actor, version=version, reason=reason, expected_status=expected
                )
            elif request.POST.get("action") == "reject":
                reject_version(
                    actor=actor, version=version, reason=reason, expected_status=expected
                )
            else:
                raise BadRequest("action: approve or reject.")
        except CurveRefused as error:
            return _draw(request, version.definition, version, problem=str(error), status=422)
        messages.success(request, f"Version {number} is decided.")
        return HttpResponseRedirect(curve_address(version.definition, version))
    return _draw(request, version.definition, version, problem="reason: too long.", status=422)


@require_POST
@require_permission("trading.view_quote")
def rebuild(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Build a version again from its cut, and say whether it is the same."""
    version = _version(actor_of(request), market, code, number)
    return _draw(request, version.definition, version, proof=prove(version))


def _withdraw_form(view: CurveView, data: QueryDict | None = None) -> WithdrawForm:
    quotes = [
        (line.quote_id, f"{line.contract} {line.load} {line.value.normalize():f}, {line.source}")
        for line in view.lines
    ]
    return WithdrawForm(data, quotes=quotes, auto_id="withdraw_%s")


def definition_or_404(request: HttpRequest, market: str, code: str) -> CurveDefinition:
    """Return how a curve is made, or answer that there is none."""
    try:
        return definition_of(actor=actor_of(request), market=market, code=code)
    except UnknownCurve as error:
        raise Http404(str(error)) from error


def _version(actor: Actor, market: str, code: str, number: int) -> CurveVersion:
    try:
        return version_of(actor=actor, market=market, code=code, number=number)
    except UnknownCurve as error:
        raise Http404(str(error)) from error


def _chosen(request: HttpRequest, definition: CurveDefinition) -> CurveVersion | None:
    actor = actor_of(request)
    if wanted := request.GET.get("version"):
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 9):
            raise BadRequest("version: a whole number.")
        return _version(actor, definition.market.code, definition.code, int(wanted))
    calendar, now = definition.market.calendar, clock.now()
    today = calendar.date_of(now)
    day = scope_of(request, actor=actor, today=today, reads={DATE}).date
    return version_at(definition, as_of=min(now, calendar.day(day).end))


def _draw(
    request: HttpRequest,
    definition: CurveDefinition,
    version: CurveVersion | None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    from ..curves import CurveDoesNotCover  # with NumPy: for whoever builds one

    actor, market = actor_of(request), definition.market
    context: dict[str, Any] = {
        "tolerance": price_tolerances([definition.pk])[definition.pk],
        "definition": definition,
        "market": market,
        "unit": f"{market.currency}/{market.price_unit}",
        "may_build": actor.may("trading.build_curve"),
        "may_publish": actor.may("trading.publish_curve"),
        "may_define": actor.may("trading.define_curve"),
        "may_withdraw": actor.may("trading.import_prices"),
        **more,
    }
    if version is not None:
        version = _version(actor, market.code, definition.code, version.number)
        try:
            view = curve_view(actor=actor, version=version, day=_day(request))
        except CurveDoesNotCover:
            view = curve_view(actor=actor, version=version)
            context["problem"] = f"day: the curve has no price for {_day(request)}."
            status = 422
        context |= {
            "view": view,
            "version": version,
            "snapshot": version.snapshot,
            "edit_form": more.get("edit_form") or EditForm(loads=view.loads),
            "decision_form": DecisionForm(auto_id="decide_%s"),
            "withdraw_form": more.get("withdraw_form") or _withdraw_form(view),
            "hour_columns": ["Price"],
        }
    with timezone.override(market.calendar.zone):
        return render(request, "trading/curve.html", context, status=status)


def _day(request: HttpRequest) -> date | None:
    given = request.GET.get("day", "")
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadRequest("day: a date such as 2027-03-28.") from None


def curve_address(definition: CurveDefinition, version: CurveVersion | None = None) -> str:
    """Return the address of a curve's page, of one version or the newest."""
    address = reverse("trading:curve", args=[definition.market.code, definition.code])
    return address if version is None else f"{address}?version={version.number}"
