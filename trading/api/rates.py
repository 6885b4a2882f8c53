"""Interest rates, exchange-rate forwards and volatilities over REST."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiView

from ..models import Compounding, VolKind
from ..services.rates import (
    FxForwardDraft,
    InterestDraft,
    RatesRefused,
    VolDraft,
    book_fx_forwards,
    book_interest,
    book_vols,
)
from .prices import market_or_404

MOST = 2000
_CURRENCY = {"min_length": 3, "max_length": 3, "help_text": "ISO 4217."}


class _RatesInput(StrictSerializer):
    valid_from = InstantField(help_text="The instant that the quotes speak of.")
    source = serializers.CharField(max_length=80)


class InterestRateInput(StrictSerializer):
    matures_on = serializers.DateField()
    rate = DecimalString(max_digits=14, decimal_places=10, help_text="0.025 is 2.5 %.")


class InterestInput(_RatesInput):
    currency = serializers.CharField(**_CURRENCY)
    compounding = serializers.ChoiceField(choices=Compounding.choices)
    quotes = InterestRateInput(many=True, allow_empty=False, max_length=MOST)


class FxForwardInput(StrictSerializer):
    settles_on = serializers.DateField(help_text="The first one is spot.")
    rate = DecimalString(max_digits=20, decimal_places=10, help_text="Outright.")


class FxForwardsInput(_RatesInput):
    base = serializers.CharField(**_CURRENCY)
    quote = serializers.CharField(**_CURRENCY)
    quotes = FxForwardInput(many=True, allow_empty=False, max_length=MOST)


class VolInput(StrictSerializer):
    contract = serializers.CharField(max_length=16)
    expires_on = serializers.DateField()
    moneyness = DecimalString(max_digits=9, decimal_places=6, help_text="Strike / forward.")
    vol = DecimalString(max_digits=14, decimal_places=8, help_text="0.35 is 35 % a year.")


class VolsInput(_RatesInput):
    market = serializers.CharField(max_length=16)
    kind = serializers.ChoiceField(choices=VolKind.choices)
    quotes = VolInput(many=True, allow_empty=False, max_length=MOST)


class RatesOutput(serializers.Serializer[dict[str, Any]]):
    read = serializers.IntegerField()
    booked = serializers.IntegerField(help_text="New ones and corrections.")


_COMMON = {"valid_from": "2026-11-20T17:00:00Z", "source": "bank"}
BOOKED_EXAMPLE = OpenApiExample("One booked", response_only=True, value={"read": 1, "booked": 1})
INTEREST_EXAMPLE = OpenApiExample(
    "A zero rate",
    request_only=True,
    value={
        **_COMMON,
        "currency": "EUR",
        "compounding": "CONTINUOUS",
        "quotes": [{"matures_on": "2027-11-20", "rate": "0.025"}],
    },
)
FX_EXAMPLE = OpenApiExample(
    "Spot",
    request_only=True,
    value={
        **_COMMON,
        "base": "EUR",
        "quote": "USD",
        "quotes": [{"settles_on": "2026-11-24", "rate": "1.1000"}],
    },
)
VOL_EXAMPLE = OpenApiExample(
    "A year's volatility",
    request_only=True,
    value={
        **_COMMON,
        "market": "DE",
        "kind": "LOGNORMAL",
        "quotes": [
            {"contract": "Cal28", "expires_on": "2027-12-15", "moneyness": "1", "vol": "0.35"}
        ],
    },
)
_WORDS = " Of one instant and source, all or none; what is known already is not booked again."


class _RatesView(ApiView):
    permissions: ClassVar[dict[str, str]] = {"POST": "trading.manage_reference_data"}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}

    def answer(self, read: int, book: Any, **given: Any) -> Response:
        try:
            booked = book(**given)
        except RatesRefused as error:
            raise Refusal(str(error), code="rates_refused", pointer="/quotes") from error
        return Response(RatesOutput({"read": read, "booked": booked}).data)


class InterestView(_RatesView):
    """Zero rates of a currency."""

    @extend_schema(
        description="Book zero rates of a currency." + _WORDS,
        request=InterestInput,
        responses={200: RatesOutput},
        examples=[INTEREST_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = InterestInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        given["compounding"] = Compounding(given["compounding"])
        drafts = [InterestDraft(**each) for each in given.pop("quotes")]
        actor = actor_of(request._request)
        return self.answer(len(drafts), book_interest, actor=actor, drafts=drafts, **given)


class FxForwardsView(_RatesView):
    """Outright forwards of a pair of currencies."""

    @extend_schema(
        description="Book outright forwards of a pair of currencies, spot first." + _WORDS,
        request=FxForwardsInput,
        responses={200: RatesOutput},
        examples=[FX_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = FxForwardsInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        drafts = [FxForwardDraft(**each) for each in given.pop("quotes")]
        actor = actor_of(request._request)
        return self.answer(len(drafts), book_fx_forwards, actor=actor, drafts=drafts, **given)


class VolsView(_RatesView):
    """Implied volatilities of a market."""

    @extend_schema(
        description="Book volatilities of a market by contract, expiry and moneyness." + _WORDS,
        request=VolsInput,
        responses={200: RatesOutput},
        examples=[VOL_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = VolsInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        given["market"], given["kind"] = market_or_404(given["market"]), VolKind(given["kind"])
        drafts = [VolDraft(**each) for each in given.pop("quotes")]
        actor = actor_of(request._request)
        return self.answer(len(drafts), book_vols, actor=actor, drafts=drafts, **given)
