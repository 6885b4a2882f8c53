"""Price processes over REST: list, propose, decide; calibrate, and read the fits."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.serializers import (
    DECISION_EXAMPLE,
    VersionDecisionInput,
    verdict_in,
)

from ..models import CalibrationBasis, ProcessKind
from ..queries.price_processes import VIEW, calibration_of, price_processes
from ..services.calibrations import CalibrationTerms, ask_calibration
from ..services.price_processes import (
    APPROVE,
    PROPOSE,
    ProcessTerms,
    decide_process,
    propose_calibrated,
    propose_process,
)


class PriceProcessOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    market = serializers.CharField(source="market.code")
    second_market = serializers.CharField(source="second_market.code", allow_null=True, default="")
    kind = serializers.ChoiceField(choices=ProcessKind.choices)
    version = serializers.IntegerField(source="number")
    parameters = serializers.DictField(child=serializers.FloatField())
    calibration = serializers.IntegerField(
        source="calibration_id", allow_null=True, help_text="Null: the parameters are stated."
    )
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    recorded_at = InstantField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)


class PriceProcessInput(StrictSerializer):
    """Parameters that are stated, or a calibration that they are taken from as they are."""

    market = serializers.CharField(max_length=16, default="")
    kind = serializers.ChoiceField(choices=ProcessKind.choices, default=None, allow_null=True)
    second_market = serializers.CharField(max_length=16, default="", help_text="Of a CORRELATION.")
    parameters = serializers.DictField(
        child=serializers.FloatField(), default=dict,
        help_text="Spot: mean_reversion, volatility, jump_intensity, jump_mean, jump_deviation. "
        "TWO_FACTOR: mean_reversion, short_volatility, long_volatility, correlation. "
        "CORRELATION: correlation.",
    )  # fmt: skip
    calibration = serializers.IntegerField(
        default=None, allow_null=True, help_text="Its id; then market, kind and parameters are its."
    )
    reason = serializers.CharField(max_length=400)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        stated = [name for name in ("market", "kind", "second_market", "parameters") if attrs[name]]
        if attrs["calibration"] is not None and stated:
            raise serializers.ValidationError({stated[0]: "Is that of the calibration."})
        if attrs["calibration"] is None:
            for name in ("market", "kind"):
                if not attrs[name]:
                    raise serializers.ValidationError({name: "Is needed without a calibration."})
        return attrs


class CalibrationInput(StrictSerializer):
    market = serializers.CharField(max_length=16)
    kind = serializers.ChoiceField(choices=ProcessKind.choices)
    basis = serializers.ChoiceField(choices=CalibrationBasis.choices)
    until_date = serializers.DateField()
    first_date = serializers.DateField(
        default=None, allow_null=True, help_text="Not of VOLATILITIES."
    )
    minutes = serializers.ChoiceField(
        choices=[60, 1440], default=1440, help_text="Of FIXINGS: hours, or local days."
    )
    vol_source = serializers.CharField(
        max_length=80, default="", help_text="Empty: the latest of whichever source."
    )
    correlation = serializers.FloatField(
        default=None, allow_null=True,
        help_text="Of the two factors, held while volatilities are fitted.",
    )  # fmt: skip


class FittedParameterOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField()
    standard_error = serializers.FloatField(allow_null=True, help_text="Null: nothing tells it.")


class FitFigureOutput(serializers.Serializer[Any]):
    label = serializers.CharField()
    value = serializers.FloatField()
    unit = serializers.CharField(allow_blank=True)


class CalibrationOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    market = serializers.CharField(source="market.code")
    kind = serializers.ChoiceField(choices=ProcessKind.choices)
    basis = serializers.ChoiceField(choices=CalibrationBasis.choices)
    minutes = serializers.IntegerField()
    first_date = serializers.DateField(allow_null=True)
    until_date = serializers.DateField()
    as_of = InstantField()
    known_at = InstantField()
    days = serializers.IntegerField(help_text="That were used.")
    observations = serializers.IntegerField()
    parameters = serializers.SerializerMethodField()
    figures = serializers.SerializerMethodField()
    findings = serializers.ListField(child=serializers.CharField())
    content_hash = serializers.CharField()

    @extend_schema_field(FittedParameterOutput(many=True))
    def get_parameters(self, row: Any) -> list[dict[str, Any]]:
        names = ("name", "value", "standard_error")
        return [dict(zip(names, one, strict=True)) for one in row.parameters]

    @extend_schema_field(FitFigureOutput(many=True))
    def get_figures(self, row: Any) -> list[dict[str, Any]]:
        names = ("label", "value", "unit")
        return [dict(zip(names, one, strict=True)) for one in row.figures]


class CalibrationJobOutput(serializers.Serializer[Any]):
    """The job that calibrates; ask `/api/v1/jobs/{job}` how far it is and where its fit is."""

    job = serializers.UUIDField()


PROCESS = {
    "id": 3, "market": "TTF", "second_market": "", "kind": "SPOT_LOGNORMAL", "version": 1,
    "parameters": {"mean_reversion": 15.2, "volatility": 0.9, "jump_intensity": 0.0,
                   "jump_mean": 0.0, "jump_deviation": 0.0},
    "calibration": 7, "reason": "two years of days", "proposed_by": "user:12",
    "recorded_at": "2026-11-20T16:10:00Z", "status": "APPROVED", "decided_by": "user:15",
    "decided_at": "2026-11-20T16:40:00Z", "decision_reason": "checked",
}  # fmt: skip
PROCESS_EXAMPLE = OpenApiExample("A process in use", value=PROCESS, response_only=True)
ONE_EXAMPLE = OpenApiExample("A decided version", value=PROCESS, response_only=True)
PROPOSAL_EXAMPLE = OpenApiExample(
    "What a calibration found", value={"calibration": 7, "reason": "two years of days"},
    request_only=True,
)  # fmt: skip
STATED_EXAMPLE = OpenApiExample(
    "A correlation by hand",
    value={"market": "DE", "second_market": "TTF", "kind": "CORRELATION",
           "parameters": {"correlation": 0.4}, "reason": "daily changes of a year"},
    request_only=True,
)  # fmt: skip
WAITING_EXAMPLE = OpenApiExample(
    "What waits",
    value={**PROCESS, "status": "PENDING", "decided_by": "", "decided_at": None,
           "decision_reason": ""},
    response_only=True,
)  # fmt: skip
CALIBRATION_INPUT = OpenApiExample(
    "Two years of days",
    value={"market": "TTF", "kind": "SPOT_LOGNORMAL", "basis": "FIXINGS",
           "first_date": "2024-11-20", "until_date": "2026-11-19"},
    request_only=True,
)  # fmt: skip
CALIBRATION_JOB = OpenApiExample(
    "A job", value={"job": "0d6f3f3e-3f4c-4f0e-9d0a-5a4f7a8f1f10"}, response_only=True,
    status_codes=["202"],
)  # fmt: skip
CALIBRATION_EXAMPLE = OpenApiExample(
    "A fit",
    value={
        "id": 7, "market": "TTF", "kind": "SPOT_LOGNORMAL", "basis": "FIXINGS", "minutes": 1440,
        "first_date": "2024-11-20", "until_date": "2026-11-19", "as_of": "2026-11-20T16:00:00Z",
        "known_at": "2026-11-20T16:00:00Z", "days": 728, "observations": 727,
        "parameters": [{"name": "mean_reversion", "value": 15.2, "standard_error": 2.9}],
        "figures": [{"label": "Half-life of a deviation", "value": 16.6, "unit": "days"}],
        "findings": ["2 of 730 days are left out: not all their prices are known."],
        "content_hash": "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    },
    response_only=True,
)  # fmt: skip


class PriceProcessViewSet(ApiListViewSet):
    """How each market's prices move."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read", "POST": "prices:write"}
    serializer_class = PriceProcessOutput
    ordering = ("id",)

    @extend_schema(
        description=(
            "Page through every version; of a market, or pair of markets, the one approved last is "
            "in use. Without one contracts with choices have their intrinsic value only."
        ),
        responses=PriceProcessOutput(many=True),
        examples=[PROCESS_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """Page through the versions in the order in which they were proposed."""
        rows = price_processes(actor_of(request._request)).order_by("id")
        return self.page_of(rows, PriceProcessOutput)

    @extend_schema(
        description=(
            "Propose the next version, stated or as a calibration found it; nothing uses it until "
            "another person approves it. Takes an `Idempotency-Key`."
        ),
        request=PriceProcessInput,
        responses={201: PriceProcessOutput},
        examples=[PROPOSAL_EXAMPLE, STATED_EXAMPLE, WAITING_EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Propose a process."""
        body = PriceProcessInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = body.validated_data, actor_of(request._request)
        if given["calibration"] is not None:
            row = propose_calibrated(
                actor=actor, calibration_id=given["calibration"], reason=given["reason"]
            )
        else:
            terms = ProcessTerms(
                given["market"], ProcessKind(given["kind"]), given["parameters"],
                given["second_market"],
            )  # fmt: skip
            row = propose_process(actor=actor, terms=terms, reason=given["reason"])
        return Response(PriceProcessOutput(row).data, status=201)


class PriceProcessDecisionView(ApiView):
    """What a second person says of a process."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}

    @extend_schema(
        description=(
            "Approve or decline a version that another person proposed. 409 where it is decided "
            "already, or was proposed by the caller."
        ),
        request=VersionDecisionInput,
        responses=PriceProcessOutput,
        examples=[DECISION_EXAMPLE, ONE_EXAMPLE],
    )
    def post(self, request: Request, process_id: int) -> Response:
        """Decide on a version."""
        approve, reason = verdict_in(request)
        row = decide_process(
            actor=actor_of(request._request), process_id=process_id, approve=approve, reason=reason
        )
        return Response(PriceProcessOutput(row).data)


class CalibrationsView(ApiView):
    """Fits of processes to what is known."""

    permissions: ClassVar[dict[str, str]] = {"POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}

    @extend_schema(
        description="Start to calibrate a process to what is known now, as a job.",
        request=CalibrationInput,
        responses={202: CalibrationJobOutput},
        examples=[CALIBRATION_INPUT, CALIBRATION_JOB],
    )
    def post(self, request: Request) -> Response:
        """Start to calibrate a process."""
        body = CalibrationInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        given["kind"] = ProcessKind(given["kind"])
        given["basis"] = CalibrationBasis(given["basis"])
        job = ask_calibration(
            actor=actor_of(request._request), terms=CalibrationTerms(**given), as_of=clock.now()
        )
        return Response(CalibrationJobOutput({"job": job.pk}).data, status=202)


class CalibrationView(ApiView):
    """One fit of a process."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}

    @extend_schema(
        description="Parameters with their standard errors, and how well they fit.",
        responses=CalibrationOutput,
        examples=[CALIBRATION_EXAMPLE],
    )
    def get(self, request: Request, calibration_id: int) -> Response:
        """Show a calibration."""
        row = calibration_of(actor_of(request._request), calibration_id)
        return Response(CalibrationOutput(row).data)
