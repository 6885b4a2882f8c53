"""REST of risk runs: ask, list, read, go down to components and scenarios, compare, export."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from risk.models import RiskRun, RunKind, RunMethod
from risk.queries.run_comparison import compare_runs
from risk.queries.run_results import DIMENSIONS
from risk.queries.run_terms import DEFAULT_CONFIDENCES, LAWS, RunRefused, RunTerms
from risk.queries.runs import (
    RUN_STATES,
    VIEW,
    chosen_confidence,
    components_in,
    numbers_of,
    outcome_of,
    run_for,
    runs_for,
    scenarios_of,
    staleness_of,
)
from risk.run_exports import FORMATS, PARQUET, export_run
from risk.services.runs import ASK, ask_risk_run

from . import run_examples as examples

_SCOPES = {"GET": "risk:read", "POST": "risk:write"}
_LISTED = 200


class RiskRunQuery(StrictSerializer):
    """Which runs; all of the caller's books, if nothing is said."""

    book = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=RunKind.choices, required=False)
    method = serializers.ChoiceField(choices=RunMethod.choices, required=False)
    state = serializers.ChoiceField(choices=list(RUN_STATES.items()), required=False)


class RiskRunInput(StrictSerializer):
    """What is calculated; `law`, `degrees`, `paths` and `seed` are of MONTE_CARLO."""

    book = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["INTRADAY", "AD_HOC"], default="AD_HOC")
    method = serializers.ChoiceField(choices=RunMethod.choices, default="HISTORICAL")
    confidences = serializers.ListField(
        child=serializers.DecimalField(max_digits=6, decimal_places=5),
        default=list(DEFAULT_CONFIDENCES), max_length=4,
    )  # fmt: skip
    horizon_days = serializers.IntegerField(default=1)
    snapshot = serializers.IntegerField(default=None, allow_null=True)
    definition = serializers.IntegerField(
        default=None, allow_null=True, help_text="Id of a definition of scenarios in force."
    )
    law = serializers.ChoiceField(choices=list(LAWS.items()), default="GAUSSIAN")
    degrees = serializers.FloatField(default=None, allow_null=True)
    paths = serializers.IntegerField(default=10_000)
    seed = serializers.IntegerField(default=1)

    @property
    def terms(self) -> RunTerms:
        """
        Return how the run calculates.

        :raises RunRefused: naming the field and the rule.
        """
        given = self.validated_data
        method = RunMethod(given["method"])
        own: dict[str, Any] = {}
        if method == RunMethod.MONTE_CARLO:
            own = {name: given[name] for name in ("law", "degrees", "paths", "seed")}
        elif given["degrees"] is not None:
            raise RunRefused("degrees", "of freedom are of MONTE_CARLO.")
        return RunTerms(
            method=method, confidences=tuple(given["confidences"]),
            horizon_days=given["horizon_days"], **own,
        )  # fmt: skip


class RiskRunOutput(serializers.Serializer[Any]):
    """A run that was asked for; `state` is DONE, or that of its job."""

    id = serializers.UUIDField()
    book = serializers.UUIDField(source="book_id")
    book_code = serializers.CharField(source="book.code")
    kind = serializers.CharField()
    method = serializers.CharField()
    state = serializers.CharField()
    confidences = serializers.ListField(child=serializers.CharField())
    horizon_days = serializers.IntegerField()
    snapshot = serializers.IntegerField(source="snapshot_id")
    valued_at = InstantField(source="snapshot.valued_at")
    known_at = InstantField()
    job = serializers.UUIDField(source="job_id", allow_null=True)
    requested_by = serializers.CharField()
    requested_at = InstantField()


class RiskNumberOutput(serializers.Serializer[Any]):
    confidence = serializers.CharField()
    var = serializers.FloatField()
    es = serializers.FloatField()
    components_sum = serializers.FloatField()
    scenario = serializers.IntegerField(allow_null=True)
    var_error = serializers.FloatField(allow_null=True)
    es_error = serializers.FloatField(allow_null=True)
    convention = serializers.CharField()


class RiskRunDetailOutput(RiskRunOutput):
    """A run with what it found; null where it has no results."""

    stale = serializers.CharField(help_text="Why it is not the latest word, empty while it is.")
    numbers = RiskNumberOutput(many=True)
    currency = serializers.CharField(source="outcome.currency", default=None)
    value = serializers.FloatField(source="outcome.value", default=None)
    trades = serializers.IntegerField(source="outcome.trades", default=None)
    statement = serializers.CharField(source="outcome.statement", default=None)
    findings = serializers.JSONField(source="outcome.findings", default=None)
    unvalued = serializers.JSONField(source="outcome.unvalued", default=None)
    inputs = serializers.JSONField(source="outcome.inputs", default=None)
    input_hash = serializers.CharField(source="outcome.input_hash", default=None)
    result_hash = serializers.CharField(source="outcome.result_hash", default=None)
    code = serializers.CharField(source="outcome.code", default=None)
    tzdata = serializers.CharField(source="outcome.tzdata", default=None)
    started_at = InstantField(source="outcome.started_at", default=None)
    finished_at = InstantField(source="outcome.finished_at", default=None)


