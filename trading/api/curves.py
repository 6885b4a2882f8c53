"""Forward curves over REST: build, publish and read versions."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiView
from energyopti.foundation.calendars import CalendarError

from ..models import CurveVersion
from ..queries.curve_terms import NoCurve
from ..queries.curve_versions import UnknownCurve, definition_of, history_of, prove, version_of
from ..queries.quotes import latest_trading_day
from ..services.curve_definitions import CurveRefused
from ..services.curve_publication import approve_version, reject_version, submit_version
from ..services.curves import build_version


class PointOutput(serializers.Serializer[dict[str, Any]]):
    load = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    hours = serializers.FloatField()
    price = serializers.FloatField()


class MovedOutput(serializers.Serializer[dict[str, Any]]):
    contract = serializers.CharField()
    load = serializers.CharField()
    source = serializers.CharField()
    price = serializers.FloatField(help_text="As quoted.")
    taken = serializers.FloatField(help_text="What the curve meets, within bid and ask.")


class VersionOutput(serializers.Serializer[dict[str, Any]]):
    """A version of a curve; `points` only where one is asked for."""

    market = serializers.CharField()
    curve = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.CharField()
    as_of = serializers.DateTimeField()
    known_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    built_by = serializers.CharField()
    decided_by = serializers.CharField()
    reason = serializers.CharField()
    content_hash = serializers.CharField()
    conflicts = serializers.ListField(child=serializers.CharField())
    moved = MovedOutput(many=True)
    points = PointOutput(many=True, required=False)


class ActionInput(StrictSerializer):
    action = serializers.ChoiceField(choices=["submit", "approve", "reject"])
    reason = serializers.CharField(max_length=400, default="", allow_blank=True)


class BuildInput(StrictSerializer):
    as_of = InstantField(required=False, help_text="Default: the last quotes known.")
    reason = serializers.CharField(max_length=400, default="", allow_blank=True)


class ProofOutput(serializers.Serializer[dict[str, Any]]):
    stored = serializers.CharField()
    rebuilt = serializers.CharField()
    is_same = serializers.BooleanField()


_VERSION: dict[str, Any] = {
    "market": "DE",
    "curve": "MARK",
    "version": 2,
    "status": "PUBLISHED",
    "as_of": "2026-11-20T17:00:00Z",
    "known_at": "2026-11-20T18:02:11Z",
    "published_at": "2026-11-20T18:10:40Z",
    "built_by": "user:0b1c",
    "decided_by": "user:7f2a",
    "reason": "close",
    "content_hash": "9f0a…",
    "conflicts": [],
    "moved": [
        {
            "contract": "Q4-27",
            "load": "BASE",
            "source": "exchange",
            "price": 101.3,
            "taken": 101.22,
        }
    ],
}
VERSION_EXAMPLE = OpenApiExample("A version", response_only=True, value=_VERSION)
BUILD_EXAMPLE = OpenApiExample(
    "After a correction", request_only=True, value={"reason": "Q1-27 settled at 65.70, not 65.07"}
)
ACTION_EXAMPLE = OpenApiExample(
    "A second person publishes",
    request_only=True,
    value={"action": "approve", "reason": "agrees with the settlement sheet"},
)
PROOF_EXAMPLE = OpenApiExample(
    "The same",
    response_only=True,
    value={"stored": "9f0a…", "rebuilt": "9f0a…", "is_same": True},
)


class VersionsView(ApiView):
    """Versions of one curve: list them, build the next."""

    permissions: ClassVar[dict[str, str]] = {
        "GET": "trading.view_quote", "POST": "trading.build_curve",
    }  # fmt: skip
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read", "POST": "prices:write"}

    @extend_schema(
        description="List the last 50 versions of a curve, the newest first.",
        responses=VersionOutput(many=True),
        examples=[VERSION_EXAMPLE],
    )
    def get(self, request: Request, market: str, code: str) -> Response:
        rows = history_of(_definition(request, market, code))
        return Response([VersionOutput(_shown(row, market, code)).data for row in rows])

    @extend_schema(
        description=(
            "Build a version from the quotes known now: a draft, or published where the curve's"
            " policy is automatic. Equal content gives the version that is there."
        ),
        request=BuildInput,
        responses={200: VersionOutput},
        examples=[BUILD_EXAMPLE, VERSION_EXAMPLE],
    )
    def post(self, request: Request, market: str, code: str) -> Response:
        from ..curves import CurveError  # with NumPy: for whoever builds one

        body = BuildInput(data=request.data)
        body.is_valid(raise_exception=True)
        definition = _definition(request, market, code)
        as_of = body.validated_data.get("as_of") or latest_trading_day(
            definition.market, as_of=clock.now()
        )
        try:
            if as_of is None:
                raise NoCurve(f"{market}: no forward quote is known.")
            row = build_version(
                actor=actor_of(request._request),
                definition=definition,
                as_of=as_of,
                reason=body.validated_data["reason"],
            )
        except (NoCurve, CurveError, CalendarError) as error:
            raise Refusal(str(error), code="curve_refused") from error
        return Response(VersionOutput(_shown(row, market, code)).data)


class VersionView(ApiView):
    """One version of a curve."""

    permissions: ClassVar[dict[str, str]] = {
        "GET": "trading.view_quote", "POST": "trading.view_quote",
    }  # fmt: skip
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read", "POST": "prices:write"}

    @extend_schema(
        description="Show one version with the mean price of each load and stretch of delivery.",
        responses=VersionOutput,
        examples=[VERSION_EXAMPLE],
    )
    def get(self, request: Request, market: str, code: str, number: int) -> Response:
        row = _version(request, market, code, number)
        points = row.snapshot.points.order_by("load", "start").values(
            "load", "start", "end", "hours", "price"
        )
        shown = {**_shown(row, market, code), "points": list(points)}
        return Response(VersionOutput(shown).data)

    @extend_schema(
        description=(
            "Submit a draft (who may build), or approve or reject one that waits (who may"
            " publish, but did not build, edit or submit it)."
        ),
        operation_id="trading_curves_versions_decide",
        request=ActionInput,
        responses={200: VersionOutput},
        examples=[ACTION_EXAMPLE, VERSION_EXAMPLE],
    )
    def post(self, request: Request, market: str, code: str, number: int) -> Response:
        body = ActionInput(data=request.data)
        body.is_valid(raise_exception=True)
        actor, row = actor_of(request._request), _version(request, market, code, number)
        reason = body.validated_data["reason"]
        try:
            match body.validated_data["action"]:
                case "submit":
                    row = submit_version(actor=actor, version=row)
                case "approve":
                    row = approve_version(actor=actor, version=row, reason=reason)
                case _:
                    row = reject_version(actor=actor, version=row, reason=reason)
        except CurveRefused as error:
            raise Refusal(str(error), code="curve_refused") from error
        return Response(VersionOutput(_shown(row, market, code)).data)


class ProofView(ApiView):
    """Whether a version is the same when built again from its cut."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_quote"}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}

    @extend_schema(
        description="Build a version again from its cut, and compare the hashes.",
        responses=ProofOutput,
        examples=[PROOF_EXAMPLE],
    )
    def get(self, request: Request, market: str, code: str, number: int) -> Response:
        proof = prove(_version(request, market, code, number))
        shown = {"stored": proof.stored, "rebuilt": proof.rebuilt, "is_same": proof.is_same}
        return Response(ProofOutput(shown).data)


def _definition(request: Request, market: str, code: str) -> Any:
    try:
        return definition_of(actor=actor_of(request._request), market=market, code=code)
    except UnknownCurve as error:
        raise Http404(str(error)) from error


def _version(request: Request, market: str, code: str, number: int) -> CurveVersion:
    try:
        return version_of(actor=actor_of(request._request), market=market, code=code, number=number)
    except UnknownCurve as error:
        raise Http404(str(error)) from error


def _shown(row: CurveVersion, market: str, code: str) -> dict[str, Any]:
    return {
        "market": market,
        "curve": code,
        "version": row.number,
        "status": row.status,
        "as_of": row.snapshot.as_of,
        "known_at": row.snapshot.known_at,
        "published_at": row.published_at,
        "built_by": row.built_by,
        "decided_by": row.decided_by,
        "reason": row.decision_reason or row.reason,
        "content_hash": row.snapshot.content_hash,
        "conflicts": row.snapshot.conflicts,
        "moved": row.snapshot.moved,
    }
