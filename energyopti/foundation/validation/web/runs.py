"""Pages of model validation: the runs, one of them by topic with what changed, asking for one."""

from typing import Any
from uuid import UUID

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from energyopti.foundation.exports.responses import export_response
from energyopti.foundation.exports.tables import Column, Kind, Table
from energyopti.foundation.jobs.models import JobState
from energyopti.foundation.jobs.queries import visible_jobs
from energyopti.foundation.jobs.web.pages import LEVELS as JOB_LEVELS
from energyopti.foundation.pages import PEOPLE_CHOICES, PEOPLE_NAMES, actor_for, permitted
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import FORMATS, TablePage

from ..cases import MalformedCases
from ..models import CaseSource, ValidationRun
from ..queries.runs import (
    TopicSummary,
    UnknownRun,
    changes_between,
    earlier_runs,
    run_for,
    topics_of,
    visible_runs,
)
from ..queries.sets import UnknownCaseSet, case_sets
from ..services.runs import PERMISSION, start_run
from .columns import RatioColumn, ratio

VERDICTS = {
    "PASS": "All passed",
    "FAIL": "Failures",
    "UNSUPPORTED": "Not all supported",
    **dict(JobState.choices),
}
VERDICT_LEVELS = {
    "PASS": "good", "FAIL": "bad", "UNSUPPORTED": "warn", "RUNNING": "info", "FAILED": "bad",
    "CANCELLED": "warn",
}  # fmt: skip
SHOWN_CHANGES = 100


class RunTable(tables.Table):
    requested_at = MomentColumn(
        verbose_name="Asked for", linkify=("validation:run", {"run_id": tables.A("pk")})
    )
    name = tables.Column("Cases of")
    source = tables.Column()
    verdict = StatusColumn(levels=VERDICT_LEVELS, labels=VERDICTS)
    cases = FigureColumn("Cases", accessor="outcome__cases")
    passed = FigureColumn("Passed", accessor="outcome__passed")
    failed = FigureColumn("Failed", accessor="outcome__failed")
    unsupported = FigureColumn("Unsupported", accessor="outcome__unsupported")
    worst = RatioColumn("Worst, of tolerance", places=3, accessor="outcome__worst")
    seconds = FigureColumn("Time", unit="s", places=1, accessor="outcome__seconds")
    requested_by = tables.Column("By")
    code = tables.Column("Computed with", accessor="outcome__code")
    result_hash = tables.Column("Result hash", accessor="outcome__result_hash", orderable=False)

    names: dict[str, str]

    def render_requested_by(self, value: str) -> str:
        # An export fetches rows while it is written, so names that the page lacks come singly.
        if value not in self.names:
            self.names.update(PEOPLE_NAMES["by_actor_id"]([value]))
        return self.names[value]

    value_requested_by = render_requested_by

    def render_result_hash(self, value: str) -> str:
        return value[:12]

    def value_result_hash(self, value: str) -> str:
        return value


class RunFilter(django_filters.FilterSet):
    source = django_filters.ChoiceFilter(label="Source", choices=CaseSource.choices)
    verdict = django_filters.ChoiceFilter(label="Verdict", choices=list(VERDICTS.items()))

    class Meta:
        model = ValidationRun
        fields = ()


class StartForm(forms.Form):
    """Which cases are run, and for whom if one belongs to several organizations."""

    case_set = forms.ChoiceField(label="Cases")
    organization = forms.ChoiceField(label="Organization", required=False)

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["case_set"].choices = [
            (one.key, f"{one.name} ({one.source.label.lower()})")
            if one.source != CaseSource.SHIPPED
            else (one.key, one.name)
            for one in case_sets(actor)
        ]
        choose_organization(self, actor)

    @property
    def organization_id(self) -> UUID | None:
        return chosen_organization(self)


def choose_organization(form: forms.Form, actor: Any) -> None:
    """Let a person of several organizations say for which one; others are not asked."""
    form.organizations = PEOPLE_CHOICES["organizations"](actor)
    if len(form.organizations) > 1:
        form.fields["organization"].choices = [(o.value, o.label) for o in form.organizations]
        form.fields["organization"].required = True
    else:
        del form.fields["organization"]


def chosen_organization(form: Any) -> UUID | None:
    """Return the chosen organization, the only one, or None for a person of none."""
    if len(form.organizations) > 1:
        return UUID(form.cleaned_data["organization"])
    return UUID(form.organizations[0].value) if form.organizations else None