class ComponentQuery(StrictSerializer):
    """By what, at which confidence, and how many, the largest first."""

    dimension = serializers.ChoiceField(choices=[*DIMENSIONS, "PART"], default="BOOK")
    confidence = serializers.CharField(max_length=8, default="", allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=10_000, default=_LISTED)
    book = serializers.CharField(max_length=40, required=False)
    commodity = serializers.CharField(max_length=80, required=False)
    market = serializers.CharField(max_length=80, required=False)
    month = serializers.CharField(max_length=7, required=False)
    counterparty = serializers.CharField(max_length=40, required=False)
    trader = serializers.CharField(max_length=120, required=False)
    trade = serializers.CharField(max_length=16, required=False)


class ComponentOutput(serializers.Serializer[Any]):
    """What a part has of VaR and ES; losses positive, the run's currency."""

    dimension = serializers.CharField()
    key = serializers.CharField()
    confidence = serializers.CharField()
    trade = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    book = serializers.CharField()
    commodity = serializers.CharField()
    market = serializers.CharField()
    month = serializers.CharField()
    counterparty = serializers.CharField()
    trader = serializers.CharField()
    energy_mwh = serializers.FloatField(allow_null=True)
    value = serializers.FloatField()
    component_var = serializers.FloatField()
    component_es = serializers.FloatField()
    marginal_var = serializers.FloatField(allow_null=True, help_text="Per MWh.")
    standalone_var = serializers.FloatField(allow_null=True)
    standalone_es = serializers.FloatField(allow_null=True)
    incremental_var = serializers.FloatField(allow_null=True)


class ScenarioQuery(StrictSerializer):
    """Of which trade, and how many, the worst first."""

    trade = serializers.CharField(max_length=16, default="", allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=100_000, default=20)


