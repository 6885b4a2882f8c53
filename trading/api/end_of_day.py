"""REST of the end of day: read runs; start, sign, restate and prove them; closing times."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from trading.models import EndOfDay, EndOfDayState
from trading.queries.closing_times import close_of, closing_times
from trading.queries.end_of_day import (
    DAY_STATES,
    VIEW,
    closed_days,
    differences_of,
    end_of_day_for,
    findings_of,
    late_changes,
    proofs_of,
    runs_of_day,
)
from trading.services.closing_proofs import ask_proof
from trading.services.closing_times import ClosingTerms, set_closing_time
from trading.services.end_of_day import (
    RUN,
    SIGN,
    restate_end_of_day,
    sign_end_of_day,
    start_end_of_day,
)

from . import end_of_day_examples as examples
from .reference import own_organization

_SCOPES = {"GET": "trades:read", "POST": "trades:write", "PUT": "trades:write"}
_CENTS = {"max_digits": 20, "decimal_places": 2}


class EndOfDayQuery(StrictSerializer):
    """Which days; all of the caller's organizations, if nothing is said."""

    first_day = serializers.DateField(required=False)
    last_day = serializers.DateField(required=False)
    state = serializers.ChoiceField(
        choices=[key for key in DAY_STATES if key != "OPEN"], required=False
    )


class EndOfDayInput(StrictSerializer):
    """Which day is closed; `as_of` may be left to the organization's closing time."""

    organization = serializers.UUIDField(required=False)
    day = serializers.DateField()
    as_of = InstantField(required=False)


class SignInput(StrictSerializer):
    """Why, where the checks found something."""

    reason = serializers.CharField(max_length=400, default="", allow_blank=True)


class RestateInput(StrictSerializer):
    """Why a signed day is valued again."""

    reason = serializers.CharField(max_length=400)


class ClosingTimeInput(StrictSerializer):
    """When days close, on the clock of a market."""

    organization = serializers.UUIDField(required=False)
    market = serializers.CharField(max_length=16)
    closes_at = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"])
    holidays = serializers.CharField(max_length=16, default="", allow_blank=True)
    is_active = serializers.BooleanField(default=True)


class ClosingTimeOutput(serializers.Serializer[Any]):
    organization = serializers.UUIDField(source="organization_id")
    market = serializers.CharField(source="market.code")
    time_zone = serializers.CharField(source="market.time_zone")
    closes_at = serializers.TimeField(format="%H:%M")
    holidays = serializers.CharField(source="holidays.code", default="")
    is_active = serializers.BooleanField()


class EndOfDayOutput(serializers.Serializer[Any]):
    """One run of a day."""

    id = serializers.IntegerField()
    organization = serializers.UUIDField(source="organization_id")
    day = serializers.DateField()
    number = serializers.IntegerField()
    state = serializers.SerializerMethodField(help_text="Of the day in lists, of the run alone.")
    is_restatement = serializers.BooleanField()
    as_of = InstantField()
    findings = serializers.SerializerMethodField()
    restatements = serializers.IntegerField(required=False)
    requested_by = serializers.CharField()
    reason = serializers.CharField()
    signed_by = serializers.CharField()
    signed_at = InstantField(allow_null=True)
    signed_reason = serializers.CharField()
    input_hash = serializers.CharField(source="run.input_hash", default=None, allow_null=True)
    result_hash = serializers.CharField(source="run.result_hash", default=None, allow_null=True)
    job = serializers.UUIDField(source="job_id", allow_null=True)

    def get_state(self, row: EndOfDay) -> str:
        shown = getattr(row, "shown_state", None)
        if shown is None:
            shown = "FINDINGS" if row.state == EndOfDayState.READY and row.checks else row.state
        return str(shown)

    def get_findings(self, row: EndOfDay) -> int:
        return len(row.checks)


class StepStateOutput(serializers.Serializer[Any]):
    step = serializers.CharField()
    said = serializers.CharField()


class FindingOutput(serializers.Serializer[Any]):
    """What to look at before signing; `about` and `key` say what mends it."""

    step = serializers.CharField()
    text = serializers.CharField()
    about = serializers.CharField()
    key = serializers.CharField()
    figures = serializers.DictField(child=serializers.CharField())


