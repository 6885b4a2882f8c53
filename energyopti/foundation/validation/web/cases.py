"""The cases of a run: a list to filter and take out, and one case with all that was compared."""

import json
from functools import cached_property
from typing import Any
from uuid import UUID

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from energyopti.foundation.pages import actor_for, permitted
from energyopti.foundation.tables.columns import FigureColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage

from ..models import STATUS_CHOICES, STATUS_WORDS, CaseOutcome, ValidationRun
from ..queries.runs import UnknownRun, results_of, run_for
from ..services.runs import PERMISSION
from .columns import JsonColumn, RatioColumn, ratio

STATUS_LEVELS = {"pass": "good", "fail": "bad", "unsupported": "warn"}


class CaseTable(tables.Table):
    number = FigureColumn("No.")
    case_id = tables.Column(
        "Case",
        linkify=("validation:case", {"run_id": tables.A("run_id"), "number": tables.A("number")}),
    )
    topic = tables.Column()
    model = tables.Column("Model")
    status = StatusColumn(levels=STATUS_LEVELS, labels=STATUS_WORDS)
    inputs = JsonColumn(orderable=False)
    expected = JsonColumn(orderable=False)
    got = JsonColumn(orderable=False)
    difference = JsonColumn(orderable=False)
    tolerance = JsonColumn(orderable=False)
    worst = RatioColumn("Worst, of tolerance", places=3)
    reason = tables.Column(orderable=False)
    reference = tables.Column("Source", orderable=False)
    provenance = tables.Column()
    note = tables.Column(orderable=False)
    seconds = FigureColumn("Time", unit="s", places=3)


class CaseFilter(django_filters.FilterSet):
    topic = django_filters.ChoiceFilter(label="Topic")
    status = django_filters.ChoiceFilter(label="Result", choices=STATUS_CHOICES)
    case_id = django_filters.CharFilter(label="Case", lookup_expr="icontains")

    class Meta:
        model = CaseOutcome
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topics = self.queryset.order_by("topic").values_list("topic", flat=True).distinct()
        self.filters["topic"].extra["choices"] = [(topic, topic) for topic in topics]


class CaseList(TablePage):
    name = "validation.cases"
    permission = PERMISSION
    table_class = CaseTable
    filterset_class = CaseFilter
    template_name = "validation/cases.html"
    title = "Validated cases"
    default_columns = (
        "case_id", "status", "expected", "got", "difference", "tolerance", "worst", "inputs",
        "model", "reference", "provenance",
    )  # fmt: skip
    default_sort = "number"
    empty_title = "No cases"
    empty_text = "They appear when the run has ended."

    @cached_property
    def run(self) -> ValidationRun:
        return _run_or_404(self.request, self.kwargs["run_id"])

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _run_or_404(request, kwargs["run_id"])  # before what is sent is judged
        return super().post(request, *args, **kwargs)

    def rows(self) -> QuerySet[Any]:
        return results_of(self.run)

    def extra_context(self) -> dict[str, Any]:
        return {"run": self.run}


@require_GET
@permitted(PERMISSION)
def case(request: HttpRequest, run_id: UUID, number: int) -> HttpResponse:
    """Show one case of a run: inputs, expected, got, difference, tolerance and where it is from."""
    run = _run_or_404(request, run_id)
    row = results_of(run).filter(number=number).first()
    if row is None:
        raise Http404(f"This run has no case {number}.")
    shown = [
        ("Inputs", row.inputs), ("Expected", row.expected), ("Got", row.got),
        ("Difference, got − expected", row.difference), ("Tolerance", row.tolerance),
    ]  # fmt: skip
    context = {
        "run": run,
        "case": row,
        "words": STATUS_WORDS[row.status],
        "level": STATUS_LEVELS[row.status],
        "worst": ratio(row.worst),
        "values": [
            (label, json.dumps(value, indent=2, ensure_ascii=False))
            for label, value in shown
            if value is not None
        ],
    }
    return render(request, "validation/case.html", context)


def _run_or_404(request: HttpRequest, run_id: UUID) -> ValidationRun:
    actor: Any = actor_for(request)
    try:
        return run_for(actor, run_id)
    except UnknownRun as error:
        raise Http404(str(error)) from error
