"""REST of a package that waits: look at it, release all of it or send all of it back."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.serializers import StrictSerializer
from energyopti.foundation.api.views import ApiView
from trading.queries.trade_page import package_waiting
from trading.queries.trades import trade_by_ref, trade_rows
from trading.services.several_trades import Seen, reject_package, release_package

from .serializers import TradeOutput
from .trade_examples import TRADE
from .trade_terms import ReasonInput, ReleaseInput

RELEASE = "trading.release_trade"
MOST_TRADES = 1000


class SeenInput(StrictSerializer):
    """A waiting trade and the version of it that was read."""

    trade = serializers.CharField(max_length=16)
    version = serializers.IntegerField(min_value=1, max_value=10**9)


class _SeenPackage(serializers.Serializer[Any]):
    trades = SeenInput(many=True, allow_empty=False, max_length=MOST_TRADES)


class PackageReleaseInput(_SeenPackage, ReleaseInput):
    """All that waits of the package, as it was read."""


class PackageRejectionInput(_SeenPackage, ReasonInput):
    """All that waits of the package, as it was read, and why it goes back."""


_SEEN = {"trades": [{"trade": "T-00000042", "version": 1}, {"trade": "T-00000043", "version": 1}]}
RELEASED = OpenApiExample(
    "Both months", value={**_SEEN, "reason": "agreed with risk"}, request_only=True
)
REJECTED = OpenApiExample(
    "Back to the desk", value={**_SEEN, "reason": "the client wants base"}, request_only=True
)


class PackageView(ApiView):
    """What waits of a package."""

    permissions: ClassVar[dict[str, str]] = {"GET": RELEASE}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description="List the trades that wait of the package that a trade belongs to.",
        responses=TradeOutput(many=True),
        examples=[TRADE],
    )
    def get(self, request: Request, ref: str) -> Response:
        actor = actor_of(request._request)
        trade = trade_by_ref(actor, ref).trade
        rows = package_waiting(actor, trade)[0] if trade.package_id else []
        return Response(TradeOutput(rows, many=True).data)


class _PackageVerb(ApiView):
    permissions: ClassVar[dict[str, str]] = {"POST": RELEASE}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}

    def done(
        self, request: Request, ref: str, body: StrictSerializer, verb: Callable[..., Any]
    ) -> Response:
        """Apply a verb to the whole package and answer with its trades as they are then."""
        actor = actor_of(request._request)
        trade_by_ref(actor, ref)  # whose it is comes before what is wrong with the body
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        trades = [Seen(one["trade"], one["version"]) for one in given.pop("trades")]
        made = verb(actor=actor, ref=ref, trades=trades, received_at=clock.now(), **given)
        refs = [receipt.ref for receipt in made]
        rows = trade_rows(actor).filter(trade__ref__in=refs).order_by("trade_id")
        return Response(TradeOutput(rows, many=True).data)


class PackageReleaseView(_PackageVerb):
    """The yes to a package."""

    @extend_schema(
        description=(
            "Let all trades of a package that wait go live, as another person than their authors: "
            "all of them, or none. 409 `package_changed` where others wait than are named, 409 "
            "`stale_version` where one has changed. Takes an `Idempotency-Key`."
        ),
        request=PackageReleaseInput,
        responses=TradeOutput(many=True),
        examples=[RELEASED, TRADE],
    )
    def post(self, request: Request, ref: str) -> Response:
        return self.done(request, ref, PackageReleaseInput(data=request.data), release_package)


class PackageRejectionView(_PackageVerb):
    """The no to a package."""

    @extend_schema(
        description=(
            "Send all trades of a package that wait back as drafts, with a reason: all of them, "
            "or none; refused as a release is. Takes an `Idempotency-Key`."
        ),
        request=PackageRejectionInput,
        responses=TradeOutput(many=True),
        examples=[REJECTED, TRADE],
    )
    def post(self, request: Request, ref: str) -> Response:
        return self.done(request, ref, PackageRejectionInput(data=request.data), reject_package)