class RunList(TablePage):
    name = "validation.runs"
    permission = PERMISSION
    table_class = RunTable
    filterset_class = RunFilter
    template_name = "validation/runs.html"
    title = "Model validation"
    lead = "Reference cases through the product's own models: what was expected, what came out."
    default_columns = (
        "requested_at", "name", "verdict", "passed", "failed", "unsupported", "worst", "seconds",
        "requested_by",
    )  # fmt: skip
    default_sort = "-requested_at"
    empty_title = "No models validated yet"
    empty_text = "Run the cases that the product ships, or send a file of your own."
    new_url_name = "validation:upload"
    new_label = "Send own cases"

    def rows(self) -> QuerySet[Any]:
        actor: Any = self.actor
        return visible_runs(actor).annotate(
            verdict=Case(
                When(outcome__failed__gt=0, then=Value("FAIL")),
                When(outcome__unsupported__gt=0, then=Value("UNSUPPORTED")),
                When(outcome__isnull=False, then=Value("PASS")),
                default=F("job__state"),
                output_field=CharField(),
            )
        )

    def extra_context(self) -> dict[str, Any]:
        actor: Any = self.actor
        latest = (
            visible_runs(actor)
            .filter(outcome__isnull=False)
            .order_by("-requested_at", "-pk")
            .first()
        )
        return {
            "form": StartForm(actor=actor),
            "latest": latest,
            "latest_verdict": _verdict(latest) if latest else None,
            "topics": _topic_rows(latest) if latest else [],
        }

    def _table(self, rows: Any) -> tables.Table:
        table = super()._table(rows)
        asked = [row.requested_by for row in rows]
        table.names = PEOPLE_NAMES["by_actor_id"](asked) if asked else {}
        return table


@require_POST
@permitted(PERMISSION)
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a run and go on to its page."""
    actor: Any = actor_for(request)
    form = StartForm(request.POST, actor=actor)
    if form.is_valid():
        try:
            run = start_run(
                actor=actor,
                case_set_key=form.cleaned_data["case_set"],
                organization_id=form.organization_id,
            )
        except (UnknownCaseSet, MalformedCases) as error:
            form.add_error("case_set", str(error))
        else:
            return HttpResponseRedirect(reverse("validation:run", args=[run.pk]))
    return render(request, "validation/start.html", {"form": form}, status=422)


@require_GET
@never_cache
@permitted(PERMISSION)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run by topic, and against an earlier run of the same cases what changed."""
    actor: Any = actor_for(request)
    try:
        row = run_for(actor, run_id)
    except UnknownRun as error:
        raise Http404(str(error)) from error
    finished = getattr(row, "outcome", None)
    if finished is not None and request.GET.get("export") in FORMATS:
        return _export_topics(request, row, request.GET["export"])
    names = PEOPLE_NAMES["by_actor_id"]([row.requested_by])
    context: dict[str, Any] = {
        "run": row, "requested_by": names[row.requested_by], "verdict": _verdict(row),
    }  # fmt: skip
    if finished is None:
        # Another person's job is theirs to follow and stop; its state is shown all the same.
        own = visible_jobs(actor).filter(pk=row.job_id).exists()
        context |= {
            "job": row.job, "job_is_own": own, "level": JOB_LEVELS.get(row.job.state, ""),
        }  # fmt: skip
        return render(request, "validation/run.html", context)
    earlier = earlier_runs(row)
    against = _chosen(request, earlier)
    changes = changes_between(against, row) if against else []
    context |= {
        "outcome": finished,
        "worst": ratio(finished.worst),
        "topics": _topic_rows(row),
        "earlier": earlier,
        "against": against,
        "changes": changes[:SHOWN_CHANGES],
        "changes_in_all": len(changes),
        "newly_failing": [case for case in changes if case.kind == "Newly failing"],
        "export_links": [(name, f"{request.path}?export={name}") for name in FORMATS],
    }
    return render(request, "validation/run.html", context)


def _chosen(request: HttpRequest, earlier: list[ValidationRun]) -> ValidationRun | None:
    """Return the earlier run that is compared with: the one asked for, else the latest."""
    asked = request.GET.get("against", "")
    if not asked:
        return earlier[0] if earlier else None
    found = next((run for run in earlier if str(run.pk) == asked), None)
    if found is None:
        messages.warning(request, "That run is not an earlier one of the same cases.")
    return found


def _verdict(run: ValidationRun) -> tuple[str, str]:
    """Return what came of a run in words, and its level."""
    outcome = getattr(run, "outcome", None)
    if outcome is None:
        key = run.job.state
    elif outcome.failed:
        key = "FAIL"
    else:
        key = "UNSUPPORTED" if outcome.unsupported else "PASS"
    return VERDICTS[key], VERDICT_LEVELS.get(key, "")


def _topic_rows(run: ValidationRun) -> list[tuple[TopicSummary, str]]:
    return [(topic, ratio(topic.worst)) for topic in topics_of(run)]


def _export_topics(request: HttpRequest, run: ValidationRun, format_name: str) -> HttpResponse:
    table = Table(
        title="Model validation by topic",
        columns=[
            Column("topic", "Topic"),
            Column("cases", "Cases", Kind.INTEGER),
            Column("passed", "Passed", Kind.INTEGER),
            Column("failed", "Failed", Kind.INTEGER),
            Column("unsupported", "Unsupported", Kind.INTEGER),
            Column("worst", "Worst, of tolerance", Kind.DECIMAL),
            Column("seconds", "Time", Kind.DECIMAL, "s"),
        ],
        rows=[
            (t.topic, t.cases, t.passed, t.failed, t.unsupported, t.worst, t.seconds)
            for t in topics_of(run)
        ],
        filters={
            "Cases of": run.name,
            "Computed with": run.outcome.code,
            "Result hash": run.outcome.result_hash,
        },
        as_of=run.outcome.finished_at,
    )
    return export_response(request, table, format_name, f"validation-{run.pk}")
