"""Pages of risk runs: the list, asking for one, its numbers, and the way down to a scenario."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.queries.people import names_by_actor_id
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.jobs.queries import visible_jobs
from energyopti.foundation.jobs.web.pages import LEVELS as JOB_LEVELS
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from risk.models import RiskRun, RunKind, RunMethod
from risk.queries.run_comparison import comparable_runs, compare_runs
from risk.queries.run_results import DIMENSIONS
from risk.queries.run_terms import RunRefused, RunTerms
from risk.queries.runs import (
    RUN_STATES,
    VIEW,
    UnknownRun,
    chosen_confidence,
    components_in,
    numbers_of,
    outcome_of,
    run_for,
    runs_for,
    scenarios_of,
    staleness_of,
    trades_in_scenario,
)
from risk.run_exports import EXPORTS, export_run
from risk.services.runs import ASK, ask_risk_run
from trading.queries.books import UnknownBook

from .run_forms import RunForm

T = TypeVar("T")
LEVELS = {"DONE": "good", "FAILED": "bad", "CANCELLED": "warn", "RUNNING": "info"}
SHOWN_PARTS = 200
DIMENSION_WORDS = {
    "BOOK": "Book", "COMMODITY": "Commodity", "MARKET": "Market", "MONTH": "Delivery month",
    "COUNTERPARTY": "Counterparty", "TRADER": "Trader", "TRADE": "Trade",
}  # fmt: skip


class RiskRunTable(tables.Table):
    requested_at = MomentColumn(
        verbose_name="Asked for", linkify=("risk:run", {"run_id": tables.A("pk")})
    )
    book = tables.Column(accessor="book__code")
    kind = tables.Column()
    method = tables.Column()
    state = StatusColumn(levels=LEVELS, labels=RUN_STATES)
    valued_at = MomentColumn(verbose_name="As of", accessor="snapshot__valued_at")
    horizon_days = FigureColumn("Horizon", unit="days")
    value = FigureColumn("Value", places=2, accessor="outcome__value")
    currency = tables.Column("Currency", accessor="outcome__currency", orderable=False)
    trades = FigureColumn("Trades", accessor="outcome__trades")
    requested_by = tables.Column("By")
    result_hash = tables.Column("Result hash", accessor="outcome__result_hash", orderable=False)

    names: dict[str, str]

    def render_requested_by(self, value: str) -> str:
        # An export fetches rows while it is written, so names that the page lacks come singly.
        if value not in self.names:
            self.names.update(names_by_actor_id([value]))
        return self.names.get(value, value)

    value_requested_by = render_requested_by

    def render_result_hash(self, value: str) -> str:
        return value[:12]

    def value_result_hash(self, value: str) -> str:
        return value


class RiskRunFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label="Kind", choices=RunKind.choices)
    method = django_filters.ChoiceFilter(label="Method", choices=RunMethod.choices)
    state = django_filters.ChoiceFilter(label="State", choices=list(RUN_STATES.items()))
    requested_at = django_filters.DateFromToRangeFilter(label="Asked for")

    class Meta:
        model = RiskRun
        fields = ()


class RiskRunList(TablePage):
    name = "risk.runs"
    permission = VIEW
    table_class = RiskRunTable
    filterset_class = RiskRunFilter
    template_name = "risk/runs.html"
    title = "Risk runs"
    lead = "Calculations that stay: hashed inputs, numbers that come out the same again."
    default_columns = (
        "requested_at", "book", "kind", "method", "state", "valued_at", "trades", "requested_by",
    )  # fmt: skip
    default_sort = "-requested_at"
    reads = frozenset({"book"})
    empty_title = "No risk run yet"
    empty_text = "Each end of day makes one; ask for one in between."

    def rows(self) -> QuerySet[Any]:
        rows = runs_for(self.actor)  # type: ignore[arg-type]  # accounts' own actor
        chosen = self.scope.value("book")
        return rows.filter(book_id=chosen) if chosen else rows

    def extra_context(self) -> dict[str, Any]:
        actor: Any = self.actor
        return {"form": RunForm(actor=actor) if actor.may(ASK) else None}

    def _table(self, rows: Any) -> tables.Table:
        table = super()._table(rows)
        table.names = names_by_actor_id([row.requested_by for row in rows]) if rows else {}
        return table


@require_POST
@require_permission(ASK)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a run and go on to its page."""
    actor = actor_of(request)
    form = RunForm(request.POST, actor=actor)
    if form.is_valid():
        terms: RunTerms = form.cleaned_data["terms"]
        try:
            run = ask_risk_run(
                actor=actor, book_id=form.book_id, terms=terms,
                kind=RunKind(form.cleaned_data["kind"]), definition_id=form.definition_id,
            )  # fmt: skip
        except RunRefused as error:
            form.refuse(error)
        except UnknownBook as error:
            raise Http404(str(error)) from error
        else:
            return HttpResponseRedirect(reverse("risk:run", args=[run.pk]))
    return render(request, "risk/run_ask.html", {"form": form}, status=422)