class DifferenceOutput(serializers.Serializer[Any]):
    """A book in a restatement against the official run."""

    book = serializers.CharField()
    currency = serializers.CharField()
    official_value = DecimalString(**_CENTS)
    restated_value = DecimalString(**_CENTS)
    value_difference = DecimalString(**_CENTS)
    official_pnl = DecimalString(**_CENTS)
    restated_pnl = DecimalString(**_CENTS)
    pnl_difference = DecimalString(**_CENTS)


class LateOutput(serializers.Serializer[Any]):
    ref = serializers.CharField()
    event = serializers.CharField()
    book = serializers.CharField()
    traded_at = InstantField()
    recorded_at = InstantField()


class DayProofOutput(serializers.Serializer[Any]):
    """The run computed again from its cut."""

    is_same = serializers.BooleanField()
    input_hash = serializers.CharField()
    result_hash = serializers.CharField()
    reports = serializers.DictField(child=serializers.CharField())
    differences = serializers.ListField(child=serializers.CharField())
    tzdata = serializers.CharField()
    code = serializers.CharField()
    recorded_at = InstantField()


class EndOfDayDetailOutput(EndOfDayOutput):
    """A run with what it did and found, and what is known of its day since."""

    steps = StepStateOutput(many=True)
    checks = FindingOutput(many=True)
    known_at = InstantField(allow_null=True)
    differences = DifferenceOutput(many=True)
    late = LateOutput(many=True)
    proofs = DayProofOutput(many=True)


class ProofJobOutput(serializers.Serializer[Any]):
    """The job that computes a run again; ask `/api/v1/jobs/{job}` how far it is."""

    job = serializers.UUIDField()


