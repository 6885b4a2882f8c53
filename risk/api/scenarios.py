"""Scenarios over REST: definitions proposed and decided, sets with their register, comparisons."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.serializers import VersionDecisionInput, verdict_in
from risk.models import MoveMapping, MoveRule, ProxyRule, Weighting
from risk.queries.scenario_definitions import VIEW, definitions, method_of
from risk.queries.scenario_sets import (
    comparison_of,
    markets_of,
    register_of,
    scenario_sets,
    set_of,
)
from risk.services.scenario_comparisons import ask_comparison
from risk.services.scenario_definitions import (
    APPROVE,
    PROPOSE,
    DefinitionTerms,
    RuleTerms,
    decide_definition,
    propose_definition,
)
from trading.queries.books import UnknownBook

from . import scenario_examples as examples


class ScenarioRuleOutput(serializers.Serializer[Any]):
    market = serializers.CharField(
        source="market.code", allow_null=True, default=None, help_text="Null: all others."
    )
    rule = serializers.ChoiceField(choices=MoveRule.choices)
    displacement = serializers.FloatField()
    mapping = serializers.ChoiceField(choices=MoveMapping.choices)
    proxy_market = serializers.CharField(source="proxy_market.code", allow_null=True, default=None)
    proxy_rule = serializers.ChoiceField(choices=ProxyRule.choices, allow_blank=True)


class ScenarioDefinitionOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    version = serializers.IntegerField(source="number")
    owner = serializers.CharField()
    method = serializers.SerializerMethodField()
    scenarios = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    window_from = serializers.DateField(allow_null=True)
    window_until = serializers.DateField(allow_null=True)
    weighting = serializers.ChoiceField(choices=Weighting.choices)
    decay = serializers.FloatField(allow_null=True)
    garch_alpha = serializers.FloatField(allow_null=True)
    garch_beta = serializers.FloatField(allow_null=True)
    rules = ScenarioRuleOutput(many=True)
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    recorded_at = InstantField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)

    @extend_schema_field(str)
    def get_method(self, row: Any) -> str:
        return method_of(row, has_loads=False)


class ScenarioRuleInput(StrictSerializer):
    market = serializers.CharField(
        max_length=16, default="", allow_blank=True, help_text="Empty: all that have none."
    )
    rule = serializers.ChoiceField(choices=MoveRule.choices, default="ABSOLUTE")
    displacement = serializers.FloatField(default=0.0, help_text="Above 0 of DISPLACED.")
    mapping = serializers.ChoiceField(choices=MoveMapping.choices, default="TIME_TO_DELIVERY")
    proxy_market = serializers.CharField(max_length=16, default="", allow_blank=True)
    proxy_rule = serializers.ChoiceField(choices=ProxyRule.choices, default=None, allow_null=True)


class ScenarioDefinitionInput(StrictSerializer):
    code = serializers.CharField(max_length=16)
    owner = serializers.CharField(max_length=80)
    scenarios = serializers.IntegerField(default=500)
    horizon_days = serializers.IntegerField(default=1)
    window_from = serializers.DateField(default=None, allow_null=True)
    window_until = serializers.DateField(default=None, allow_null=True)
    weighting = serializers.ChoiceField(choices=Weighting.choices, default="NONE")
    decay = serializers.FloatField(default=None, allow_null=True, help_text="Of EWMA.")
    garch_alpha = serializers.FloatField(default=None, allow_null=True)
    garch_beta = serializers.FloatField(default=None, allow_null=True)
    rules = ScenarioRuleInput(many=True)
    reason = serializers.CharField(max_length=400)

    @property
    def terms(self) -> DefinitionTerms:
        """Return what is proposed."""
        given = {k: v for k, v in self.validated_data.items() if k not in ("rules", "reason")}
        rules = tuple(
            RuleTerms(
                market=rule["market"], rule=MoveRule(rule["rule"]),
                displacement=rule["displacement"], mapping=MoveMapping(rule["mapping"]),
                proxy_market=rule["proxy_market"],
                proxy_rule=ProxyRule(rule["proxy_rule"]) if rule["proxy_rule"] else None,
            )
            for rule in self.validated_data["rules"]
        )  # fmt: skip
        given["weighting"] = Weighting(given["weighting"])
        return DefinitionTerms(**given, rules=rules)


class ScenarioSetOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    definition = serializers.CharField(allow_null=True, help_text="Code and version.")
    method = serializers.CharField()
    scenarios = serializers.SerializerMethodField()
    first_day = serializers.SerializerMethodField()
    last_day = serializers.SerializerMethodField()
    horizon_days = serializers.IntegerField()
    markets = serializers.IntegerField(allow_null=True)
    proxies = serializers.IntegerField(source="entries", allow_null=True)
    as_of = InstantField()
    recorded_at = InstantField()
    content_hash = serializers.CharField()

    @extend_schema_field(int)
    def get_scenarios(self, row: Any) -> int:
        return len(row.days)

    @extend_schema_field(serializers.DateField)
    def get_first_day(self, row: Any) -> str:
        return str(row.days[0])

    @extend_schema_field(serializers.DateField)
    def get_last_day(self, row: Any) -> str:
        return str(row.days[-1])


class RegisterEntryOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    of = serializers.CharField()
    months = serializers.CharField(help_text="Months ahead, in words.")
    stands_in = serializers.CharField()
    why = serializers.CharField()
    scenarios = serializers.IntegerField()
    correlation = serializers.FloatField(allow_null=True)
    ratio = serializers.FloatField(allow_null=True, help_text="Of deviations.")
    compared = serializers.IntegerField(help_text="Moves that both figures rest on.")


class ScenarioSetDetailOutput(ScenarioSetOutput):
    market_codes = serializers.ListField(child=serializers.CharField())
    register = RegisterEntryOutput(many=True)


class ComparisonInput(StrictSerializer):
    book = serializers.UUIDField()
    first = serializers.IntegerField(help_text="Id of a definition.")
    second = serializers.IntegerField()


class ComparisonJobOutput(serializers.Serializer[Any]):
    """The job that compares; ask `/api/v1/jobs/{job}` where its result is."""

    job = serializers.UUIDField()


class ComparisonOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    book = serializers.UUIDField(source="book_id")
    valued_at = InstantField()
    currency = serializers.CharField()
    sides = serializers.ListField(
        child=serializers.JSONField(),
        help_text="By definition: method, value, tails by confidence as [VaR, ES] and worst.",
    )
    findings = serializers.ListField(child=serializers.CharField())


class ScenarioDefinitionViewSet(ApiListViewSet):
    """How scenarios are made."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read", "POST": "risk:write"}
    serializer_class = ScenarioDefinitionOutput
    ordering = ("id",)

    @extend_schema(
        description=(
            "Page through every version; of a code, the one approved last is in use. DESK is what "
            "books are valued on."
        ),
        responses=ScenarioDefinitionOutput(many=True),
        examples=[examples.DEFINITION],
    )
    def list(self, request: Request) -> Response:
        """Page through the versions in the order in which they were proposed."""
        rows = definitions(actor_of(request._request)).order_by("id")
        return self.page_of(rows, ScenarioDefinitionOutput)

    @extend_schema(
        description=(
            "Propose the next version of a code; nothing uses it until another person approves it. "
            "A rule that a quoted price could not follow is refused. Takes an `Idempotency-Key`."
        ),
        request=ScenarioDefinitionInput,
        responses={201: ScenarioDefinitionOutput},
        examples=[examples.PROPOSAL, examples.WAITING],
    )
    def create(self, request: Request) -> Response:
        """Propose a version."""
        body = ScenarioDefinitionInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = propose_definition(
            actor=actor_of(request._request), terms=body.terms,
            reason=body.validated_data["reason"], as_of=clock.now(),
        )  # fmt: skip
        return Response(ScenarioDefinitionOutput(row).data, status=201)