@require_GET
@never_cache
@require_permission(VIEW)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run: its numbers, whose they are, its worst scenarios; while it is made, its job."""
    actor = actor_of(request)
    row = _run(request, run_id)
    context: dict[str, Any] = {
        "run": row,
        "requested_by": names_by_actor_id([row.requested_by]).get(row.requested_by),
        "state": (RUN_STATES[row.state], LEVELS.get(row.state, "")),
    }
    if row.state != "DONE":
        own = row.job is not None and visible_jobs(actor).filter(pk=row.job_id).exists()
        context |= {"job": row.job, "job_is_own": own, "level": JOB_LEVELS.get(row.job.state, "")}
        return render(request, "risk/run.html", context)
    outcome = outcome_of(row)
    dimension = request.GET.get("by", "BOOK")
    if dimension not in DIMENSIONS:
        raise Http404(f"by: must be one of {', '.join(DIMENSIONS)}.")
    confidence = _known(lambda: chosen_confidence(row, request.GET.get("confidence", "")))
    components = sorted(
        components_in(outcome, dimension, confidence), key=lambda c: (-abs(c.component_var), c.key)
    )
    text, numbers = f"{confidence.normalize():f}", numbers_of(outcome)
    context |= {
        "outcome": outcome,
        "numbers": numbers,
        "stale": staleness_of(row),
        "dimension": dimension,
        "dimension_words": DIMENSION_WORDS[dimension],
        "confidence": text,
        "tabs": [
            {"label": words, "url": f"?{urlencode({'by': key, 'confidence': text})}#components",
             "current": key == dimension}
            for key, words in DIMENSION_WORDS.items()
        ],
        "confidences": [(f"{n.confidence.normalize():f}", n.percent) for n in numbers],
        "number": next(n for n in numbers if n.confidence == confidence),
        "components": components[:SHOWN_PARTS],
        "components_in_all": len(components),
        "scenarios": scenarios_of(row),
        "comparable": comparable_runs(row),
        "exports": [
            (words, f"{reverse('risk:run-export', args=[row.pk])}?{urlencode(query)}")
            for words, query in EXPORTS
        ],
    }  # fmt: skip
    return render(request, "risk/run.html", context)


@require_GET
@require_permission(VIEW)
def component(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show the trades of one component, largest first."""
    row = _run(request, run_id)
    dimension, key = request.GET.get("by", ""), request.GET.get("key", "")
    if dimension not in DIMENSIONS:
        raise Http404(f"by: must be one of {', '.join(DIMENSIONS)}.")
    outcome = _known(lambda: outcome_of(row))
    confidence = _known(lambda: chosen_confidence(row, request.GET.get("confidence", "")))
    equal = {dimension.lower(): key}
    parts = list(components_in(outcome, "PART", confidence, **equal))
    if not parts:
        raise Http404(f"key: the run has no {dimension.lower()} of that name.")
    trades: dict[str, dict[str, Any]] = {}
    for part in parts:
        held = trades.setdefault(
            part.trade,
            {"part": part, "component_var": 0.0, "component_es": 0.0, "value": 0.0, "parts": 0},
        )
        held["component_var"] += part.component_var
        held["component_es"] += part.component_es
        held["value"] += part.value
        held["parts"] += 1
    rows = sorted(trades.values(), key=lambda t: (-abs(t["component_var"]), t["part"].trade))
    context = {
        "run": row, "outcome": outcome, "number": outcome.numbers.get(confidence=confidence),
        "key": key, "dimension_words": DIMENSION_WORDS[dimension],
        "confidence": f"{confidence.normalize():f}", "rows": rows[:SHOWN_PARTS],
        "in_all": len(rows),
        "total_var": sum(t["component_var"] for t in rows),
        "total_es": sum(t["component_es"] for t in rows),
    }  # fmt: skip
    return render(request, "risk/run_component.html", context)


