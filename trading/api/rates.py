"""Interest rates, exchange-rate forwards and volatilities over REST."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
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
    """Quotes of one instant and source: what is said once for all of them, and a list."""

    permissions: ClassVar[dict[str, str]] = {"POST": "trading.manage_reference_data"}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}
    body: type[_RatesInput]
    draft: type[Any]
    book: Callable[..., int]

    def post(self, request: Request) -> Response:
        body = self.body(data=request.data)
        body.is_valid(raise_exception=True)
        given = self.typed(dict(body.validated_data))
        drafts = [self.draft(**each) for each in given.pop("quotes")]
        try:
            booked = self.book(actor=actor_of(request._request), drafts=drafts, **given)
        except RatesRefused as error:
            raise Refusal(str(error), code="rates_refused", pointer="/quotes") from error
        return Response(RatesOutput({"read": len(drafts), "booked": booked}).data)

    def typed(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what was given with codes as what they stand for."""
        return given


def _documented(what: str, body: type[_RatesInput], example: OpenApiExample) -> Any:
    return extend_schema_view(
        post=extend_schema(
            description=what + _WORDS,
            request=body,
            responses={200: RatesOutput},
            examples=[example, BOOKED_EXAMPLE],
        )
    )


@_documented("Book zero rates of a currency.", InterestInput, INTEREST_EXAMPLE)
class InterestView(_RatesView):
    """Zero rates of a currency."""

    body, draft, book = InterestInput, InterestDraft, staticmethod(book_interest)

    def typed(self, given: dict[str, Any]) -> dict[str, Any]:
        return given | {"compounding": Compounding(given["compounding"])}


@_documented(
    "Book outright forwards of a pair of currencies, spot first.", FxForwardsInput, FX_EXAMPLE
)
class FxForwardsView(_RatesView):
    """Outright forwards of a pair of currencies."""

    body, draft, book = FxForwardsInput, FxForwardDraft, staticmethod(book_fx_forwards)


@_documented(
    "Book volatilities of a market by contract, expiry and moneyness.", VolsInput, VOL_EXAMPLE
)
class VolsView(_RatesView):
    """Implied volatilities of a market."""

    body, draft, book = VolsInput, VolDraft, staticmethod(book_vols)

    def typed(self, given: dict[str, Any]) -> dict[str, Any]:
        return given | {
            "market": market_or_404(given["market"]), "kind": VolKind(given["kind"]),
        }  # fmt: skip