class EndOfDayViewSet(ApiListViewSet):
    """The days of the caller's organizations."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": RUN}
    scopes: ClassVar[dict[str, str]] = _SCOPES
    serializer_class = EndOfDayOutput
    ordering = ("-day", "-id")

    @extend_schema(
        description="Page through the days, the last official run of each, the latest day first.",
        parameters=[EndOfDayQuery],
        responses=EndOfDayOutput(many=True),
        examples=[examples.RUN_OF_DAY],
    )
    def list(self, request: Request) -> Response:
        asked = self.query_of(EndOfDayQuery)
        paths = {"first_day": "day__gte", "last_day": "day__lte", "state": "shown_state"}
        rows = closed_days(actor_of(request._request))
        return self.page_of(
            rows.filter(**{paths[name]: value for name, value in asked.items()}), EndOfDayOutput
        )

    @extend_schema(
        description="Return one run with its steps, findings, proofs and what came late.",
        responses=EndOfDayDetailOutput,
        examples=[examples.DETAIL],
    )
    def retrieve(self, request: Request, end_of_day_id: int) -> Response:
        return _detail(actor_of(request._request), end_of_day_id)

    @extend_schema(
        description=(
            "Start to close a day, or to close it again until it is signed off. The answer names"
            " the job; the run is READY when it has ended. Takes an `Idempotency-Key`."
        ),
        request=EndOfDayInput,
        responses={202: EndOfDayOutput},
        examples=[examples.START, examples.STARTED],
    )
    def create(self, request: Request) -> Response:
        body = EndOfDayInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = body.validated_data, actor_of(request._request)
        organization_id = own_organization(actor, given.get("organization"))
        as_of = given.get("as_of")
        if as_of is None:
            terms = closing_times(frozenset({organization_id})).get(organization_id)
            if terms is None:
                raise Refusal(
                    "as_of: say when the day closes; no closing time is set.",
                    code="as_of_missing", pointer="/as_of",
                )  # fmt: skip
            as_of = close_of(terms, given["day"])
        row = start_end_of_day(
            actor=actor, organization_id=organization_id, day=given["day"], as_of=as_of,
            asked_at=clock.now(),
        )  # fmt: skip
        return _started(request, row)


class SignView(ApiView):
    """The sign-off of a day."""

    permissions: ClassVar[dict[str, str]] = {"POST": SIGN}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    @extend_schema(
        description="Sign off the last run of a day that another person ran; 409 where it cannot.",
        request=SignInput,
        responses=EndOfDayDetailOutput,
        examples=[examples.SIGN, examples.DETAIL],
    )
    def post(self, request: Request, end_of_day_id: int) -> Response:
        actor = actor_of(request._request)
        end_of_day_for(actor, end_of_day_id)
        body = SignInput(data=request.data)
        body.is_valid(raise_exception=True)
        sign_end_of_day(
            actor=actor, end_of_day_id=end_of_day_id, signed_at=clock.now(),
            reason=body.validated_data["reason"],
        )  # fmt: skip
        return _detail(actor, end_of_day_id)


class RestateView(ApiView):
    """A restatement of a signed day."""

    permissions: ClassVar[dict[str, str]] = {"POST": RUN}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    @extend_schema(
        description=(
            "Start to value a signed day's close again with what is known now. The official run"
            " stays what it was; the answer is the restatement, which stands beside it."
        ),
        request=RestateInput,
        responses={202: EndOfDayOutput},
        examples=[examples.RESTATE, examples.STARTED],
    )
    def post(self, request: Request, end_of_day_id: int) -> Response:
        actor = actor_of(request._request)
        end_of_day_for(actor, end_of_day_id)
        body = RestateInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = restate_end_of_day(
            actor=actor, end_of_day_id=end_of_day_id, reason=body.validated_data["reason"]
        )
        return _started(request, row)


class ProveView(ApiView):
    """A proof of a run."""

    permissions: ClassVar[dict[str, str]] = {"POST": VIEW}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:read"}

    @extend_schema(
        description=(
            "Start to compute a run again from its cut of knowledge; the outcome stands under"
            " `proofs` of the run when the job has ended."
        ),
        request=None,
        responses={202: ProofJobOutput},
        examples=[examples.PROOF_JOB],
    )
    def post(self, request: Request, end_of_day_id: int) -> Response:
        job = ask_proof(actor=actor_of(request._request), end_of_day_id=end_of_day_id)
        return Response(ProofJobOutput({"job": job.pk}).data, status=202)


class ClosingTimeView(ApiView):
    """When days are closed."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "PUT": RUN}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    @extend_schema(
        description="List when the caller's organizations close their days.",
        responses=ClosingTimeOutput(many=True),
        examples=[examples.CLOSING_TIMES],
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request._request)
        rows = closing_times(actor.organization_ids)
        found = [rows[key] for key in sorted(rows)]
        return Response(ClosingTimeOutput(found, many=True).data)

    @extend_schema(
        description="Say when an organization's days close, and whether the clock closes them.",
        request=ClosingTimeInput,
        responses=ClosingTimeOutput,
        examples=[examples.SET_CLOSING_TIME, examples.CLOSING_TIME],
    )
    def put(self, request: Request) -> Response:
        body = ClosingTimeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = dict(body.validated_data), actor_of(request._request)
        row = set_closing_time(
            actor=actor,
            organization_id=own_organization(actor, given.pop("organization", None)),
            terms=ClosingTerms(**given),
        )
        return Response(ClosingTimeOutput(row).data)


def _started(request: Request, row: EndOfDay) -> Response:
    row.refresh_from_db()
    answer = Response(EndOfDayOutput(row).data, status=202)
    answer["Location"] = request.build_absolute_uri(f"/api/v1/trading/end-of-days/{row.pk}")
    return answer


def _detail(actor: Actor, end_of_day_id: int) -> Response:
    row = end_of_day_for(actor, end_of_day_id)
    official = None
    if row.is_restatement:
        signed = (r for r in runs_of_day(row) if r.state == EndOfDayState.SIGNED)
        official = next((r for r in signed if not r.is_restatement), None)
    shown = {
        **EndOfDayOutput(row).data,
        "steps": StepStateOutput(row.steps, many=True).data,
        "checks": FindingOutput(findings_of(actor, row), many=True).data,
        "known_at": row.run and InstantField().to_representation(row.run.known_at),
        "differences": DifferenceOutput(
            differences_of(actor, official, row) if official and row.run else [], many=True
        ).data,
        "late": LateOutput(late_changes(actor, row), many=True).data,
        "proofs": DayProofOutput(proofs_of(row), many=True).data,
    }
    return Response(shown)
