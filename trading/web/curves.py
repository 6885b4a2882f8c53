"""Pages of forward curves: the list, one version beside its quotes, and the way to publication."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.scope import DATE, scope_of

from ..models import CurveDefinition, CurveMethod, CurveVersion, PublicationPolicy
from ..queries.curve_building import NoCurve
from ..queries.curve_page import (
    CurveView,
    curve_lines,
    curve_view,
    markets_without_curve,
    version_at,
)
from ..queries.curve_versions import UnknownCurve, definition_of, prove, version_of
from ..queries.markets import NoSuchMarket, market_by_code
from ..queries.quotes import latest_trading_day
from ..queries.rates import rates_view
from ..services.curves import (
    CurveRefused,
    EditRefused,
    approve_version,
    build_version,
    define_curve,
    edit_node,
    reject_version,
    submit_version,
)
from ..services.quote_files import (
    COLUMNS,
    QuotesMoved,
    digest_of,
    import_quotes,
    preview_quotes,
)
from ..services.quotes import QuoteRefused, withdraw_quote
from ..services.rate_files import RATE_KINDS, import_rates, preview_rates
from ..services.reference_files.findings import ReferenceDiff, ReferenceRefused, RowState
from . import markets
from .curve_forms import (
    ChangeForm,
    DecisionForm,
    DefineForm,
    EditForm,
    QuoteFileForm,
    WithdrawForm,
)

# What a page holds between the look and the import; larger files go through the command.
_PAGE_BYTES = 1024 * 1024
_SHOWN = 200


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


@require_http_methods(["GET", "POST"])
@require_permission("trading.define_curve")
def define(request: HttpRequest, market: str) -> HttpResponse:
    """Say how a curve of a market is made."""
    try:
        row = market_by_code(market)
    except NoSuchMarket as error:
        raise Http404(str(error)) from error
    form = DefineForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = form.cleaned_data
            try:
                definition = define_curve(
                    actor=actor_of(request),
                    market=row,
                    code=found["code"],
                    method=CurveMethod(found["method"]),
                    policy=PublicationPolicy(PublicationPolicy.FOUR_EYES),
                    minutes=found["minutes"],
                    tolerance=str(found["tolerance"]),
                )
            except ValidationError as error:
                form.add_error(None, error)
            except CurveRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{row.code} {definition.code} is defined.")
                return HttpResponseRedirect(_address(definition))
    context = {"form": form, "market": row}
    return render(request, "trading/curve_define.html", context, status=status)


@require_http_methods(["GET", "POST"])
@require_permission("trading.define_curve")
def change(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Say anew how a curve is made; versions built before stay as they are."""
    row = _definition(request, market, code)
    form = ChangeForm(request.POST or None, initial=model_to_dict(row))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            found = form.cleaned_data
            try:
                define_curve(
                    actor=actor_of(request),
                    market=row.market,
                    code=row.code,
                    method=CurveMethod(found["method"]),
                    policy=PublicationPolicy(row.policy),
                    minutes=found["minutes"],
                    tolerance=str(found["tolerance"]),
                    history_days=found["history_days"],
                    is_mark=row.is_mark,
                )
            except CurveRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{market} {row.code} is built so from now on.")
                return HttpResponseRedirect(_address(row))
    context = {"form": form, "market": row.market, "definition": row}
    return render(request, "trading/curve_define.html", context, status=status)


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
        return HttpResponseRedirect(_address(version.definition, version))
    try:
        built = build_version(
            actor=actor,
            definition=version.definition,
            as_of=version.snapshot.as_of,
            reason=f"withdrawn: {reason}"[:400],
        )
    except (NoCurve, CurveError, CalendarError) as error:
        messages.error(request, f"No curve is left without it. {error}")
        return HttpResponseRedirect(_address(version.definition, version))
    messages.success(request, f"Version {built.number} is {built.get_status_display()}.")
    return HttpResponseRedirect(_address(version.definition, built))