class ScenarioDecisionView(ApiView):
    """What a second person says of a definition."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description=(
            "Approve or decline a version that another person proposed, with a reason. 409 where it"
            " is decided already, has no reason, or was proposed by the caller."
        ),
        request=VersionDecisionInput,
        responses=ScenarioDefinitionOutput,
        examples=[examples.DECISION, examples.DECIDED],
    )
    def post(self, request: Request, definition_id: int) -> Response:
        """Decide on a version."""
        approve, reason = verdict_in(request)
        row = decide_definition(
            actor=actor_of(request._request),
            definition_id=definition_id,
            approve=approve,
            reason=reason,
        )
        return Response(ScenarioDefinitionOutput(row).data)


class ScenarioSetViewSet(ApiListViewSet):
    """Sets of scenarios."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}
    serializer_class = ScenarioSetOutput
    ordering = ("-id",)

    @extend_schema(
        description="Page through the sets, the latest first.",
        responses=ScenarioSetOutput(many=True),
        examples=[examples.SET],
    )
    def list(self, request: Request) -> Response:
        """Page through the sets."""
        return self.page_of(scenario_sets(actor_of(request._request)), ScenarioSetOutput)

    @extend_schema(
        description="Return a set with its markets and its register of proxies.",
        responses=ScenarioSetDetailOutput,
        examples=[examples.SET_DETAIL],
    )
    def retrieve(self, request: Request, set_id: int) -> Response:
        """Return a set with its register."""
        row: Any = set_of(actor_of(request._request), set_id)
        row.market_codes, row.register = markets_of(row), register_of(row)
        return Response(ScenarioSetDetailOutput(row).data)


class ComparisonsView(ApiView):
    """Books under two definitions."""

    permissions: ClassVar[dict[str, str]] = {"POST": VIEW}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description="Start to value a book, with those below it, under two versions, as a job.",
        request=ComparisonInput,
        responses={202: ComparisonJobOutput},
        examples=[examples.COMPARISON_INPUT, examples.COMPARISON_JOB],
    )
    def post(self, request: Request) -> Response:
        """Start to compare."""
        body = ComparisonInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        try:
            job = ask_comparison(
                actor=actor_of(request._request), book_id=given["book"], first_id=given["first"],
                second_id=given["second"],
            )  # fmt: skip
        except UnknownBook as error:
            raise Http404(str(error)) from error
        return Response(ComparisonJobOutput({"job": job.pk}).data, status=202)


class ComparisonView(ApiView):
    """One comparison."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}

    @extend_schema(
        description="Return what a book's risk would be under two definitions.",
        responses=ComparisonOutput,
        examples=[examples.COMPARISON],
    )
    def get(self, request: Request, comparison_id: int) -> Response:
        """Return a comparison."""
        return Response(
            ComparisonOutput(comparison_of(actor_of(request._request), comparison_id)).data
        )