class ScenarioOutput(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    rank = serializers.IntegerField()
    name = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    pnl = serializers.FloatField()
    own = serializers.FloatField(allow_null=True)
    share = serializers.FloatField(allow_null=True)


class ComparisonQuery(StrictSerializer):
    """With which finished run of the same book."""

    confidence = serializers.CharField(max_length=8, default="", allow_blank=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "with": serializers.UUIDField()}


class CauseOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    change = serializers.FloatField()
    trades = serializers.IntegerField()


class TradeChangeOutput(serializers.Serializer[Any]):
    ref = serializers.CharField()
    group = serializers.CharField()
    before = serializers.FloatField(allow_null=True)
    after = serializers.FloatField(allow_null=True)
    change = serializers.FloatField()


class DifferingInputOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class RunComparisonOutput(serializers.Serializer[Any]):
    """Why VaR changed; the steps sum to `total` by the rule that is said."""

    confidence = serializers.CharField()
    currency = serializers.CharField()
    var_before = serializers.FloatField()
    var_after = serializers.FloatField()
    es_before = serializers.FloatField()
    es_after = serializers.FloatField()
    change = serializers.FloatField()
    total = serializers.FloatField()
    rule = serializers.CharField()
    steps = CauseOutput(many=True)
    trades = TradeChangeOutput(many=True)
    inputs = DifferingInputOutput(many=True)


class ExportQuery(StrictSerializer):
    """As what, and which table; trades with their P&L by scenario are Parquet only."""

    table = serializers.ChoiceField(choices=["components", "trades"], default="components")

    def get_fields(self) -> dict[str, Any]:
        # "format" would be taken for the representation of the answer.
        return {**super().get_fields(), "as": serializers.ChoiceField(choices=FORMATS)}


class RiskRunViewSet(ApiListViewSet):
    """Risk runs of the caller's books."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": ASK}
    scopes: ClassVar[dict[str, str]] = _SCOPES
    serializer_class = RiskRunOutput
    ordering = ("-requested_at", "-id")

    @extend_schema(
        description="Page through the runs of the caller's books, the latest first.",
        parameters=[RiskRunQuery],
        responses=RiskRunOutput(many=True),
        examples=[examples.RUNS],
    )
    def list(self, request: Request) -> Response:
        asked = dict(self.query_of(RiskRunQuery))
        if "book" in asked:
            asked["book_id"] = asked.pop("book")
        return self.page_of(runs_for(actor_of(request._request)).filter(**asked), RiskRunOutput)

    @extend_schema(
        description=(
            "Ask for a run of a book with all books below it. Trades count as recorded now, on"
            " the curves that books are valued on now or on a snapshot that is named. The answer"
            " names the job; the run is DONE when it has ended. Takes an `Idempotency-Key`."
        ),
        request=RiskRunInput,
        responses={202: RiskRunOutput},
        examples=[examples.ASK, examples.ASKED],
    )
    def create(self, request: Request) -> Response:
        body = RiskRunInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = body.validated_data, actor_of(request._request)
        run = ask_risk_run(
            actor=actor, book_id=given["book"], terms=body.terms, kind=RunKind(given["kind"]),
            snapshot_id=given["snapshot"], definition_id=given["definition"],
        )  # fmt: skip
        row = run_for(actor, run.pk)
        return Response(RiskRunOutput(row).data, status=202)

    @extend_schema(
        description="Return a run with its numbers, their conventions, inputs and hashes.",
        responses=RiskRunDetailOutput,
        examples=[examples.DETAIL],
    )
    def retrieve(self, request: Request, run_id: UUID) -> Response:
        row: Any = run_for(actor_of(request._request), run_id)
        is_done = row.state == "DONE"
        row.numbers = numbers_of(row.outcome) if is_done else []
        row.stale = staleness_of(row) if is_done else ""
        return Response(RiskRunDetailOutput(row).data)


class RunPartView(ApiView):
    """What one may read of a finished run."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}

    def run(self, request: Request, run_id: UUID) -> RiskRun:
        return run_for(actor_of(request._request), run_id)


class RunComponentsView(RunPartView):
    @extend_schema(
        description=(
            "Return the components of a run by a dimension, the largest first. They sum to"
            " `components_sum`; PART has what each trade holds of each market and month, and"
            " takes the other names as filters."
        ),
        parameters=[ComponentQuery],
        responses=inline_serializer(
            "RunComponents",
            {
                "components_sum": serializers.FloatField(),
                "currency": serializers.CharField(),
                "results": ComponentOutput(many=True),
            },
        ),
        examples=[examples.COMPONENTS],
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        row = self.run(request, run_id)
        asked = dict(self.query_of(ComponentQuery))
        outcome = outcome_of(row)
        confidence = chosen_confidence(row, asked.pop("confidence"))
        dimension, limit = asked.pop("dimension"), asked.pop("limit")
        found = sorted(
            components_in(outcome, dimension, confidence, **asked),
            key=lambda c: (-abs(c.component_var), c.key),
        )
        number = outcome.numbers.get(confidence=confidence)
        return Response(
            {
                "components_sum": number.components_sum,
                "currency": outcome.currency,
                "results": ComponentOutput(found[:limit], many=True).data,
            }
        )


class RunScenariosView(RunPartView):
    @extend_schema(
        description=(
            "Return the worst scenarios of a run with their dates; of a trade, by its own P&L,"
            " with its share of the whole. A parametric run has none."
        ),
        parameters=[ScenarioQuery],
        responses=inline_serializer(
            "RunScenarios",
            {"currency": serializers.CharField(), "results": ScenarioOutput(many=True)},
        ),
        examples=[examples.SCENARIOS],
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        row = self.run(request, run_id)
        asked = self.query_of(ScenarioQuery)
        found = scenarios_of(row, trade=asked["trade"], count=asked["limit"])
        return Response(
            {
                "currency": outcome_of(row).currency,
                "results": ScenarioOutput(found, many=True).data,
            }
        )


class RunComparisonView(RunPartView):
    @extend_schema(
        description="Compare with another finished run of the book: the change of VaR by cause.",
        parameters=[ComparisonQuery],
        responses=RunComparisonOutput,
        examples=[examples.COMPARISON],
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        after = self.run(request, run_id)
        asked = self.query_of(ComparisonQuery)
        before = self.run(request, asked["with"])
        found = compare_runs(before, after, asked["confidence"])
        return Response(
            RunComparisonOutput(
                {
                    "confidence": found.confidence,
                    "currency": outcome_of(after).currency,
                    "var_before": found.before.var,
                    "var_after": found.after.var,
                    "es_before": found.before.es,
                    "es_after": found.after.es,
                    "change": found.change,
                    "total": found.total,
                    "rule": found.rule,
                    "steps": found.steps,
                    "trades": found.trades,
                    "inputs": [
                        {"name": name, "before": was, "after": now}
                        for name, was, now in found.inputs
                    ],
                }
            ).data
        )


class RunExportView(RunPartView):
    @extend_schema(
        description=(
            "Send a finished run as a file: components as csv, xlsx, json or parquet, trades with"
            " their P&L by scenario as parquet, the risk report as pdf."
        ),
        parameters=[ExportQuery],
        responses={(200, kind): OpenApiTypes.BINARY for kind in ("text/csv", PARQUET)},
        examples=[examples.FILE],
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponseBase:
        row = self.run(request, run_id)
        asked = self.query_of(ExportQuery)
        return export_run(request._request, row, asked["as"], asked["table"])