@require_GET
@require_permission(VIEW)
def trade(request: HttpRequest, run_id: UUID, ref: str) -> HttpResponse:
    """Show what one trade gains in each scenario, worst first, and its share of the whole."""
    row = _run(request, run_id)
    outcome = _known(lambda: outcome_of(row))
    scenarios = _known(lambda: scenarios_of(row, trade=ref, count=None))
    confidence = _known(lambda: chosen_confidence(row, request.GET.get("confidence", "")))
    parts = list(components_in(outcome, "PART", confidence, trade=ref))
    if not parts:
        raise Http404("trade: the run has no such trade.")
    context = {
        "run": row, "outcome": outcome, "number": outcome.numbers.get(confidence=confidence),
        "ref": ref, "parts": parts,
        "confidence": f"{confidence.normalize():f}",
        "scenarios": scenarios[:SHOWN_PARTS],
        "in_all": len(scenarios),
        "points": [
            (datetime.combine(s.day, time(), UTC), [s.own, s.pnl])
            for s in sorted(scenarios, key=lambda s: s.position)
            if s.day is not None
        ],
    }  # fmt: skip
    return render(request, "risk/run_trade.html", context)


@require_GET
@require_permission(VIEW)
def scenario(request: HttpRequest, run_id: UUID, position: int) -> HttpResponse:
    """Show what trades gain in one scenario, worst first."""
    row = _run(request, run_id)
    trades = _known(lambda: trades_in_scenario(row, position, count=SHOWN_PARTS))
    shown = next(s for s in scenarios_of(row, count=None) if s.position == position)
    context = {"run": row, "outcome": row.outcome, "scenario": shown, "rows": trades}
    return render(request, "risk/run_scenario.html", context)


@require_GET
@require_permission(VIEW)
def compare(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show why the VaR of a run differs from an earlier one's."""
    row = _run(request, run_id)
    earlier = comparable_runs(row)
    asked = request.GET.get("with", "")
    before = next((one for one in earlier if str(one.pk) == asked), None)
    if asked and before is None:
        raise Http404("with: must be a finished run of the same book.")
    before = before or (earlier[0] if earlier else None)
    context: dict[str, Any] = {"run": row, "earlier": earlier, "before": before}
    if before is not None:
        confidence = request.GET.get("confidence", "")
        context["found"] = _known(lambda: compare_runs(before, row, confidence))
    return render(request, "risk/run_compare.html", context)


@require_GET
@require_permission(VIEW)
def export(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Send a finished run as a file."""
    row = _run(request, run_id)
    format, table = request.GET.get("format", "csv"), request.GET.get("table", "components")
    try:
        return _known(lambda: export_run(request, row, format, table))
    except Refusal as error:
        if error.status_code == 503:
            messages.error(request, str(error.detail))
            return HttpResponseRedirect(reverse("risk:run", args=[row.pk]))
        raise BadRequest(str(error.detail)) from error


def _run(request: HttpRequest, run_id: UUID) -> RiskRun:
    return _known(lambda: run_for(actor_of(request), run_id))


def _known(read: Callable[[], T]) -> T:
    try:
        return read()
    except UnknownRun as error:
        raise Http404(str(error)) from error