@require_GET
@require_permission("trading.view_quote")
def curve(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Show a version of a curve: of `?version=`, or the newest as of the scope's day."""
    definition = _definition(request, market, code)
    return _draw(request, definition, _chosen(request, definition))


@require_POST
@require_permission("trading.build_curve")
def build(request: HttpRequest, market: str, code: str) -> HttpResponse:
    """Build a version from the latest quotes known."""
    from ..curves import CurveError  # with NumPy: for whoever builds one

    definition = _definition(request, market, code)
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
        return HttpResponseRedirect(_address(definition))
    messages.success(request, f"Version {version.number} is {version.get_status_display()}.")
    return HttpResponseRedirect(_address(definition, version))


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
            return HttpResponseRedirect(_address(draft.definition, draft))
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
    return HttpResponseRedirect(_address(version.definition, version))


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
        return HttpResponseRedirect(_address(version.definition, version))
    return _draw(request, version.definition, version, problem="reason: too long.", status=422)


@require_POST
@require_permission("trading.view_quote")
def rebuild(request: HttpRequest, market: str, code: str, number: int) -> HttpResponse:
    """Build a version again from its cut, and say whether it is the same."""
    version = _version(actor_of(request), market, code, number)
    return _draw(request, version.definition, version, proof=prove(version))


@require_http_methods(["GET", "POST"])
@require_permission("trading.view_quote")
def import_file(request: HttpRequest) -> HttpResponse:
    """Upload quotes or rates, look at the difference, import it."""
    actor, now = actor_of(request), clock.now()
    kinds = _kinds_for(actor)
    if not kinds:
        raise PermissionMissing("trading.import_prices")
    form = QuoteFileForm(kinds=kinds, initial={"kind": request.GET.get("kind", "")})
    context: dict[str, Any] = {"form": form, "columns": _columns(kinds)}
    if request.method == "GET":
        return render(request, "trading/curve_quotes.html", context)
    status = 200
    if "content" in request.POST:
        kind = request.POST.get("kind", "")
        if kind not in dict(kinds):
            raise BadRequest("kind: none of those you may import.")
        name, content = request.POST.get("name", "quotes.csv"), request.POST["content"].encode()
        try:
            diff = _import(
                kind, actor=actor, name=name, content=content, received_at=now,
                expected_digest=request.POST.get("digest", ""),
            )  # fmt: skip
        except (ReferenceRefused, QuotesMoved) as error:
            context["problem"], diff, status = str(error), error.diff, 422
        else:
            added, changed = diff.count(RowState.ADDED), diff.count(RowState.CHANGED)
            messages.success(request, f"{added:,} quotes added, {changed:,} corrected.")
            after = "trading:curves" if kind == "quotes" else "trading:rates"
            return HttpResponseRedirect(reverse(after))
    else:
        form = context["form"] = QuoteFileForm(request.POST, request.FILES, kinds=kinds)
        file = form.cleaned_data["file"] if form.is_valid() else None
        if file is not None and file.size > _PAGE_BYTES:
            form.add_error("file", "Over 1 MB: use manage.py import_curves.")
        if file is None or form.errors:
            return render(request, "trading/curve_quotes.html", context, status=422)
        kind, name, content = form.cleaned_data["kind"], file.name, file.read()
        given = {"actor": actor, "name": name, "content": content, "received_at": now}
        diff = preview_quotes(**given) if kind == "quotes" else preview_rates(kind=kind, **given)
        status = 422 if diff.is_refused else 200
    context |= {
        "diff": diff,
        "changes": [c for c in diff.changes if c.state is not RowState.UNCHANGED][:_SHOWN],
        "counts": [(state.value, diff.count(state)) for state in RowState],
        "name": name,
        "kind": kind,
        "content": "" if diff.is_refused else content.decode("utf-8-sig"),
        "digest": digest_of(diff),
    }
    return render(request, "trading/curve_quotes.html", context, status=status)


def _withdraw_form(view: CurveView, data: QueryDict | None = None) -> WithdrawForm:
    quotes = [
        (line.quote_id, f"{line.contract} {line.load} {line.value.normalize():f}, {line.source}")
        for line in view.lines
    ]
    return WithdrawForm(data, quotes=quotes, auto_id="withdraw_%s")


def _kinds_for(actor: Actor) -> list[tuple[str, str]]:
    """Return the kinds of files that somebody may import, with their names."""
    kinds = [("quotes", "Forward quotes")] if actor.may("trading.import_prices") else []
    if actor.may("trading.manage_reference_data"):
        kinds += [
            ("interest", "Interest rates"), ("fx", "Exchange-rate forwards"),
            ("vol", "Volatilities"),
        ]  # fmt: skip
    return kinds


def _columns(kinds: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (label, ", ".join(COLUMNS if kind == "quotes" else RATE_KINDS[kind].columns))
        for kind, label in kinds
    ]


def _import(kind: str, **given: Any) -> ReferenceDiff:
    return import_quotes(**given) if kind == "quotes" else import_rates(kind=kind, **given)


def _definition(request: HttpRequest, market: str, code: str) -> CurveDefinition:
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


def _address(definition: CurveDefinition, version: CurveVersion | None = None) -> str:
    address = reverse("trading:curve", args=[definition.market.code, definition.code])
    return address if version is None else f"{address}?version={version.number}"
